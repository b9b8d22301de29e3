"""Plan and apply on resources that live in a dict."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from typing import Any, cast

import pytest
from fakes import TAGS, Thing, World

from lakectl.aws import Aws
from lakectl.engine.apply import Event, apply
from lakectl.engine.graph import in_order, with_needs
from lakectl.engine.model import Action, Change, State
from lakectl.engine.plan import plan_down, plan_up, read_all

NO_AWS = cast(Aws, None)


def test_up_creates_what_is_needed_first_and_twice_changes_nothing() -> None:
    world = World()
    things = [Thing("c", world, ("b",)), Thing("b", world, ("a",)), Thing("a", world)]
    assert apply(plan_up(things, NO_AWS), NO_AWS).ok
    assert world.writes == ["create a", "create b", "create c"]
    again = plan_up(things, NO_AWS)
    assert again.pending == ()
    assert {step.action for step in again.steps} == {Action.KEEP}


def test_drift_is_named_field_by_field_and_mended() -> None:
    world = World()
    thing = Thing("a", world)
    world.there["thing/a"] = ({"color": "red", "size": 1}, dict(TAGS))
    (step,) = plan_up([thing], NO_AWS).steps
    assert (step.action, step.changes) == (Action.CHANGE, (Change("color", "red", "blue"),))
    apply(plan_up([thing], NO_AWS), NO_AWS)
    assert world.there["thing/a"][0] == {"color": "blue", "size": 1}


def test_what_lacks_our_tag_is_foreign_until_adopted() -> None:
    world = World()
    thing, child = Thing("a", world), Thing("a/rule", world, parent="thing/a")
    world.there["thing/a"] = ({"color": "blue", "size": 1}, {"team": "other"})
    plan = plan_up([thing, child], NO_AWS)
    assert [step.action for step in plan.steps] == [Action.FOREIGN, Action.CREATE]
    adopting = plan_up([thing, child], NO_AWS, adopt=True)
    assert adopting.steps[0].action is Action.ADOPT
    assert adopting.steps[0].changes[-1].field == "tags"


def test_down_never_deletes_what_is_foreign_nor_its_sub_resources() -> None:
    world = World()
    thing, child = Thing("a", world), Thing("a/rule", world, parent="thing/a")
    world.there["thing/a"] = ({}, {"team": "other"})
    world.there["thing/a/rule"] = ({}, None)
    plan = plan_down([thing, child], NO_AWS)
    assert plan.pending == ()
    assert {step.action for step in plan.steps} == {Action.FOREIGN}


def test_down_deletes_dependants_first_and_twice_is_nothing_to_do() -> None:
    world = World()
    things = [Thing("a", world), Thing("b", world, ("a",)), Thing("c", world, ("b",))]
    apply(plan_up(things, NO_AWS), NO_AWS)
    world.writes.clear()
    assert apply(plan_down(things, NO_AWS), NO_AWS).ok
    assert world.writes == ["destroy c", "destroy b", "destroy a"]
    assert plan_down(things, NO_AWS).pending == ()


def test_after_a_failure_independent_branches_finish_and_the_blocked_are_named() -> None:
    world = World()
    things = [
        Thing("bad", world, fails="AccessDenied"),
        Thing("needs-bad", world, ("bad",)),
        Thing("needs-that", world, ("needs-bad",)),
        Thing("other", world, seconds=0.05),
        Thing("needs-other", world, ("other",)),
    ]
    events: list[Event] = []
    result = apply(plan_up(things, NO_AWS), NO_AWS, events.append)
    assert not result.ok
    assert result.failed["thing/bad"].message == "creating thing bad: AccessDenied"
    assert sorted(step.resource.name for step in result.blocked) == ["needs-bad", "needs-that"]
    assert world.writes == ["create other", "create needs-other"]
    assert sorted(e.step.resource.name for e in events if e.outcome == "blocked") == ["needs-bad", "needs-that"]
    things[0].fails = ""
    assert apply(plan_up(things, NO_AWS), NO_AWS).ok


def test_independent_resources_are_made_at_the_same_time() -> None:
    world = World()
    barrier = threading.Barrier(3, timeout=10)

    class Meets(Thing):
        def create(self, aws: Any) -> None:
            barrier.wait()  # passes only when all three are being created
            super().create(aws)

    assert apply(plan_up([Meets(name, world) for name in "abc"], NO_AWS), NO_AWS).ok


def test_ctrl_c_starts_nothing_new_and_lets_calls_in_flight_finish() -> None:
    world = World()
    things = [Thing("slow", world, seconds=0.6), Thing("later", world, ("slow",))]
    timer = threading.Timer(0.2, lambda: signal.raise_signal(signal.SIGINT))
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        result = apply(plan_up(things, NO_AWS), NO_AWS)
    finally:
        timer.join()
        time.sleep(0)
        signal.signal(signal.SIGINT, previous)
    assert result.interrupted
    assert world.writes == ["create slow"]


def test_what_shares_a_batch_is_read_together_and_apart_from_its_parent() -> None:
    class Child(Thing):
        kind = "child"
        batch = "thing/a"  # the id of another resource, which is not of the batch

        @classmethod
        def read_batch(cls, aws: Any, resources: Sequence[Any]) -> list[State | None]:  # noqa: ARG003
            read.append([resource.name for resource in resources])
            return [None for _ in resources]

    read: list[list[str]] = []
    world = World()
    found = read_all([Thing("a", world), Child("b", world), Child("c", world)], NO_AWS)
    assert found == {"thing/a": None, "child/b": None, "child/c": None}
    assert read == [["b", "c"]]


def test_a_step_brings_what_it_needs() -> None:
    world = World()
    things = [Thing("a", world), Thing("b", world, ("a",)), Thing("c", world, ("b",)), Thing("d", world)]
    assert [thing.name for thing in with_needs(things, ("b",))] == ["a", "b"]


def test_a_need_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="thing/b needs thing/a"):
        in_order([Thing("b", World(), ("a",))])
