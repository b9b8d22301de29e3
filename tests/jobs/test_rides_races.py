"""Runs that race and runs that die in the lake of rides: every loading mode at once, with lookups between them."""

from __future__ import annotations

from typing import Any

import pytest
from ride_files import ride
from rides import RidesLake
from test_job_races import Killed, at, beside, die, places
from whole_job import Ran

from lakectl.local.control import Endpoint

pytestmark = pytest.mark.long


def stages() -> dict[str, tuple[Any, str, bool]]:
    """Stage -> where a run dies: owner, function, after it or before."""
    from lake.append import Append
    from lake.snapshots import Snapshot

    return {
        **places(),
        "snapshot compared": (Snapshot, "commit", False),
        "snapshot committed": (Snapshot, "commit", True),
        "appended": (Append, "commit", True),
    }


def test_a_run_that_dies_at_any_stage_loses_and_doubles_nothing(
    spark: Any, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, pings, numbers = RidesLake(spark, endpoint), [], range(1, 1 + len(stages()))
    lake.everything()
    for number, (stage, (owner, name, after)) in zip(numbers, stages().items(), strict=True):
        lake.zones((1, "Mitte", number), (number + 1, "New", 0), day=number + 1)
        lake.lines("rides", ride(f"r{number}"), ride("x", fare=number), ride(f"bad{number}", fare=-1), day=number)
        pings += [lake.lines("pings", {"driver_id": number}, {"driver_id": number}, day=number)] * 2
        with monkeypatch.context() as patch:
            at(patch, (owner, name), die, after=after)
            with pytest.raises(Killed):
                lake.run()
        assert lake.waiting() != [], stage
    assert lake.run(path=None).error == ""
    last = max(numbers)
    assert lake.rows("zone_id", "borough", table="zones_silver") == [(1, "Mitte"), (last + 1, "New")]
    rides = {row[0]: row[1:] for row in lake.rows("ride_id", "fare", "total", "borough", table="rides_silver")}
    expected = {f"r{number}": (10, 10 + last, "Mitte") for number in numbers}
    assert rides == {**expected, "x": (last, 2 * last, "Mitte")}
    rejected = lake.rows("ride_id", "_lake_occurrences", table="rides_rejected")
    assert rejected == [(f"bad{number}", 1) for number in numbers]
    assert sorted(row[0] for row in lake.rows("driver_id", table="pings_silver")) == sorted([*numbers, *numbers])
    assert lake.waiting() == []
    assert set(lake.statuses().values()) == {"LOADED"}


@pytest.mark.parametrize("stage", ["compared", "committed", "snapshot compared", "appended"])
def test_two_runs_over_overlapping_landings(
    spark: Any, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """The second one lands and loads rides, zones and pings while the first is at work on its own."""
    from lake.landings import Inbox

    monkeypatch.setattr(Inbox, "_is_alive", lambda self, run_id: run_id != self._arguments.run_id)
    lake, others = RidesLake(spark, endpoint), list[Ran]()
    lake.everything()
    assert lake.run().error == ""
    lake.zones((1, "First", 1), (2, "Pankow", 1), day=2)
    lake.lines("rides", ride("a"), ride("b", zone=2), day=2)
    lake.lines("pings", {"driver_id": 1}, day=2)

    def other_run() -> None:
        lake.zones((1, "Second", 2), (3, "New", 2), day=3)
        lake.lines("rides", ride("b", zone=1, fare=20), ride("c", zone=3), day=3)
        lake.lines("pings", {"driver_id": 2}, {"driver_id": 2}, day=3)
        others.append(beside(lake, monkeypatch))

    owner, name, after = stages()[stage]
    at(monkeypatch, (owner, name), other_run, after=after)
    ran = lake.run()
    assert (ran.error, [other.error for other in others]) == ("", [""]), ran.said
    assert lake.rows("zone_id", "borough", table="zones_silver") == [(1, "Second"), (3, "New")]
    assert lake.rows("ride_id", "borough", "total", table="rides_silver") == [
        ("a", "Second", 12), ("b", "Second", 22), ("c", "New", 12),
    ]  # fmt: skip
    assert sorted(row[0] for row in lake.rows("driver_id", table="pings_silver")) == [1, 2, 2]
    assert lake.waiting() == []
