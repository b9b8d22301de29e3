"""Carrying out a plan: in parallel along the dependency graph. The only module that writes to AWS for one."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import Aws, code_of, explain
from lakectl.engine.model import Action, Plan, State, Step, refuse_elsewhere
from lakectl.engine.retry import (
    FIRST_PAUSE_S,
    HALF_THERE,
    LONGEST_PAUSE_S,
    NOT_KEPT,
    NOT_VISIBLE,
    interrupted,
    pause,
    wait_until,
    watcher,
)
from lakectl.errors import LakectlError

WRITERS = 12
# How long a read may be behind a write. Terraform's provider waits for two minutes (hashicorp/terraform-provider-aws,
# internal/service/*: propagationTimeout).
VISIBLE_S = 60.0


@dataclass(frozen=True)
class Event:
    """Progress of one resource, for whoever watches. "waiting" and "note" come from the thread that carries it out."""

    step: Step
    outcome: Literal["started", "waiting", "note", "done", "failed", "blocked"]
    seconds: float = 0.0
    error: LakectlError | None = None
    waiting_for: str = ""  # with "waiting": ends the sentence "waiting for …"
    note: str = ""  # with "note": what to know of it


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

    On Ctrl-C nothing new starts, the calls in flight finish, waits for AWS to be ready end, and the result says
    ``interrupted``. A second one raises ``KeyboardInterrupt`` at once and leaves the calls in flight to themselves.
    """
    started = time.monotonic()
    result = Result()
    waiting = {step.resource.id: step for step in plan.pending}
    graph = _graph(plan)
    graph.prepare()
    running: dict[Future[float], Step] = {}
    stop = threading.Event()

    def carry_out(step: Step) -> float:
        if stop.is_set():
            raise CancelledError
        interrupted.set(stop)
        return _timed(step, aws, observer)

    pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="apply")
    previous = _on_interrupt(result, stop)
    try:
        while waiting or running:
            if not result.interrupted:
                for key in graph.get_ready():
                    step = waiting.pop(key)
                    observer(Event(step, "started"))
                    running[pool.submit(carry_out, step)] = step
            if not running:
                break
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                step = running.pop(future)
                error = future.exception()
                if error is None:
                    graph.done(step.resource.id)
                    result.done.append(step)
                    observer(Event(step, "done", future.result()))
                elif isinstance(error, LakectlError):
                    result.failed[step.resource.id] = error
                    observer(Event(step, "failed", error=error))
                elif not isinstance(error, CancelledError):
                    raise error
    finally:
        if previous is not None:
            signal.signal(signal.SIGINT, previous)
        pool.shutdown(wait=not result.interrupted)
    if not result.interrupted:
        result.blocked = list(waiting.values())
        for step in result.blocked:
            observer(Event(step, "blocked"))
    result.seconds = time.monotonic() - started
    return result


