"""The snapshots of a silver table, as Athena's metadata tables tell of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lakectl.core.ledger_versions import LOADED
from lakectl.errors import LakectlError, UsageError
from lakectl.ops.lake import Lake
from lakectl.ops.runs import run_log
from lakectl.ops.tables import query
from lakectl.ops.tables.query import QueryFailed


@dataclass(frozen=True)
class Snapshot:
    """``committed_at`` in UTC. Rows as the commit's own summary counts them: a rewritten row is deleted and added.

    ``in_history``: an ancestor of the current one, or itself; others were rolled back.
    """

    id: str
    parent_id: str | None
    committed_at: str
    operation: str
    added: int
    deleted: int
    total: int
    current: bool
    in_history: bool


def table_of(lake: Lake, named: str | None = None) -> str:
    """The silver table that is meant: the ``named`` one, else that of the one source that starts runs.

    Raises :class:`UsageError` when that is not clear.
    """
    if named:
        return named
    sources = lake.config.spec.sources.values()
    starting = [source.silver_table for source in sources if source.starts_run]
    if len(starting) != 1:
        known = ", ".join(source.silver_table for source in sources)
        raise UsageError("the lake has no one source that starts runs, so the table must be named", f"one of: {known}")
    return starting[0]


def snapshots(lake: Lake, table: str | None = None) -> list[Snapshot]:
    """All snapshots that the table (see :func:`table_of`) still has, newest first.

    Raises :class:`LakectlError` without such a table.
    """
    table = table_of(lake, table)
    if not re.fullmatch(r"[a-z0-9_]+", table):
        raise UsageError(f"{table!r} is not the name of a table")
    where = f'"{lake.names.silver_database}"."{table}$'
    counts = ", ".join(f"element_at(summary, '{key}')" for key in ("added-records", "deleted-records", "total-records"))
    try:
        rows = query.run(
            lake,
            f"SELECT snapshot_id, parent_id, committed_at, operation, {counts} "  # noqa: S608
            f'FROM {where}snapshots" ORDER BY committed_at DESC',
        ).rows
        history = query.run(
            lake,
            f"SELECT snapshot_id, is_current_ancestor "  # noqa: S608
            f'FROM {where}history" ORDER BY made_current_at DESC',
        ).rows
    except QueryFailed as error:
        if "does not exist" in error.message:
            raise _missing(lake, table) from error
        raise
    current = history[0][0] if history else None
    parents = {row[0]: row[1] for row in rows}
    known = set(ancestors(parents, current))
    return [_snapshot(row, row[0] == current, row[0] in known) for row in rows]


def _missing(lake: Lake, table: str) -> LakectlError:
    name = f"{lake.names.silver_database}.{table}"
    source = next((key for key, source in lake.config.spec.sources.items() if source.silver_table == table), None)
    if source and any(run.load_status == LOADED for run in run_log.runs(lake, source)):
        return LakectlError(
            f"there is no table {name}, and the run log has landings that are loaded into it: somebody has dropped it",
            "lakectl run-transform --full",
        )
    return LakectlError(f"there is no table {name}", "load it with: lakectl run-transform")


def ancestors(parents: Mapping[str | None, str | None], current: str | None) -> list[str]:
    """The snapshot ``current`` and those that it comes from, as far as ``parents`` (snapshot -> its parent) knows."""
    found = []
    while current is not None and current in parents:
        found.append(current)
        current = parents[current]
    return found


def _snapshot(row: list[str | None], current: bool, in_history: bool) -> Snapshot:
    added, deleted, total = (int(value or 0) for value in row[4:7])
    committed = (row[2] or "").removesuffix(" UTC")
    return Snapshot(str(row[0]), row[1], committed, row[3] or "", added, deleted, total, current, in_history)
