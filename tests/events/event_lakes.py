"""Lakes whose job is a small Python script, and what to look at in them: events need no Spark."""

from __future__ import annotations

import io
import json
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote_plus

import pytest
from lakes import bring_up, open_test_lake, tear_down
from program_process import run_program

from lakectl import packages
from lakectl.core.ledger_items import Entry, Partition
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.runs import logs, run_log

T = TypeVar("T")

HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
ORDERS = (HEADER + "100,24/07/2025,1,10,2,1.5,web\n").encode()

# Loads what is pending as the real job does, as far as the ledger can tell. Then stays for `seconds`.
DRAIN = """
import sys, time
from lakectl.core.ledger import Ledger
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
ledger, run = Ledger(arguments["--LEDGER_TABLE"]), arguments["--JOB_RUN_ID"]
for source in ("customers", "products", "orders"):
    for entry in list(ledger.pending(source)):
        if ledger.claim(entry, run):
            ledger.loaded(entry, run, snapshot_id="1", rows=1)
time.sleep({seconds})
"""
NOTHING = "print('nothing is loaded here')"


@contextmanager
def event_lake(endpoint: Endpoint, script: str = NOTHING, **settings: Any) -> Iterator[Lake]:
    """A lake of its own, whose job runs ``script``; taken down at the end."""
    lake = open_test_lake(endpoint, **settings)
    bring_up(lake)
    use_script(lake, script)
    try:
        yield lake
    finally:
        settle_runs(lake)
        tear_down(lake)


def use_script(lake: Lake, script: str) -> None:
    lake.client("s3").put_object(Bucket=lake.names.tmp_bucket, Key=lake.names.job_script_key, Body=script.encode())


@contextmanager
def changed_function(lake: Lake, folder: str, function: str, *, added: str) -> Iterator[None]:
    """The function with ``added`` at the end of its handler.py, until the block ends."""
    package = packages.function_package(lake.project, lake.config.spec, folder)
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as archive, zipfile.ZipFile(buffer, "w") as changed:
        for name in archive.namelist():
            changed.writestr(name, archive.read(name) + (added.encode() if name == "handler.py" else b""))
    update_function(lake, function, buffer.getvalue())
    try:
        yield
    finally:
        update_function(lake, function, package)


def update_function(lake: Lake, function: str, package: bytes) -> None:
    """Until then the function serves its old code, and refuses the next change."""
    functions = lake.client("lambda")
    functions.update_function_code(FunctionName=function, ZipFile=package)
    functions.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})


def put(lake: Lake, key: str, body: bytes = ORDERS) -> str:
    """Put an object as `aws s3 cp` does, without lakectl; its version id."""
    return str(lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=body).get("VersionId", "null"))


def orders_key(number: int, day: str = "2026-11-24") -> str:
    return f"retail/orders/ingest_date={day}/batch={number:04d}/orders.csv"


def rows(lake: Lake, source: str | None = None, partition: Partition = "SRC") -> list[Entry]:
    return list(run_log.runs(lake, source, partition))


def rows_of(lake: Lake, key: str, source: str | None = None) -> list[Entry]:
    return [run for run in rows(lake, source) if run.key == key]


def job_runs(lake: Lake) -> list[dict[str, Any]]:
    pages = lake.client("glue").get_paginator("get_job_runs").paginate(JobName=lake.names.glue_job)
    return [run for page in pages for run in page["JobRuns"]]


def settle_runs(lake: Lake) -> None:
    """Wait until no run of the job is active or waiting."""
    ended = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
    wait_for(lambda: all(run["JobRunState"] in ended for run in job_runs(lake)), what="the end of all runs")


def settle_starts(lake: Lake) -> None:
    """Wait until the starter has heard of the end of every run: from then on it starts none by itself."""

    def settled() -> bool:
        # The lines first: what an answer has started is among the runs once the answer is in the log.
        said = " ".join(line.message for line in logs.lines(lake, "start"))
        return all(f"run {run['Id']} ended" in said for run in job_runs(lake))

    wait_for(settled, what="the starter to hear of the end of all runs")


def queued_events(lake: Lake) -> int:
    sqs = lake.client("sqs")
    url = sqs.get_queue_url(QueueName=lake.names.dead_letter_queue)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(int(n) for n in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values())


def wait_for(probe: Callable[[], T | None], seconds: float = 60.0, what: str = "it") -> T:
    """The first true answer of ``probe``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"{what} did not happen within {seconds:.0f} s")


def command(lake: Lake, *arguments: str, folder: Path) -> list[str]:
    """The command line that runs ``lakectl`` on this lake."""
    config = folder / "lake.yaml"
    config.write_text(f"name: {lake.config.name}\nsuffix_names: true\n")
    return [sys.executable, "-m", "lakectl", *arguments, "-c", str(config)]


def run_lakectl(lake: Lake, *arguments: str, folder: Path, code: int = 0) -> str:
    """What ``lakectl`` prints. Fails the test on another exit code."""
    done = run_program(*command(lake, *arguments, folder=folder)[3:])
    assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def invoke(lake: Lake, function: str, event: Any) -> Any:
    """The answer of a function; an error of the function fails the test."""
    answer = lake.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def described(lake: Lake, key: str) -> dict[str, Any]:
    """HeadObject, or made-up facts of an object that is not there."""
    try:
        head = lake.client("s3").head_object(Bucket=lake.names.raw_bucket, Key=key)
        return {"size": head["ContentLength"], "etag": head["ETag"].strip('"'), "version": head["VersionId"]}
    except lake.client("s3").exceptions.ClientError:
        return {"size": 7, "etag": "e" * 32, "version": "gone"}


def record_event(lake: Lake, key: str, *, time: str = "2026-11-24T10:00:00.123Z", **facts: Any) -> dict[str, Any]:
    """What S3 sends to a function."""
    facts = {**described(lake, key), **facts}
    s3_object = {
        "key": quote_plus(key, safe="/"),
        "size": facts["size"],
        "eTag": facts["etag"],
        "versionId": facts["version"],
        "sequencer": facts.get("sequencer", ""),
    }
    record = {
        "eventSource": "aws:s3",
        "eventName": facts.get("name", "ObjectCreated:Put"),
        "eventTime": time,
        "s3": {"bucket": {"name": lake.names.raw_bucket}, "object": s3_object},
    }
    return {"Records": [record]}


def bridge_event(lake: Lake, key: str, *, time: str = "2026-11-24T10:00:00Z", **facts: Any) -> dict[str, Any]:
    """What EventBridge sends."""
    facts = {**described(lake, key), **facts}
    s3_object = {
        "key": key,
        "size": facts["size"],
        "etag": facts["etag"],
        "version-id": facts["version"],
        "sequencer": facts.get("sequencer", ""),
    }
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": time,
        "detail": {"bucket": {"name": lake.names.raw_bucket}, "object": s3_object, "reason": "PutObject"},
    }
