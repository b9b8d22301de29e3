"""What the story calls beside `up` and `down`, by kind of resource: asked for in IAM's simulation.

tests/acceptance compares it with the calls of a whole acceptance. The rows of the contract table are not in it: they
make things of their own, and one that is denied is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

ALSO: Mapping[str, tuple[str, ...]] = {
    "s3-bucket": ("s3:GetBucketLocation",),  # Athena asks for it with the caller's permissions
    "dynamodb-table": ("dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:UntagResource"),
    "sqs-queue": ("sqs:SetQueueAttributes",),
    "log-group": ("logs:GetLogEvents", "logs:DeleteRetentionPolicy"),
    "lambda-function": ("lambda:UpdateFunctionConfiguration", "lambda:DeleteFunctionEventInvokeConfig"),
    "events-rule": ("events:DisableRule",),
    "glue-database": ("glue:UpdateDatabase",),
    "glue-table": ("glue:UpdateTable", "glue:GetPartitions"),
    "glue-job": ("glue:StartJobRun", "glue:GetJobRun", "glue:UpdateJob"),
    "athena-workgroup": (
        *("athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"),
        *("athena:ListQueryExecutions", "athena:BatchGetQueryExecution", "athena:UpdateWorkGroup"),
    ),
}
# Asked for to look up a quota or a setting; where they are denied the check says so, and the acceptance goes on.
FOR_CHECKS = frozenset(
    ("iam:GetAccountSummary", "lambda:GetAccountSettings", "service-quotas:GetServiceQuota")
    + ("lakeformation:GetDataLakeSettings", "lakeformation:ListResources", "sts:GetCallerIdentity")
)
