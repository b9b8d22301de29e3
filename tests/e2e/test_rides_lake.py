"""The lake of rides (``tests/rides_project``) with the command line alone: all that the tutorial's lake does, from
another YAML. ``tests/jobs/test_rides.py`` has what its job does, run by run; here it is the program's turn."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import ride_files
from program import Project, wait_for
from ride_files import lines, ride

from lakectl.local.control import Endpoint

pytestmark = pytest.mark.long
RAW = "city-raw-rides"
PING = {"driver_id": 7, "at": "2025-09-01T12:00:00", "lat": 52.5, "lon": 13.4}


@pytest.fixture(scope="module")
def city(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:  # noqa: ARG001
    """The lake, up, with a file of each source in silver."""
    folder = tmp_path_factory.mktemp("city") / "project"
    shutil.copytree(ride_files.PROJECT, folder)
    city = Project(folder)
    city.run("up")
    land(
        city,
        1,
        {
            "companies.csv": ride_files.companies("1,Taxi Süd", "2,Cabs"),
            "drivers.csv": ride_files.drivers("7;Jörg;4,5;01.02.2024;1", "8;Ann;NA;2024-03-04;2"),
            "zones.parquet": zones((1, "Mitte", "1.50"), (2, "Pankow", None)),
            "pings.jsonl": lines(PING, PING, {"driver_id": 8}),
            "rides.jsonl.gz": gzip.compress(
                lines(
                    ride("a", fare="12.50", shared="yes", at="2025-09-01 00:30"),
                    ride("b", zone=2, driver=8, fare=7, at="2025-09-01T12:00:00Z", shared=False),
                    ride("c", zone=9),  # no such zone
                    ride("d", fare=-1),
                    ride("e", driver=None, zone=None, fare=2000.5),
                )
            ),
        },
        "--wait",
    )
    yield city
    city.run("down", "--yes")


def land(city: Project, day: int, files: dict[str, bytes], *options: str, code: int = 0) -> str:
    """Files of a day in September 2025, in one ``land``."""
    folder = city.folder / "exports"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return city.run("land", "exports", "--ingest-date", f"2025-09-{day:02}", *options, code=code)


def zones(*rows: tuple[int, str, str | None]) -> bytes:
    """With the types that the source declares: Athena reads no others."""
    from decimal import Decimal

    import pyarrow

    types = (pyarrow.int32(), pyarrow.string(), pyarrow.decimal128(6, 2))
    return ride_files.zones(*((key, name, extra and Decimal(extra)) for key, name, extra in rows), types=types)


def silver(city: Project, columns: str, table: str = "rides_silver") -> list[list[Any]]:
    """These columns of the rows of the first landings, by the first of them."""
    return city.query(f"SELECT {columns} FROM {table} ORDER BY 1, 2")


def test_every_name_is_the_configurations(city: Project) -> None:
    names = [each["name"] for each in city.json("status")]
    assert {"city-tmp-rides/jobs/city_load.py", "city-tmp-rides/jobs/city_maintenance.py"} <= set(names)
    assert [name for name in names if "retail" in name or "orders" in name] == []


def test_silver_is_typed_looked_up_and_derived(city: Project) -> None:
    rows = silver(city, "ride_id, started_at, fare, shared, driver, company, borough, total")
    first = [
        ["a", "2025-08-31 22:30:00.000000", "12.50", "true", "Jörg", "Taxi Süd", "Mitte", "14.00"],
        ["b", "2025-09-01 12:00:00.000000", "7.00", "false", "Ann", "Cabs", "Pankow", "7.00"],
        ["e", "2025-09-01 10:00:00.000000", "2000.50", None, None, None, None, "2000.50"],
    ]
    assert [row for row in rows if row[0] in "abe"] == first
    assert silver(city, "driver_id, name, rating, joined, company", "drivers_silver") == [
        ["7", "Jörg", "4.5", "2024-02-01", "Taxi Süd"],
        ["8", "Ann", None, "2024-03-04", "Cabs"],
    ]


def test_rows_that_fail_a_check_or_a_lookup_are_in_the_table_of_rejected_ones(city: Project) -> None:
    rows = city.query("SELECT ride_id, fare, _lake_reasons FROM city_silver.rides_rejected ORDER BY 1")
    assert rows == [["c", "10", "lookups.zones"], ["d", "-1", "fares"]]


def test_bronze_shows_the_files_of_every_format(city: Project) -> None:
    day = "ingest_date = '2025-09-01'"
    assert city.query(
        f"SELECT ride_id, started_at, zone_id, fare FROM city_bronze.rides_raw WHERE {day} ORDER BY 1 LIMIT 2"
    ) == [["a", "2025-09-01 00:30", "1", "12.50"], ["b", "2025-09-01T12:00:00Z", "2", "7"]]
    assert city.query(
        f"SELECT driver_id, rating, joined, company_id FROM city_bronze.drivers_raw WHERE {day} ORDER BY 1"
    ) == [["7", "4,5", "01.02.2024", "1"], ["8", "NA", "2024-03-04", "2"]]
    assert city.query(f"SELECT zone_id, borough, surcharge FROM city_bronze.zones_raw WHERE {day} ORDER BY 1") == [
        ["1", "Mitte", "1.50"],
        ["2", "Pankow", None],
    ]
    assert city.query(
        "SELECT (SELECT count(*) FROM city_bronze.pings_raw), (SELECT count(*) FROM city_bronze.companies_raw)"
    ) == [["3", "2"]]


def test_landing_a_file_again_is_a_duplicate_and_another_run_has_nothing_to_load(city: Project) -> None:
    before, snapshots = city.landings(), city.json("snapshots")
    again = {
        "companies.csv": ride_files.companies("1,Taxi Süd", "2,Cabs"),
        "pings.jsonl": lines(PING, PING, {"driver_id": 8}),
    }
    assert land(city, 1, again).count("already landed") == 2
    # Without keys, the same bytes elsewhere would be rows once more.
    assert "already" in land(city, 2, {"pings.jsonl": again["pings.jsonl"]}, code=1)
    assert "nothing pending" in city.run("run-transform")
    assert (city.landings(), city.json("snapshots")) == (before, snapshots)


def test_a_file_that_another_program_puts_is_logged_and_loaded_once_whatever_the_events(
    city: Project, client: Callable[..., Any]
) -> None:
    key = "city/rides/ingest_date=2025-09-02/batch=0001/rides.jsonl"
    body = lines(ride("f", at="2025-09-02T08:00:00", shared=True))
    put = client("s3").put_object(Bucket=RAW, Key=key, Body=body)
    assert city.settled("rides", having=key)[key] == "LOADED"
    assert silver(city, "ride_id, total, started_at")[-1] == ["f", "11.50", "2025-09-02 06:00:00.000000"]
    before, runs = city.json("runs"), job_runs(client)
    thing = {"key": key, "size": len(body), "eTag": put["ETag"].strip('"'), "versionId": put["VersionId"]}
    named = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2025-09-02T09:00:00.000Z"}
    record = {**named, "s3": {"bucket": {"name": RAW}, "object": {**thing, "sequencer": "0A"}}}
    event = {
        "source": "aws.s3", "detail-type": "Object Created", "time": "2025-09-02T09:00:00Z",
        "detail": {
            "bucket": {"name": RAW}, "reason": "PutObject",
            "object": {"key": key, "size": len(body), "etag": thing["eTag"], "version-id": put["VersionId"]},
        },
    }  # fmt: skip
    for function, sent in (("city-log", {"Records": [record, record]}), ("city-start", event)):
        answer = client("lambda").invoke(FunctionName=function, Payload=json.dumps(sent).encode())
        assert "FunctionError" not in answer, answer["Payload"].read()
    assert (city.json("runs"), job_runs(client)) == (before, runs)


def job_runs(client: Callable[..., Any]) -> set[str]:
    return {run["Id"] for run in client("glue").get_job_runs(JobName="city_load")["JobRuns"]}


def test_validate_passes_and_plan_has_nothing_to_do(city: Project) -> None:
    checks = valid(city)
    kinds = ("rows", "keys", "lookups", "derived", "checks", "snapshots", "pruning")
    assert {check["name"] for check in checks if check["source"] == "rides"} == {f"rides.{kind}" for kind in kinds}
    assert {check["source"] for check in checks} == {None, "rides", "pings", "zones", "drivers", "companies"}
    assert "Nothing to do" in city.run("plan")


def valid(city: Project) -> list[dict[str, Any]]:
    """What ``validate`` checked: all of it passed."""
    checks: list[dict[str, Any]] = city.json("validate")
    assert [check for check in checks if check["passed"] is not True] == []
    return checks


def test_a_file_that_does_not_fit_is_refused_and_stops_no_other(city: Project) -> None:
    bad = {"rides.jsonl": lines(ride("x", fare="12,50"))}
    assert "rides.jsonl:1: fare = '12,50': expected a number" in land(city, 3, bad, code=64)


def test_what_changes_at_the_end_of_a_chain_changes_rides_and_quarantined_ones_are_judged_again(city: Project) -> None:
    more = zones((1, "Mitte", "2.00"), (2, "Pankow", None), (9, "Mars", "100.00"))
    land(city, 4, {"companies.csv": ride_files.companies("1,Taxi Nord"), "zones.parquet": more})
    city.run("run-transform")
    rows = silver(city, "ride_id, company, borough, total")
    assert rows[0] == ["a", "Taxi Nord", "Mitte", "14.50"]
    assert "c" not in [row[0] for row in rows]
    city.run("run-transform", "--retry-quarantined")
    assert ["c", "Taxi Nord", "Mars", "110.00"] in silver(city, "ride_id, company, borough, total")
    assert city.query("SELECT ride_id, _lake_reasons FROM city_silver.rides_rejected") == [["d", "fares"]]
    valid(city)


def current(city: Project, table: str) -> str:
    """The table's current snapshot."""
    return next(each["id"] for each in city.json("snapshots", table) if each["current"])


