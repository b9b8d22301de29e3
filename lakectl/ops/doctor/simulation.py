"""Whether the person may make and delete the lake, by IAM's simulation of their policies.

The simulation knows the policies of the user or role, its permissions boundary and the organization's, not the
policies of buckets and of other resources (IAM user guide, "How the IAM policy simulator works").
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lakectl.aws import DENIED_CODES, code_of
from lakectl.findings import Finding, ok, problem, unchecked
from lakectl.ops.lake import Lake

OBJECTS = "objects"
# Kind of resource -> what `plan`, `up` and `down` call for it and what belongs to it (a function's permissions, a
# bucket's notifications, a workgroup's queries). tests/doctor/test_simulation.py compares this with their calls.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "s3-bucket": (
        *("s3:CreateBucket", "s3:DeleteBucket", "s3:ListBucket", "s3:ListBucketVersions"),
        *("s3:ListBucketMultipartUploads", "s3:GetBucketTagging", "s3:TagResource", "s3:GetBucketVersioning"),
        *("s3:PutBucketVersioning", "s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
        *("s3:GetBucketOwnershipControls", "s3:GetEncryptionConfiguration"),
        *("s3:PutEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
        *("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:GetBucketNotification", "s3:PutBucketNotification"),
    ),
    OBJECTS: ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"),
    "dynamodb-table": (
        *("dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:DeleteTable", "dynamodb:TagResource"),
        *("dynamodb:ListTagsOfResource", "dynamodb:DescribeContinuousBackups", "dynamodb:UpdateContinuousBackups"),
    ),
    "iam-role": (
        *("iam:CreateRole", "iam:GetRole", "iam:DeleteRole", "iam:TagRole", "iam:ListRoleTags", "iam:PassRole"),
        *("iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy", "iam:ListRolePolicies"),
        "iam:ListAttachedRolePolicies",
    ),
    "sqs-queue": (
        *("sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:TagQueue"),
        "sqs:ListQueueTags",
    ),
    "log-group": (
        *("logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DescribeLogGroups", "logs:PutRetentionPolicy"),
        *("logs:TagResource", "logs:ListTagsForResource"),
    ),
    "lambda-function": (
        *("lambda:CreateFunction", "lambda:GetFunction", "lambda:DeleteFunction", "lambda:TagResource"),
        *("lambda:PutFunctionEventInvokeConfig", "lambda:GetFunctionEventInvokeConfig", "lambda:GetPolicy"),
        *("lambda:AddPermission", "lambda:RemovePermission"),
    ),
    "events-rule": (
        *("events:PutRule", "events:DescribeRule", "events:DeleteRule", "events:TagResource"),
        *("events:ListTagsForResource", "events:PutTargets", "events:ListTargetsByRule", "events:RemoveTargets"),
    ),
    "glue-database": ("glue:CreateDatabase", "glue:GetDatabase", "glue:DeleteDatabase", "glue:TagResource"),
    "glue-table": ("glue:CreateTable", "glue:GetTable", "glue:GetTables", "glue:DeleteTable"),
    "glue-job": (
        "glue:CreateJob",
        "glue:GetJob",
        "glue:DeleteJob",
        "glue:GetTags",
        "glue:GetJobRuns",
        "glue:TagResource",
    ),
    "athena-workgroup": (
        *("athena:CreateWorkGroup", "athena:GetWorkGroup", "athena:DeleteWorkGroup", "athena:TagResource"),
        *("athena:ListTagsForResource", "athena:CreateNamedQuery", "athena:BatchGetNamedQuery"),
        *("athena:ListNamedQueries", "athena:DeleteNamedQuery"),
    ),
}
# The same for what a lake has by choice.
CHOSEN: Mapping[str, tuple[str, ...]] = {
    "cloudwatch-alarm": (
        *("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"),
        *("cloudwatch:TagResource", "cloudwatch:ListTagsForResource"),
    ),
    # ModifyBudget is what creating, changing and deleting need (Service Authorization Reference, AWS Budget Service).
    "budget": ("budgets:ModifyBudget", "budgets:ViewBudget", "budgets:TagResource", "budgets:ListTagsForResource"),
}
USER = re.compile(r"arn:[^:]+:iam::\d{12}:user/(.+/)?(?P<name>[^/]+)")
SESSION = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d{12}):assumed-role/(?P<name>[^/]+)/.+")


@dataclass(frozen=True)
class Refused:
    """An action that isn't allowed on ``resource``. ``missing``: condition keys that the simulation lacked."""

    action: str
    resource: str
    missing: tuple[str, ...] = ()


