"""Tables that Athena has changed: UPDATE, DELETE and MERGE there leave files of position deletes beside the data files,
whatever the table's properties say. Job, maintenance and every reader see the rows that are there."""

from __future__ import annotations

import time
from typing import Any

import pytest
from whole_job import WAREHOUSE, JobLake, client_on

from lakectl.local.control import Endpoint

COLUMNS = {"id": "bigint", "day": "date", "qty": "int"}
LOADINGS: dict[str, dict[str, Any]] = {
    "merged": {"keys": ["id"], "partition_by": ["day(day)"]},
    "replaced": {"keys": ["id"]},
    "whole": {"keys": ["id"], "loading": "snapshot"},
    "added": {"loading": "append"},
}
FIRST = "".join(f"{number},2025-09-01,1\n" for number in range(1, 7)) + "7,2025-09-02,1\n"


@pytest.fixture
def lake(spark: Any, endpoint: Endpoint) -> JobLake:
    sources = {name: {"columns": COLUMNS, "starts_run": True, **each} for name, each in LOADINGS.items()}
    return JobLake(spark, endpoint, {"sources": sources})


def athena(lake: JobLake, sql: str) -> list[list[str]]:
    client = client_on(lake.endpoint, "athena")
    query = client.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": lake.database},
        ResultConfiguration={"OutputLocation": f"s3://{WAREHOUSE}/results/"},
    )["QueryExecutionId"]
    deadline = time.monotonic() + 120
    while True:
        status = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            break
        assert status["State"] in ("QUEUED", "RUNNING"), status
        assert time.monotonic() < deadline
        time.sleep(0.05)
    rows = client.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return [[cell["VarCharValue"] for cell in row["Data"]] for row in rows[1:]]


def contents(lake: JobLake, source: str) -> set[int]:
    """The kinds of files of the current snapshot: 0 data, 1 position deletes."""
    files = lake.spark.sql(f"SELECT DISTINCT content FROM glue_catalog.{lake.database}.{source}_silver.files")
    return {row["content"] for row in files.collect()}


def read(lake: JobLake, source: str) -> list[tuple[int, int]]:
    """(id, qty), the same by PyIceberg, Spark and Athena."""
    found = lake.rows("id", "qty", table=f"{source}_silver")
    by_spark = lake.spark.sql(f"SELECT id, qty FROM glue_catalog.{lake.database}.{source}_silver ORDER BY 1, 2")
    assert [tuple(row) for row in by_spark.collect()] == found
    by_athena = athena(lake, f"SELECT id, qty FROM {source}_silver ORDER BY 1, 2")
    assert [(int(number), int(qty)) for number, qty in by_athena] == found
    return found


def changed_in_athena(lake: JobLake) -> None:
    """Each table has files of both kinds after this; 2 has another quantity, 3 is deleted."""
    for source in LOADINGS:
        lake.land(source, f"id,day,qty\n{FIRST}")
    lake.loaded()
    for source in LOADINGS:
        assert contents(lake, source) == {0}
        athena(lake, f"UPDATE {source}_silver SET qty = 50 WHERE id = 2")
        athena(lake, f"DELETE FROM {source}_silver WHERE id = 3")
        assert contents(lake, source) == {0, 1}
        assert read(lake, source) == [(1, 1), (2, 50), (4, 1), (5, 1), (6, 1), (7, 1)]


@pytest.mark.long
def test_a_landing_is_loaded_into_tables_with_both_kinds_of_files(lake: JobLake) -> None:
    changed_in_athena(lake)
    news = "id,day,qty\n1,2025-09-01,7\n2,2025-09-01,9\n3,2025-09-01,3\n10,2025-09-03,1\n"
    for source in LOADINGS:
        lake.land(source, news, batch="0002")
    lake.loaded()
    kept = [(number, 1) for number in (4, 5, 6, 7)]
    new = [(1, 7), (2, 9), (3, 3), (10, 1)]
    assert read(lake, "merged") == read(lake, "replaced") == sorted(kept + new)
    assert read(lake, "whole") == sorted(new)
    assert read(lake, "added") == sorted([(1, 1), (2, 50), *kept, *new])
    # The older version of a key of an append source goes, row by row, also where Athena has deleted some of them.
    lake.land("added", "id,day,qty\n1,2025-09-01,8\n")
    lake.loaded()
    assert read(lake, "added") == sorted([(1, 8), *new])


@pytest.mark.long  # 44 s
@pytest.mark.needs_call
def test_maintenance_takes_position_deletes_away_and_its_dry_run_says_so(lake: JobLake) -> None:
    from lake import maintenance

    changed_in_athena(lake)
    settings = maintenance.Settings(min_input_files=50)  # no partition has so many: deletes alone are the reason
    for source in LOADINGS:
        table, before = f"{lake.database}.{source}_silver", read(lake, source)
        dry = maintenance.maintain(lake.spark, lake.s3, table, settings, True, lambda _: None)
        done = maintenance.maintain(lake.spark, lake.s3, table, settings, False, lambda _: None)
        assert not done["problem"]
        assert (dry["files_rewritten"], dry["files_written"]) == (done["files_rewritten"], done["files_written"])
        assert done["before"]["delete_files"] > 0 == done["after"]["delete_files"]
        assert contents(lake, source) == {0}
        assert read(lake, source) == before


@pytest.mark.long
def test_a_table_that_somebody_upgraded_is_refused_with_the_way_back(lake: JobLake) -> None:
    lake.land("replaced", f"id,day,qty\n{FIRST}")
    lake.loaded()
    name = f"{lake.database}.replaced_silver"
    lake.spark.sql(f"ALTER TABLE glue_catalog.{name} SET TBLPROPERTIES ('format-version' = '3')")
    lake.land("replaced", "id,day,qty\n1,2025-09-01,7\n", batch="0002")
    for arguments in ({}, {"FULL": "true"}):
        error = lake.run(**arguments).error
        assert f"{name} has Iceberg's format version 3, and Athena reads 2. Delete it and build it again: " in error
    client_on(lake.endpoint, "glue").delete_table(DatabaseName=lake.database, Name="replaced_silver")
    lake.loaded(FULL="true")
    assert read(lake, "replaced")[:2] == [(1, 7), (2, 1)]
