"""`lakectl doctor`: the account that the session reaches, on the local endpoint."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lakes import bring_up, open_test_lake, tear_down

from lakectl.aws import Aws
from lakectl.findings import Finding, Level
from lakectl.local.control import Endpoint
from lakectl.ops.doctor import account, simulation
from lakectl.ops.lake import Lake


def by_check(lake: Lake) -> dict[str, Finding]:
    return {finding.check: finding for finding in account.findings(lake)}


def test_a_lake_in_order(endpoint: Endpoint) -> None:
    lake = open_test_lake(endpoint)
    before = by_check(lake)
    assert before["Glue version"].level is Level.UNCHECKED
    bring_up(lake)
    try:
        found = by_check(lake)
    finally:
        tear_down(lake)
    assert {finding.level for finding in found.values()} == {Level.OK}
    assert set(found) == {"proxies", "credentials", "clock", *account.AFTER}
    assert endpoint.account_id in found["credentials"].text


def test_what_is_not_ours_is_in_the_way(endpoint: Endpoint) -> None:
    lake = open_test_lake(endpoint)
    s3 = lake.client("s3")
    place = {"LocationConstraint": lake.aws.region}
    s3.create_bucket(Bucket=lake.names.raw_bucket, CreateBucketConfiguration=place)
    found = by_check(lake)["names"]
    s3.delete_bucket(Bucket=lake.names.raw_bucket)
    assert found.level is Level.PROBLEM
    assert lake.names.raw_bucket in found.text
    assert str(found.command).startswith("lakectl up --adopt")


def test_wrong_credentials_end_the_checks_that_need_them(endpoint: Endpoint) -> None:
    lake = open_test_lake(endpoint)
    answer = {
        "Error": {"Code": "InvalidClientTokenId", "Message": "The security token included in the request is invalid."},
        "ResponseMetadata": {"HTTPHeaders": {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}},
    }

    def refuse() -> Any:
        raise ClientError(answer, "GetCallerIdentity")

    lake.client("sts").get_caller_identity = refuse
    found = by_check(lake)
    assert found["credentials"].level is Level.PROBLEM
    assert found["clock"].level is Level.PROBLEM  # of the answer that refused: it may be the reason
    assert {found[check].level for check in account.AFTER} == {Level.UNCHECKED}


def test_where_nothing_answers_the_clock_is_not_checked(endpoint: Endpoint) -> None:
    lake = open_test_lake(endpoint)
    with socket.socket() as closed:  # bound, so that nobody else gets the port; refuses, as it doesn't listen
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        aws = Aws(lake.aws.session, lake.aws.region, url, attempts=1)
        found = by_check(Lake(lake.config, lake.project, aws))
    assert found["credentials"].level is Level.PROBLEM
    assert {found[check].level for check in ("clock", *account.AFTER)} == {Level.UNCHECKED}


def test_a_check_without_permission_is_a_finding(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        error = {"Code": "AccessDenied", "Message": "not authorized to perform: iam:SimulatePrincipalPolicy on x"}
        raise ClientError({"Error": error}, "SimulatePrincipalPolicy")

    monkeypatch.setattr(simulation, "findings", refuse)
    found = by_check(open_test_lake(endpoint))["permissions"]
    assert found.level is Level.UNCHECKED
    assert "iam:SimulatePrincipalPolicy" in str(found.command)
