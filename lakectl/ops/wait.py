"""Waiting until what was landed is in silver."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from lakectl.errors import LakectlError
from lakectl.ops import runs as run_log
from lakectl.ops import transform
from lakectl.ops.lake import Lake
from lakectl.ops.land import Landed
from lakectl.ops.runs import Run

POLL_S = 0.5
# How long an event may take before we start a run ourselves. On AWS, EventBridge needs about five
# minutes after it is switched on for a bucket (S3 user guide, "Enabling Amazon EventBridge").
PATIENCE_S = 30.0
SETTLED = frozenset(("LOADED", "DUPLICATE", "SUPERSEDED"))


def for_run_items(lake: Lake, landings: Sequence[Landed], limit_s: float = 60.0) -> list[Run]:
    """The run items of every landing, once the run log has them.

    Raises :class:`LakectlError` when one is missing after ``limit_s`` seconds.
    """
    deadline = time.monotonic() + limit_s
    while True:
        found = _items(lake, landings)
        missing = [landing for landing in landings if (landing.key, landing.version_id) not in found]
        if not missing:
            return [found[landing.key, landing.version_id] for landing in landings]
        if time.monotonic() > deadline:
            raise LakectlError(
                f"the run log has no row for s3://{missing[0].bucket}/{missing[0].key} after {limit_s:.0f} s",
                "look into the function's logs: lakectl logs log",
            )
        time.sleep(POLL_S)


def for_loading(
    lake: Lake,
    landings: Sequence[Landed],
    on_run: Callable[[transform.JobRun], None] = lambda _: None,
    on_line: Callable[[str], None] = lambda _: None,
    patience_s: float = PATIENCE_S,
) -> transform.JobRun | None:
    """Wait until every landing is settled in the run log, following the runs that do it.

    The landing itself starts a run; when none appears within ``patience_s``, one is started here.
    Returns the last run followed (``None`` when everything was loaded already). Raises
    :class:`LakectlError` when a run fails or a landing is refused.
    """
    followed: set[str] = set()
    last: transform.JobRun | None = None
    idle_since = time.monotonic()
    while True:
        found = _items(lake, landings)
        states = {found[key].load_status if (key := (i.key, i.version_id)) in found else "" for i in landings}
        if states <= SETTLED:
            return last
        if "FAILED" in states:
            bad = next(run for run in found.values() if run.load_status == "FAILED")
            reason = bad.item.get("load_error") or bad.item.get("reason") or "see the job's log"
            raise LakectlError(f"{bad.key} was refused: {reason}", "look into: lakectl logs glue")
        run = transform.latest(lake)
        if run is not None and not run.ended and run.id not in followed:
            followed.add(run.id)
            last = transform.follow(lake, run.id, on_run, on_line)
            if last.state != "SUCCEEDED":
                raise LakectlError(f"run {last.id} ended as {last.state}: {last.error}", "lakectl logs glue")
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since > patience_s:
            transform.start(lake)
            idle_since = time.monotonic()
        else:
            time.sleep(POLL_S)


def _items(lake: Lake, landings: Sequence[Landed]) -> dict[tuple[str, str | None], Run]:
    wanted = {(landing.key, landing.version_id) for landing in landings}
    return {
        (run.key, run.version_id): run
        for source in {landing.source for landing in landings}
        for run in run_log.runs(lake, source)
        if (run.key, run.version_id) in wanted
    }
