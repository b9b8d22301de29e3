"""A local server that nobody uses ends by itself; what is in it stays."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import boto3
import pytest

from lakectl.local import control
from lakectl.local.idle import Use, wait

MINUTES = 0.05


def test_a_server_without_a_request_ends_and_keeps_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    endpoint = control.ensure_running(idle_minutes=MINUTES)
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
    )
    try:
        s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": endpoint.region})
        used = time.monotonic()
        while control.running() and time.monotonic() < used + 1.3 * MINUTES * 60:
            time.sleep(0.1)  # each look is a request
        assert control.running() == endpoint
        deadline = time.monotonic() + 60
        while control.processes.alive(endpoint.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        stopped = control.last_stop()
        assert stopped is not None
        assert stopped.reason == f"stopped after {MINUTES} minutes without a request"
        error = control.silence(endpoint.url, ConnectionError("refused"))
        assert error.message == f"the local AWS at {endpoint.url} is gone: {stopped.reason}"
        assert error.hint == "lakectl local start, then the same command again"
        assert control.ensure_running().port == endpoint.port
        assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["kept"]
    finally:
        control.stop()


def test_a_request_or_work_that_goes_on_is_use() -> None:
    now = 0.0
    works = True
    use = Use(lambda: now)
    with use.request():
        now = 100.0
        assert use.unused_for([]) == 0.0
    now = 160.0
    assert use.unused_for([]) == 60.0
    assert use.unused_for([lambda: False, lambda: works]) == 0.0
    now, works = 170.0, False
    assert use.unused_for([lambda: works]) == 10.0


def test_whoever_stops_it_need_not_wait() -> None:
    stopping = threading.Event()
    stopping.set()
    assert wait(stopping, Use(), [], 60) is False
    assert wait(stopping, Use(), [], None) is False
    assert wait(threading.Event(), Use(), [], 0.001) is True
