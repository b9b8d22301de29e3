"""The ways by which events reach functions, and failed events the queue: what of them can only be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lakectl.engine.model import Resource, State
from lakectl.engine.plan import read_all
from lakectl.ops.lake import Lake


@dataclass(frozen=True)
class TriggerPath:
    """``name`` says from where to where. ``command`` is what to type next when it is silent."""

    name: str
    outcome: Literal["ok", "silent", "skipped"]
    detail: str
    command: str = ""


def names(lake: Lake) -> dict[str, str]:
    """The paths that the quick test tries, by what they end at, as people read them."""
    n = lake.names
    return {
        "log": f"S3 → {n.log_function}",
        "start": f"S3 → EventBridge → {n.orders_rule} → {n.start_function}",
    }


def read(lake: Lake) -> list[TriggerPath]:
    """The paths that a test can't walk in its time: whether all that they consist of is as `up` makes it.

    That the services take the conditions of these policies is what the paths prove that are walked: the rules' and the
    functions' differ in names only. Raises :class:`LakectlError` when a read fails.
    """
    n = lake.names
    permission, queue = f"lambda-permission/{n.start_function}", f"sqs-queue/{n.dead_letter_queue}"
    parts: dict[str, tuple[str, ...]] = {
        f"{n.drain_rule} → {n.start_function}": (f"events-rule/{n.drain_rule}", permission),
        f"{n.daily_rule} → {n.start_function}": (f"events-rule/{n.daily_rule}", permission),
        f"rules → {n.dead_letter_queue}": (queue, f"events-rule/{n.orders_rule}"),
    }
    for function, role in ((n.log_function, n.log_role), (n.start_function, n.start_role)):
        parts[f"{function} → {n.dead_letter_queue}"] = (f"lambda-function/{function}", f"iam-role/{role}", queue)
    wanted = {each for ids in parts.values() for each in ids}
    resources = {each.id: each for each in lake.resources if each.id in wanted}
    live = read_all(list(resources.values()), lake.aws)
    found = []
    for name, ids in parts.items():
        if problems := _problems([resources[each] for each in ids], live):
            found.append(TriggerPath(name, "silent", "; ".join(problems), "lakectl up"))
        elif n.daily_rule in name and not lake.config.triggers.schedule_enabled:
            found.append(TriggerPath(name, "skipped", "switched off: triggers.schedule_enabled"))
        else:
            found.append(TriggerPath(name, "ok", "in place, not tried"))
    return found


def _problems(resources: Sequence[Resource], live: Mapping[str, State | None]) -> list[str]:
    problems = []
    for resource in resources:
        state = live[resource.id]
        if state is None:
            problems.append(f"{resource.id} is missing")
            continue
        own = resource.delivery_fields
        fields = [change.field for change in resource.diff(state) if own is None or change.field in own]
        if fields:
            problems.append(f"{resource.id} differs in {', '.join(fields)}")
    return problems
