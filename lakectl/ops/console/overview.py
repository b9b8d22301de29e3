"""The first page: what waits, what was refused, the last run, what silver holds.

A look costs one listing of S3, two reads of DynamoDB for each source and two more, one call of Glue for the last run
and one for the tables; and once for each change a read of DynamoDB (the run's result) or of S3 (a table's metadata).
No query is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lakectl.core.ledger_items import Partition
from lakectl.ops.console import catalog
from lakectl.ops.console.iceberg import TableStates
from lakectl.ops.console.job_runs import RunResults
from lakectl.ops.lake import Lake
from lakectl.ops.report.model import RunRow
from lakectl.ops.report.runs import row
from lakectl.ops.runs import run_log, transform

MOST_COUNTED = 100  # landings of a source: beyond it they are not read


@dataclass(frozen=True)
class Counted:
    """``more``: there are others that were not read."""

    number: int
    more: bool


@dataclass(frozen=True)
class Waiting:
    """Landings that no run has loaded yet, and those that a run refused."""

    pending: Counted
    refused: Counted


@dataclass(frozen=True)
class Silver:
    """``stored``: source → what is said of its table. ``tables``: how many there are. ``size`` in bytes."""

    stored: Mapping[str, str]
    tables: int
    rows: int
    size: int


def waiting(lake: Lake) -> Waiting:
    """Raises :class:`LakectlError` without a run log."""
    sources = run_log.sources(lake)
    return Waiting(_count(lake, sources, "PENDING"), _count(lake, sources, "FAILED"))


def _count(lake: Lake, sources: list[str], kind: Partition) -> Counted:
    most = MOST_COUNTED + 1
    counts = [sum(1 for _ in run_log.runs(lake, source, kind, most)) for source in sources]
    return Counted(sum(min(each, MOST_COUNTED) for each in counts), any(each > MOST_COUNTED for each in counts))


def last_run(lake: Lake, results: RunResults) -> RunRow | None:
    """The newest run of the transform; None when it has not run yet. Raises :class:`LakectlError`."""
    run = transform.latest(lake)
    return row(run, results.of(lake, run)) if run else None


def silver(lake: Lake, states: TableStates) -> Silver:
    """What the sources' silver tables hold now. Raises :class:`LakectlError`."""
    tables = catalog.silver(lake)
    stored, rows, size, there = {}, 0, 0, 0
    for source in lake.config.spec.sources.values():
        table = tables.get(source.silver_table)
        if table is None or not table.metadata:
            stored[source.name] = "nothing loaded yet"
            continue
        state = states.of(lake, table.metadata)
        stored[source.name] = f"{state.rows:,} rows"
        rows, size, there = rows + state.rows, size + state.size, there + 1
    return Silver(stored, there, rows, size)
