"""Carrying out a plan: in parallel along the dependency graph. The only module that writes to AWS for one."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import Aws, code_of, explain
from lakectl.engine.model import Action, Plan, Resource, Step
from lakectl.errors import LakectlError

WRITERS = 12

# A create whose answer was lost is sent again by boto3 and then fails with one of these; so does the
# slower of two `up` at once. Then what is there decides.
ALREADY_EXISTS = frozenset(
    (
        "AlreadyExistsException",
        "EntityAlreadyExists",
        "EntityAlreadyExistsException",
        "ResourceInUseException",
    )
    + ("ResourceAlreadyExistsException", "ResourceConflictException", "BucketAlreadyOwnedByYou")
)


@dataclass(frozen=True)
class Event:
    """Progress of one resource, for whoever watches."""

    step: Step
    outcome: Literal["started", "done", "failed", "blocked"]
    seconds: float = 0.0
    error: LakectlError | None = None


@dataclass
class Result:
    """What came of a plan. ``failed`` holds the error, ``blocked`` the ids that wait for a failed one."""

    done: list[Step] = field(default_factory=list)
    failed: dict[str, LakectlError] = field(default_factory=dict)
    blocked: list[Step] = field(default_factory=list)
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not (self.failed or self.blocked or self.interrupted)


def apply(plan: Plan, aws: Aws, observer: Callable[[Event], None] = lambda _: None) -> Result:
    """Do what ``plan`` says. Independent branches go on after a failure; what needs a failed one is blocked.

    On Ctrl-C nothing new starts, the calls in flight finish, and the result says ``interrupted``.
    """
    started = time.monotonic()
    result = Result()
    waiting = {step.resource.id: step for step in plan.pending}
    before = _predecessors(plan, set(waiting))
    finished: set[str] = set()
    running: dict[Future[float], Step] = {}
    with ThreadPoolExecutor(WRITERS, thread_name_prefix="apply") as pool:
        while waiting or running:
            if not result.interrupted:
                for key in [key for key in waiting if before[key] <= finished]:
                    step = waiting.pop(key)
                    observer(Event(step, "started"))
                    running[pool.submit(_timed, step, aws)] = step
            if not running:
                break
            try:
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt:
                result.interrupted = True
                continue
            for future in ended:
                step = running.pop(future)
                error = future.exception()
                if error is None:
                    finished.add(step.resource.id)
                    result.done.append(step)
                    observer(Event(step, "done", future.result()))
                elif isinstance(error, LakectlError):
                    result.failed[step.resource.id] = error
                    observer(Event(step, "failed", error=error))
                else:
                    raise error
    if not result.interrupted:
        result.blocked = list(waiting.values())
        for step in result.blocked:
            observer(Event(step, "blocked"))
    result.seconds = time.monotonic() - started
    return result


def _predecessors(plan: Plan, pending: set[str]) -> dict[str, set[str]]:
    """For each pending id, the pending ids that come first: its needs, or when deleting, what needs it."""
    before: dict[str, set[str]] = {key: set() for key in pending}
    for step in plan.pending:
        for need in pending.intersection(step.resource.needs):
            if plan.deleting:
                before[need].add(step.resource.id)
            else:
                before[step.resource.id].add(need)
    return before


def _timed(step: Step, aws: Aws) -> float:
    started = time.monotonic()
    verbs = {Action.CREATE: "creating", Action.DELETE: "deleting", Action.ADOPT: "adopting"}
    doing = f"{verbs.get(step.action, 'changing')} {step.resource.kind} {step.resource.name}"
    try:
        if step.action is Action.CREATE:
            _create(step.resource, aws)
        elif step.action is Action.DELETE:
            step.resource.destroy(aws)
        else:
            step.resource.update(aws, step.changes)
    except (ClientError, BotoCoreError, LakectlError) as error:
        raise explain(error, doing) from error
    return time.monotonic() - started


def _create(resource: Resource, aws: Aws) -> None:
    try:
        resource.create(aws)
    except ClientError as error:
        if code_of(error) not in ALREADY_EXISTS:
            raise
        live = resource.read(aws)
        if live is None:
            raise
        if not resource.owned(live) and not resource.adopt_silently:
            raise LakectlError(
                "it exists and does not bear this lake's tag", "adopt it with: lakectl up --adopt"
            ) from error
        changes = resource.diff(live)
        if changes:
            resource.update(aws, changes)
