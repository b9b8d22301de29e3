"""IAM and CloudWatch Logs."""

from __future__ import annotations

import json
from typing import Any

from lakectl.contract.rows_lambda import GLUE_ROLE, trusting
from lakectl.contract.sources import both, model, recorded, reported
from lakectl.contract.table import Call, Row, accepted, call, refused

ROLES = "iam/test_iam_roles.snapshot.json"
ERRORS = recorded(ROLES, "TestRoleLifecycle::test_role_errors")
TRUST = recorded(ROLES, "TestRoleLifecycle::test_update_assume_role_policy_errors")
INLINE = recorded(ROLES, "TestRoleInlinePolicies::test_role_inline_policy_errors")
# How IAM refuses what is outside the model's constraints
CONSTRAINT = recorded("iam/test_iam_policies.snapshot.json", "TestPolicies::test_policy_version_errors")
LOG_GROUPS = "logs/test_logs_groups.snapshot.json"


def policy(document: str) -> tuple[Call, ...]:
    return (GLUE_ROLE, call("iam", "put_role_policy", RoleName="r-<n>", PolicyName="p", PolicyDocument=document))


def with_trust(document: str) -> tuple[Call, ...]:
    return (call("iam", "create_role", RoleName="r-<n>", AssumeRolePolicyDocument=document),)


def other_trust(document: str) -> tuple[Call, ...]:
    return (GLUE_ROLE, call("iam", "update_assume_role_policy", RoleName="r-<n>", PolicyDocument=document))


def statement(**fields: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | fields]})


def tagged(tags: list[dict[str, str]]) -> tuple[Call, ...]:
    trust = trusting("glue.amazonaws.com")
    return (call("iam", "create_role", RoleName="r-<n>", AssumeRolePolicyDocument=trust, Tags=tags),)


def absent(operation: str, **parameters: str) -> tuple[Call, ...]:
    return (call("iam", operation, RoleName="absent-<n>", **parameters),)


GLUE = {"Principal": {"Service": "glue.amazonaws.com"}}
ALLOW_ALL = statement(Action="s3:GetObject", Resource="*")
MALFORMED = refused("MalformedPolicyDocument", 400)
NO_ROLE = refused("NoSuchEntity", 404, "The role with name absent-<n> cannot be found.")
NO_POLICY = refused("NoSuchEntity", 404, "The role policy with name absent cannot be found.")
IAM_ROWS = [
    Row("policy-no-json", policy("{"), MALFORMED, model("iam", "PutRolePolicy", "MalformedPolicyDocumentException")),
    Row(
        "policy-without-resource",
        policy(statement(Action="s3:GetObject")),
        refused("MalformedPolicyDocument", 400, "Policy statement must contain resources."),
        reported("trussworks/terraform-aws-s3-anti-virus#28", "aws-samples/aws-health-aware#1"),
    ),
    Row(
        "policy-of-no-role",
        absent("put_role_policy", PolicyName="p", PolicyDocument=ALLOW_ALL),
        NO_ROLE,
        INLINE,
    ),
    Row(
        "policy-absent",
        (GLUE_ROLE, call("iam", "get_role_policy", RoleName="r-<n>", PolicyName="absent")),
        NO_POLICY,
        INLINE,
    ),
    Row(
        "policy-absent-deleted",
        (GLUE_ROLE, call("iam", "delete_role_policy", RoleName="r-<n>", PolicyName="absent")),
        NO_POLICY,
        INLINE,
    ),
    Row(
        "trust-without-a-principal",
        with_trust(statement(Action="sts:AssumeRole")),
        MALFORMED,
        reported("terraform-aws-modules/terraform-aws-iam#47"),
    ),
    Row("trust-no-json", with_trust("{"), MALFORMED, model("iam", "CreateRole", "MalformedPolicyDocumentException")),
    Row(
        "trust-changed-to-no-json",
        other_trust("{"),
        refused("MalformedPolicyDocument", 400, "This policy contains invalid Json"),
        TRUST,
    ),
    Row(
        "trust-changed-to-another-action",
        other_trust(statement(Action="s3:GetObject", **GLUE)),
        refused("MalformedPolicyDocument", 400, "AssumeRole policy may only specify STS AssumeRole actions."),
        TRUST,
    ),
    Row(
        "trust-changed-to-one-with-a-resource",
        other_trust(statement(Action="sts:AssumeRole", Resource="*", **GLUE)),
        refused("MalformedPolicyDocument", 400, "Has prohibited field Resource"),
        TRUST,
    ),
    Row(
        "role-with-policies-deleted",
        (*policy(ALLOW_ALL), call("iam", "delete_role", RoleName="r-<n>")),
        refused("DeleteConflict", 409, "Cannot delete entity, must delete policies first."),
        recorded(ROLES, "TestRoleLifecycle::test_delete_role_with_inline_policy"),
    ),
    Row(
        "role-twice",
        (GLUE_ROLE, GLUE_ROLE),
        refused("EntityAlreadyExists", 409, "Role with name r-<n> already exists."),
        ERRORS,
    ),
    Row("role-absent", absent("get_role"), NO_ROLE, ERRORS),
    Row("role-absent-updated", absent("update_role", Description="d"), NO_ROLE, ERRORS),
    Row("role-absent-deleted", absent("delete_role"), NO_ROLE, ERRORS),
    Row(
        "role-name-65",
        (call("iam", "create_role", RoleName="r" * 65, AssumeRolePolicyDocument=trusting("glue.amazonaws.com")),),
        refused("ValidationError", 400),
        both(model("iam", "roleNameType"), CONSTRAINT),
    ),
    Row(
        "role-tags-51",
        tagged([{"Key": f"k{number}", "Value": ""} for number in range(51)]),
        refused("ValidationError", 400),
        both(model("iam", "tagListType"), CONSTRAINT),
    ),
    Row(
        "role-tag-twice",
        tagged([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]),
        refused("InvalidInput", 400),
        model("iam", "CreateRole", "InvalidInputException"),
    ),
]

