"""The newest landings and runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lakectl.core.landing import seconds
from lakectl.core.ledger_items import Entry, Partition
from lakectl.ops.lake import Lake
from lakectl.ops.report.model import LandingRow, Landings, RunRow
from lakectl.ops.runs import results, run_log, transform
from lakectl.ops.runs.transform import JobRun

MOST_LANDINGS = 50
MOST_RUNS = 20
KINDS = ("read", "inserted", "updated", "deleted", "reenriched", "unchanged", "rejected", "quarantined")
ResultOf = Callable[[JobRun], Mapping[str, Any]]


def landings(lake: Lake, kind: Partition = "SRC") -> Landings:
    """The newest MOST_LANDINGS of all sources, or of what is pending or refused.

    Raises :class:`LakectlError` without a run log.
    """
    found = list(run_log.runs(lake, kind=kind, most=MOST_LANDINGS + 1))
    return Landings([landing(entry) for entry in found[:MOST_LANDINGS]], len(found) > MOST_LANDINGS)


def landing(entry: Entry) -> LandingRow:
    """A landing as pages show it."""
    return LandingRow(
        source=entry.source,
        landed_at=seconds(entry.landing.event_time),
        key=entry.key,
        size=entry.size,
        load_status=entry.load_status,
        rows=int(entry.item["rows"]) if "rows" in entry.item else None,
        run=entry.claimed_by,
        reason=entry.reason,
    )


def runs(lake: Lake, most: int = MOST_RUNS, result_of: ResultOf | None = None) -> list[RunRow]:
    """The newest ``most`` runs of the transform. ``result_of``: what gives the result of a run, if it is known already.

    Raises :class:`LakectlError`.
    """
    return [
        row(run, result_of(run) if result_of else results.read(lake, run.id)) for run in transform.recent(lake, most)
    ]


def row(run: JobRun, result: Mapping[str, Any]) -> RunRow:
    """A run and what its ``result`` counts."""
    counts = {kind: int(result[f"rows_{kind}"]) for kind in KINDS if f"rows_{kind}" in result}
    return RunRow(run.id, run.state, run.started_at, run.seconds, run.dpu_hours, run.error, counts)
