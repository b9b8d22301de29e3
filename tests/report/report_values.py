"""A report of made-up values, for tests of the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lakectl.ops.checks.validate import Check
from lakectl.ops.report.model import (
    Answer,
    Cost,
    LandingRow,
    Landings,
    Layout,
    Lineage,
    LoadedFile,
    Origin,
    Partition,
    Picture,
    Pruning,
    Report,
    Rows,
    RunRow,
    Section,
    SourceBox,
    TableReport,
)
from lakectl.ops.tables.snapshots import Snapshot

SOURCE = SourceBox("rides", "jsonl", "upsert", True, ("drivers",), "rides_silver", ("day(started_at)",))
PICTURE = Picture(
    sources=(SOURCE,),
    raw_bucket="city-raw",
    prefix="city/",
    log_function="city-log",
    run_log="city_ingestion_runs",
    landed_rule="city-landed",
    daily_rule="city-daily",
    schedule="rate(1 day)",
    start_function="city-start",
    job="city_load",
    engine="Glue 5.1",
    silver_database="city_silver",
    silver_bucket="city-silver",
    workgroup="city-wg",
)
PASSED = Check("rows", "rides: silver has what is loaded", True, "3 rows in 1 loaded landing", "rides", 0.2)
FAILED = Check("keys", "rides: each key once", False, "the key 7 is there twice", "rides", 0.3)


def snapshot(number: int, **changes: Any) -> Snapshot:
    """The snapshot ``number``, with ten rows for each."""
    at = f"2026-09-{number:02} 10:00:00.000"
    known = Snapshot(str(1000 + number), None, at, "append", 10, 0, 10 * number, False, True)
    return replace(known, **changes)


def answer(rows: list[list[str | None]], columns: list[str], types: list[str], **changes: Any) -> Rows:
    return replace(Rows(columns, types, rows, False, 1024, 12), **changes)


def landing(number: int, **changes: Any) -> LandingRow:
    key = f"city/rides/ingest_date=2026-09-01/batch={number:05}/rides.jsonl"
    return replace(LandingRow("rides", "2026-09-01T10:00:00Z", key, 2048, "LOADED", 3, "jr_1", ""), **changes)


def table() -> TableReport:
    layout = Layout(
        ("day(started_at)",),
        [Partition("2026-09-01", 10, 1, 500), Partition("2026-09-02", 20, 1, 900)],
        2, 30, 2, 1400,
        Section(Pruning("started_at = TIMESTAMP '2026-09-01 00:00:00'", 500, 1400)),
    )  # fmt: skip
    file = LoadedFile(
        "s3://city-raw/city/rides/rides.jsonl", "v1", "2026-09-01", 30, 30, "2026-09-01 10:01:00", "jr_1", "1002"
    )
    return TableReport(
        "rides",
        "rides_silver",
        "Rides of the city.",
        [Origin("ride_id", "string", "the file's column ride_id")],
        Section(True),
        Section(layout),
        Section([snapshot(2, current=True), snapshot(1)]),
        Section(Lineage([file], False, 2)),
    )


def report(**changes: Any) -> Report:
    """A lake of one source, in which all is well, with ``changes``."""
    takings = answer([["Mitte", "12.5"], ["Pankow", "7.0"]], ["borough", "total"], ["varchar", "double"])
    known = Report(
        lake="city",
        where="this machine",
        region="eu-west-1",
        made_at="2026-09-02 08:00:00",
        version="1.2.3",
        picture=PICTURE,
        checks=Section([PASSED]),
        answers=Section([Answer("01_takings", "Takings by borough", "no negative ones", "SELECT 1", Section(takings))]),
        tables=[table()],
        landings=Section(Landings([landing(1)], False)),
        runs=Section([RunRow("jr_1", "SUCCEEDED", "2026-09-01T10:00:00Z", 11, 0.033, "", {"read": 3, "inserted": 3})]),
        cost=Section(Cost(False, 1, 0.033, 0.44, 5, 50_000_000, 5.0, False)),
    )
    return replace(known, **changes)