def findings(lake: Lake, caller: str, also: Mapping[str, tuple[str, ...]] | None = None) -> Iterator[Finding]:
    """``caller``: the ARN that STS gave. ``also``: actions beside those of ``up`` and ``down``, by kind.

    Needs ``iam:SimulatePrincipalPolicy``, and ``iam:GetRole`` for a role.
    """
    if caller.endswith(":root"):
        yield ok("permissions", "the account's root user may do everything")
        return
    source = _source(lake, caller)
    if source is None:
        yield unchecked("permissions", f"IAM simulates the policies of users and roles, and this is {caller}")
        return
    wanted, known = questions(lake), {**ACTIONS, **CHOSEN}
    actions = {kind: (*known[kind], *(also or {}).get(kind, ())) for kind in wanted}
    found = [each for kind, arns in wanted.items() for each in _simulated(lake, source, actions[kind], arns)]
    yield from judged(source, found, sum(map(len, actions.values())), "the acceptance" if also else "up and down")


def questions(lake: Lake) -> dict[str, list[str]]:
    """Kind of :data:`ACTIONS` and :data:`CHOSEN` -> the ARNs of the lake's resources that they are done to."""
    found: dict[str, list[str]] = {}
    for resource in lake.resources:
        if resource.kind in {**ACTIONS, **CHOSEN} and resource.arn:
            found.setdefault(resource.kind, []).append(resource.arn)
    found[OBJECTS] = [f"{arn}/*" for arn in found.get("s3-bucket", [])]
    return found


def judged(source: str, found: Iterable[Refused], asked: int, of: str = "up and down") -> Iterator[Finding]:
    """``found``: what is not allowed, of ``asked`` actions of something."""
    refused = [each for each in found if not each.missing]
    unknown = [each for each in found if each.missing]
    if refused:
        actions = ", ".join(sorted({each.action for each in refused}))
        yield problem("permissions", f"{source} lacks {actions}", granting(source, refused))
    if unknown:
        actions = ", ".join(sorted({each.action for each in unknown}))
        keys = ", ".join(sorted({key for each in unknown for key in each.missing}))
        yield unchecked("permissions", f"{actions} depend on {keys}, which a simulation does not know")
    if not refused and not unknown:
        yield ok("permissions", f"{source} may do all of the {asked} actions of {of}")


def granting(source: str, refused: Iterable[Refused]) -> str:
    """The AWS CLI command, for an administrator, that allows what was refused."""
    by_action: dict[str, set[str]] = {}
    for each in refused:
        by_action.setdefault(each.action, set()).add(each.resource)
    by_resources: dict[tuple[str, ...], list[str]] = {}
    for action, resources in by_action.items():
        by_resources.setdefault(tuple(sorted(resources)), []).append(action)
    statements = [
        {"Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
        for resources, actions in by_resources.items()
    ]
    kind = "user" if USER.fullmatch(source) else "role"
    words = [
        "aws",
        "iam",
        f"put-{kind}-policy",
        f"--{kind}-name",
        source.rpartition("/")[2],
        "--policy-name",
        "lakectl",
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return shlex.join([*words, "--policy-document", document])


def _source(lake: Lake, caller: str) -> str | None:
    """The user or role whose policies decide; None for a federated user, whom IAM can't simulate."""
    if USER.fullmatch(caller):
        return caller
    session = SESSION.fullmatch(caller)
    if session is None:
        return None
    try:
        # STS leaves out the role's path.
        return str(lake.client("iam").get_role(RoleName=session["name"])["Role"]["Arn"])
    except ClientError as error:
        if code_of(error) not in DENIED_CODES:
            raise
        return f"arn:{session['partition']}:iam::{session['account']}:role/{session['name']}"


def _simulated(lake: Lake, source: str, actions: Iterable[str], arns: list[str]) -> Iterator[Refused]:
    if not arns:
        return
    pages = (
        lake.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(
            PolicySourceArn=source,
            ActionNames=list(actions),
            ResourceArns=arns,
            ContextEntries=[
                _known("aws:RequestedRegion", "string", lake.aws.region),
                _known("aws:SecureTransport", "boolean", "true"),
            ],
        )
    )
    for page in pages:
        for result in page["EvaluationResults"]:
            yield from _refused(result)


def _known(key: str, kind: str, value: str) -> dict[str, Any]:
    return {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": [value]}


def _refused(result: Mapping[str, Any]) -> Iterator[Refused]:
    """Of one action: on each resource where the answer tells them apart, else on what it names."""
    for each in result.get("ResourceSpecificResults") or [result]:
        decision = each.get("EvalResourceDecision") or each["EvalDecision"]
        if decision != "allowed":
            # An explicit deny wins whatever else is in the request.
            missing = each.get("MissingContextValues", []) if decision == "implicitDeny" else []
            resource = str(each.get("EvalResourceName", "*"))
            yield Refused(result["EvalActionName"], resource, tuple(missing))
