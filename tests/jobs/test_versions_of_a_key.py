"""Whatever happens to an object, and in whatever order it is heard of: the current bytes reach silver, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from landing_world import BAD, GOOD, KEYS, OTHER, World
from moto import mock_aws

ALL = "retail/"


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


def lenient(world: World) -> None:
    world.strict = False


ORDERS: dict[str, list[Callable[[World], Any]]] = {
    "deleted, run, put again": [World.put, World.delete, World.run, World.put, World.run],
    "deleted, run, delete marker removed": [
        World.put, World.delete, World.run, World.undelete, lambda world: world.run(ALL),
    ],
    "deleted, run, delete marker removed, put again": [
        World.put, World.delete, World.run, World.undelete, World.put, World.run,
    ],
    "deleted twice": [
        World.put, World.delete, World.run, World.put, World.delete, World.run, World.put, World.run,
    ],
    "put, deleted, put again before any run": [World.put, World.delete, World.put, World.run],
    "put twice, and the first version deleted for good": [World.put, World.put, World.destroy_older, World.run],
    "put twice, deleted, run, delete marker removed": [
        World.put, World.put, World.delete, World.run, World.undelete, lambda world: world.run(ALL),
    ],
    "refused, then put again under another policy": [
        lambda world: world.put(BAD), World.run, lenient, lambda world: world.put(BAD), World.run,
    ],
    "refused, then tried again under another policy": [
        lambda world: world.put(BAD), World.run, lenient, lambda world: world.run(retry_failed=True),
    ],
    "rolled back, then put again on purpose": [
        World.put, World.run, lambda world: world.roll_back(1), World.put, World.run,
    ],
    "loaded, deleted, put again": [World.put, World.run, World.delete, World.put, World.run],
    "two events late, after the newer version's": [
        lambda world: world.put(deliver=False), lambda world: world.put(deliver=False),
        lambda world: world.deliver([2]), World.run, World.deliver, World.run,
    ],
}  # fmt: skip


@pytest.mark.parametrize("story", ORDERS)
@pytest.mark.parametrize("many", [1, 50])
def test_what_is_there_reaches_silver_once_whatever_happened_before(
    world: World, monkeypatch: pytest.MonkeyPatch, story: str, many: int
) -> None:
    """Item 2: only a version whose rows are in silver, or will be, makes another one a duplicate."""
    monkeypatch.setattr("lake.landings.MANY", many)
    for step in ORDERS[story]:
        step(world)
    assert world.loaded() == world.current() != "", world.statuses()
    assert Counter(world.statuses())["LOADED"] == 1
    assert world.waiting() == []


def test_nothing_waits_for_an_object_that_was_put_and_deleted_twice(world: World) -> None:
    """Item 2: the duplicate of a deleted version is deleted too."""
    for step in (World.put, World.delete, World.put, World.delete, World.run):
        step(world)
    assert world.waiting() == []
    assert set(world.statuses()) == {"SUPERSEDED"}


def test_a_duplicate_of_what_a_run_sets_aside_is_pending_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 2: put again between a run's look at S3, which finds the object deleted, and its word to the ledger."""
    from lake.landings import Inbox

    world.put()
    world.delete()
    head = Inbox._head

    def put_after_the_look(self: Any, *where: Any) -> Any:
        found = head(self, *where)
        monkeypatch.undo()
        world.put()
        return found

    monkeypatch.setattr(Inbox, "_head", put_after_the_look)
    world.run()
    world.run()
    assert world.loaded() == world.current() != ""
    assert world.waiting() == []


@pytest.mark.parametrize("path", ["", ALL])
@pytest.mark.parametrize("loaded_before", [True, False])
def test_with_the_clock_set_back_the_newer_version_is_loaded(world: World, loaded_before: bool, path: str) -> None:
    """Item 4: S3's sequencer decides between the versions of a key, not the times of the events."""
    world.put(GOOD)
    if loaded_before:
        world.run()
    world.clock_off = timedelta(minutes=-10)
    world.put(OTHER)
    world.run(path)
    assert world.loaded() == world.current()
    assert world.waiting() == []


@pytest.mark.parametrize("full", [True, False])
def test_a_version_that_was_wrongly_set_aside_is_loaded_by_a_run_over_its_path(world: World, full: bool) -> None:
    """Item 4: the first version was found by listing, so only times tell the order, and they tell it wrongly."""
    world.put(GOOD, deliver=False)
    world.told = []  # its event is lost
    world.run(ALL)
    world.clock_off = timedelta(minutes=-10)
    world.put(OTHER)
    world.run("" if full else ALL, full=full)
    assert world.loaded() == world.current()
    assert world.waiting() == []


