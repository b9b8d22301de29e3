"""The lake's policies by eye: by name, no wildcard actions, TLS only, no confused deputy, nothing unused."""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from lakectl import lake, packages, project
from lakectl.config import Config
from lakectl.lake import policies
from lakectl.naming import Names
from lakectl.resources.bucket import Bucket
from lakectl.resources.database import Database
from lakectl.resources.glue_job import GlueJob
from lakectl.resources.permission import Permissions
from lakectl.resources.queue import Queue
from lakectl.resources.role import Role

ACCOUNT = "111122223333"
NAMES = Names(Config.model_validate({"name": "audit"}), ACCOUNT, "eu-west-1")
PROJECT = project.find()
CORE = packages.LAKECTL / "core"
RESOURCES = lake.resources(NAMES, PROJECT)
ROLES = [resource for resource in RESOURCES if isinstance(resource, Role)]
# CloudWatch has no resource for PutMetricData (Service Authorization Reference).
WITHOUT_RESOURCE = {"cloudwatch:PutMetricData"}


def statements(role: Role) -> list[dict[str, Any]]:
    return [dict(statement) for statement in role.policy["Statement"]]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_action_has_a_wildcard(role: Role) -> None:
    actions = list(chain.from_iterable(statement["Action"] for statement in statements(role)))
    assert not [action for action in actions if "*" in action]
    assert all(statement["Effect"] == "Allow" for statement in statements(role))


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_resource_is_the_lakes_by_name(role: Role) -> None:
    ours = [NAMES.raw_bucket, NAMES.silver_bucket, NAMES.tmp_bucket, NAMES.run_log, NAMES.dead_letter_queue]
    ours += [NAMES.glue_job, NAMES.maintenance_job, NAMES.silver_database, NAMES.log_function, NAMES.start_function]
    for statement in statements(role):
        if set(statement["Action"]) <= WITHOUT_RESOURCE:
            assert statement["Resource"] == ["*"]
            assert statement["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Glue"}}
            continue
        for arn in statement["Resource"]:
            name = arn.split(":", 5)[5]
            assert name == "catalog" or any(known in name.split("*")[0] for known in ours), arn
            assert f":{ACCOUNT}:" in arn or arn.startswith("arn:aws:s3:::")


def test_the_job_asks_for_no_database_but_its_own() -> None:
    """Item 31: without the Glue catalog as its Hive metastore Spark looks up no other one, and makes none."""
    role = next(role for role in ROLES if role.name == NAMES.glue_role)
    databases = {arn for each in statements(role) for arn in each["Resource"] if ":database/" in arn}
    assert databases == {Database.arn_of(NAMES.place, NAMES.silver_database)}
    actions = set(chain.from_iterable(each["Action"] for each in statements(role)))
    assert not actions & {"glue:CreateDatabase", "glue:GetDatabases"}
    jobs = [resource for resource in RESOURCES if isinstance(resource, GlueJob)]
    assert len(jobs) == 2
    assert not any("--enable-glue-datacatalog" in job.desired()["DefaultArguments"] for job in jobs)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_trusts_one_service_and_nobody_else(role: Role) -> None:
    service = "glue.amazonaws.com" if role.name == NAMES.glue_role else "lambda.amazonaws.com"
    allowed = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    assert role.trust["Statement"] == [allowed]


def test_no_managed_policy_is_attached() -> None:
    assert all(role.desired()["attached_policies"] == [] for role in ROLES)


def test_only_this_account_may_have_a_function_invoked() -> None:
    permissions = [resource for resource in RESOURCES if isinstance(resource, Permissions)]
    assert sum(len(each.grants) for each in permissions) == 4
    for each in permissions:
        for sid, grant in each.grants.items():
            condition = each.desired()["statements"][sid]["Condition"]
            assert condition["StringEquals"] == {"AWS:SourceAccount": ACCOUNT}
            assert condition["ArnLike"]["AWS:SourceArn"] == grant.source_arn
            assert "*" not in grant.source_arn


def test_only_the_lakes_rules_of_this_account_may_send_to_the_queue() -> None:
    queue = next(resource for resource in RESOURCES if isinstance(resource, Queue))
    for statement in queue.statements().values():
        if statement["Effect"] == "Allow":
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
            assert set(statement["Condition"]["ArnEquals"]["aws:SourceArn"]) == set(queue.rule_arns)


def test_buckets_and_queue_refuse_what_is_not_tls() -> None:
    refused = {"Bool": {"aws:SecureTransport": "false"}}
    buckets = [resource for resource in RESOURCES if isinstance(resource, Bucket)]
    queues = [resource for resource in RESOURCES if isinstance(resource, Queue)]
    assert (len(buckets), len(queues)) == (3, 1)
    for resource in (*buckets, *queues):
        denials = [s for s in resource.desired()["policy"].values() if s["Effect"] == "Deny"]
        assert [(s["Principal"], s["Condition"]) for s in denials] == [("*", refused)]


def test_no_bucket_can_be_public() -> None:
    for resource in RESOURCES:
        if isinstance(resource, Bucket):
            assert all(resource.desired()["public_access_block"].values())


@pytest.mark.parametrize("folder", ["log_ingestion_run", "start_glue_job"])
def test_a_function_may_call_what_its_code_calls_and_no_more(folder: str) -> None:
    granted = {"log_ingestion_run": policies.log_function, "start_glue_job": policies.start_function}[folder](NAMES)
    # What Lambda itself does with the role: logs, and the on-failure destination.
    own = {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"}
    actions = {action for statement in granted for action in statement["Action"]}
    sources = [*(PROJECT.lambdas / folder).glob("*.py"), *CORE.glob("*.py")]
    assert actions - own == called("\n".join(path.read_text(encoding="utf-8") for path in sources))


def called(source: str) -> set[str]:
    """The IAM actions of the boto3 calls in ``source``."""
    session = botocore.session.get_session()
    services = re.findall(r'boto3\.client\(\s*"(\w+)"', source)
    methods = set(re.findall(r"\.(\w+)\(", source))
    found = set()
    for service in services:
        for operation in session.get_service_model(service).operation_names:
            if xform_name(operation) in methods:
                found.add(f"{service}:{operation}")
    if "dynamodb:TransactWriteItems" in found:
        found.remove("dynamodb:TransactWriteItems")
        writes = {
            "Put": "PutItem",
            "Update": "UpdateItem",
            "Delete": "DeleteItem",
            "ConditionCheck": "ConditionCheckItem",
        }
        found |= {f"dynamodb:{action}" for key, action in writes.items() if re.search(rf'"{key}": ?(put|\{{)', source)}
    return found
