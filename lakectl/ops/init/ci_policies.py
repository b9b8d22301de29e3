"""What CI may do in the account: a role that plans and one that makes, each trusted for one repository alone.

The actions are those that ``lakectl doctor`` asks for (:mod:`lakectl.ops.doctor.simulation`), without those of ``down``
and with those that change what is there, on the lake's resources by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lakectl.engine.model import Resource
from lakectl.naming import Names
from lakectl.ops.doctor.simulation import ACTIONS, CHOSEN
from lakectl.resources.bucket import Bucket
from lakectl.resources.database import Database
from lakectl.resources.glue_table import LandedTable
from lakectl.resources.log_group import LogGroup
from lakectl.resources.role import Role
from lakectl.resources.s3_object import S3Object
from lakectl.resources.table import Table
from lakectl.resources.table_optimizer import TableOptimizer
from lakectl.resources.view import View
from lakectl.resources.workgroup import Workgroup

ISSUER = "token.actions.githubusercontent.com"
READS = ("Get", "List", "Describe", "BatchGet", "Head", "View")
# Kind -> what it needs beyond ACTIONS and CHOSEN, which are of `plan`, a first `up`, and `down`.
CHANGES: Mapping[str, tuple[str, ...]] = {
    "s3-bucket": ("s3:PutBucketTagging", "s3:PutBucketOwnershipControls"),
    "dynamodb-table": ("dynamodb:UpdateTable",),
    "iam-role": ("iam:UpdateAssumeRolePolicy", "iam:DetachRolePolicy"),
    "sqs-queue": ("sqs:SetQueueAttributes",),
    "lambda-function": ("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"),
    "glue-database": ("glue:UpdateDatabase", "glue:GetTags"),
    "glue-table": ("glue:UpdateTable",),
    "glue-job": ("glue:UpdateJob", "glue:GetJobRun"),
    "athena-workgroup": ("athena:UpdateWorkGroup",),
    TableOptimizer.kind: ("glue:GetTableOptimizer", "glue:CreateTableOptimizer", "glue:UpdateTableOptimizer"),
}
# Of ACTIONS, what `up` does although it deletes: policies and copies of queries that are too many.
KEPT = frozenset(("iam:DeleteRolePolicy", "athena:DeleteNamedQuery"))
# Of ACTIONS, what reads for `down` alone.
OF_DOWN = frozenset(("s3:ListBucketVersions", "s3:ListBucketMultipartUploads"))
# They take no resource by name, and look for those with a name or prefix: action -> what all ARNs have in common.
FINDING = {"logs:DescribeLogGroups": ":log-group:", "cloudwatch:DescribeAlarms": ":alarm:"}
# IAM takes an inline policy of a role up to so many characters, white space not counted (IAM quotas).
LONGEST_POLICY = 10_240


def trust(place_account: str, partition: str, subject: str) -> dict[str, Any]:
    """The trust policy for tokens of GitHub with this subject (GitHub, "OpenID Connect reference", and IAM user guide,
    "Create a role for OpenID Connect federation")."""
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:{partition}:iam::{place_account}:oidc-provider/{ISSUER}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": subject}},
        }
    )


def plan_policy(names: Names, resources: Sequence[Resource]) -> dict[str, Any]:
    """What ``lakectl plan`` needs: it reads settings, and no landed data."""
    return _document(*_statements(names, resources, _is_read))


def up_policy(names: Names, resources: Sequence[Resource]) -> dict[str, Any]:
    """What ``lakectl plan`` and ``lakectl up`` need. It deletes nothing that holds data, and can't take a lake down."""
    pass_on = {
        "Sid": "PassRole",
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": _arns(resources, Role),
        "Condition": {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "glue.amazonaws.com"]}},
    }
    return _document(*_statements(names, resources, lambda _: True), pass_on)


def _statements(names: Names, resources: Sequence[Resource], wanted: Any) -> Iterable[dict[str, Any]]:
    actions = {**ACTIONS, **CHOSEN}
    for kind in dict.fromkeys((*actions, *CHANGES)):
        where = _where(names, resources, kind)
        if not where:
            continue
        found = {each for each in (*actions.get(kind, ()), *CHANGES.get(kind, ())) if _of_up(each) and wanted(each)}
        sid = "".join(word.capitalize() for word in kind.split("-"))
        for action in sorted(found & FINDING.keys()):
            part = FINDING[action]
            yield _allow(f"Find{sid}", [action], [f"{where[0].partition(part)[0]}{part}*"])
        if found - FINDING.keys():
            yield _allow(sid, sorted(found - FINDING.keys()), where)
    # What silver was last brought to stands in the run log.
    run_log = Table.arn_of(names.place, names.run_log)
    yield _allow("RunLog", ["dynamodb:BatchGetItem"], [run_log])
    if any(isinstance(resource, View) for resource in resources) and wanted("athena:StartQueryExecution"):
        yield from _views(names)


def _views(names: Names) -> Iterable[dict[str, Any]]:
    """Athena makes a view in the name of who asks for it (Athena user guide, "Identity and access management")."""
    yield _allow(
        "MakeViews",
        ["athena:StartQueryExecution", "athena:GetQueryExecution"],
        [Workgroup.arn_of(names.place, names.workgroup)],
    )
    tmp = Bucket.arn_of(names.place, names.tmp_bucket)
    yield _allow("ResultsBucket", ["s3:GetBucketLocation"], [tmp])
    results = f"{tmp}/{names.config.athena.results_prefix}*"
    yield _allow("Results", ["s3:GetObject", "s3:PutObject"], [results])


def _where(names: Names, resources: Sequence[Resource], kind: str) -> list[str]:
    """The ARNs of what the actions of ``kind`` are done to."""
    databases = _arns(resources, Database)
    catalog = [databases[0].rpartition(":")[0] + ":catalog"]
    if kind == "objects":
        return _objects(resources)
    if kind == "log-group":
        # Some actions name a group with ":*" behind it, some without (CloudWatch Logs user guide, "Permissions").
        return [arn + rest for arn in _arns(resources, LogGroup) for rest in ("", ":*")]
    if kind == "glue-database":
        return [*catalog, *databases]
    if kind == "glue-table":
        tables = [LandedTable.arn_of(names.place, f"{database.rpartition('/')[2]}.*") for database in databases]
        return [*catalog, *databases, *tables]
    if kind == TableOptimizer.kind:
        tables = [LandedTable.arn_of(names.place, f"{names.silver_database}.*")]
        silver = Database.arn_of(names.place, names.silver_database)
        return [*catalog, silver, *tables] if any(isinstance(each, TableOptimizer) for each in resources) else []
    return [resource.arn for resource in resources if resource.kind == kind]


def _objects(resources: Sequence[Resource]) -> list[str]:
    """The job's files and the folder markers: not what has landed, nor silver."""
    buckets = {resource.name: resource for resource in resources if isinstance(resource, Bucket)}
    files = [f"{buckets[each.bucket].arn}/{each.key}" for each in resources if isinstance(each, S3Object)]
    markers = [f"{bucket.arn}/{prefix}" for bucket in buckets.values() for prefix in bucket.prefixes]
    return [*files, *markers]


def _arns(resources: Sequence[Resource], kind: type[Resource]) -> list[str]:
    return [resource.arn for resource in resources if isinstance(resource, kind)]


def _is_read(action: str) -> bool:
    return action.partition(":")[2].startswith(READS)


def _of_up(action: str) -> bool:
    if action in OF_DOWN or action == "iam:PassRole":
        return False
    return action in KEPT or not action.partition(":")[2].startswith("Delete")


def _allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
