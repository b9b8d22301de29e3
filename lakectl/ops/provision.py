"""``up``, its single steps, and ``down``: plan, apply, read again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lakectl.engine import apply as engine
from lakectl.engine.graph import with_needs
from lakectl.engine.model import Action, Plan
from lakectl.engine.plan import plan_down, plan_up
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake

# What holds data, or says where it is.
DATA_KINDS = frozenset(("s3-bucket", "dynamodb-table", "glue-database"))

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
    if todo.foreign:
        names = ", ".join(step.resource.id for step in todo.foreign)
        raise LakectlError(
            f"not tagged as part of lake {lake.config.name!r}, so left alone: {names}",
            "adopt what is yours with: lakectl up --adopt; or choose other names (--name, suffix_names: true)",
        )
    return engine.apply(todo, lake.aws, observer)


def down_plan(lake: Lake, keep_data: bool = False) -> Plan:
    """What ``down`` would delete. Only reads.

    ``keep_data`` leaves the buckets, the databases with their tables and the run log, so that a later
    ``up`` finds everything again.
    """
    return plan_down(lake.resources, lake.aws, DATA_KINDS if keep_data else ())


def down(lake: Lake, todo: Plan, observer: Observer) -> tuple[engine.Result, Plan]:
    """Delete what ``todo`` says, then read everything again: what the second plan deletes is what is left."""
    result = engine.apply(todo, lake.aws, observer)
    kept = {step.resource.kind for step in todo.steps if step.action is Action.KEEP}
    return result, plan_down(lake.resources, lake.aws, kept)
