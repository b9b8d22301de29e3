"""Waiting until what was landed is in silver."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from lakectl.core.ledger_items import Entry, Key, entry_of, guard_key
from lakectl.core.ledger_versions import DELETED, DUPLICATE, FAILED, IGNORED, LOADED, PENDING, REVERTED, SUPERSEDED
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.ops.landing.land import Landed
from lakectl.ops.runs import run_log, transform

POLL_S = 0.5
# How long an event may take before we start a run ourselves. On AWS, EventBridge needs about five
# minutes after it is switched on for a bucket (S3 user guide, "Enabling Amazon EventBridge").
PATIENCE_S = 30.0
# Its rows, or those of a newer version of its key, are in silver or on their way.
NOTHING_TO_WAIT_FOR = frozenset((LOADED, DUPLICATE, SUPERSEDED))
# A run loads all that is pending when it begins, so the second one that is followed has it. More is patience.
MOST_RUNS = 4

Identity = tuple[str, str | None]


class Refused(LakectlError):
    """A run has refused a landing that is waited for. ``reason``: the run log's."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(
            f"{key} was refused: {reason or 'see the log of the job'}",
            "once the policy is another: lakectl run-transform --retry-failed",
        )
        self.reason = reason


class RunItems:
    """The run items of some landings. A look costs what they are, not what the run log holds."""

    def __init__(self, lake: Lake, landings: Sequence[Landed]) -> None:
        self._lake = lake
        self._unknown = {guard_key(each.bucket, each.key, each.version_id): each for each in landings}
        self._known: dict[Key, Identity] = {}

    def look(self) -> dict[Identity, Entry]:
        """Those that are there, by key and version id. Raises :class:`LakectlError`."""
        table = run_log.table(self._lake)
        with run_log.reading(self._lake):
            for key, guard in table.get_many(self._unknown).items():
                landed = self._unknown.pop(key)
                self._known[guard["run_pk"], guard["run_sk"]] = (landed.key, landed.version_id)
            items = table.get_many(self._known)
        return {self._known[key]: entry_of(item) for key, item in items.items()}


def for_run_items(lake: Lake, landings: Sequence[Landed], limit_s: float = 60.0) -> list[Entry]:
    """The run items of every landing, once the run log has them.

    Raises :class:`LakectlError` when one is missing after ``limit_s`` seconds.
    """
    items = RunItems(lake, landings)
    deadline = time.monotonic() + limit_s
    while True:
        found = items.look()
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
    """Wait until nothing is left to wait for of any landing, following the runs that do it.

    A landing of some sources starts a run by itself; when none appears within ``patience_s``, or nothing that is waited
    for would start one, one is started here. Returns the last run followed (``None`` when everything was loaded
    already). Raises :class:`Refused` when a landing is refused, and :class:`LakectlError` when a run fails, when a
    landing is none that a run loads, and when one still waits after ``MOST_RUNS`` runs.
    """
    items = RunItems(lake, landings)
    begun: set[str] = set()
    followed: set[str] = set()
    last: transform.JobRun | None = None
    idle_since = time.monotonic()
    while True:
        found = items.look()
        waiting = _waiting(landings, found)
        if not waiting:
            return last
        if last is not None and last.ended and last.state != "SUCCEEDED":
            raise LakectlError(f"run {last.id} ended as {last.state}: {last.error}", "look into: lakectl logs glue")
        run = transform.latest(lake)
        is_active = run is not None and not run.ended and run.id not in followed
        is_due = time.monotonic() - idle_since > patience_s or _nobody_comes(lake, waiting)
        if (is_active or is_due) and len(begun) >= MOST_RUNS:
            raise _left_waiting(waiting, len(begun))
        if run is not None and is_active:
            begun.add(run.id)
            followed.add(run.id)
            last = transform.follow(lake, run.id, on_run, on_line)
            idle_since = time.monotonic()
        elif is_due:
            begun.add(transform.start(lake, _path_of_deleted(lake, waiting)))
            idle_since = time.monotonic()
        else:
            time.sleep(POLL_S)


def _waiting(landings: Sequence[Landed], found: dict[Identity, Entry]) -> dict[Landed, str]:
    """What is not in silver yet, with its load status (empty: not in the run log). Raises for what no run loads."""
    waiting: dict[Landed, str] = {}
    for each in landings:
        run = found.get((each.key, each.version_id))
        state = run.load_status if run else ""
        if run and state in (FAILED, REVERTED, IGNORED):
            raise _refused(run)
        if run and state == SUPERSEDED and run.superseded_by == DELETED:
            state = DELETED  # by the time of a run before this landing, which found it there
        if state not in NOTHING_TO_WAIT_FOR:
            waiting[each] = state
    return waiting


def _refused(run: Entry) -> LakectlError:
    reason = run.reason
    if run.load_status == IGNORED:
        return LakectlError(
            f"{run.key} is in the run log, and no run loads it: {reason or 'reason unknown'}",
            "once the configuration has its source: lakectl up, then lakectl reconcile --fix",
        )
    if run.load_status == REVERTED:
        return LakectlError(
            f"{run.key} was loaded, and a rollback took it out of silver again",
            "put the object again, or repeat the rollback with --requeue",
        )
    return Refused(run.key, reason)


def _left_waiting(waiting: dict[Landed, str], runs: int) -> LakectlError:
    landing, state = next(iter(waiting.items()))
    more = f" (and {len(waiting) - 1} more)" if len(waiting) > 1 else ""
    told = f"{landing.key}{more} is {state or 'not in the run log'} after {runs} runs: none of them took it"
    return LakectlError(told, "what they did: lakectl logs glue; what is in the run log: lakectl runs")


def _path_of_deleted(lake: Lake, waiting: dict[Landed, str]) -> dict[str, str]:
    """The run's path, if something was found deleted and is there again: a run looks only there for what isn't
    pending."""
    if DELETED not in waiting.values():
        return {}
    return transform.arguments(lake, path=f"s3://{lake.names.raw_bucket}/{lake.config.landing.prefix}")


def _nobody_comes(lake: Lake, waiting: dict[Landed, str]) -> bool:
    """Everything that waits is in the run log, and nothing of it starts a run by its landing."""
    sources = lake.config.spec.sources
    return all(
        state == DELETED or (state == PENDING and not sources[each.source].starts_run)
        for each, state in waiting.items()
    )
