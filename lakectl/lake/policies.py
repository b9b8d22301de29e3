"""The roles' policies: least privilege, by name. One function for each role gives its statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lakectl.engine.model import Resource
from lakectl.naming import Names
from lakectl.resources.bucket import Bucket
from lakectl.resources.database import Database
from lakectl.resources.glue_job import GlueJob
from lakectl.resources.glue_table import LandedTable
from lakectl.resources.log_group import LogGroup
from lakectl.resources.queue import Queue
from lakectl.resources.role import Role
from lakectl.resources.table import Table

Statement = dict[str, Any]


def log_function(names: Names) -> list[Statement]:
    """What ``log-ingestion-run`` may do: write the run log, and its own logs."""
    return [_run_log(names), _failed_events(names), _own_logs(names, names.log_function)]


def start_function(names: Names) -> list[Statement]:
    """What the starter may do: write the run log, see and start runs of the one job."""
    job = GlueJob.arn_of(names.place, names.glue_job)
    # GetJobRun: when a run began whose end is told. SendMessage (below): Lambda sends, in the function's name, the
    # events that it failed on.
    return [
        _run_log(names),
        _allow("lakectl-job-runs", [*GlueJob.writes, *GlueJob.reads], [job]),
        _failed_events(names),
        _own_logs(names, names.start_function),
    ]


def glue_job(names: Names) -> list[Statement]:
    """What the Spark job may do (AWS Glue developer guide, "IAM permissions for AWS Glue jobs")."""
    raw, silver, tmp = (Bucket.arn_of(names.place, name) for name in _buckets(names))
    silver_db = Database.arn_of(names.place, names.silver_database)
    silver_tables = LandedTable.arn_of(names.place, f"{names.silver_database}.*")
    catalog = silver_db.rpartition(":")[0] + ":catalog"
    logs = [
        LogGroup.arn_of(names.place, f"{prefix}/{group}") + rest
        for prefix in (names.glue_log_prefix, names.maintenance_log_prefix)
        for group in ("output", "error")
        for rest in ("", ":log-stream:*")
    ]
    return [
        # Without ListBucket S3 answers 403 for an object that is gone, and not 404. GetBucketLocation: nothing of ours
        # calls it; Glue itself may (AWS's managed policy AWSGlueServiceRole grants it).
        _allow("lakectl-list-raw", ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation"], [raw]),
        _allow("lakectl-list-silver", ["s3:ListBucket", "s3:GetBucketLocation"], [silver]),
        # GetObjectVersion: to read, and to copy, the version of a landing that was claimed.
        _allow("lakectl-read-raw", [*Bucket.reads, "s3:GetObjectVersion"], [f"{raw}/*"]),
        # Also copies of landings under staging/. DeleteObject: files of expired snapshots, and orphans.
        _allow(
            "lakectl-write-silver",
            [*Bucket.reads, *Bucket.writes],
            [f"{silver}/*"],
        ),
        _allow("lakectl-read-script", list(Bucket.reads), [f"{tmp}/jobs/*"]),
        # Where a new table's files are; whether there is the database.
        _allow("lakectl-read-catalog", ["glue:GetDatabase"], [catalog, silver_db]),
        _allow(
            "lakectl-write-tables",
            ["glue:GetTable", "glue:GetTables", *Database.writes],
            [catalog, silver_db, silver_tables],
        ),
        # Whether the run that claimed a landing is over; whether one is active when a table is rolled back.
        _allow("lakectl-own-runs", list(GlueJob.reads), [GlueJob.arn_of(names.place, names.glue_job)]),
        _run_log(names),
        _allow("lakectl-logs", list(LogGroup.writes), logs),
        {
            # For --enable-metrics: Glue itself writes them. PutMetricData takes no resource; the namespace is the only
            # thing that narrows it (Service Authorization Reference, Amazon CloudWatch).
            **_allow("lakectl-metrics", ["cloudwatch:PutMetricData"], ["*"]),
            "Condition": {"StringEquals": {"cloudwatch:namespace": "Glue"}},
        },
    ]


def optimizer(names: Names) -> list[Statement]:
    """What Glue's optimizers of silver tables may do (AWS Glue developer guide, "Table optimization prerequisites")."""
    silver = Bucket.arn_of(names.place, names.silver_bucket)
    database = Database.arn_of(names.place, names.silver_database)
    catalog = database.rpartition(":")[0] + ":catalog"
    tables = LandedTable.arn_of(names.place, f"{names.silver_database}.*")
    logs = [
        LogGroup.arn_of(names.place, f"/aws-glue/iceberg-{work}/logs") + ":*"
        for work in ("compaction", "retention", "orphan-file-deletion")
    ]
    return [
        _allow("lakectl-list-silver", ["s3:ListBucket"], [silver]),
        _allow("lakectl-write-silver", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [f"{silver}/*"]),
        _allow("lakectl-write-tables", ["glue:GetTable", "glue:UpdateTable"], [catalog, database, tables]),
        _allow("lakectl-logs", ["logs:CreateLogGroup", *LogGroup.writes], logs),
    ]


def writers(resource: Resource, resources: Sequence[Resource]) -> tuple[str, ...]:
    """The roles of ``resources`` whose policies let them write what ``resource`` holds, by name."""
    return tuple(sorted(each.name for each in resources if isinstance(each, Role) and _may_write(each, resource)))


def _may_write(role: Role, resource: Resource) -> bool:
    return any(
        set(statement["Action"]) & set(resource.writes) and _covers(arn, resource.arn)
        for statement in role.policy["Statement"]
        for arn in statement["Resource"]
    )


def _covers(granted: str, arn: str) -> bool:
    """Whether ``granted`` is the resource itself or what is in it: its objects, its log streams."""
    return granted.startswith(arn) and granted[len(arn) :][:1] in ("", "/", ":")


def _buckets(names: Names) -> tuple[str, str, str]:
    return names.raw_bucket, names.silver_bucket, names.tmp_bucket


def _allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    # Sids take letters and digits only in IAM policies (IAM user guide, "Sid").
    plain = "".join(part.capitalize() for part in sid.split("-"))
    return {"Sid": plain, "Effect": "Allow", "Action": actions, "Resource": resources}


def _run_log(names: Names) -> Statement:
    arn = Table.arn_of(names.place, names.run_log)
    return _allow("lakectl-run-log", [*Table.reads, *Table.writes], [arn])


def _failed_events(names: Names) -> Statement:
    return _allow("lakectl-failed-events", list(Queue.writes), [Queue.arn_of(names.place, names.dead_letter_queue)])


def _own_logs(names: Names, function: str) -> Statement:
    group = LogGroup.arn_of(names.place, names.lambda_log_group(function))
    return _allow("lakectl-logs", list(LogGroup.writes), [f"{group}:log-stream:*", f"{group}:*"])
