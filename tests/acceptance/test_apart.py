"""A server beside the user's, which ends with what it was started for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from acceptance.acceptances import servers_apart, temporary_folder

from lakectl import aws
from lakectl.aws import AwsCall
from lakectl.config import Config
from lakectl.errors import LakectlError
from lakectl.local import apart, control, processes
from lakectl.local.control import Endpoint


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with temporary_folder() as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        yield folder


def test_it_shares_nothing_with_the_user_s_and_is_gone_afterwards(endpoint: Endpoint, temporary: Path) -> None:
    calls: list[AwsCall] = []
    with suppress(ZeroDivisionError), aws.apart(Config(region="eu-north-1")) as other:
        assert other.endpoint_url != endpoint.url
        assert (other.where, other.billed, other.region) == ("this machine", False, "eu-north-1")
        other.record(calls.append)
        place = {"LocationConstraint": "eu-north-1"}
        other.client("s3").create_bucket(Bucket="only-there", CreateBucketConfiguration=place)
        assert servers_apart(temporary) == [control.server_dir()]
        raise ZeroDivisionError
    assert servers_apart(temporary) == []
    assert control.server_dir() == endpoint.state_dir
    assert control.running() == endpoint
    with pytest.raises(LakectlError, match="is gone"):
        raise aws.explain(_call(other))
    (call, lost) = calls
    assert (call.service, call.operation, call.status, call.code) == ("s3", "CreateBucket", 200, "")
    assert call.request_id
    assert (lost.operation, lost.error, lost.status) == ("ListBuckets", "EndpointConnectionError", 0)


def _call(there: aws.Aws) -> Exception:
    with pytest.raises(Exception) as failed:  # noqa: PT011 - whichever one says that nobody answers
        there.client("s3").list_buckets()
    return failed.value


def test_a_server_that_does_not_answer_in_time_is_ended(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = processes.descendants(os.getpid())
    monkeypatch.setattr(control, "START_SECONDS", 0.2)
    with pytest.raises(LakectlError, match="did not answer within"), aws.apart(Config()):
        pass
    assert [pid for pid in processes.descendants(os.getpid()) if pid not in before and processes.alive(pid)] == []
    assert servers_apart(temporary) == []


def test_a_folder_that_can_not_be_made_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(**_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(apart.tempfile, "mkdtemp", full)
    monkeypatch.setattr(apart.tempfile, "gettempdir", lambda: str(tmp_path))
    with pytest.raises(LakectlError, match=f"can't make a folder in {tmp_path}: No space left"), aws.apart(Config()):
        pass
