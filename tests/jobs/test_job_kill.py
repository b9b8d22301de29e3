"""Runs of the job as real processes, killed with -9 at each stage. The next run finds everything to do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from lakes import quiet_lake

from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.runs import transform
from lakectl.ops.tables import query

HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
STAGES = ("Spark 3.5.6 is up", "to write:", "silver is at snapshot")
ORDERS, OVERLAP = 3000, 1000


@pytest.fixture
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    with quiet_lake(endpoint) as lake:
        yield lake


def land(lake: Lake, number: int) -> None:
    """Orders with the quantity ``number``; the first of them are in the landing before, too."""
    first = number * (ORDERS - OVERLAP)
    lines = (f"{n},{n % 28 + 1:02}/09/2025,1,1,{number},2.50,web\n" for n in range(first, first + ORDERS))
    key = f"retail/orders/ingest_date=2025-10-01/batch={number:04}/orders.csv"
    lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=(HEADER + "".join(lines)).encode())


def until_it_says(lake: Lake, run_id: str, text: str) -> None:
    logs, group = lake.client("logs"), f"{lake.names.glue_log_prefix}/output"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            events = logs.get_log_events(logGroupName=group, logStreamName=run_id)["events"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            events = []
        if any(text in event["message"] for event in events):
            return
        time.sleep(0.02)
    raise AssertionError(f"{run_id} never said {text!r}")


def kill_driver(run_id: str) -> None:
    pids = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and run_id.encode() in command_line(entry)
    ]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""  # it has ended


@pytest.mark.long
def test_a_driver_killed_at_any_stage_loses_and_doubles_nothing(lake: Lake) -> None:
    for number, stage in enumerate(STAGES):
        land(lake, number)
        run_id = transform.start(lake, {"--RAW_PATH": f"s3://{lake.names.raw_bucket}/retail/orders/"})
        until_it_says(lake, run_id, stage)
        kill_driver(run_id)
        ended = transform.follow(lake, run_id)
        # Between its last words and its end there is next to nothing.
        assert ended.state == "FAILED" or (stage == STAGES[-1] and ended.state == "SUCCEEDED"), (stage, ended)
    last = transform.follow(lake, transform.start(lake, {"--RAW_PATH": f"s3://{lake.names.raw_bucket}/retail/orders/"}))
    assert last.state == "SUCCEEDED", last.error
    silver = f"{lake.names.silver_database}.orders_silver"
    counted = query.run(lake, f"SELECT COUNT(*), COUNT(DISTINCT order_id) FROM {silver}").rows
    total = len(STAGES) * (ORDERS - OVERLAP) + OVERLAP
    assert [list(row) for row in counted] == [[str(total), str(total)]]
    newest = query.run(lake, f"SELECT qty, COUNT(*) FROM {silver} GROUP BY qty ORDER BY qty").rows
    assert [list(row) for row in newest] == [
        *([str(number), str(ORDERS - OVERLAP)] for number in range(len(STAGES) - 1)),
        [str(len(STAGES) - 1), str(ORDERS)],
    ]
    again = transform.follow(lake, transform.start(lake, {}))
    assert (again.state, again.result["rows_read"], again.result["snapshot_id"]) == ("SUCCEEDED", 0, None)
