"""Every write operation of `up` (from nothing, and from a lake of other settings) and of `down`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lakectl.aws import Aws

READS = ("Get", "List", "Describe", "Head", "BatchGet")

Operation = tuple[str, str]  # botocore's service name and operation name

CREATES: tuple[Operation, ...] = (
    ("athena", "CreateNamedQuery"),
    ("athena", "CreateWorkGroup"),
    ("dynamodb", "CreateTable"),
    ("dynamodb", "UpdateContinuousBackups"),
    ("events", "PutRule"),
    ("events", "PutTargets"),
    ("glue", "CreateDatabase"),
    ("glue", "CreateJob"),
    ("glue", "CreateTable"),
    ("iam", "CreateRole"),
    ("iam", "PutRolePolicy"),
    ("lambda", "AddPermission"),
    ("lambda", "CreateFunction"),
    ("lambda", "PutFunctionEventInvokeConfig"),
    ("logs", "CreateLogGroup"),
    ("logs", "PutRetentionPolicy"),
    ("s3", "CreateBucket"),
    ("s3", "PutBucketEncryption"),
    ("s3", "PutBucketLifecycleConfiguration"),
    ("s3", "PutBucketNotificationConfiguration"),
    ("s3", "PutBucketPolicy"),
    ("s3", "PutBucketVersioning"),
    ("s3", "PutObject"),
    ("s3", "PutPublicAccessBlock"),
    ("sqs", "CreateQueue"),
)
CHANGES: tuple[Operation, ...] = (
    ("athena", "TagResource"),
    ("athena", "UpdateWorkGroup"),
    ("dynamodb", "TagResource"),
    ("dynamodb", "UpdateContinuousBackups"),
    ("events", "PutRule"),
    ("events", "TagResource"),
    ("glue", "TagResource"),
    ("glue", "UpdateJob"),
    ("glue", "UpdateTable"),
    ("iam", "PutRolePolicy"),
    ("iam", "TagRole"),
    ("iam", "UpdateAssumeRolePolicy"),
    ("lambda", "AddPermission"),
    ("lambda", "RemovePermission"),
    ("lambda", "TagResource"),
    ("lambda", "UpdateFunctionConfiguration"),
    ("logs", "PutRetentionPolicy"),
    ("logs", "TagResource"),
    ("s3", "PutBucketLifecycleConfiguration"),
    ("s3", "PutBucketNotificationConfiguration"),
    ("s3", "PutBucketTagging"),
    ("s3", "PutBucketVersioning"),
    ("s3", "PutObject"),
    ("sqs", "SetQueueAttributes"),
    ("sqs", "TagQueue"),
)
DELETES: tuple[Operation, ...] = (
    ("athena", "DeleteNamedQuery"),
    ("athena", "DeleteWorkGroup"),
    ("dynamodb", "DeleteTable"),
    ("events", "DeleteRule"),
    ("events", "RemoveTargets"),
    ("glue", "DeleteDatabase"),
    ("glue", "DeleteJob"),
    ("glue", "DeleteTable"),
    ("iam", "DeleteRole"),
    ("iam", "DeleteRolePolicy"),
    ("lambda", "DeleteFunction"),
    ("lambda", "RemovePermission"),
    ("logs", "DeleteLogGroup"),
    ("s3", "AbortMultipartUpload"),
    ("s3", "DeleteBucket"),
    ("s3", "DeleteObject"),
    ("s3", "DeleteObjects"),
    ("s3", "PutBucketNotificationConfiguration"),
    ("s3", "PutBucketPolicy"),
    ("sqs", "DeleteQueue"),
)

# Settings that differ from the defaults in all that can be changed.
OTHER_SETTINGS: dict[str, Any] = {
    "tags": {"team": "data"},
    "buckets": {"raw": {"versioning": False}, "abort_unfinished_uploads_after_days": 3},
    "landing": {"notifications": "per-source", "prefix": "sales/"},
    "run_log": {"point_in_time_recovery": False},
    "functions": {"log_ingestion_run": {"memory": 512}, "log_retention_days": 7},
    "glue": {"workers": 3, "log_retention_days": 7},
    "athena": {"bytes_scanned_cutoff": 20_000_000},
    "triggers": {"schedule": "rate(2 days)"},
}


@contextmanager
def writes_of(aws: Aws) -> Iterator[set[Operation]]:
    """Collects the write operations that are called meanwhile."""
    found: set[Operation] = set()

    def note(model: Any, **_: Any) -> None:
        if not model.name.startswith(READS):
            found.add((model.service_model.service_name, model.name))

    for service in {service for service, _ in (*CREATES, *CHANGES, *DELETES)}:
        aws.client(service).meta.events.register("before-call", note, unique_id="writes")
    try:
        yield found
    finally:
        for service in {service for service, _ in (*CREATES, *CHANGES, *DELETES)}:
            aws.client(service).meta.events.unregister("before-call", note, unique_id="writes")
