"""Deleting what a row's calls have made, and waiting until it is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.contract.table import Call

Delete = Callable[[Any, Mapping[str, Any], Mapping[str, Any]], object]
PAUSE_S = 1.0
EXISTS = frozenset(
    ("BucketAlreadyOwnedByYou", "EntityAlreadyExists", "ResourceConflictException", "AlreadyExistsException")
    + ("ResourceInUseException", "ResourceAlreadyExistsException", "ResourceAlreadyExists", "QueueAlreadyExists")
)
GONE = frozenset(
    ("NoSuchBucket", "NoSuchEntity", "ResourceNotFoundException", "EntityNotFoundException")
    + ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NoSuchUpload")
)


def _bucket(s3: Any, parameters: Mapping[str, Any], _: Mapping[str, Any]) -> None:
    """One is emptied first; uploads that nobody has ended go with it."""
    bucket = parameters["Bucket"]
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for each in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=each["Key"], UploadId=each["UploadId"])
    s3.delete_bucket(Bucket=bucket)


def _role(iam: Any, parameters: Mapping[str, Any], _: Mapping[str, Any]) -> None:
    name = parameters["RoleName"]
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def _rule(events: Any, parameters: Mapping[str, Any], _: Mapping[str, Any]) -> None:
    bus = {"EventBusName": parameters["EventBusName"]} if "EventBusName" in parameters else {}
    targets = events.list_targets_by_rule(Rule=parameters["Name"], **bus)["Targets"]
    if targets:
        events.remove_targets(Rule=parameters["Name"], Ids=[each["Id"] for each in targets], **bus)
    events.delete_rule(Name=parameters["Name"], **bus)


def _queue(sqs: Any, parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    url = answer.get("QueueUrl") or sqs.get_queue_url(QueueName=parameters["QueueName"])["QueueUrl"]
    sqs.delete_queue(QueueUrl=url)


# (service, operation) that makes something -> what deletes it, of the call's parameters and answer.
DELETES: dict[tuple[str, str], Delete] = {
    ("s3", "create_bucket"): _bucket,
    ("iam", "create_role"): _role,
    ("events", "put_rule"): _rule,
    ("events", "create_event_bus"): lambda c, p, _: c.delete_event_bus(Name=p["Name"]),
    ("lambda", "create_function"): lambda c, p, a: c.delete_function(
        FunctionName=a.get("FunctionName", p["FunctionName"])
    ),
    ("glue", "create_job"): lambda c, p, _: c.delete_job(JobName=p["Name"]),
    ("glue", "create_database"): lambda c, p, _: c.delete_database(Name=p["DatabaseInput"]["Name"].lower()),
    ("athena", "create_work_group"): lambda c, p, _: c.delete_work_group(
        WorkGroup=p["Name"], RecursiveDeleteOption=True
    ),
    ("dynamodb", "create_table"): lambda c, p, _: c.delete_table(TableName=p["TableName"]),
    ("sqs", "create_queue"): _queue,
    ("logs", "create_log_group"): lambda c, p, _: c.delete_log_group(logGroupName=p["logGroupName"]),
    ("glue", "start_job_run"): lambda c, p, a: c.batch_stop_job_run(JobName=p["JobName"], JobRunIds=[a["JobRunId"]]),
}
# What is deleted with something else that the row has made: a saved query with its workgroup.
WITH_ANOTHER = frozenset(
    (("athena", "create_named_query"), ("glue", "create_table"), ("s3", "create_multipart_upload"))
)


def delete(client: Any, call: Call, parameters: Mapping[str, Any], answer: Mapping[str, Any], limit_s: float) -> str:
    """Delete what a call has made. Returns why that did not work within ``limit_s`` seconds; empty where it did."""
    remove = DELETES.get((call.service, call.operation))
    if remove is None:
        return ""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            remove(client, parameters, answer)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in GONE:
                return ""
            if time.monotonic() > deadline:  # the services say in many words that something is still at work
                return f"{call.service} {_name(parameters)}: {error}"
            time.sleep(PAUSE_S)
        else:
            return ""


def _name(parameters: Mapping[str, Any]) -> str:
    named = (parameters.get("DatabaseInput"), parameters)
    for each in named:
        for key, value in (each or {}).items():
            if key.endswith("Name") or key in ("Bucket", "Name"):
                return str(value)
    return "without a name"


def wait_until_made(client: Any, call: Call, parameters: Mapping[str, Any]) -> None:
    """For what AWS makes after it has answered. Raises WaiterError."""
    if (call.service, call.operation) == ("dynamodb", "create_table"):
        client.get_waiter("table_exists").wait(
            TableName=parameters["TableName"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    elif (call.service, call.operation) == ("lambda", "create_function"):
        client.get_waiter("function_active_v2").wait(
            FunctionName=parameters["FunctionName"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
