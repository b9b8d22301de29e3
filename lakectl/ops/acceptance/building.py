"""Making the lake, looking whether it stays as it was made, and deleting it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from lakectl.engine.apply import Event, Result
from lakectl.engine.model import Plan, Step
from lakectl.ops import provision
from lakectl.ops.acceptance.model import Seen, StepFailed, Trial
from lakectl.ops.lake import Lake

NAMED = 3  # resources in a message


def up(trial: Trial) -> Seen:
    lake = trial.lake
    plan = provision.plan(lake)
    done, notes = applied(lake, plan)
    trial.made_at = time.monotonic()
    return Seen(
        f"{len(done)} resources made" + (f"; {'; '.join(notes)}" if notes else ""), {"made": done, "notes": notes}
    )


def up_again(trial: Trial) -> Seen:
    """A second `up` finds nothing to do, and writes nothing."""
    first = trial.calls.count()
    plan = provision.plan(trial.lake)
    refuse_drift(plan)
    applied(trial.lake, plan)
    written = trial.calls.writes(first)
    if written:
        names = ", ".join(sorted({f"{call.service} {call.operation}" for call in written}))
        raise StepFailed(f"nothing was to change, and yet something was written: {names}")
    return Seen(f"all {len(plan.steps)} resources are in place, nothing was written")


def stays(trial: Trial, share: float) -> Seen:
    """The plan is empty when ``share`` of the time to observe has passed since `up`."""
    due = trial.made_at + trial.observe_s * share
    while (left := due - time.monotonic()) > 0:
        trial.say(f"the next plan is due in {left:.0f} s")
        time.sleep(min(left, 5.0))
    plan = provision.plan(trial.lake)
    refuse_drift(plan)
    return Seen(f"no drift {time.monotonic() - trial.made_at:.0f} s after up")


def down(trial: Trial) -> Seen:
    lake = trial.lake
    todo = provision.down_plan(lake)
    result, left = provision.down(lake, todo, lambda _: None)
    _refuse_failure(result)
    if left.pending:
        raise StepFailed(f"{len(left.pending)} left: {named(left.pending)}")
    return Seen(f"{len(result.done)} deleted", {"deleted": [step.resource.id for step in result.done]})


def nothing_left(trial: Trial) -> Seen:
    """Reads everything once more, after what AWS may still have been doing; what came back is deleted."""
    pause = trial.observe_s / 20
    trial.say(f"reading again in {pause:.0f} s")
    time.sleep(pause)
    left = provision.down_plan(trial.lake)
    again = [step.resource.id for step in left.pending]
    if again:
        result, left = provision.down(trial.lake, left, lambda _: None)
        _refuse_failure(result)
    if left.pending:
        raise StepFailed(f"{len(left.pending)} left: {named(left.pending)}")
    came_back = f"; came back and was deleted again: {', '.join(again)}" if again else ""
    return Seen(f"0 of {len(left.steps)} left{came_back}", {"left": [], "came_back": again})


def applied(lake: Lake, plan: Plan) -> tuple[list[str], list[str]]:
    """Carry out a plan: the ids of what was done, and what an endpoint does not keep. Raises :class:`StepFailed`."""
    notes: list[str] = []

    def note(event: Event) -> None:
        if event.outcome == "note":
            notes.append(f"{event.step.resource.kind} {event.step.resource.name}: {event.note}")

    result = provision.up(lake, plan, note)
    _refuse_failure(result)
    return [step.resource.id for step in result.done], notes


def refuse_drift(plan: Plan) -> None:
    """Raise :class:`StepFailed` for a plan that would change something."""
    if plan.pending:
        raise StepFailed(f"the plan is not empty: {named(plan.pending)}", facts={"drift": drift(plan)})


def drift(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "resource": step.resource.id,
            "action": step.action.value,
            "changes": [{"field": each.field, "is": each.old, "should_be": each.new} for each in step.changes],
        }
        for step in plan.pending
    ]


def named(steps: Sequence[Step]) -> str:
    """The first few, with the fields that differ."""
    told = []
    for step in steps[:NAMED]:
        fields = ", ".join(change.field for change in step.changes) or step.action.value
        told.append(f"{step.resource.kind} {step.resource.name} ({fields})")
    more = f" and {len(steps) - NAMED} more" if len(steps) > NAMED else ""
    return ", ".join(told) + more


def _refuse_failure(result: Result) -> None:
    if result.interrupted:
        raise KeyboardInterrupt
    if not result.ok:
        first = next(iter(result.failed.values()))
        others = {key: error.message for key, error in result.failed.items()}
        failure = StepFailed(first.message, first.hint, {"failed": others})
        failure.exit_code = first.exit_code
        raise failure
