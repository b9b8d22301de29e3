"""S3's clock on the endpoint: it never goes back, whatever the machine's clock does."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from local_helpers import Queue, new_bucket, queue_arn

from lakectl.local import control
from lakectl.local.durable.database import FILE_NAME
from lakectl.local.s3 import clock as s3_clock

MINUTES = 10


def test_a_clock_that_is_set_back_stands_still_and_tells_no_moment_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 4."""
    clock, machine = s3_clock.Clock(), time.time_ns()
    told = []
    for seconds in (0, 0, -MINUTES * 60, -MINUTES * 60 + 1, 5):
        monkeypatch.setattr(s3_clock.time, "time_ns", lambda seconds=seconds: machine + seconds * 10**9)
        told.append(clock.now())
    assert told == sorted(set(told))
    assert told[3] - told[0] < 10**9
    assert told[4] == machine + 5 * 10**9
    sequencers = [s3_clock.sequencer(moment) for moment in told]
    assert sequencers == sorted(set(sequencers))


def test_after_a_restart_with_the_clock_set_back_the_newer_version_is_the_later_one(
    aws: Callable[[str], Any], own_state: Path
) -> None:
    """Item 4: what an earlier server has told is the past, though the machine's clock says that it is to come."""
    new_bucket(aws, "back", versioned=True)
    control.stop()
    ahead = datetime.now(UTC) + timedelta(minutes=MINUTES)
    with sqlite3.connect(own_state / control.STATE_FOLDER / FILE_NAME) as state:
        state.execute("DELETE FROM state WHERE kind = ?", (s3_clock.KIND,))
        kept = (s3_clock.KIND, "", "last", str(int(ahead.timestamp() * 10**9)).encode())
        state.execute("INSERT INTO state (kind, scope, id, value) VALUES (?, ?, ?, ?)", kept)
    s3, seen = aws("s3"), Queue(aws("sqs"), "seen-back")
    notify = {"QueueArn": queue_arn("seen-back"), "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(Bucket="back", NotificationConfiguration={"QueueConfigurations": [notify]})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="back", Key="k", Body=body)
        control.stop()
        s3 = aws("s3")
    seen = Queue(aws("sqs"), "seen-back")
    newest, oldest = s3.list_object_versions(Bucket="back")["Versions"]
    assert newest["IsLatest"]
    assert s3.get_object(Bucket="back", Key="k")["Body"].read() == b"2"
    assert newest["LastModified"] >= oldest["LastModified"] >= ahead.replace(microsecond=0)
    records = [message["Records"][0] for message in seen.messages(3) if "Records" in message]  # one is a test event
    by_version = {record["s3"]["object"]["versionId"]: record for record in records}
    told = [by_version[version["VersionId"]] for version in (oldest, newest)]
    sequencers = [record["s3"]["object"]["sequencer"] for record in told]
    assert sequencers == sorted(set(sequencers))
    assert told[0]["eventTime"] <= told[1]["eventTime"]
    assert told[0]["eventTime"] >= f"{ahead:%Y-%m-%dT%H:%M:%S}"
