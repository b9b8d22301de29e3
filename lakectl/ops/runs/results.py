"""What a job run did, and why it refused landings (:mod:`lakectl.core.run_results`)."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.core import run_results
from lakectl.core.ledger_items import Entry
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.ops.runs.run_log import table


def read(lake: Lake, run_id: str) -> dict[str, Any]:
    """The whole result of a run, or ``{}`` when it wrote none. Raises :class:`LakectlError`."""
    try:
        return run_results.read(table(lake), run_id)
    except ValueError as error:
        raise LakectlError(str(error)) from None
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "ResourceNotFoundException":
            return {}
        raise explain(error, f"reading the result of run {run_id}") from error


class FullReasons:
    """Why landings were refused, in full: a landing's own item holds the beginning, the run's result all of it."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._results: dict[str, dict[str, Any]] = {}

    def of(self, entry: Entry) -> str:
        run_id = entry.claimed_by
        if not run_results.is_shortened(entry.reason) or not run_id:
            return entry.reason
        if run_id not in self._results:
            self._results[run_id] = read(self._lake, run_id)
        problems = self._results[run_id].get("landings_failed", {}).get(entry.path)
        return "; ".join(problems) if problems else entry.reason
