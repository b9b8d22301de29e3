"""Who answers the rows, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from lakectl.contract import recordings
from lakectl.contract.asking import Clients, Outcome, Where, ask, clients_of
from lakectl.contract.table import Row
from lakectl.local.control import Endpoint


@dataclass
class Account:
    """Answers rows, and keeps what was answered. ``snapshot`` is written at the end; None: nothing is recorded."""

    clients: Clients
    where: Where
    snapshot: Path | None = None
    answered_by: str = recordings.AWS
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def ask(self, row: Row) -> Outcome:
        outcome = ask(row, self.clients, self.where, tidy=self.snapshot is not None)
        if self.snapshot and outcome.prepared:
            self.rows[row.id] = recordings.recorded(row, outcome, self.where, self.answered_by)
        return outcome


def local_account(endpoint: Endpoint) -> Account:
    return Account(clients_at(endpoint.url, endpoint.access_key_id, endpoint.secret_access_key), Where())


def clients_at(url: str, access_key: str, secret_key: str) -> Clients:
    return clients_of(boto3.Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key), url)
