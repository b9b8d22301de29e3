"""IAM and CloudWatch Logs."""

from __future__ import annotations

import json

from contract_rows_compute import GLUE_ROLE, trusting
from contract_table import Call, Row, accepted, call, refused

IAM = "https://docs.aws.amazon.com/IAM/latest/APIReference/"
LOGS = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/"


def policy(document: str) -> tuple[Call, ...]:
    return (GLUE_ROLE, call("iam", "put_role_policy", RoleName="r-<n>", PolicyName="p", PolicyDocument=document))


ALLOW_ALL = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
IAM_ROWS = [
    Row("policy-no-json", policy("{"), refused("MalformedPolicyDocument", 400), IAM + "API_PutRolePolicy.html"),
    Row(
        "policy-without-resource",
        policy(json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject"}]})),
        refused("MalformedPolicyDocument", 400),
        IAM + "API_PutRolePolicy.html",
    ),
    Row(
        "policy-of-no-version",
        policy(json.dumps({"Version": "2020-01-01", "Statement": [ALLOW_ALL]})),
        refused("MalformedPolicyDocument", 400),
        IAM + "API_PutRolePolicy.html",
    ),
    Row(
        "policy-action-without-a-service",
        policy(json.dumps({"Version": "2012-10-17", "Statement": [ALLOW_ALL | {"Action": "GetObject"}]})),
        refused("MalformedPolicyDocument", 400),
        IAM + "API_PutRolePolicy.html",
    ),
    Row(
        "trust-without-a-principal",
        (
            call(
                "iam",
                "create_role",
                RoleName="r-<n>",
                AssumeRolePolicyDocument=json.dumps(
                    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
                ),
            ),
        ),
        refused("MalformedPolicyDocument", 400),
        IAM + "API_CreateRole.html",
    ),
    Row(
        "trust-no-json",
        (call("iam", "create_role", RoleName="r-<n>", AssumeRolePolicyDocument="{"),),
        refused("MalformedPolicyDocument", 400),
        IAM + "API_CreateRole.html",
    ),
    Row(
        "role-with-policies-deleted",
        (
            *policy(json.dumps({"Version": "2012-10-17", "Statement": [ALLOW_ALL]})),
            call("iam", "delete_role", RoleName="r-<n>"),
        ),
        refused("DeleteConflict", 409, "must delete policies first"),
        IAM + "API_DeleteRole.html",
    ),
    Row("role-twice", (GLUE_ROLE, GLUE_ROLE), refused("EntityAlreadyExists", 409), IAM + "API_CreateRole.html"),
    Row(
        "role-absent",
        (call("iam", "get_role", RoleName="absent-<n>"),),
        refused("NoSuchEntity", 404, "cannot be found"),
        IAM + "API_GetRole.html",
    ),
    Row(
        "role-name-65",
        (call("iam", "create_role", RoleName="r" * 65, AssumeRolePolicyDocument=trusting("glue.amazonaws.com")),),
        refused("ValidationError", 400),
        IAM + "API_CreateRole.html",
    ),
    Row(
        "role-tags-51",
        (
            call(
                "iam",
                "create_role",
                RoleName="r-<n>",
                AssumeRolePolicyDocument=trusting("glue.amazonaws.com"),
                Tags=[{"Key": f"k{number}", "Value": ""} for number in range(51)],
            ),
        ),
        refused("ValidationError", 400),
        IAM + "API_CreateRole.html",
    ),
    Row(
        "role-tag-twice",
        (
            call(
                "iam",
                "create_role",
                RoleName="r-<n>",
                AssumeRolePolicyDocument=trusting("glue.amazonaws.com"),
                Tags=[{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
            ),
        ),
        refused("InvalidInput", 400, "Duplicate tag keys found"),
        IAM + "API_CreateRole.html",
    ),
]

GROUP = call("logs", "create_log_group", logGroupName="/c/<n>")
LOG_ROWS = [
    Row(
        "retention-of-2-days",
        (GROUP, call("logs", "put_retention_policy", logGroupName="/c/<n>", retentionInDays=2)),
        refused("InvalidParameterException", 400),
        LOGS + "API_PutRetentionPolicy.html",
    ),
    Row(
        "retention-of-3-days",
        (GROUP, call("logs", "put_retention_policy", logGroupName="/c/<n>", retentionInDays=3)),
        accepted(),
        LOGS + "API_PutRetentionPolicy.html",
    ),
    Row(
        "log-group-twice",
        (GROUP, GROUP),
        refused("ResourceAlreadyExistsException", 400),
        LOGS + "API_CreateLogGroup.html",
    ),
    Row(
        "log-group-absent",
        (call("logs", "describe_log_streams", logGroupName="/absent/<n>"),),
        refused("ResourceNotFoundException", 400),
        LOGS + "API_DescribeLogStreams.html",
    ),
    Row(
        "log-group-name-with-a-space",
        (call("logs", "create_log_group", logGroupName="a <n>"),),
        refused("InvalidParameterException", 400),
        LOGS + "API_CreateLogGroup.html",
    ),
]

ROWS = [*IAM_ROWS, *LOG_ROWS]
