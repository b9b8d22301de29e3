"""What `up` could not make before the first run: the views over tables that a run makes."""

from __future__ import annotations

from collections.abc import Callable

from lakectl.engine import apply as engine
from lakectl.engine.model import Action, Plan, Step
from lakectl.ops.lake import Lake
from lakectl.resources.view import View


def make(lake: Lake, observer: Callable[[engine.Event], None] = lambda _: None) -> engine.Result | None:
    """Make the views that are absent and can be made now; None where there are none. Views that are there stay as they
    are: what differs is for `up`.

    Raises :class:`LakectlError` when reading fails; what failed to be made is in the result.
    """
    views = [resource for resource in lake.resources if isinstance(resource, View)]
    absent = [view for view in views if view.read(lake.aws) is None]
    if not absent:
        return None
    steps = []
    for view in absent:
        awaits = view.awaits(lake.aws)
        steps.append(Step(view, Action.WAIT if awaits else Action.CREATE, awaits=awaits))
    todo = Plan(tuple(steps))
    return engine.apply(todo, lake.aws, observer) if todo.pending else None
