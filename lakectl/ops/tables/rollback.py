"""Setting a silver table back to an earlier snapshot: what it would undo, and doing it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from lakectl.core.glue_runs import short
from lakectl.core.ledger_items import Entry
from lakectl.core.ledger_versions import LOADED
from lakectl.errors import LakectlError, UsageError
from lakectl.ops.lake import Lake
from lakectl.ops.runs import run_log, transform
from lakectl.ops.tables.maintain import maintenance_job
from lakectl.ops.tables.snapshots import Snapshot, snapshots, table_of

_SILVER = "_silver"


@dataclass(frozen=True)
class Undoing:
    """What a rollback of ``table`` to ``target`` undoes: snapshots, newest first, and landings."""

    table: str
    target: Snapshot
    snapshots: tuple[Snapshot, ...]
    landings: tuple[Entry, ...]


def plan(lake: Lake, snapshot_id: str, table: str | None = None) -> Undoing:
    """Only reads. Raises :class:`LakectlError` for a snapshot that is unknown or not in the table's history."""
    table = table_of(lake, table)
    known = snapshots(lake, table)
    target = next((each for each in known if each.id == snapshot_id), None)
    if target is None:
        raise LakectlError(f"{table} has no snapshot {snapshot_id}", f"list them with: lakectl snapshots {table}")
    if not target.in_history:
        raise LakectlError(
            f"snapshot {snapshot_id} is not an ancestor of the current one of {table}",
            f"choose one that is: lakectl snapshots {table}",
        )
    undone = tuple(each for each in known[: known.index(target)] if each.in_history)  # newest first
    return Undoing(table, target, undone, tuple(_landings(lake, table, undone)))


def _landings(lake: Lake, table: str, undone: Sequence[Snapshot]) -> list[Entry]:
    """Those of the table's source that a rollback makes REVERTED (the job decides; this is for show)."""
    if not undone or not table.endswith(_SILVER):
        return []
    ids = {each.id for each in undone}
    since = undone[-1].committed_at.replace(" ", "T") + "Z"
    found = []
    for entry in run_log.runs(lake, table.removesuffix(_SILVER)):
        is_undone = entry.snapshot_id in ids or (not entry.snapshot_id and entry.loaded_at >= since)
        if entry.load_status == LOADED and is_undone:
            found.append(entry)
    return found


def is_shared(lake: Lake, table: str) -> bool:
    """Whether rows of ``table`` and of others show each other's values: then a run must bring them up to date."""
    spec = lake.config.spec
    return any(
        source.silver_table == table and (source.lookups or any(spec.dependents(source.name)))
        for source in spec.sources.values()
    )


def refuse_while_loading(lake: Lake) -> None:
    """Raise :class:`LakectlError` while a run of the transform is active."""
    run = transform.active(lake)
    if run is not None:
        raise LakectlError(
            f"run {short(run.id)} is {run.state}: a rollback waits for no one and races no one",
            f"wait for it: lakectl run-transform --attach {short(run.id)}",
        )


def start(lake: Lake, undoing: Undoing, requeue: bool, kept_out: Sequence[str]) -> str:
    """Start the run that does it; returns its id. Raises :class:`UsageError` for an unknown ``kept_out``."""
    known = {name for entry in undoing.landings for name in (entry.key, entry.path)}
    for key in kept_out:
        if key not in known:
            raise UsageError(f"--except {key} is none of the landings that this undoes")
    arguments = {
        "--TASK": "rollback",
        "--TABLE": undoing.table,
        "--SNAPSHOT": undoing.target.id,
        "--REQUEUE": "true" if requeue else "false",
        "--EXCEPT": json.dumps(list(kept_out)),
    }
    return transform.start(lake, arguments, job=maintenance_job(lake))