def test_a_bad_landing_is_rolled_back_and_the_good_one_beside_it_is_loaded_again(city: Project) -> None:
    before, rows = current(city, "rides_silver"), silver(city, "ride_id, total")
    keys = {batch: f"city/rides/ingest_date=2025-09-05/batch={batch}/rides.jsonl" for batch in ("0001", "0002")}
    # It is older than what silver has, so it changes nothing and has no snapshot. Rides have nothing to do with it.
    land(city, 5, {"companies.csv": ride_files.companies("2,Cabs")}, "--ingest-date", "2025-08-31")
    land(city, 5, {"rides.jsonl": lines(ride("a", fare=900))}, "--batch", "0001")
    land(city, 5, {"rides.jsonl": lines(ride("g", fare=1))}, "--batch", "0002", "--wait")
    city.settled("rides", having=keys["0001"])
    assert silver(city, "ride_id, total") != rows
    said = city.run("rollback", before, "--requeue", "--except", keys["0001"], "--yes")
    assert "companies" not in said
    assert "2 landings reverted" in said
    assert silver(city, "ride_id, total") == rows
    landings = city.landings("rides")
    assert [landings[key] for key in keys.values()] == ["REVERTED", "PENDING"]
    city.run("run-transform")
    assert [row[0] for row in silver(city, "ride_id, total")] == [*(row[0] for row in rows), "g"]
    assert silver(city, "ride_id, total")[0] == rows[0]
    valid(city)


