"""What Athena keeps of an account beside its executions: workgroups, named queries, prepared statements, tokens.

Every item is a map of plain values with a row of its own in the state, written before the answer goes out.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from lakectl.local.durable.database import Database

KIND = "athena"  # of the rows
WORKGROUP, NAMED_QUERY, PREPARED, TOKEN = "workgroup", "named-query", "prepared", "token"
_KINDS = (WORKGROUP, NAMED_QUERY, PREPARED, TOKEN)
Item = dict[str, Any]


class Store:
    """Items by region, kind and key, in the order in which they were made. ``lock`` is held around each request."""

    def __init__(self, database: Database) -> None:
        self.lock = threading.RLock()
        self._database = database
        self._items: dict[tuple[str, str], dict[str, Item]] = {}

    def all(self, region: str, kind: str) -> dict[str, Item]:
        """The items themselves: changes go through ``put``."""
        return self._items.setdefault((region, kind), {})

    def put(self, region: str, kind: str, key: str, item: Item) -> None:
        self.all(region, kind)[key] = item
        self._database.put(KIND, region, f"{kind}/{key}", json.dumps(item).encode())

    def delete(self, region: str, kind: str, key: str) -> None:
        del self.all(region, kind)[key]
        self._database.delete(KIND, region, f"{kind}/{key}")

    def load(self) -> None:
        """What an earlier server has kept."""
        self._database.load(KIND, self._load_one)

    def _load_one(self, region: str, identity: str, value: bytes) -> None:
        kind, _, key = identity.partition("/")
        if kind not in _KINDS:
            raise ValueError(f"unknown kind {kind!r}")
        self.all(region, kind)[key] = json.loads(value)
