"""Quarantined rows that are judged again: each is in silver or in quarantine, whatever its loading mode, and once."""

from __future__ import annotations

from typing import Any

import pytest
from ride_files import ride
from rides import RidesLake, sources
from test_job_races import Killed, at, die

from lakectl.local.control import Endpoint

MARS = (9, "Mars", 100)
ZONES = ((1, "Mitte", 1), (2, "Pankow", None))


def retried(lake: RidesLake) -> dict[str, Any]:
    """The result of a run that judges quarantined rows again; it must succeed."""
    ran = lake.run(path=None, RETRY_QUARANTINED="true")
    assert not ran.error, (ran.error, ran.said)
    return ran.result


@pytest.mark.long
def test_rows_without_keys_are_loaded_once_and_leave_quarantine(
    spark: Any, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were lost: their landing was in silver already, and they were taken out of quarantine as loaded."""
    from lake import loading

    given = sources()
    given["pings"]["columns"]["zone_id"] = "int"
    given["pings"]["lookups"] = {"zones": {"on": "zone_id", "take": ["borough"], "missing": "quarantine"}}
    lake = RidesLake(spark, endpoint, sources=given)

    def pings() -> list[Any]:
        return sorted(lake.rows("driver_id", "borough", table="pings_silver"))

    lake.zones(*ZONES)
    lake.lines("pings", *({"driver_id": number, "zone_id": zone} for number, zone in ((1, 1), (2, 2), (3, 9), (3, 9))))
    assert lake.run().error == ""
    assert pings() == [(1, "Mitte"), (2, "Pankow")]
    assert retried(lake)["snapshot_id"] is None
    assert lake.rows("driver_id", "_lake_occurrences", table="pings_rejected") == [("3", 2)]

    lake.zones(ZONES[0], MARS, day=2)  # the second zone is gone, but its ping is in silver and stays
    assert lake.run().error == ""
    with monkeypatch.context() as patch:
        at(patch, (loading, "release"), die)
        with pytest.raises(Killed):
            retried(lake)
    assert retried(lake)["snapshot_id"] is None
    assert pings() == [(1, "Mitte"), (2, None), (3, "Mars"), (3, "Mars")]
    assert lake.rows("driver_id", table="pings_rejected") == []


@pytest.mark.long  # random lakes retry, too
def test_only_rows_that_were_judged_again_leave_quarantine(spark: Any, endpoint: Endpoint) -> None:
    """Here the object's first version is gone for good, so nobody can judge its row."""
    lake = RidesLake(spark, endpoint)
    lake.everything()
    for name in ("a", "b"):
        key = lake.lines("rides", ride(name, zone=9), ride("x"))
        assert lake.run().error == ""
    first = lake.s3.list_object_versions(Bucket=lake.raw, Prefix=key)["Versions"][-1]
    assert not first["IsLatest"]
    lake.s3.delete_object(Bucket=lake.raw, Key=key, VersionId=first["VersionId"])
    lake.zones(*ZONES, MARS, day=2)
    assert lake.run().error == ""
    retried(lake)
    assert [row[0] for row in lake.rows("ride_id", table="rides_silver")] == ["b", "x"]
    assert lake.rows("ride_id", table="rides_rejected") == [("a",)]


@pytest.mark.long
def test_a_row_that_a_newer_one_has_replaced_is_not_judged_again(spark: Any, endpoint: Endpoint) -> None:
    """It refused its landing: what it had looked up is gone, which says nothing of the rows that are to be loaded."""
    given = sources()
    given["rides"]["lookups"]["zones"]["missing"] = "fail"
    given["rides"]["checks"]["fares"] = {"sql": "driver IS NOT NULL", "otherwise": "quarantine"}
    given["rides"]["lookups"]["drivers"]["missing"] = "quarantine"
    lake = RidesLake(spark, endpoint, sources=given)
    lake.everything()
    lake.lines("rides", ride("a", zone=2), ride("b", driver=70))
    assert lake.run().error == ""
    lake.lines("rides", ride("a", zone=1), day=2)
    lake.zones(ZONES[0], day=2)
    lake.drivers("70;Zoë;1,0;01.01.2024;1", day=2)
    assert lake.run().error == ""
    retried(lake)
    assert lake.rows("ride_id", "zone_id", "driver", table="rides_silver") == [("a", 1, "Jörg"), ("b", 1, "Zoë")]
    assert lake.rows("ride_id", table="rides_rejected") == []
