"""Two runs at once as real processes: Glue itself starts the second one beside the first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lakes import quiet_lake
from test_job_kill import HEADER, until_it_says

from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.runs import run_log, transform
from lakectl.ops.tables import query

CUSTOMERS = "customer_id,customer_name,region,signup_date\n1,Ann,North,01/02/2024\n"
PRODUCTS = "product_id,product_name,category,list_price\n1,Pen,Office,1.50\n"
ORDERS, OVERLAP = 3000, 1000
KEPT = ("Role", "Command", "DefaultArguments", "GlueVersion", "WorkerType", "NumberOfWorkers", "Timeout", "MaxRetries")


@pytest.fixture
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    """Its job may run twice at once, which the config leaves at one."""
    with quiet_lake(endpoint) as lake:
        glue, name = lake.client("glue"), lake.names.glue_job
        job = glue.get_job(JobName=name)["Job"]
        kept = {field: job[field] for field in KEPT}
        glue.update_job(JobName=name, JobUpdate={**kept, "ExecutionProperty": {"MaxConcurrentRuns": 2}})
        assert glue.get_job(JobName=name)["Job"]["ExecutionProperty"] == {"MaxConcurrentRuns": 2}
        yield lake


def put(lake: Lake, source: str, text: str, batch: int) -> str:
    """Land a file; returns its folder."""
    folder = f"retail/{source}/ingest_date=2025-10-01/batch={batch:04}/"
    lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=f"{folder}{source}.csv", Body=text.encode())
    return f"s3://{lake.names.raw_bucket}/{folder}"


def orders(batch: int) -> range:
    """The order ids of a batch; the first of them are in the batch before, too."""
    first = batch * (ORDERS - OVERLAP)
    return range(first, first + ORDERS)


def start(lake: Lake, batch: int) -> str:
    """Land the batch, with its number as quantity, and start a run over it; returns when that has claimed it."""
    lines = (f"{number},{number % 28 + 1:02}/09/2025,1,1,{batch},2.50,web\n" for number in orders(batch))
    path = put(lake, "orders", HEADER + "".join(lines), batch)
    glue = lake.client("glue")
    started = glue.start_job_run(JobName=lake.names.glue_job, Arguments={"--RAW_PATH": path})
    run_id = str(started["JobRunId"])
    until_it_says(lake, run_id, "landings to read")
    return run_id


def ended(lake: Lake, run_id: str) -> dict[str, Any]:
    run = transform.follow(lake, run_id)
    assert run.state == "SUCCEEDED", run.error
    assert run.result["sources"]["orders"]["rows_read"] == ORDERS
    found: dict[str, Any] = lake.client("glue").get_job_run(JobName=lake.names.glue_job, RunId=run_id)["JobRun"]
    return found


# The first run of each pair loads the greater row version, then the lesser one; the second pair shares orders with it.
@pytest.mark.long
def test_two_runs_at_once_through_glue_double_no_order_and_the_greater_row_version_stays(lake: Lake) -> None:
    put(lake, "customers", CUSTOMERS, 0)
    put(lake, "products", PRODUCTS, 0)
    for pair in ((2, 1), (3, 4)):
        started = [start(lake, batch) for batch in pair]
        first, second = (ended(lake, run_id) for run_id in started)
        assert max(first["StartedOn"], second["StartedOn"]) < min(first["CompletedOn"], second["CompletedOn"])
    table = f"{lake.names.silver_database}.orders_silver"
    found = query.run(lake, f"SELECT order_id, qty, region, category FROM {table}").rows
    newest = {number: batch for batch in (1, 2, 3, 4) for number in orders(batch)}
    wanted = [[str(number), str(batch), "North", "Office"] for number, batch in newest.items()]
    assert sorted(list(row) for row in found) == sorted(wanted)
    assert {run.key: run.load_status for run in run_log.runs(lake) if run.load_status != "LOADED"} == {}
    assert len(list(run_log.runs(lake))) == 6
    again = transform.follow(lake, transform.start(lake, {}))
    assert (again.state, again.result["rows_read"], again.result["snapshot_id"]) == ("SUCCEEDED", 0, None)
