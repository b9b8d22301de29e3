"""Rows that are asked of an account: what they make is deleted, what passes by itself is waited for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from accounts import Account, local_account
from botocore.exceptions import ClientError

from lakectl.contract import asking, recordings, tidying
from lakectl.contract.asking import PREFIX, Where, ask, ask_all, not_asked
from lakectl.contract.recordings import AWS, Recording
from lakectl.contract.rows import ROWS, UNSOURCED
from lakectl.contract.rows_compute import JOB_DEFINITION
from lakectl.contract.table import ACCOUNT, Answer, Row, accepted, call, refused
from lakectl.local.control import Endpoint

ROOT = Path(__file__).parents[2]
BY_ID = {row.id: row for row in [*ROWS, *UNSOURCED]}


@pytest.fixture(scope="module")
def local(endpoint: Endpoint) -> Account:
    return local_account(endpoint)


def names(client: Callable[..., Any]) -> set[str]:
    """Of everything on the endpoint that a row may make."""
    found = [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]]
    found += [role["RoleName"] for role in client("iam").list_roles()["Roles"]]
    found += [each["FunctionName"] for each in client("lambda").list_functions()["Functions"]]
    found += [each["Name"] for each in client("glue").get_jobs()["Jobs"]]
    found += [each["Name"] for each in client("glue").get_databases()["DatabaseList"]]
    found += [each["Name"] for each in client("athena").list_work_groups()["WorkGroups"]]
    found += [each["Name"] for each in client("events").list_rules()["Rules"]]
    found += [each["Name"] for each in client("events").list_event_buses()["EventBuses"]]
    found += client("dynamodb").list_tables()["TableNames"]
    found += client("sqs").list_queues().get("QueueUrls", [])
    found += [each["logGroupName"] for each in client("logs").describe_log_groups()["logGroups"]]
    return set(found)


def test_rows_leave_nothing_behind(local: Account, client: Callable[..., Any]) -> None:
    """One row for each kind of thing that rows make, beside each other; all rows in the acceptance."""
    made: dict[tuple[str, str], Row] = {}
    for row in BY_ID.values():
        for each in row.calls:
            made.setdefault((each.service, each.operation), row)
    chosen = {made[kind].id: made[kind] for kind in (*tidying.DELETES, *tidying.WITH_ANOTHER)}
    before = names(client)
    outcomes = {row.id: outcome for row, outcome in ask_all(chosen.values(), local.clients, Where())}
    assert list(outcomes) == list(chosen)
    assert {name: each.left for name, each in outcomes.items() if each.left} == {}
    assert {name for name in names(client) - before if PREFIX in name} == set()


def test_every_call_that_makes_something_has_what_deletes_it() -> None:
    making = {(c.service, c.operation) for row in BY_ID.values() for c in row.calls if c.operation.startswith("create")}
    making |= {("events", "put_rule"), ("glue", "start_job_run")}
    assert making - tidying.DELETES.keys() == tidying.WITH_ANOTHER


class Refusing:
    """A client whose call is refused so often, and then succeeds."""

    def __init__(self, code: str, message: str, times: int = 1) -> None:
        self.error = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        self.left = times

    def create_function(self, **_: Any) -> dict[str, Any]:
        if self.left:
            self.left -= 1
            raise ClientError(self.error, "CreateFunction")
        return {"FunctionName": "f", "ResponseMetadata": {"RequestId": "r"}}

    def delete_function(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteFunction")

    def get_waiter(self, _: str) -> Refusing:
        return self

    def wait(self, **_: Any) -> None:
        return


NEW_ROLE = ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
MAKING = Row("x", (call("lambda", "create_function", FunctionName="f-<n>"),), accepted())
PATIENT = Where("000011112222", "eu-north-1", patient=True)


def test_what_passes_by_itself_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking.time, "sleep", lambda _: None)
    assert ask(MAKING, lambda *_: Refusing(*NEW_ROLE), PATIENT).agrees
    impatient = ask(MAKING, lambda *_: Refusing(*NEW_ROLE))
    assert not impatient.agrees
    assert impatient.error == (400, *NEW_ROLE)


def test_what_a_row_asks_for_is_not_waited_for() -> None:
    wanted = Row("x", MAKING.calls, refused("InvalidParameterValueException", 400, "cannot be assumed"))
    assert ask(wanted, lambda *_: Refusing(*NEW_ROLE, times=99), PATIENT).agrees


def test_what_can_not_be_deleted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "WAIT_S", 0.0)
    (left,) = ask(MAKING, lambda *_: Refusing(*NEW_ROLE, times=0), PATIENT, tidy=True).left
    assert f"lambda f-{PREFIX}" in left
    assert "AccessDenied" in left


def test_what_was_made_by_a_call_whose_answer_was_lost_is_deleted() -> None:
    """botocore sends the call again, and is told that it is there already."""
    deleted: list[str] = []

    class Lossy:
        def create_role(self, **_: Any) -> None:
            raise ClientError({**Refusing("EntityAlreadyExists", "there").error}, "CreateRole")

        def list_role_policies(self, **_: Any) -> dict[str, Any]:
            return {"PolicyNames": []}

        def delete_role(self, RoleName: str) -> None:
            deleted.append(RoleName)

    outcome = ask(BY_ID["role-twice"], lambda *_: Lossy(), PATIENT, tidy=True)
    assert not outcome.prepared
    assert outcome.left == ()
    (name,) = deleted
    assert name.startswith(f"r-{PREFIX}")


def test_account_and_region_are_those_that_are_asked() -> None:
    seen: list[dict[str, Any]] = []

    class Noting:
        def create_job(self, **given: Any) -> dict[str, Any]:
            seen.append(given)
            return {"Name": f"{given['Name']} of 000011112222"}

    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    row = Row("x", (call("glue", "create_job", **JOB_DEFINITION | {"Role": role}),), accepted(Name="other"))
    outcome = ask(row, lambda *_: Noting(), Where("000011112222", "cn-north-1"))
    assert seen[0]["Role"] == "arn:aws-cn:iam::000011112222:role/r"
    assert outcome.got == "success, Name = 'j-<n> of <account>'"


def test_rows_that_say_nothing_of_a_region_or_are_not_about_their_own_are_not_asked() -> None:
    assert not_asked(BY_ID["own-bucket-again"], Where(region="us-east-1")) == "it says nothing of us-east-1"
    assert not_asked(BY_ID["own-bucket-again"], Where()) == ""
    assert "primary" in not_asked(BY_ID["workgroup-primary-deleted"], Where())
    for ids in asking.NOT_IN.values():
        assert set(ids) <= BY_ID.keys()


def test_a_recorded_answer_is_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "recorded.json"
    outcome = asking.Outcome(False, "", error=(400, "InvalidInputException", "in eu-north-1 of <account>"))
    row = BY_ID["job-timeout-0"]
    recordings.write(file, {"of-aws": recordings.recorded(row, outcome, PATIENT)})
    recordings.write(file, {"of-another": recordings.recorded(row, outcome, PATIENT, "another endpoint")})
    monkeypatch.setattr(recordings, "SHIPPED", file)
    (found,) = recordings.shipped().values()
    assert recordings.read(file).keys() == {"of-aws", "of-another"}
    sourced = recordings.with_source(row, found)
    assert sourced.answer == refused("InvalidInputException", 400, "in eu-west-1 of <account>")
    assert sourced.source.startswith("recorded from AWS: ")
    assert sourced.source.endswith("eu-north-1")


def test_a_recorded_success_is_a_source() -> None:
    recording = Recording(Answer(values=(("MaxKeys", 1000),)), "2026-12-01", "eu-west-1", AWS)
    assert recordings.with_source(BY_ID["list-more-than-1000"], recording).answer == accepted(MaxKeys=1000)


def test_recording_as_it_is_typed(endpoint: Endpoint, tmp_path: Path) -> None:
    """`pytest tests/contract --aws` on an endpoint: a file with date and region beside each row, and no account."""
    file = tmp_path / "snapshot.json"
    options = ["--aws", "--aws-region", "eu-central-1", "--aws-endpoint-url", endpoint.url, "--aws-snapshot", str(file)]
    rows = ["queue-absent", "job-timeout-0", "function-absent", "workgroup-primary-deleted"]
    line = [sys.executable, "-m", "pytest", "tests/contract/test_contract.py", "-q", *options, "-k", " or ".join(rows)]
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": endpoint.access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key,
    }
    done = subprocess.run(line, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 skipped" in done.stdout
    recorded = json.loads(file.read_text())
    assert {"queue-absent", "job-timeout-0", "function-absent"} <= recorded.keys()
    assert {(row["region"], row["answered_by"]) for row in recorded.values()} == {("eu-central-1", "another endpoint")}
    assert all(len(row["date"]) == 10 for row in recorded.values())
    assert endpoint.account_id not in file.read_text()
    refused_ = subprocess.run(
        [*line[:6], "--aws", "--aws-endpoint-url", "x"], cwd=ROOT, env=environ, capture_output=True
    )
    assert b"name a file with --aws-snapshot" in refused_.stderr
