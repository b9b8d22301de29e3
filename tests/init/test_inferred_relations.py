"""Keys, lookups and partitions, each with a comment where the files leave it open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from inferring import Inferred

from lakectl.spec.model import Lookup, PartitionField

Infer = Callable[..., Inferred]


def table(header: str, rows: list[tuple[object, ...]]) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def test_a_column_that_is_unique_and_named_like_a_key_is_the_key(infer: Infer) -> None:
    found = infer({"orders.csv": table("qty,order_id,code", [(n % 3, n, f"c{n}") for n in range(50)])})
    assert found.only.keys == ("order_id",)
    assert "unique, too: code" in found.notes


def test_two_columns_together(infer: Infer) -> None:
    rows = [(symbol, date(2024, 1, 1) + timedelta(day), day % 7) for day in range(30) for symbol in "ab"]
    found = infer({"stocks.csv": table("symbol,day,price", rows)})
    assert found.only.keys == ("symbol", "day")
    assert "no column alone, but these together are unique in 60 rows" in found.notes


def test_a_measurement_that_happens_to_be_unique_is_no_key_beside_a_pair(infer: Infer) -> None:
    rows = [(2000 + year, kind, 1000 + 7 * year + k) for year in range(20) for k, kind in enumerate(("wind", "coal"))]
    assert infer({"power.csv": table("year,source,output", rows)}).only.keys == ("year", "source")


def test_one_day_written_in_two_ways_is_one_key(infer: Infer) -> None:
    found = infer({"heat.csv": "day,heat\n01/02/2024,3.5\n1/2/2024,4.5\n13/2/2024,1.5\n"})
    assert found.only.by_name["day"].formats == ("d/M/yyyy",)
    assert found.only.keys == ()


def test_a_lookup_by_dates_that_are_written_differently(infer: Infer) -> None:
    days = [date(2024, 1, 1) + timedelta(n) for n in range(30)]
    found = infer(
        {
            "weather.csv": table("day,sky", [(f"{day:%d/%m/%Y}", "grey") for day in days]),
            "rides.csv": table("ride_id,day", [(n, days[n % 30]) for n in range(90)]),
        }
    )
    assert found.specs["rides"].lookups[0].source == "weather"


def test_no_key_is_append(infer: Infer) -> None:
    found = infer({"pings.csv": table("kind,size,heat", [("a", 1, 2.5), ("a", 1, 3.5), ("b", 2, ""), ("b", 2, 4.5)])})
    assert (found.only.loading, found.only.keys) == ("append", ())
    assert "no column and no pair of columns is unique and never empty" in found.notes


def test_a_row_twice_with_the_same_content_does_not_spoil_a_key(infer: Infer) -> None:
    found = infer({"a.csv": table("id,x", [(1, "a"), (2, "b"), (2, "b"), (3, "c")])})
    assert found.only.keys == ("id",)
    assert "1 row is there twice, with the same content" in found.notes


def test_few_rows_are_said(infer: Infer) -> None:
    assert "seen in 2 rows only" in infer({"a.csv": "id,x\n1,a\n2,a\n"}).notes


def ride_files(missing: int = 0) -> dict[str, str]:
    rides = [(n, 1 + n % 9, f"z{n % 4}", date(2024, 1, 1) + timedelta(n // 60)) for n in range(600)]
    rides = [(ride, driver + (100 if ride < missing else 0), zone, day) for ride, driver, zone, day in rides]
    return {
        "rides.csv": table("ride_id,driver_id,zone,started_on", rides),
        "drivers.csv": table("driver_id,name,company_id", [(n, f"D{n}", n % 3) for n in range(1, 21)]),
        "companies.csv": table("id,name", [(n, f"C{n}") for n in range(3)]),
        "zones.csv": table("code,city,zone", [(f"z{n}", "Oslo", "") for n in range(4)]),
    }


def test_lookups_are_columns_whose_values_are_keys_of_another_source(infer: Infer) -> None:
    found = infer(ride_files())
    assert found.specs["rides"].lookups == (
        Lookup("drivers", "drivers", ("driver_id",), (("name", "name"), ("company_id", "company_id"))),
        Lookup("zones", "zones", ("zone",), (("city", "city"), ("zone", "zone_zone"))),
    )
    assert found.specs["drivers"].lookups == (
        Lookup("companies", "companies", ("company_id",), (("name", "company_name"),)),
    )
    assert [name for name, spec in found.specs.items() if spec.starts_run] == ["rides"]


def test_a_lookup_that_misses_some_values_says_so(infer: Infer) -> None:
    files = ride_files(missing=1)
    assert "10.0% of the values are no keys of drivers" in infer(files).notes
    found = infer(ride_files(missing=9))
    assert "drivers" not in {lookup.source for lookup in found.specs["rides"].lookups}
    assert "no lookup of drivers: only 50% of the values are keys there" in found.notes


def test_a_circle_of_lookups_is_broken(infer: Infer) -> None:
    found = infer(
        {
            "staff.csv": table("staff_id,team_id", [(n, n % 4) for n in range(1, 30)]),
            "teams.csv": table("team_id,staff_id,city", [(n, n + 5, "Oslo") for n in range(4)]),
        }
    )
    assert [lookup.source for spec in found.specs.values() for lookup in spec.lookups] == ["teams"]
    assert "no lookup of staff: it looks up teams" in found.notes


def test_partitions_are_of_a_size_that_is_worth_a_file(infer: Infer) -> None:
    rides = infer(ride_files()).specs["rides"]
    assert rides.partition_by == (PartitionField("day", "started_on"),)
    days = [(n, date(2020, 1, 1) + timedelta(n)) for n in range(1400)]
    assert infer({"weather.csv": table("id,day", days)}).only.partition_by == (PartitionField("year", "day"),)
    assert infer({"weather.csv": table("id,day", days[:50])}).only.partition_by == ()
