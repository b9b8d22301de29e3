"""The roles' policies: least privilege, by name. One function for each role gives its statements."""

from __future__ import annotations

from typing import Any

from lakectl.naming import Names

Statement = dict[str, Any]


def log_function(names: Names) -> list[Statement]:
    """What ``log-ingestion-run`` may do: write the run log, and its own logs."""
    return [_run_log(names), _failed_events(names), _own_logs(names, names.log_function)]


def start_function(names: Names) -> list[Statement]:
    """What the starter may do: write the run log, see and start runs of the one job."""
    job = names.arn("glue", f"job/{names.glue_job}")
    # GetJobRun: when a run began whose end is told. SendMessage (below): Lambda sends, in the function's name, the
    # events that it failed on.
    return [
        _run_log(names),
        _allow("lakectl-job-runs", ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns"], [job]),
        _failed_events(names),
        _own_logs(names, names.start_function),
    ]


def glue_job(names: Names) -> list[Statement]:
    """What the Spark job may do (AWS Glue developer guide, "IAM permissions for AWS Glue jobs")."""
    raw, silver, tmp = (names.global_arn("s3", b, account=False) for b in _buckets(names))
    catalog = names.arn("glue", "catalog")
    silver_db = names.arn("glue", f"database/{names.silver_database}")
    silver_tables = names.arn("glue", f"table/{names.silver_database}/*")
    logs = [
        names.arn("logs", f"log-group:{prefix}/{group}{rest}")
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
        _allow("lakectl-read-raw", ["s3:GetObject", "s3:GetObjectVersion"], [f"{raw}/*"]),
        # Also copies of landings under staging/. DeleteObject: files of expired snapshots, and orphans.
        # AbortMultipartUpload: Iceberg's S3FileIO, when it fails in the middle of a file too large for one PutObject.
        _allow(
            "lakectl-write-silver",
            ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            [f"{silver}/*"],
        ),
        _allow("lakectl-read-script", ["s3:GetObject"], [f"{tmp}/jobs/*"]),
        # Where a new table's files are; whether there is the database.
        _allow("lakectl-read-catalog", ["glue:GetDatabase"], [catalog, silver_db]),
        _allow(
            "lakectl-write-tables",
            ["glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable"],
            [catalog, silver_db, silver_tables],
        ),
        # Whether the run that claimed a landing is over; whether one is active when a table is rolled back.
        _allow("lakectl-own-runs", ["glue:GetJobRun", "glue:GetJobRuns"], [names.arn("glue", f"job/{names.glue_job}")]),
        _run_log(names),
        _allow("lakectl-logs", ["logs:CreateLogStream", "logs:PutLogEvents"], logs),
        {
            # For --enable-metrics: Glue itself writes them. PutMetricData takes no resource; the namespace is the only
            # thing that narrows it (Service Authorization Reference, Amazon CloudWatch).
            **_allow("lakectl-metrics", ["cloudwatch:PutMetricData"], ["*"]),
            "Condition": {"StringEquals": {"cloudwatch:namespace": "Glue"}},
        },
    ]


def _buckets(names: Names) -> tuple[str, str, str]:
    return names.raw_bucket, names.silver_bucket, names.tmp_bucket


def _allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    # Sids take letters and digits only in IAM policies (IAM user guide, "Sid").
    plain = "".join(part.capitalize() for part in sid.split("-"))
    return {"Sid": plain, "Effect": "Allow", "Action": actions, "Resource": resources}


def _run_log(names: Names) -> Statement:
    # TransactWriteItems has no permission of its own: it is authorised as the writes that it holds.
    actions = ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"]
    return _allow(
        "lakectl-run-log",
        [f"dynamodb:{action}" for action in actions],
        [names.arn("dynamodb", f"table/{names.run_log}")],
    )


def _failed_events(names: Names) -> Statement:
    return _allow("lakectl-failed-events", ["sqs:SendMessage"], [names.arn("sqs", names.dead_letter_queue)])


def _own_logs(names: Names, function: str) -> Statement:
    group = names.arn("logs", f"log-group:{names.lambda_log_group(function)}")
    return _allow(
        "lakectl-logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{group}:log-stream:*", f"{group}:*"]
    )
