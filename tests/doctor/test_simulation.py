"""`lakectl doctor`: whether the person may make the lake, by IAM's simulation."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from lakes import bring_up, open_test_lake, tear_down

from lakectl.findings import Finding, Level
from lakectl.local.control import Endpoint
from lakectl.ops.doctor import simulation
from lakectl.ops.lake import Lake

ANNA = "arn:aws:iam::123456789012:user/team/anna"
SSO = "arn:aws:sts::123456789012:assumed-role/Builders/anna@example.org"
ROLE = "arn:aws:iam::123456789012:role/aws-reserved/Builders"
# Operations whose action has another name (service authorization reference of S3 and Lambda).
OTHER_NAMES = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
# Asked for by a call of another name: tags in a create call, a role that is handed over, versions of objects.
TAGGING = {f"{service}:TagResource" for service in ("s3", "dynamodb", "events", "glue", "lambda", "logs", "athena")}
BESIDE = {"iam:PassRole", "s3:DeleteObjectVersion", "sqs:TagQueue", "iam:TagRole"} | TAGGING


def test_the_actions_asked_for_are_those_of_up_and_down(endpoint: Endpoint) -> None:
    lake = open_test_lake(endpoint)
    called: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        called.add(f"{model.service_model.service_name}:{model.name}")

    lake.aws.session.events.register("before-call", note)
    bring_up(lake)
    tear_down(lake)
    asked = {action for actions in simulation.ACTIONS.values() for action in actions}
    done = {OTHER_NAMES.get(each, each) for each in called} - {"sts:GetCallerIdentity"}  # which everybody may call
    assert done - asked == set()
    assert asked - done - BESIDE == set()


def test_each_action_is_asked_for_on_the_resources_of_its_kind(endpoint: Endpoint) -> None:
    lake = open_test_lake(endpoint)
    asked = simulation.questions(lake)
    assert set(asked) == set(simulation.ACTIONS)
    assert f"arn:aws:s3:::{lake.names.raw_bucket}" in asked["s3-bucket"]
    assert f"arn:aws:s3:::{lake.names.raw_bucket}/*" in asked[simulation.OBJECTS]


def test_what_a_lake_has_by_choice_is_asked_for_too(endpoint: Endpoint) -> None:
    alerts = {"alarms": True, "budget_usd": 5.0, "notify": "me@example.org"}
    lake = open_test_lake(endpoint, alerts=alerts)
    asked = simulation.questions(lake)
    assert set(asked) == {*simulation.ACTIONS, *simulation.CHOSEN}
    assert len(asked["cloudwatch-alarm"]) == 3
    assert asked["budget"] == [f"arn:aws:budgets::{lake.aws.account}:budget/lakectl-{lake.config.name}"]


class Account:
    """A lake whose IAM gives the answers that a test writes, in the shape of IAM's."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        # One of its own: nothing may reach the endpoint.
        iam = boto3.client("iam", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        lake.aws._clients["iam"] = iam
        self.stub = Stubber(iam)
        self.stub.activate()

    def answer(self, source: str, decisions: Mapping[str, tuple[str, list[str]]]) -> None:
        """``decisions``: action -> decision and missing keys; every other action is allowed."""
        for kind, arns in simulation.questions(self.lake).items():
            results = []
            for action in simulation.ACTIONS[kind]:
                decision, missing = decisions.get(action, ("allowed", []))
                result = {"EvalActionName": action, "EvalResourceName": arns[0], "EvalDecision": decision}
                results.append({**result, "MissingContextValues": missing})
            expected = {
                "PolicySourceArn": source,
                "ActionNames": list(simulation.ACTIONS[kind]),
                "ResourceArns": arns,
                "ContextEntries": ANY,
            }
            self.stub.add_response(
                "simulate_principal_policy", {"EvaluationResults": results, "IsTruncated": False}, expected
            )

    def findings(self, caller: str) -> list[Finding]:
        return list(simulation.findings(self.lake, caller))


@pytest.fixture
def account(endpoint: Endpoint) -> Account:
    return Account(open_test_lake(endpoint))


def test_a_user_who_may_do_everything(account: Account) -> None:
    account.answer(ANNA, {})
    (found,) = account.findings(ANNA)
    assert found.level is Level.OK
    account.stub.assert_no_pending_responses()


def test_what_is_not_allowed_is_named_with_the_policy_that_allows_it(account: Account) -> None:
    account.answer(ANNA, {"iam:CreateRole": ("implicitDeny", []), "iam:PassRole": ("explicitDeny", ["aws:X"])})
    (found,) = account.findings(ANNA)
    assert (found.level, found.text) == (Level.PROBLEM, f"{ANNA} lacks iam:CreateRole, iam:PassRole")
    words = shlex.split(str(found.command))
    assert words[:5] == ["aws", "iam", "put-user-policy", "--user-name", "anna"]
    (statement,) = json.loads(words[-1])["Statement"]
    assert statement["Action"] == ["iam:CreateRole", "iam:PassRole"]
    assert statement["Resource"] == simulation.questions(account.lake)["iam-role"][:1]


def test_a_denial_on_one_of_several_resources_counts_for_that_one(account: Account) -> None:
    first, second = "arn:aws:s3:::a", "arn:aws:s3:::b"
    result = {
        "EvalActionName": "s3:CreateBucket",
        "EvalResourceName": "*",
        "EvalDecision": "implicitDeny",
        "ResourceSpecificResults": [
            {"EvalResourceName": first, "EvalResourceDecision": "allowed"},
            {"EvalResourceName": second, "EvalResourceDecision": "implicitDeny"},
        ],
    }
    account.stub.add_response("simulate_principal_policy", {"EvaluationResults": [result], "IsTruncated": False})
    found = list(simulation._simulated(account.lake, ANNA, ["s3:CreateBucket"], [first, second]))
    assert found == [simulation.Refused("s3:CreateBucket", second)]


def test_a_denial_that_a_condition_may_lift_is_no_answer(account: Account) -> None:
    account.answer(ANNA, {"iam:PassRole": ("implicitDeny", ["iam:PassedToService"])})
    (found,) = account.findings(ANNA)
    assert found.level is Level.UNCHECKED
    assert found.text == "iam:PassRole depend on iam:PassedToService, which a simulation does not know"


def test_a_session_stands_for_its_role_with_its_path(account: Account) -> None:
    role = {"Path": "/aws-reserved/", "RoleName": "Builders", "RoleId": "AROA1234567890123456", "Arn": ROLE}
    account.stub.add_response("get_role", {"Role": {**role, "CreateDate": "2026-01-01"}}, {"RoleName": "Builders"})
    account.answer(ROLE, {"glue:CreateJob": ("implicitDeny", [])})
    (found,) = account.findings(SSO)
    assert "put-role-policy --role-name Builders" in str(found.command)


def test_a_role_that_may_not_be_read_is_taken_to_have_no_path(account: Account) -> None:
    account.stub.add_client_error("get_role", "AccessDenied", http_status_code=403)
    account.answer("arn:aws:iam::123456789012:role/Builders", {})
    (found,) = account.findings(SSO)
    assert found.level is Level.OK


def test_whom_iam_can_not_simulate(account: Account) -> None:
    (root,) = account.findings("arn:aws:iam::123456789012:root")
    assert root.level is Level.OK
    (federated,) = account.findings("arn:aws:sts::123456789012:federated-user/anna")
    assert federated.level is Level.UNCHECKED
