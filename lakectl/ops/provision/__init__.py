"""``up``, its single steps, and ``down``: plan, apply, read again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from lakectl.engine import apply as engine
from lakectl.engine.graph import with_needs
from lakectl.engine.model import Plan, Step
from lakectl.engine.plan import plan_down, plan_up
from lakectl.errors import LakectlError
from lakectl.naming import TAG_LAKE
from lakectl.ops.lake import Lake
from lakectl.resources.write_access import with_write_access

# Before each further round of `down`. A function may run for its whole timeout after it was deleted.
ROUND_PAUSES_S = (0.5, 2.0, 10.0, 30.0)

Observer = Callable[[engine.Event], None]


def plan(lake: Lake, steps: Iterable[str] | None = None, adopt: bool = False) -> Plan:
    """What ``up`` would do, for the whole lake or for ``steps`` and what they need. Only reads."""
    wanted = lake.resources if steps is None else with_needs(lake.resources, steps)
    return plan_up(wanted, lake.aws, adopt)


def up(lake: Lake, todo: Plan, observer: Observer) -> engine.Result:
    """Carry out a plan of :func:`plan`.

    Raises :class:`LakectlError` when something bears our name but not our tag: it is not touched
    without ``--adopt``.
    """
    refuse_foreign(lake, todo)
    return engine.apply(todo, lake.aws, observer)


def refuse_foreign(lake: Lake, todo: Plan) -> None:
    """Raise :class:`LakectlError` when ``todo`` meets what bears our name but not our tag."""
    if not todo.foreign:
        return
    names = ", ".join(step.resource.id for step in todo.foreign)
    others = {lake_of(step) for step in todo.foreign} - {""}
    if others:
        whose = ", ".join(repr(other) for other in sorted(others))
        raise LakectlError(
            f"part of lake {whose}, so left alone: {names}",
            "keep two lakes in one account with suffix_names: true in config/lake.yaml and a --name for each",
        )
    raise LakectlError(
        f"not tagged as part of lake {lake.config.name!r}, so left alone: {names}",
        "adopt what is yours with: lakectl up --adopt; or choose other names (--name, suffix_names: true)",
    )


def lake_of(step: Step) -> str:
    """The lake that the tags of what is there name, or ``""``."""
    return (step.live.tags or {}).get(TAG_LAKE, "") if step.live else ""


def down_plan(lake: Lake, keep_data: bool = False) -> Plan:
    """What ``down`` would delete. Only reads.

    Before it drops tables and empties buckets it denies new writes to them: in the plan, the buckets' write access.
    ``keep_data`` leaves the buckets, the databases with their tables and the run log, so that a later
    ``up`` finds everything again.
    """
    if keep_data:
        return plan_down(lake.resources, lake.aws, keep_data=True)
    return plan_down(with_write_access(lake.resources), lake.aws)


def down(lake: Lake, todo: Plan, observer: Observer, keep_data: bool = False) -> tuple[engine.Result, Plan]:
    """Delete what ``todo`` (of :func:`down_plan`) says, then read everything again.

    What the second plan deletes is what is left.

    What came back meanwhile (an invocation in flight makes the log group of its function again) is
    deleted in further rounds.
    """
    result = engine.apply(todo, lake.aws, observer)
    left = down_plan(lake, keep_data)
    for pause in ROUND_PAUSES_S:
        if not (result.ok and left.pending):
            break
        time.sleep(pause)
        again = engine.apply(left, lake.aws, observer)
        result.done += again.done
        result.failed |= again.failed
        result.blocked += again.blocked
        result.interrupted = again.interrupted
        result.seconds += pause + again.seconds
        left = down_plan(lake, keep_data)
    return result, left
