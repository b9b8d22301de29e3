"""The quick test: does a file that lands reach the run log? Leaves nothing behind."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import explain
from lakectl.errors import LakectlError
from lakectl.lake import SMOKE_SOURCE
from lakectl.ops import logs
from lakectl.ops import runs as run_log
from lakectl.ops.lake import Lake
from lakectl.ops.logs import LogLine
from lakectl.ops.runs import Run
from lakectl.ops.sample_data import one_order

POLL_S = 0.1
LOGS_LAG_S = 20.0  # CloudWatch shows a line some seconds after it was printed
# S3 may deliver an event a second time minutes later, after we have tidied up: the next quick test takes it away.
LEFTOVER_AGE = timedelta(minutes=10)


@dataclass(frozen=True)
class Smoke:
    """``seconds`` from the end of the put to the run item being readable."""

    run: Run
    seconds: float
    log_lines: list[LogLine]


def smoke(lake: Lake, limit_s: float = 90.0) -> Smoke:
    """Land a tiny file under a source that nothing loads, wait for its run item, remove both.

    Raises :class:`LakectlError` when there is no run item after ``limit_s`` seconds; the file is removed then too.
    """
    key = f"{lake.config.landing.prefix}{SMOKE_SOURCE}/{secrets.token_hex(8)}/test.csv"
    began_ms = int(time.time() * 1000)
    with _translated(f"landing s3://{lake.names.raw_bucket}/{key}"):
        try:
            # Conditional, because a bucket may be made to refuse any other put.
            lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=one_order(), IfNoneMatch="*")
            landed = time.monotonic()
            run = _wait_for_item(lake, key, limit_s)
            seconds = time.monotonic() - landed
            return Smoke(run, seconds, _log_lines(lake, key, began_ms))
        finally:
            tidy(lake, key)


def tidy(lake: Lake, key: str) -> None:
    """Remove the object's versions and its items, and what quick tests before this one may have left."""
    s3, bucket, prefix = lake.client("s3"), lake.names.raw_bucket, f"{lake.config.landing.prefix}{SMOKE_SOURCE}/"
    old = datetime.now(UTC) - LEFTOVER_AGE
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        doomed = [each for each in found if each["Key"] == key or each["LastModified"] < old]
        for each in doomed:
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    for run in run_log.runs(lake, SMOKE_SOURCE):
        if run.key == key or run.ingest_ts < f"{old:%Y-%m-%dT%H:%M:%SZ}":
            _delete_items(lake, run)


def _delete_items(lake: Lake, run: Run) -> None:
    for pk, sk in (
        (f"SRC#{run.source}", run.sk),
        (f"OBJ#{run.bucket}/{run.key}", run.version_id or "null"),
    ):
        lake.client("dynamodb").delete_item(TableName=lake.names.run_log, Key={"pk": {"S": pk}, "sk": {"S": sk}})


def _wait_for_item(lake: Lake, key: str, limit_s: float) -> Run:
    deadline = time.monotonic() + limit_s
    while True:
        found = next((run for run in run_log.runs(lake, SMOKE_SOURCE) if run.key == key), None)
        if found:
            return found
        if time.monotonic() > deadline:
            raise LakectlError(
                f"the run log has no row for s3://{lake.names.raw_bucket}/{key} after {limit_s:.0f} s",
                "is everything in place? lakectl status; what did the function say? lakectl logs log --since 5m",
            )
        time.sleep(POLL_S)


def _log_lines(lake: Lake, key: str, since_ms: int) -> list[LogLine]:
    """What the function printed in the invocation that wrote the row, or nothing if CloudWatch is too late."""
    deadline = time.monotonic() + LOGS_LAG_S
    while True:
        # A clock that is ahead of AWS's must not hide the lines.
        found = list(logs.lines(lake, "log", since_ms - 60_000))
        request = next((_request_id(line.message) for line in found if key in line.message), None)
        ours = [line for line in found if request and request in line.message]
        if any(line.message.startswith("REPORT ") for line in ours) or time.monotonic() > deadline:
            return ours
        time.sleep(POLL_S)


def _request_id(message: str) -> str | None:
    try:
        found = json.loads(message)
    except ValueError:
        return None
    return str(found["request_id"]) if found.get("what") == "recorded" else None


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise explain(error, doing) from error
