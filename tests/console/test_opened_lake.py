"""The console outlives its credentials and its endpoint: it says what is wrong, and goes on when that is fixed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from console_client import lake_of, nothing

from lakectl.aws import explain
from lakectl.console import opened
from lakectl.console.opened import OpenedLake
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake


def expired() -> ClientError:
    return ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "expired"}}, "GetJobRuns")


def gone() -> EndpointConnectionError:
    return EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


class Opener:
    """Opens lakes; each has the number of its opening as the name of its region."""

    def __init__(self, account: str = "123456789012") -> None:
        self.account, self.may, self.times = account, True, 0

    def __call__(self) -> Lake:
        self.times += 1
        lake = lake_of(nothing, self.account)
        lake.aws.region = str(self.times)
        return lake


def failing_first(*errors: Exception) -> Any:
    """Works on a lake: fails on the first one, and tells the number of another."""

    def work(lake: Lake) -> str:
        if lake.aws.region == "eu-west-1":
            error = errors[0]
            if isinstance(error, LakectlError):
                raise error
            raise explain(error, "reading it") from error
        return lake.aws.region

    return work


@pytest.mark.parametrize("error", [expired(), gone(), NoCredentialsError()])
def test_the_lake_is_opened_again_and_the_page_is_whole(error: Exception) -> None:
    opener = Opener()
    lake = OpenedLake(lake_of(nothing), opener, lambda: True)
    assert lake.read(failing_first(error)).value == "1"
    assert lake.lake.aws.region == "1"


def test_what_is_not_about_the_session_does_not_open_it_again() -> None:
    opener = Opener()
    lake = OpenedLake(lake_of(nothing), opener, lambda: True)
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetJobRuns")
    for error in (LakectlError("there is no run log", "lakectl up"), denied):
        found = lake.read(failing_first(error))
        assert found.value is None
        assert found.problem
    assert opener.times == 0


def test_an_endpoint_that_somebody_has_stopped_is_not_started() -> None:
    opener = Opener()
    lake = OpenedLake(lake_of(nothing), opener, lambda: opener.may)
    opener.may = False
    assert "can't reach AWS" in lake.read(failing_first(gone())).problem
    assert opener.times == 0
    opener.may = True
    assert lake.read(failing_first(gone())).value == "1"


def test_opening_again_is_not_tried_at_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    opener = Opener()

    def always(_: Lake) -> str:
        raise explain(expired()) from expired()

    lake = OpenedLake(lake_of(nothing), opener, lambda: True)
    for _ in range(5):
        assert "expired" in lake.read(always).problem
    assert opener.times == 1
    monkeypatch.setattr(opened, "PAUSE_S", 0.0)
    assert lake.read(always).value is None
    assert opener.times == 2


def test_another_account_is_not_shown_as_this_one() -> None:
    lake = OpenedLake(lake_of(nothing), Opener("210987654321"), lambda: True)
    found = lake.read(failing_first(expired()))
    assert "account 210987654321 now, and this console shows 123456789012" in found.problem
    assert lake.lake.aws.account == "123456789012"


def test_what_must_not_be_done_twice_is_not() -> None:
    opener, done = Opener(), []
    lake = OpenedLake(lake_of(nothing), opener, lambda: True)

    def work(lake: Lake) -> None:
        done.append(lake)
        raise explain(gone()) from gone()

    assert "can't reach AWS" in lake.write(work).problem
    assert len(done) == 1
    assert (opener.times, lake.lake.aws.region) == (1, "1")  # but the next thing is done on another lake
