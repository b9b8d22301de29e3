"""The quick test: do files reach the functions, and failed events the queue? Leaves nothing behind."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import explain
from lakectl.core import quick_test
from lakectl.core.ledger_items import Entry, Key, guard_key
from lakectl.ops.events import dead_letters, trigger_paths
from lakectl.ops.events.trigger_paths import TriggerPath
from lakectl.ops.lake import Lake
from lakectl.ops.landing.sample_data import one_order
from lakectl.ops.runs import logs, run_log
from lakectl.ops.runs.logs import LogLine

POLL_S = 0.1
LOGS_LAG_S = 20.0  # CloudWatch shows a line some seconds after it was printed
# Lambda tries a failed event again after one and after two minutes (Lambda developer guide, "Asynchronous invocation").
DEAD_LETTER_LIMIT_S = 300.0
DEAD_LETTER_POLL_S = 2.0
# S3 may deliver an event a second time minutes later, after we have tidied up: the next quick test takes it away.
LEFTOVER_AGE = timedelta(minutes=10)
HEARD = quick_test.partition("start")  # where the starter writes down that the file's event has come


@dataclass
class Smoke:
    """``run`` is the file's row in the run log, ``seconds`` from the end of the put to the row being readable."""

    paths: list[TriggerPath] = field(default_factory=list)
    run: Entry | None = None
    seconds: float = 0.0
    log_lines: list[LogLine] = field(default_factory=list)

    @property
    def silent(self) -> list[TriggerPath]:
        return [path for path in self.paths if path.outcome == "silent"]


def smoke(lake: Lake, limit_s: float = 90.0, failures: bool = False) -> Smoke:
    """Land a tiny file under a source that nothing loads, and wait until both functions have heard of it.

    Paths that can't be walked in time are read. ``failures``: also give both functions an event that they fail on, and
    wait, for minutes, until it is in the dead-letter queue. What the test has made is removed in any case.
    Raises :class:`LakectlError` when AWS rejects a request.
    """
    key = f"{quick_test.folder(lake.config.landing.prefix)}{secrets.token_hex(8)}/test.csv"
    began_ms = int(time.time() * 1000)
    result = Smoke()
    with _translated(f"landing s3://{lake.names.raw_bucket}/{key}"):
        failing = _fail(lake) if failures else {}
        try:
            # Conditional, because a bucket may be made to refuse any other put.
            lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=one_order(), IfNoneMatch="*")
            _walk(lake, key, limit_s, result)
            result.paths += trigger_paths.read(lake)
            if failing:
                _await_letters(lake, failing, result)
            if result.run:
                result.log_lines = _log_lines(lake, key, began_ms)
            return result
        finally:
            tidy(lake, key)


def _walk(lake: Lake, key: str, limit_s: float, result: Smoke) -> None:
    """Wait until both functions have written down that the file's event has come."""
    began = time.monotonic()
    names = trigger_paths.names(lake)
    took: dict[str, float] = {}
    while took.keys() != names.keys() and time.monotonic() - began < limit_s:
        if "log" not in took:
            result.run = next((run for run in run_log.runs(lake, quick_test.SOURCE) if run.key == key), None)
            if result.run:
                took["log"] = result.seconds = time.monotonic() - began
        if "start" not in took and _heard(lake, key):
            took["start"] = time.monotonic() - began
        time.sleep(POLL_S)
    for which, name in names.items():
        if which in took:
            result.paths.append(TriggerPath(name, "ok", f"{took[which]:.1f} s"))
        else:
            detail = f"nothing came in {limit_s:.0f} s"
            if which == "start":
                detail += "; EventBridge begins about five minutes after the first `up`"
            result.paths.append(TriggerPath(name, "silent", detail, f"lakectl logs {which} --since 5m"))


def _heard(lake: Lake, key: str) -> bool:
    return bool(run_log.table(lake).get_many([(HEARD, key)]))


def _fail(lake: Lake) -> dict[str, str]:
    """Give each function an event that it fails on, as S3 would; the event's mark by function."""
    marks = {}
    for function in (lake.names.log_function, lake.names.start_function):
        marks[function] = secrets.token_hex(8)
        # No field that S3 always sends: the landing can't be read, and no later version of the code can.
        record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", quick_test.SOURCE: marks[function]}
        payload = json.dumps({"Records": [record]}).encode()
        lake.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=payload)
    return marks


def _await_letters(lake: Lake, marks: dict[str, str], result: Smoke) -> None:
    """Wait for the events of :func:`_fail` in the queue, and take them out of it."""
    began = time.monotonic()
    waiting = dict(marks)
    while waiting and time.monotonic() - began < DEAD_LETTER_LIMIT_S:
        with dead_letters.opened(lake) as queue:
            others = []
            for letter in queue.messages():
                function = next((name for name, mark in waiting.items() if mark in json.dumps(letter.event)), None)
                if function is None:
                    others.append(letter)
                    continue
                queue.delete(letter)
                del waiting[function]
            queue.give_back(others)
        time.sleep(DEAD_LETTER_POLL_S if waiting else 0)
    for function in marks:
        name = f"{function} → {lake.names.dead_letter_queue}"
        if function in waiting:
            detail = f"a failed event did not come in {DEAD_LETTER_LIMIT_S:.0f} s"
            walked = TriggerPath(name, "silent", detail, "lakectl plan")
        else:
            walked = TriggerPath(name, "ok", "a failed event came")
        result.paths = [walked if path.name == name else path for path in result.paths]


def tidy(lake: Lake, key: str) -> None:
    """Remove the object's versions and its items, and what quick tests before this one may have left."""
    s3, bucket, prefix = lake.client("s3"), lake.names.raw_bucket, quick_test.folder(lake.config.landing.prefix)
    old = datetime.now(UTC) - LEFTOVER_AGE
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        doomed = [each for each in found if each["Key"] == key or each["LastModified"] < old]
        for each in doomed:
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    for run in run_log.runs(lake, quick_test.SOURCE):
        if run.key == key or run.item["ingest_ts"] < f"{old:%Y-%m-%dT%H:%M:%SZ}":
            _delete(lake, (run.pk, run.sk))
            _delete(lake, guard_key(run.bucket, run.key, run.version_id))
    for item in list(run_log.table(lake).query(HEARD)):
        if item["sk"] == key or item["heard_at"] < old.isoformat():
            _delete(lake, (HEARD, item["sk"]))


def _delete(lake: Lake, key: Key) -> None:
    pk, sk = key
    lake.client("dynamodb").delete_item(TableName=lake.names.run_log, Key={"pk": {"S": pk}, "sk": {"S": sk}})


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