def test_a_late_sequencer_corrects_the_order_of_versions_found_by_listing(world: World) -> None:
    """Item 4: the event of a version that a run has found by itself still tells S3's order."""
    world.put(GOOD, deliver=False)
    late, world.told = world.told, []
    world.run(ALL)
    world.clock_off = timedelta(minutes=-10)
    world.put(OTHER)
    world.told = late
    world.deliver()
    world.run()
    assert world.loaded() == world.current()


class Events(RuleBasedStateMachine):
    """Anything may happen to two keys. ``kept_out``: keys whose bytes a run refused or a rollback took out, and that
    nobody has put since: whether they are in silver depends on when the ledger heard of the last put."""

    def __init__(self) -> None:
        super().__init__()
        self.mock = mock_aws()
        self.mock.start()
        self.world = World()
        self.kept_out: set[str] = set()

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.mock.stop()

    keys = st.sampled_from(KEYS)

    @rule(key=keys, content=st.sampled_from([GOOD, GOOD, OTHER, BAD]), deliver=st.booleans())
    def put(self, key: str, content: bytes, deliver: bool) -> None:
        self.kept_out.discard(key)
        self.world.put(content, key, deliver=deliver)

    @rule(key=keys)
    def delete(self, key: str) -> None:
        self.world.delete(key)

    @rule(key=keys)
    def undelete(self, key: str) -> None:
        self.world.undelete(key)

    @rule(key=keys)
    def destroy_older(self, key: str) -> None:
        self.world.destroy_older(key)

    @rule(order=st.lists(st.integers(0, 9), max_size=3))
    def deliver(self, order: list[int]) -> None:
        if self.world.told:
            self.world.deliver(order)

    @rule(minutes=st.sampled_from([0, -10]))
    def set_the_clock(self, minutes: int) -> None:
        self.world.clock_off = timedelta(minutes=minutes)

    @rule(strict=st.booleans())
    def policy(self, strict: bool) -> None:
        self.world.strict = strict

    @rule(path=st.sampled_from(["", ALL, KEYS[1]]), full=st.booleans(), retry=st.booleans())
    def run(self, path: str, full: bool, retry: bool) -> None:
        before = self.refused()
        self.world.run(path, full=full, retry_failed=retry)
        self.kept_out |= self.refused() - (before - self.kept_out)

    @rule(runs=st.integers(1, 2), requeue=st.booleans())
    def roll_back(self, runs: int, requeue: bool) -> None:
        self.world.roll_back(runs, requeue=requeue)
        self.kept_out |= {entry.landing.key for entry in self.entries() if entry.load_status == "REVERTED"}

    def entries(self) -> list[Any]:
        return list(self.world.ledger.history("orders"))

    def refused(self) -> set[str]:
        return {entry.landing.key for entry in self.entries() if entry.load_status == "FAILED"}

    def settle(self) -> None:
        """Every event is delivered, and a run looks everywhere: then the current bytes are in silver, once."""
        self.world.deliver()
        self.world.strict = False
        self.world.run(ALL)
        assert self.world.waiting() == []
        for key in KEYS:
            if key in self.kept_out or not self.world.current(key):
                continue
            assert self.world.loaded(key) == self.world.current(key), (key, self.world.statuses(key))
        twice = Counter((load.sk, load.run) for load in self.world.silver)
        assert max(twice.values(), default=1) == 1


@pytest.mark.parametrize("examples", [12, pytest.param(400, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_the_current_bytes_reach_silver_whatever_happens_in_whatever_order(examples: int) -> None:
    """Items 2 and 4."""
    asked = settings(
        max_examples=examples, stateful_step_count=14, deadline=None, derandomize=examples < 100, database=None
    )
    run_state_machine_as_test(Events, settings=asked)


@pytest.mark.parametrize("status", [400, 403])
def test_an_object_that_s3_does_not_describe_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Item 1: an object under a key that the job may not use is left to its own reading; the others are claimed."""
    world.put(key=KEYS[0])
    world.put(key=KEYS[1])
    head = world.s3.head_object

    def denied(**asked: Any) -> Any:
        if asked["Key"] == KEYS[0]:
            raise ClientError(
                {"Error": {"Code": str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}, "HeadObject"
            )
        return head(**asked)

    monkeypatch.setattr(world.s3, "head_object", denied)
    assert world.run() == []
    assert {load.key for load in world.silver} == set(KEYS)
