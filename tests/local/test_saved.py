"""Saved states: what is in them, what restoring keeps safe, and what is refused."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from local_helpers import new_bucket
from program_process import run_program

from lakectl.errors import LakectlError
from lakectl.local import control, saved, swapped

Client = Callable[[str], Any]


def lakectl(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    ended = run_program(*arguments, environ=dict(os.environ))
    assert ended.returncode == code, ended.stderr
    return ended


def keys(aws: Client, bucket: str) -> list[str]:
    return [each["Key"] for each in aws("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_a_saved_state_comes_back_as_it_was(aws: Client) -> None:
    s3 = new_bucket(aws, "lesson", versioned=True)
    s3.put_object(Bucket="lesson", Key="kept", Body=b"first")
    s3.put_object(Bucket="lesson", Key="gone", Body=b"x")
    s3.delete_object(Bucket="lesson", Key="gone")
    aws("sqs").create_queue(QueueName="lesson")
    assert "Saved 1 bucket with 1 object" in lakectl("local", "save", "begin").stdout
    url = control.ensure_running().url

    s3.put_object(Bucket="lesson", Key="kept", Body=b"second")
    s3.put_object(Bucket="lesson", Key="more", Body=b"y")
    aws("sqs").create_queue(QueueName="more")
    refused = lakectl("local", "restore", "begin", "--no-input", code=64)
    assert "is not saved" in refused.stderr
    lakectl("local", "restore", "begin", "--yes")

    endpoint = control.running()
    assert endpoint is not None
    assert endpoint.url == url
    assert keys(aws, "lesson") == ["kept"]
    assert aws("s3").get_object(Bucket="lesson", Key="kept")["Body"].read() == b"first"
    assert [each.rpartition("/")[2] for each in aws("sqs").list_queues()["QueueUrls"]] == ["lesson"]
    aws("s3").put_object(Bucket="lesson", Key="kept", Body=b"third")
    aws("s3").delete_object(Bucket="lesson", Key="kept")
    lakectl("local", "restore", "begin", "--yes")  # what was done since has not changed what is saved
    assert aws("s3").get_object(Bucket="lesson", Key="kept")["Body"].read() == b"first"
    lakectl("local", "restore", "begin", "--no-input")  # nothing is lost: nothing is asked

    (listed,) = [each for each in json.loads(lakectl("local", "list", "--json").stdout) if each["name"] == "begin"]
    assert (listed["buckets"], listed["objects"]) == (1, 1)
    assert listed["bytes"] > 0
    assert "no saved state" in lakectl("local", "restore", "other", code=64).stderr
    assert "already" in lakectl("local", "save", "begin", code=64).stderr
    lakectl("local", "save", "begin", "--replace")
    lakectl("local", "delete", "begin", "--no-input", code=64)
    lakectl("local", "delete", "begin", "--yes")
    assert saved.found() == []


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "-x", "x" * 65, "a b", "ä"])
def test_a_name_that_could_be_another_path_is_refused(name: str) -> None:
    with pytest.raises(LakectlError, match="is no name"):
        saved.save(name)


@pytest.mark.long
def test_saving_under_load_keeps_all_that_was_acknowledged_and_nothing_half(aws: Client) -> None:
    """Objects come and go meanwhile: each that the saved rows name has its bytes."""
    new_bucket(aws, "busy")
    stopping = threading.Event()
    acknowledged: list[str] = []

    def write(worker: int) -> None:
        s3 = aws("s3")
        number = 0
        while not stopping.is_set():
            key = f"{worker}/{number}"
            s3.put_object(Bucket="busy", Key=key, Body=key.encode() * 100)
            acknowledged.append(key)
            if number >= 5:
                s3.delete_object(Bucket="busy", Key=f"{worker}/{number - 5}")
            number += 1

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(3)]
    for thread in threads:
        thread.start()
    before: list[list[str]] = []
    try:
        for number in range(2):
            threading.Event().wait(0.4)  # so that the server's own syncs fall in between
            before.append(list(acknowledged))
            saved.save(f"busy-{number}")
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    for number, acknowledged_before in enumerate(before):
        saved.restore(f"busy-{number}")
        found = keys(aws, "busy")
        assert 3 <= len(found) <= 21
        for key in found:
            assert aws("s3").get_object(Bucket="busy", Key=key)["Body"].read() == key.encode() * 100
        for worker in range(3):
            last = max(int(key.partition("/")[2]) for key in acknowledged_before if key.startswith(f"{worker}/"))
            assert max(int(key.partition("/")[2]) for key in found if key.startswith(f"{worker}/")) >= last
        saved.delete(f"busy-{number}")


def test_an_interrupted_restore_leaves_one_of_the_two(aws: Client, own_state: Path) -> None:
    new_bucket(aws, "former")
    saved.save("other")
    aws("s3").create_bucket(Bucket="latter", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    control.stop()
    # Killed between the two renames, which is the only moment at which there is no state.
    (own_state / "state").rename(own_state / swapped.OLD)
    saved.copy_to(own_state / "saved" / "other", own_state / swapped.NEW)
    assert {"former", "latter"} <= {each["Name"] for each in aws("s3").list_buckets()["Buckets"]}
    assert not (own_state / swapped.OLD).exists()
    assert not (own_state / swapped.NEW).exists()


@pytest.mark.parametrize("moment", ["copying", "swapping"])
def test_ctrl_c_at_a_restore_loses_nothing(aws: Client, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"ctrl-c-{moment}"
    new_bucket(aws, name)
    saved.save(name)
    new_bucket(aws, f"{name}-after")

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*{"copying": (saved, "copy_to"), "swapping": (swapped.Path, "rename")}[moment], interrupt)
        with pytest.raises(KeyboardInterrupt):
            saved.restore(name)
    assert {name, f"{name}-after"} <= {each["Name"] for each in aws("s3").list_buckets()["Buckets"]}


def test_bodies_take_no_space_twice(aws: Client, own_state: Path) -> None:
    new_bucket(aws, "large").put_object(Bucket="large", Key="k", Body=b"x" * 1_000_000)
    saved.save("large")
    (body,) = [each for each in (own_state / "saved/large/bodies").rglob("*") if each.stat().st_size == 1_000_000]
    assert body.stat().st_nlink == 2
    with sqlite3.connect(own_state / "saved/large/state.sqlite3") as rows:
        assert rows.execute("SELECT count(*) FROM undo").fetchone() == (0,)


def test_the_command_of_a_never_used_machine_says_so(tmp_path: Path) -> None:
    environ = os.environ | {"XDG_STATE_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "lakectl", "local", "save", "x"], env=environ, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "nothing to save" in ended.stderr
