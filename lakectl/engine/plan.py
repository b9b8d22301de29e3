"""Reading AWS and comparing gives a :class:`Plan`. Nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import Aws, explain
from lakectl.engine.graph import in_order
from lakectl.engine.model import Action, Change, Data, Plan, Resource, State, Step, refuse_elsewhere
from lakectl.errors import UsageError

READERS = 16


def read_all(resources: Sequence[Resource], aws: Aws) -> dict[str, State | None]:
    """The live state of each resource by id, read in parallel."""

    def read(batch: list[Resource]) -> list[State | None]:
        first = batch[0]
        try:
            return [first.read(aws)] if len(batch) == 1 else type(first).read_batch(aws, batch)
        except (ClientError, BotoCoreError) as error:
            raise explain(error, f"reading {first.kind} {first.name}") from error

    batches: dict[tuple[str, str], list[Resource]] = {}
    for resource in resources:
        batches.setdefault((resource.kind, resource.batch or resource.name), []).append(resource)
    pool = ThreadPoolExecutor(READERS, thread_name_prefix="read")
    found: dict[str, State | None] = {}
    try:
        for batch, states in zip(batches.values(), pool.map(read, batches.values()), strict=True):
            found.update(zip((resource.id for resource in batch), states, strict=True))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # after an error or Ctrl-C the other reads are of no use
    return found


def plan_up(resources: Sequence[Resource], aws: Aws, adopt: bool = False) -> Plan:
    """What ``up`` would do. A resource that bears our name but not our tag is FOREIGN unless ``adopt``.

    Raises :class:`LakectlError` when a read fails, the tags say that the lake is in another region, or the target can't
    have one of them.
    """
    for reason in dict.fromkeys(filter(None, (resource.unavailable(aws) for resource in resources))):
        raise UsageError(reason, "change that setting in config/lake.yaml")
    live = read_all(resources, aws)
    _refuse_elsewhere(resources, live)
    foreign = _foreign(resources, live)
    steps = []
    for resource in in_order(resources):
        state, awaits = live[resource.id], ""
        if state is None:
            awaits, changes = resource.awaits(aws), tuple[Change, ...]()
            action = Action.WAIT if awaits else Action.CREATE
        else:
            changes = resource.diff(state)
            action = Action.CHANGE if changes else Action.KEEP
            if resource.id in foreign:
                action = Action.ADOPT if adopt else Action.FOREIGN
        steps.append(Step(resource, action, changes, state, awaits))
    return Plan(tuple(steps))


def plan_down(resources: Sequence[Resource], aws: Aws, keep_data: bool = False) -> Plan:
    """What ``down`` would do: delete what is there and ours, dependants first. ``keep_data`` leaves what has to do with
    data.

    Raises as :func:`plan_up`.
    """
    live = read_all(resources, aws)
    _refuse_elsewhere(resources, live)
    foreign = _foreign(resources, live)
    steps = []
    for resource in reversed(in_order(resources)):
        state = live[resource.id]
        if state is None:
            action = Action.ABSENT
        elif resource.id in foreign:
            action = Action.FOREIGN
        else:
            action = Action.KEEP if keep_data and resource.data is not Data.NONE else Action.DELETE
        steps.append(Step(resource, action, (), state))
    return Plan(tuple(steps), deleting=True)


def _refuse_elsewhere(resources: Sequence[Resource], live: dict[str, State | None]) -> None:
    for resource in resources:
        state = live[resource.id]
        if state is not None:
            refuse_elsewhere(resource, state)


def _foreign(resources: Sequence[Resource], live: dict[str, State | None]) -> set[str]:
    """Ids of what is there without our tag, and of the sub-resources of such."""
    foreign = set()
    for resource in in_order(resources):
        state = live[resource.id]
        if state is not None and (not resource.owned(state) or resource.parent in foreign):
            foreign.add(resource.id)
    return foreign
