"""A lake that is not the tutorial's: JSON Lines, Parquet and CSV of another kind, a chain of lookups, a snapshot, rows
without keys. The runs of one story, and what each left behind."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from ride_files import ride
from rides import RidesLake
from test_job_races import Killed, at, die
from whole_job import Ran

from lakectl.local.control import Endpoint

RIDES, PINGS = "rides_silver", "pings_silver"


class Story:
    def __init__(self, lake: RidesLake) -> None:
        self.lake = lake
        self.runs: dict[str, Ran] = {}

    def run(self, name: str, **arguments: str) -> None:
        self.runs[name] = self.lake.run(**arguments)

    def counts(self, name: str, source: str) -> dict[str, Any]:
        found: dict[str, Any] = self.runs[name].result["sources"][source]
        return {kind: count for kind, count in found.items() if count and kind not in ("landings", "snapshot_id")}


@pytest.fixture(scope="module")
def story(spark: Any, endpoint: Endpoint) -> Story:
    lake = RidesLake(spark, endpoint)
    told = Story(lake)
    lake.everything()
    lake.lines(
        "rides",
        ride("a", fare="12.50", shared="yes", at="2025-09-01 00:30"),
        ride("b", zone=2, driver=8, fare=7, at="2025-09-01T12:00:00Z", shared=False),
        ride("c", zone=9),  # no such zone
        ride("d", fare=-1),
        ride("e", driver=None, zone=None, fare=2000.5),
        gz=True,
    )
    lake.lines("rides", ride("f", at="2025-03-30T02:30:00"), "", ride("g"), batch="0002")  # skipped by the clock
    lake.lines("rides", ride("h"), '{"ride_id": {"nested": 1}}', "{", batch="0003")
    lake.lines("rides", ride("i", tip=3), batch="0004")  # a field that nobody named
    ping = {"driver_id": 7, "at": "2025-09-01T12:00:00", "lat": 52.5, "lon": 13.4}
    told.pings = lake.lines("pings", ping, ping, {"driver_id": 8})  # type: ignore[attr-defined]
    told.run("first")
    told.rows = lake.rows("ride_id", "driver", "company", "borough", "total", table=RIDES)  # type: ignore[attr-defined]

    lake.companies("1,Taxi Nord", day=2)  # the chain: companies -> drivers -> rides
    told.run("chain")
    told.chain = lake.rows("ride_id", "company", table=RIDES)  # type: ignore[attr-defined]

    lake.zones((1, "Mitte", Decimal("2.00")), (3, "Spandau", None), day=2, types=_decimal())
    lake.lines("pings", ping, batch="0002")
    told.run("zones")
    told.run("nothing", path=None)
    told.run("full", FULL="true")

    lake.put(told.pings.removeprefix("retail/"), b'{"driver_id": 9}\n')  # type: ignore[attr-defined]
    told.run("pings again")
    return told


def _decimal() -> tuple[Any, ...]:
    import pyarrow

    return pyarrow.int64(), pyarrow.string(), pyarrow.decimal128(9, 4)


def test_rows_of_every_format_are_typed_looked_up_and_derived(story: Story) -> None:
    assert story.rows == [  # type: ignore[attr-defined]
        ("a", "Jörg", "Taxi Süd", "Mitte", Decimal("14.00")),
        ("b", "Ann", "Cabs", "Pankow", Decimal("7.00")),
        ("e", None, None, None, Decimal("2000.50")),
    ]
    typed = story.lake.rows("ride_id", "started_at", "fare", "shared", table=RIDES)
    assert typed[:2] == [
        ("a", datetime(2025, 8, 31, 22, 30), Decimal("12.50"), True),
        ("b", datetime(2025, 9, 1, 12), Decimal("7.00"), False),
    ]
    drivers = story.lake.rows("driver_id", "name", "rating", "joined", table="drivers_silver")
    assert drivers == [(7, "Jörg", 4.5, date(2024, 2, 1)), (8, "Ann", None, date(2024, 3, 4))]


def test_tables_are_partitioned_and_described(story: Story) -> None:
    rides = story.lake.table(RIDES)
    assert [str(field.transform) for field in rides.spec().fields] == ["day", "bucket[8]"]
    assert rides.properties["comment"] == "Trips, as the cars tell them"
    assert rides.schema().find_field("fare").doc == "Euros, without surcharge"
    kinds = {field.name: str(field.field_type) for field in rides.schema().fields}
    assert (kinds["started_at"], kinds["fare"], kinds["total"]) == ("timestamp", "decimal(10, 2)", "decimal(13, 2)")


def test_bad_rows_are_set_aside_or_refuse_their_landing(story: Story) -> None:
    ran = story.runs["first"]
    failed = {path.split("/")[-2]: problems for path, problems in ran.result["landings_failed"].items()}
    assert failed == {
        "batch=0002": ["line 1: started_at is '2025-03-30T02:30:00', expected a timestamp yyyy-MM-ddTHH:mm:ss, with a "
                       "fraction and an offset or without"],
        "batch=0003": ["line 2: '{\"ride_id\": {\"nested\": 1}}' is no plain object", "line 3: '{' is no plain object"],
        "batch=0004": ["tip (line 1): not in the configuration; name it there, or set schema_evolution to add or "
                       "ignore"],
    }  # fmt: skip
    rejected = story.lake.rows("ride_id", "zone_id", "fare", "_lake_reasons", table="rides_rejected")
    assert rejected == [("c", "9", "10", "lookups.zones"), ("d", "1", "-1", "fares")]
    assert ran.result["sources"]["rides"]["checks"] == {
        "dates": 1, "broken_rows": 2, "lookups.zones": 1, "fares": 1, "totals": 1,
    }  # fmt: skip
    assert any("totals" in text for text in ran.result["warnings"])


def test_a_value_at_the_end_of_a_chain_of_lookups_rewrites_the_rows_that_show_it(story: Story) -> None:
    assert story.chain == [("a", "Taxi Nord"), ("b", "Cabs"), ("e", None)]  # type: ignore[attr-defined]
    assert story.counts("chain", "companies") == {"rows_read": 1, "rows_updated": 1}
    assert story.counts("chain", "drivers") == {"rows_reenriched": 1}
    assert story.counts("chain", "rides") == {"rows_reenriched": 1}


def test_what_the_newest_snapshot_does_not_have_is_deleted(story: Story) -> None:
    zones = story.lake.rows("zone_id", "borough", "surcharge", table="zones_silver")
    assert zones == [(1, "Mitte", Decimal("2.00")), (3, "Spandau", None)]
    assert story.counts("zones", "zones") == {
        "rows_read": 2, "rows_inserted": 1, "rows_updated": 1, "rows_deleted": 1,
    }  # fmt: skip
    rides = story.lake.rows("ride_id", "borough", "total", table=RIDES)
    assert rides[:2] == [("a", "Mitte", Decimal("14.50")), ("b", None, Decimal("7.00"))]


def test_nothing_new_commits_nothing(story: Story) -> None:
    assert story.runs["nothing"].result["snapshot_id"] is None
    full = story.runs["full"]
    assert not full.error or full.error.startswith("LandingsRefused"), full.error
    assert {name: each["snapshot_id"] for name, each in full.result["sources"].items()} == dict.fromkeys(
        ["companies", "drivers", "zones", "rides", "pings"]
    )


def test_every_row_of_every_landing_is_there_once_and_a_new_version_replaces_the_old_ones_rows(story: Story) -> None:
    assert story.counts("first", "pings") == {"rows_read": 3, "rows_inserted": 3}
    assert story.counts("zones", "pings") == {"rows_read": 1, "rows_inserted": 1}
    assert story.counts("pings again", "pings") == {"rows_read": 1, "rows_inserted": 1, "rows_deleted": 3}
    assert sorted(row[0] for row in story.lake.rows("driver_id", table=PINGS)) == [7, 9]


@pytest.mark.long
def test_rows_without_keys_are_there_once_when_a_run_dies_and_is_repeated(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lake.append import Append
    from lake.landings import Inbox

    lake, before = story.lake, len(story.lake.rows("driver_id", table=PINGS))
    for number, place in enumerate([(Append, "commit"), (Inbox, "finish")], start=1):
        lake.lines("pings", {"driver_id": 100 + number}, {"driver_id": 100 + number}, day=10 + number)
        with monkeypatch.context() as patch:
            at(patch, place, die)
            with pytest.raises(Killed):
                lake.run()
        assert lake.run().error == ""
        assert len(lake.rows("driver_id", table=PINGS)) == before + 2 * number


@pytest.mark.long
def test_rows_without_their_lookup_are_judged_again_when_that_is_asked_for(story: Story) -> None:
    lake = story.lake
    rejected = ("ride_id", "_lake_reasons")
    assert ("c", "lookups.zones") in lake.rows(*rejected, table="rides_rejected")
    lake.zones((1, "Mitte", 2), (3, "Spandau", None), (9, "Mars", 100), day=20)
    assert lake.run().error == ""
    assert "c" not in [row[0] for row in lake.rows("ride_id", table=RIDES)]
    ran = lake.run(path=None, RETRY_QUARANTINED="true")
    assert (ran.error, ran.result["sources"]["rides"]["rows_inserted"]) == ("", 1)
    assert ("c", "Mars", Decimal("110.00")) in lake.rows("ride_id", "borough", "total", table=RIDES)
    assert lake.rows(*rejected, table="rides_rejected") == [("d", "fares")]


def roll_back(lake: RidesLake, table: str, snapshot: int) -> dict[str, Any]:
    from types import SimpleNamespace

    from lake import rollback

    from lakectl.core.ledger import Ledger

    ledger = Ledger(lake.ledger_table, lake.dynamodb)
    asked = SimpleNamespace(silver_db=lake.database, table=table, snapshot=snapshot, requeue=False, kept_out=())
    return rollback.roll_back(lake.spark, ledger, asked, lambda _: None, lambda: None)


@pytest.mark.long
@pytest.mark.needs_call
def test_a_rollback_takes_back_what_other_tables_show_and_what_left_quarantine(spark: Any, endpoint: Endpoint) -> None:
    """Such a row was lost: out of silver with the rollback, and out of quarantine since it was loaded. And rides showed
    the zones that were rolled back until something landed."""
    lake = RidesLake(spark, endpoint)
    lake.everything()
    lake.lines("rides", ride("a"), ride("c", zone=9))
    assert lake.run().error == ""
    lake.zones((1, "Center", 2), (9, "Mars", 100), day=2)
    assert lake.run().error == ""
    silver, zones = (
        [each.snapshot_id for each in lake.table(name).metadata.snapshots] for name in (RIDES, "zones_silver")
    )
    assert lake.run(path=None, RETRY_QUARANTINED="true").error == ""
    assert lake.rows("ride_id", "borough", table=RIDES) == [("a", "Center"), ("c", "Mars")]
    assert lake.rows("ride_id", table="rides_rejected") == []

    done = roll_back(lake, RIDES, silver[-1])
    assert lake.rows("ride_id", "_lake_reasons", table="rides_rejected") == [("c", "lookups.zones")]
    assert (done["rows_quarantined_again"], done["landings_reverted"]) == (1, [])
    assert roll_back(lake, RIDES, silver[-1])["rows_quarantined_again"] == 0
    assert lake.rows("ride_id", "borough", table=RIDES) == [("a", "Center")]

    assert len(roll_back(lake, "zones_silver", zones[0])["landings_reverted"]) == 1
    assert lake.run(path=None).error == ""
    assert lake.rows("ride_id", "borough", table=RIDES) == [("a", "Mitte")]
    assert lake.run(path=None).result["snapshot_id"] is None
