"""A bad load is travelled past, rolled back and loaded again without the bad file; then the table is compacted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lakes import open_test_lake, tear_down

from lakectl.errors import LakectlError, UsageError
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.runs import run_log, transform
from lakectl.ops.tables import maintain, query, rollback
from lakectl.ops.tables.snapshots import snapshots

HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
FIRST = HEADER + "1,01/09/2025,1,1,1,10,web\n2,01/09/2025,1,1,1,20,web\n"
BAD = HEADER + "1,01/09/2025,1,1,1,99999,web\n"
GOOD = HEADER + "2,01/09/2025,1,1,1,25,web\n3,01/09/2025,1,1,1,30,web\n4,02/09/2025,1,1,1,40,web\n"
CUSTOMERS = "customer_id,customer_name,region,signup_date\n1,A,n,01/01/2025\n"
PRODUCTS = "product_id,product_name,category,list_price\n1,P,c,10\n"
BAD_KEY = "retail/orders/ingest_date=2025-09-02/orders.csv"
WANTED = [["1", "10.0"], ["2", "25.0"], ["3", "30.0"], ["4", "40.0"]]


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    """Two loads into silver: a first one, and one that holds a bad and a good landing."""
    lake = open_test_lake(endpoint, maintenance={"min_input_files": 2})
    plan = provision.plan(lake, ("create-glue-job", "create-workgroup"))
    assert provision.up(lake, plan, lambda _: None).ok
    land(lake, "retail/customers/ingest_date=2025-09-01/customers.csv", CUSTOMERS)
    land(lake, "retail/products/ingest_date=2025-09-01/products.csv", PRODUCTS)
    land(lake, "retail/orders/ingest_date=2025-09-01/orders.csv", FIRST)
    load(lake)
    land(lake, BAD_KEY, BAD)
    land(lake, "retail/orders/ingest_date=2025-09-03/orders.csv", GOOD)
    load(lake)
    yield lake
    tear_down(lake)


def land(lake: Lake, key: str, text: str) -> None:
    lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=text.encode())


def load(lake: Lake, path: str = "retail/") -> transform.JobRun:
    arguments = transform.arguments(lake, path=f"s3://{lake.names.raw_bucket}/{path}")
    return finished(lake, transform.start(lake, arguments))


def finished(lake: Lake, run_id: str, job: transform.Job | None = None) -> transform.JobRun:
    run = transform.follow(lake, run_id, job=job)
    assert run.state == "SUCCEEDED", run.error
    return run


def silver(lake: Lake, version: str = "") -> list[list[str | None]]:
    table = f"{lake.names.silver_database}.orders_silver"
    return query.run(lake, f"SELECT order_id, unit_price FROM {table} {version} ORDER BY order_id").rows


def statuses(lake: Lake) -> dict[str, str]:
    return {run.key: run.load_status for run in run_log.runs(lake)}


@pytest.mark.long
def test_a_bad_load_is_rolled_back_and_the_good_landing_requeued(lake: Lake) -> None:
    after, before = snapshots(lake)
    assert (before.total, after.total, after.current) == (2, 4, True)
    assert silver(lake)[0] == ["1", "99999.0"]
    assert silver(lake, f"FOR VERSION AS OF {before.id}") == [["1", "10.0"], ["2", "20.0"]]

    undoing = rollback.plan(lake, before.id)
    assert [each.id for each in undoing.snapshots] == [after.id]
    assert len(undoing.landings) == 2
    with pytest.raises(UsageError, match="none of the landings"):
        rollback.start(lake, undoing, True, ["elsewhere.csv"])
    run = finished(lake, rollback.start(lake, undoing, True, [BAD_KEY]), maintain.maintenance_job(lake))
    assert run.result["landings_requeued"] == ["retail/orders/ingest_date=2025-09-03/orders.csv"]
    assert silver(lake) == [["1", "10.0"], ["2", "20.0"]]
    assert statuses(lake)[BAD_KEY] == "REVERTED"

    load(lake)
    assert silver(lake) == WANTED
    assert sorted(statuses(lake).values()) == ["LOADED", "LOADED", "LOADED", "LOADED", "REVERTED"]
    with pytest.raises(LakectlError, match=f"snapshot {after.id} is not an ancestor"):
        rollback.plan(lake, after.id)
    with pytest.raises(LakectlError, match="has no snapshot 12345"):
        rollback.plan(lake, "12345")


def objects(lake: Lake) -> set[tuple[str, str]]:
    pages = lake.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lake.names.silver_bucket)
    return {(found["Key"], found["ETag"]) for page in pages for found in page.get("Contents", [])}


@pytest.mark.long  # tests/jobs/test_job_races.py has the short one, without the endpoint's runs
def test_maintenance_compacts_and_its_dry_run_writes_nothing(lake: Lake) -> None:
    table = f"{lake.names.silver_database}.orders_silver"
    for number in (5, 6):
        query.run(
            lake, f"INSERT INTO {table} (order_id, order_date, unit_price) VALUES ({number}, DATE '2025-09-02', 1)"
        )
    # A retention of no days, which the config does not allow: else there would be nothing to expire.
    settings = {**lake.config.maintenance.job_settings(), "keep_snapshots_days": 0, "keep_snapshots": 1}
    untouched, rows, job = objects(lake), silver(lake), maintain.maintenance_job(lake)

    def run(task: str) -> dict[str, Any]:
        arguments = {"--TASK": task, "--SETTINGS": json.dumps(settings)}
        return finished(lake, transform.start(lake, arguments, job=job), job).result

    dry = run("dry-run")
    assert objects(lake) == untouched
    done = run("maintain")
    for planned, made in zip(dry["tables"], done["tables"], strict=True):
        assert planned["before"] == made["before"] == planned["after"]
        for fact in ("files_rewritten", "files_written", "orphans_removed"):
            assert planned[fact] == made[fact], (made["table"], fact)
    orders = next(found for found in done["tables"] if found["table"] == table)
    assert orders["after"]["files"] < orders["before"]["files"]
    assert orders["after"]["snapshots"] == 1
    assert orders["after"]["stored_bytes"] < orders["before"]["stored_bytes"]
    assert silver(lake) == rows
