"""A sample of what somebody may change behind our back: one of each kind of resource. None of it opens anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lakectl.naming import TAG_REGION
from lakectl.ops.lake import Lake

DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}


@dataclass(frozen=True)
class Drift:
    """``told``: what is changed, in words. The plan must name ``field`` of ``kind``; of something deleted, no field."""

    kind: str
    field: str
    told: str
    make: Callable[[Lake], Any]


def _untagged_table(lake: Lake) -> None:
    dynamodb = lake.client("dynamodb")
    arn = dynamodb.describe_table(TableName=lake.names.run_log)["Table"]["TableArn"]
    dynamodb.untag_resource(ResourceArn=arn, TagKeys=[TAG_REGION])


def _queue(lake: Lake) -> None:
    sqs = lake.client("sqs")
    url = sqs.get_queue_url(QueueName=lake.names.dead_letter_queue)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "86400"})


def _notification(lake: Lake) -> None:
    s3, bucket = lake.client("s3"), lake.names.raw_bucket
    live = s3.get_bucket_notification_configuration(Bucket=bucket)
    live.pop("ResponseMetadata")
    live["LambdaFunctionConfigurations"][0]["Filter"]["Key"]["FilterRules"][0]["Value"] = "elsewhere/"
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=live)


def _bronze_table(lake: Lake) -> None:
    glue, database = lake.client("glue"), lake.names.bronze_database
    table = lake.names.bronze_table(next(iter(lake.config.sources)))
    live = glue.get_table(DatabaseName=database, Name=table)["Table"]
    keep = ("Name", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")
    changed = {key: live[key] for key in keep if key in live} | {"Description": "changed"}
    glue.update_table(DatabaseName=database, TableInput=changed)


def _job(lake: Lake) -> None:
    glue, name = lake.client("glue"), lake.names.glue_job
    job = glue.get_job(JobName=name)["Job"]
    keep = ["Role", "Command", "DefaultArguments", "GlueVersion", "WorkerType", "NumberOfWorkers", "MaxRetries"]
    keep += ["ExecutionProperty", "JobRunQueuingEnabled", "Description"]
    glue.update_job(JobName=name, JobUpdate={**{key: job[key] for key in keep if key in job}, "Timeout": 5})


def _saved_query(lake: Lake) -> None:
    athena = lake.client("athena")
    deleted = _saved_query_ids(lake)[0]
    try:
        athena.delete_named_query(NamedQueryId=deleted)
    except ClientError:
        # "not found" has no code of its own: a lost answer.
        if deleted in _saved_query_ids(lake):
            raise


def _saved_query_ids(lake: Lake) -> list[str]:
    found: list[str] = lake.client("athena").list_named_queries(WorkGroup=lake.names.workgroup)["NamedQueryIds"]
    return found


DRIFTS: tuple[Drift, ...] = (
    Drift("s3-bucket", "versioning", "the raw bucket's versions are suspended", lambda lake: lake.client(
        "s3").put_bucket_versioning(Bucket=lake.names.raw_bucket, VersioningConfiguration={"Status": "Suspended"})),
    Drift("s3-bucket", "lifecycle", "the lifecycle of the tmp bucket is deleted", lambda lake: lake.client(
        "s3").delete_bucket_lifecycle(Bucket=lake.names.tmp_bucket)),
    Drift("s3-notification", "rules", "a notification rule is about another prefix", _notification),
    Drift("s3-object", "sha256", "the job's script is overwritten", lambda lake: lake.client("s3").put_object(
        Bucket=lake.names.tmp_bucket, Key=lake.names.job_script_key, Body=b"x")),
    Drift("dynamodb-table", "tags", "a tag of the run log is removed", _untagged_table),
    Drift("iam-role", "policy", "the job's role gets a second policy", lambda lake: lake.client("iam").put_role_policy(
        RoleName=lake.names.glue_role, PolicyName="extra", PolicyDocument=json.dumps(DENY))),
    Drift("log-group", "retention_days", "logs are kept for ever", lambda lake: lake.client(
        "logs").delete_retention_policy(logGroupName=lake.names.lambda_log_group(lake.names.log_function))),
    Drift("lambda-function", "memory", "a function has more memory", lambda lake: lake.client(
        "lambda").update_function_configuration(FunctionName=lake.names.log_function, MemorySize=512)),
    Drift("lambda-function", "on_failure", "a function's failed events go nowhere", lambda lake: lake.client(
        "lambda").delete_function_event_invoke_config(FunctionName=lake.names.start_function)),
    Drift("lambda-permission", "statements", "a rule may not call its function", lambda lake: lake.client(
        "lambda").remove_permission(
            FunctionName=lake.names.start_function, StatementId=f"lakectl-{lake.names.drain_rule}")),
    Drift("sqs-queue", "retention_seconds", "failed events are kept for a day", _queue),
    Drift("events-rule", "state", "the daily rule is disabled", lambda lake: lake.client("events").disable_rule(
        Name=lake.names.daily_rule)),
    Drift("glue-database", "description", "a database is described in other words", lambda lake: lake.client(
        "glue").update_database(Name=lake.names.silver_database, DatabaseInput={
            "Name": lake.names.silver_database, "Description": "changed"})),
    Drift("glue-table", "description", "a bronze table is described in other words", _bronze_table),
    Drift("glue-job", "Timeout", "the job has another timeout", _job),
    Drift("athena-workgroup", "publish_metrics", "the workgroup publishes no metrics", lambda lake: lake.client(
        "athena").update_work_group(WorkGroup=lake.names.workgroup, ConfigurationUpdates={
            "PublishCloudWatchMetricsEnabled": False})),
    Drift("athena-named-query", "", "a saved query is deleted", _saved_query),
)  # fmt: skip