def _on_interrupt(result: Result, stop: threading.Event) -> Any:
    """Let the first Ctrl-C set ``result.interrupted`` and ``stop``, the second raise ``KeyboardInterrupt``.

    Returns the handler to put back; None outside the main thread, or where Ctrl-C does something else.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return None

    def note(*_: object) -> None:
        if result.interrupted:
            raise KeyboardInterrupt
        result.interrupted = True
        stop.set()

    return signal.signal(signal.SIGINT, note)


def _graph(plan: Plan) -> TopologicalSorter[str]:
    """The pending ids, each after those that come first: its needs, or when deleting, what needs it."""
    pending = {step.resource.id for step in plan.pending}
    graph: TopologicalSorter[str] = TopologicalSorter({step.resource.id: () for step in plan.pending})
    for step in plan.pending:
        for need in pending.intersection(step.resource.needs):
            graph.add(*((need, step.resource.id) if plan.deleting else (step.resource.id, need)))
    return graph


def _timed(step: Step, aws: Aws, observer: Callable[[Event], None]) -> float:
    started = time.monotonic()
    watcher.set(lambda reason: observer(Event(step, "waiting", waiting_for=reason.says)))
    verbs = {Action.CREATE: "creating", Action.DELETE: "deleting", Action.ADOPT: "adopting"}
    doing = f"{verbs.get(step.action, 'changing')} {step.resource.kind} {step.resource.name}"
    try:
        if step.action is Action.DELETE:
            step.resource.destroy(aws)
        else:
            _make(step, aws)
            if step.resource.reads_back_s is not None:
                _keep(step, aws, observer)
            elif not wait_until(lambda: step.resource.visible(aws), NOT_VISIBLE, VISIBLE_S):
                note = (
                    f"AWS does not show it yet after {VISIBLE_S:.0f} s: a `lakectl plan` may name it for some minutes"
                )
                observer(Event(step, "note", note=note))
    except (ClientError, BotoCoreError, LakectlError) as error:
        raise explain(error, doing, step.resource.tagging) from error
    return time.monotonic() - started


def _make(step: Step, aws: Aws) -> None:
    resource, creates = step.resource, step.action is Action.CREATE
    deadline, step_s = time.monotonic() + VISIBLE_S, FIRST_PAUSE_S
    while True:
        try:
            if creates:
                resource.create(aws)
            else:
                resource.update(aws, step.changes)
            return
        except ClientError as error:
            if code_of(error) not in resource.exists_codes:
                raise
            live = resource.read(aws)
            if live is not None:
                _take(step, aws, live, error)
                return
            if not creates or time.monotonic() > deadline:
                raise
        if step_s == FIRST_PAUSE_S:
            watcher.get()(HALF_THERE)
        pause(step_s)
        step_s = min(step_s * 2, LONGEST_PAUSE_S)


def _take(step: Step, aws: Aws, live: State, error: ClientError) -> None:
    """Go on with what is there: the first answer of our create was lost, or another `up` was faster.

    Raises ``error`` when it isn't what an update wanted, :class:`LakectlError` when it isn't ours.
    """
    resource = step.resource
    refuse_elsewhere(resource, live)
    changes = resource.diff(live)
    if step.action is not Action.CREATE:
        if changes:
            raise error
        return
    if not resource.owned(live):
        raise LakectlError(
            "it exists and does not bear this lake's tag", "adopt it with: lakectl up --adopt"
        ) from error
    if changes:
        resource.update(aws, changes)


def _keep(step: Step, aws: Aws, observer: Callable[[Event], None]) -> None:
    """Read the resource back, and write again what is missing until all of it is there or its time is over.

    Raises :class:`LakectlError` when it isn't there then, or lacks our tags. Of what is ours and lacks some
    fields the observer is told: that is an endpoint that does not know them.
    """
    resource, started, step_s = step.resource, time.monotonic(), FIRST_PAUSE_S
    for attempt in itertools.count():
        live = resource.read(aws)
        changes = resource.diff(live) if live is not None else ()
        if live is not None and not changes:
            return
        # What is not there at all may only be not visible yet.
        limit_s = resource.reads_back_s or (VISIBLE_S if live is None else 0.0)
        if attempt and time.monotonic() > started + limit_s:
            break
        if attempt == 0 and resource.reads_back_s:
            watcher.get()(NOT_KEPT)
        pause(step_s)
        step_s = min(step_s * 2, LONGEST_PAUSE_S)
        try:
            if live is None:
                resource.create(aws)
            else:
                resource.update(aws, changes)
        except ClientError as error:
            if code_of(error) not in resource.exists_codes:  # it is there, and the read was late
                raise
    fields = [change.field for change in changes]
    if live is not None and live.tags is not None and "tags" not in fields:
        observer(Event(step, "note", note=f"the endpoint does not keep {', '.join(fields)}"))
        return
    what = f"its {', '.join(fields)}" if live is not None else "it"
    raise LakectlError(f"the endpoint acknowledged {what} and did not keep it", "run `lakectl up` again")