def test_what_is_rolled_back_is_shown_by_no_other_table_after_the_next_run(city: Project) -> None:
    tables = ("zones_silver", "pings_silver")
    before, rows = [current(city, table) for table in tables], silver(city, "ride_id, borough, total")
    pings = silver(city, "driver_id, lat", "pings_silver")
    new = zones((1, "Center", "9.00"), (2, "Pankow", None), (9, "Mars", "100.00"))
    land(city, 6, {"zones.parquet": new, "pings.jsonl": lines({"driver_id": 1})})
    city.run("run-transform")
    assert silver(city, "ride_id, borough, total")[0][1] == "Center"
    for table, snapshot in zip(tables, before, strict=True):
        assert "1 landings reverted" in city.run("rollback", snapshot, "--table", table, "--yes")
    assert silver(city, "driver_id, lat", "pings_silver") == pings
    city.run("run-transform")
    assert silver(city, "ride_id, borough, total") == rows
    valid(city)


def test_an_object_that_is_overwritten_replaces_its_own_rows(city: Project, client: Callable[..., Any]) -> None:
    key = "city/pings/ingest_date=2025-09-07/pings.jsonl"
    for row in ({"driver_id": 70}, {"driver_id": 71}):
        client("s3").put_object(Bucket=RAW, Key=key, Body=lines(row, row))
        city.settled("companies", having="companies")
        city.run("run-transform")
    rows = city.query("SELECT driver_id, count(*) FROM pings_silver WHERE driver_id >= 70 GROUP BY 1")
    assert rows == [["71", "2"]]
    valid(city)


def test_maintenance_compacts_and_expires_and_validate_passes_after_it(
    city: Project, client: Callable[..., Any]
) -> None:
    rows, snapshots = silver(city, "ride_id, total"), len(city.json("snapshots", "rides_silver"))
    dry = city.json("maintain", "--dry-run")
    done = city.json("maintain")
    assert [each["files_rewritten"] for each in done["tables"]] == [each["files_rewritten"] for each in dry["tables"]]
    assert sum(each["files_rewritten"] for each in done["tables"]) > 0
    assert {each["problem"] for each in done["tables"]} == {""}
    # The configuration keeps the snapshots of a day at least.
    settings = json.dumps({"keep_snapshots_days": 0, "keep_snapshots": 1})
    run = client("glue").start_job_run(
        JobName="city_maintenance", Arguments={"--TASK": "maintain", "--SETTINGS": settings}
    )["JobRunId"]

    def state() -> str | None:
        found = client("glue").get_job_run(JobName="city_maintenance", RunId=run)["JobRun"]["JobRunState"]
        return found if found in ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT") else None

    assert wait_for(state, what="the end of maintenance") == "SUCCEEDED"
    assert len(city.json("snapshots", "rides_silver")) == 1 < snapshots
    assert silver(city, "ride_id, total") == rows
    valid(city)
    assert "nothing pending" in city.run("run-transform")


def test_events_logs_and_permissions_are_in_order(city: Project) -> None:
    for command in ("reconcile", "smoke", "doctor", "status", "query 01", "runs --failed"):
        city.run(*command.split())


def test_down_leaves_nothing(city: Project, client: Callable[..., Any]) -> None:
    assert "0 left." in city.run("down", "--yes")
    assert [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"] if "city" in bucket["Name"]] == []
    assert "Nothing to delete." in city.run("down", "--yes")
