"""Waiting until what was landed is in silver."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.errors import LakectlError
from lakectl.ops import runs as run_log
from lakectl.ops import transform
from lakectl.ops.lake import Lake
from lakectl.ops.land import Landed
from lakectl.ops.reconcile import DELETED
from lakectl.ops.runs import Run

POLL_S = 0.5
# How long an event may take before we start a run ourselves. On AWS, EventBridge needs about five
# minutes after it is switched on for a bucket (S3 user guide, "Enabling Amazon EventBridge").
PATIENCE_S = 30.0
STARTS_A_RUN = "orders"  # the only source whose landing starts the job (lakectl/lake.py, notifications)
SETTLED = frozenset(("LOADED", "DUPLICATE", "SUPERSEDED"))
# A run loads all that is pending when it begins, so the second one that is followed has it. More is patience.
MOST_RUNS = 4
BATCH_GET = 100  # BatchGetItem takes at most 100 keys (API reference)

Identity = tuple[str, str | None]


class RunItems:
    """The run items of some landings. A look costs what they are, not what the run log holds."""

    def __init__(self, lake: Lake, landings: Sequence[Landed]) -> None:
        self._lake = lake
        self._unknown = {(each.key, each.version_id): each for each in landings}
        self._keys: dict[Identity, dict[str, str]] = {}

    def look(self) -> dict[Identity, Run]:
        """Those that are there, by key and version id. Raises :class:`LakectlError`."""
        guards = {
            (f"OBJ#{each.bucket}/{each.key}", each.version_id or "null"): identity
            for identity, each in self._unknown.items()
        }
        for guard in self._get({"pk": pk, "sk": sk} for pk, sk in guards):
            identity = guards[guard["pk"], guard["sk"]]
            self._keys[identity] = {"pk": guard["run_pk"], "sk": guard["run_sk"]}
            del self._unknown[identity]
        by_key = {(key["pk"], key["sk"]): identity for identity, key in self._keys.items()}
        return {by_key[item["pk"], item["sk"]]: run_log.run_of(item) for item in self._get(self._keys.values())}

    def _get(self, keys: Iterable[dict[str, str]]) -> Iterator[dict[str, Any]]:
        table, left = self._lake.names.run_log, iter(keys)
        while batch := [{name: {"S": value} for name, value in key.items()} for key in islice(left, BATCH_GET)]:
            request: dict[str, Any] = {table: {"Keys": batch, "ConsistentRead": True}}
            while request:
                answer = self._ask(request)
                for raw in answer["Responses"].get(table, []):
                    yield {name: run_log.plain(value) for name, value in raw.items()}
                request = answer.get("UnprocessedKeys") or {}

    def _ask(self, request: dict[str, Any]) -> Any:
        try:
            return self._lake.client("dynamodb").batch_get_item(RequestItems=request)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "ResourceNotFoundException":
                table = self._lake.names.run_log
                raise LakectlError(f"there is no run log {table}", "make it with: lakectl up") from error
            raise explain(error, "reading the run log") from error


def for_run_items(lake: Lake, landings: Sequence[Landed], limit_s: float = 60.0) -> list[Run]:
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
    """Wait until every landing is settled in the run log, following the runs that do it.

    An orders landing starts a run by itself; when none appears within ``patience_s``, or nothing that is waited
    for would start one, one is started here. Returns the last run followed (``None`` when everything was loaded
    already). Raises :class:`LakectlError` when a run fails, when a landing is refused or is none that a run loads, and
    when one still waits after ``MOST_RUNS`` runs.
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
        is_due = time.monotonic() - idle_since > patience_s or _nobody_comes(waiting)
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


def _waiting(landings: Sequence[Landed], found: dict[Identity, Run]) -> dict[Landed, str]:
    """What is not in silver yet, with its load status (empty: not in the run log). Raises for what no run loads."""
    waiting: dict[Landed, str] = {}
    for each in landings:
        run = found.get((each.key, each.version_id))
        state = run.load_status if run else ""
        if run and state in ("FAILED", "REVERTED", "IGNORED"):
            raise _refused(run)
        if run and state == "SUPERSEDED" and run.item.get("superseded_by") == DELETED:
            state = DELETED  # by the time of a run before this landing, which found it there
        if state not in SETTLED:
            waiting[each] = state
    return waiting


def _refused(run: Run) -> LakectlError:
    reason = run.item.get("reason")
    if run.load_status == "IGNORED":
        return LakectlError(f"{run.key} is in the run log, and no run loads it: {reason or 'reason unknown'}")
    if run.load_status == "REVERTED":
        return LakectlError(
            f"{run.key} was loaded, and a rollback took it out of silver again",
            "put the object again, or repeat the rollback with --requeue",
        )
    return LakectlError(
        f"{run.key} was refused: {reason or 'see the log of the job'}",
        "once the policy is another: lakectl run-transform --retry-failed",
    )


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


def _nobody_comes(waiting: dict[Landed, str]) -> bool:
    """Everything that waits is in the run log, and nothing of it starts a run by its landing."""
    return all(
        state == DELETED or (state == "PENDING" and each.source != STARTS_A_RUN) for each, state in waiting.items()
    )
