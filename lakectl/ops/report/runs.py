"""The newest landings and runs."""

from __future__ import annotations

from lakectl.core.landing import seconds
from lakectl.ops.lake import Lake
from lakectl.ops.report.model import LandingRow, Landings, RunRow
from lakectl.ops.runs import results, run_log, transform

MOST_LANDINGS = 50
MOST_RUNS = 20
KINDS = ("read", "inserted", "updated", "deleted", "reenriched", "unchanged", "rejected", "quarantined")


def landings(lake: Lake) -> Landings:
    """The newest MOST_LANDINGS of all sources. Raises :class:`LakectlError` without a run log."""
    found = list(run_log.runs(lake, most=MOST_LANDINGS + 1))
    rows = [
        LandingRow(
            source=entry.source,
            landed_at=seconds(entry.landing.event_time),
            key=entry.key,
            size=entry.size,
            load_status=entry.load_status,
            rows=int(entry.item["rows"]) if "rows" in entry.item else None,
            run=entry.claimed_by,
            reason=entry.reason,
        )
        for entry in found[:MOST_LANDINGS]
    ]
    return Landings(rows, len(found) > MOST_LANDINGS)


def runs(lake: Lake) -> list[RunRow]:
    """The newest MOST_RUNS runs of the transform. Raises :class:`LakectlError`."""
    rows = []
    for run in transform.recent(lake, MOST_RUNS):
        result = results.read(lake, run.id)
        counts = {kind: int(result[f"rows_{kind}"]) for kind in KINDS if f"rows_{kind}" in result}
        rows.append(RunRow(run.id, run.state, run.started_at, run.seconds, run.dpu_hours, run.error, counts))
    return rows