GROUP = call("logs", "create_log_group", logGroupName="/c/<n>")


def retained(days: int) -> tuple[Call, ...]:
    return (GROUP, call("logs", "put_retention_policy", logGroupName="/c/<n>", retentionInDays=days))


LOG_ROWS = [
    Row(
        "retention-of-2-days",
        retained(2),
        refused("InvalidParameterException"),
        model("logs", "Days", "PutRetentionPolicy", "InvalidParameterException"),
    ),
    Row("retention-of-3-days", retained(3), accepted(), model("logs", "Days", "PutRetentionPolicy")),
    Row(
        "log-group-twice",
        (GROUP, GROUP),
        refused("ResourceAlreadyExistsException", 400, "The specified log group already exists"),
        recorded(LOG_GROUPS, "TestLogsGroups::test_create_log_group_duplicate_error"),
    ),
    Row(
        "log-group-absent",
        (call("logs", "describe_log_streams", logGroupName="/absent/<n>"),),
        refused("ResourceNotFoundException"),
        model("logs", "DescribeLogStreams", "ResourceNotFoundException"),
    ),
    Row(
        "log-group-name-with-a-space",
        (call("logs", "create_log_group", logGroupName="a <n>"),),
        refused("InvalidParameterException"),
        model("logs", "LogGroupName", "CreateLogGroup", "InvalidParameterException"),
    ),
    Row(
        "log-group-name-513",
        (call("logs", "create_log_group", logGroupName="g" * 513),),
        refused("InvalidParameterException", 400),
        recorded(LOG_GROUPS, "TestLogsGroups::test_create_log_group_invalid_name_length"),
    ),
    Row(
        "log-groups-by-prefix-and-pattern",
        (call("logs", "describe_log_groups", logGroupNamePrefix="/c", logGroupNamePattern="c"),),
        refused(
            "InvalidParameterException",
            400,
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ),
        recorded(LOG_GROUPS, "TestLogsGroups::test_describe_log_groups_prefix_and_pattern_error"),
    ),
]

ROWS = [*IAM_ROWS, *LOG_ROWS]
