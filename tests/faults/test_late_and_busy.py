"""What AWS refuses for a while, service by service, with its own codes, words and status: `up` and `down` wait, and say
what for. See docs/aws-notes.md."""

from __future__ import annotations

import re
from collections.abc import Sequence

import aws_errors as aws
import pytest
from _pytest.mark import ParameterSet
from one_resource import Refusal, SingleSteps

from lakectl.engine.model import Action, Change
from lakectl.resources.queue import Queue
from lakectl.resources.view import View
from lakectl.resources.write_access import WriteAccess

FUNCTION = r"lambda (POST|PUT|GET|DELETE) /20\d\d-\d\d-\d\d/functions"
BUCKET = r"s3 PUT /[^/?]+"


CREATED = [
    ("iam-role", "iam CreateRole", aws.iam("ConcurrentModification", aws.CONCURRENT_ROLE, 409), "another change"),
    (
        "iam-role",
        "iam PutRolePolicy",
        aws.iam("NoSuchEntity", "The role with name r cannot be found.", 404),
        "new role",
    ),
    (
        "iam-role",
        "iam GetRolePolicy",
        aws.iam("NoSuchEntity", "The role policy with name p cannot be found.", 404),
        "to show what was written",
    ),
    ("s3-bucket", BUCKET, aws.BUCKET_BUSY, "deleting or changing the bucket"),
    ("s3-bucket", rf"{BUCKET}\?versioning", aws.NO_BUCKET, "new bucket"),
    ("s3-bucket", rf"{BUCKET}\?policy", aws.NO_BUCKET, "new bucket"),
    ("s3-bucket", r"s3 GET /[^/?]+\?policy", aws.NO_BUCKET, ""),
    (
        "s3-bucket",
        r"s3 GET /[^/?]+\?lifecycle",
        aws.s3("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", 404),
        "",
    ),
    ("s3-bucket", rf"{BUCKET}\?encryption", aws.BUCKET_BUSY, "deleting or changing the bucket"),
    (
        "s3-bucket",
        r"s3 PUT /[^/?]+/.+/",
        aws.s3(
            "ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation.", 409
        ),
        "folder marker",
    ),
    ("s3-object", r"s3 PUT /[^/?]+/.+", aws.NO_BUCKET, "new bucket"),
    ("s3-notification", rf"{BUCKET}\?notification", aws.NO_BUCKET, "new bucket"),
    ("s3-notification", rf"{BUCKET}\?notification", aws.BUCKET_BUSY, "deleting or changing the bucket"),
    (
        "s3-notification",
        rf"{BUCKET}\?notification",
        aws.s3("InvalidArgument", "Unable to validate the following destination configurations", 400),
        "permission to spread",
    ),
    (
        "sqs-queue",
        "sqs CreateQueue",
        aws.sqs(
            "QueueDeletedRecently",
            "AWS.SimpleQueueService.QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
        ),
        "release the name",
    ),
    ("log-group", "logs CreateLogGroup", aws.json_1_1("OperationAbortedException", aws.BUSY_GROUP), "another change"),
    (
        "log-group",
        "logs PutRetentionPolicy",
        aws.json_1_1("ResourceNotFoundException", "The specified log group does not exist."),
        "new log group",
    ),
    (
        "lambda-function",
        FUNCTION,
        aws.lambda_(
            "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.", 400
        ),
        "new role to be assumable",
    ),
    (
        "lambda-function",
        FUNCTION,
        aws.lambda_(
            "InvalidParameterValueException",
            "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
            "CreateGrant. Please check your KMS key settings. KMS Exception: InvalidArnException KMS Message: ARN does "
            "not refer to a valid principal",
            400,
        ),
        "known to KMS",
    ),
    (
        "lambda-function",
        FUNCTION,
        aws.lambda_(
            "InvalidParameterValueException",
            "The provided execution role does not have permissions to call SendMessage on SQS",
            400,
        ),
        "policy to spread",
    ),
    ("lambda-function", rf"{FUNCTION}/[^/]+", aws.NO_FUNCTION, "new function"),
    ("lambda-function", rf"{FUNCTION}/[^/]+/event-invoke-config", aws.NO_FUNCTION, "new function"),
    ("lambda-function", rf"{FUNCTION}/[^/]+/event-invoke-config", aws.FUNCTION_PENDING, "previous change"),
    (
        "lambda-function",
        rf"{FUNCTION}/[^/]+/event-invoke-config",
        aws.lambda_(
            "InvalidParameterValueException",
            "The destination ARN arn:aws:sqs:eu-west-1:000000000000:q is invalid.",
            400,
        ),
        "new queue",
    ),
    (
        "lambda-function",
        rf"{FUNCTION}/[^/]+/event-invoke-config",
        aws.lambda_(
            "InvalidParameterValueException",
            "The function's execution role does not have permissions to call SendMessage on "
            "arn:aws:sqs:eu-west-1:000000000000:q",
            400,
        ),
        "policy to spread",
    ),
    ("lambda-permission", r"lambda POST .+/policy", aws.FUNCTION_PENDING, "previous change"),
    ("lambda-permission", r"lambda POST .+/policy", aws.FUNCTION_CONCURRENT, "previous change"),
    ("lambda-permission", r"lambda POST .+/policy", aws.NO_FUNCTION, "new function"),
    (
        "lambda-permission",
        r"lambda GET .+/policy",
        aws.lambda_("ResourceNotFoundException", "The resource you requested does not exist.", 404),
        "keep what it has acknowledged",
    ),
    ("events-rule", "events PutRule", aws.CONCURRENT_RULE, "another change"),
    ("events-rule", "events PutTargets", aws.CONCURRENT_RULE, "another change"),
    (
        "events-rule",
        "events PutTargets",
        aws.failed_target("ConcurrentModificationException", "Rule r on EventBus default was modified concurrently."),
        "another change",
    ),
    (
        "events-rule",
        "events PutTargets",
        aws.json_1_1("ResourceNotFoundException", "Rule r does not exist on EventBus default."),
        "new rule",
    ),
    (
        "events-rule",
        "events ListTargetsByRule",
        aws.json_1_1("ResourceNotFoundException", "Rule r does not exist on EventBus default."),
        "to show what was written",
    ),
    ("glue-database", "glue CreateDatabase", aws.CONCURRENT_CATALOG, "another change"),
    (
        "glue-database",
        "glue GetDatabase",
        aws.json_1_1("EntityNotFoundException", "Database d not found."),
        "to show what was written",
    ),
    ("glue-table", "glue CreateTable", aws.CONCURRENT_CATALOG, "another change"),
    ("glue-table", "glue CreateTable", aws.NOT_READY, "catalog to be ready"),
    (
        "glue-table",
        "glue CreateTable",
        aws.json_1_1("EntityNotFoundException", "Database d not found."),
        "new database",
    ),
    ("glue-job", "glue CreateJob", aws.CONCURRENT_CATALOG, "another change"),
    (
        "glue-job",
        "glue CreateJob",
        aws.json_1_1(
            "InvalidInputException",
            "Role arn:aws:iam::000000000000:role/r should be given assume role permissions for Glue Service.",
        ),
        "new role to be assumable",
    ),
    (
        "glue-job",
        "glue CreateJob",
        aws.json_1_1(
            "InvalidInputException", "Service is unable to assume provided role. Please verify role's TrustPolicy."
        ),
        "new role to be assumable",
    ),
    ("glue-job", "glue GetJob", aws.json_1_1("EntityNotFoundException", "Entity Not Found"), ""),
    (
        "dynamodb-table",
        "dynamodb UpdateContinuousBackups",
        aws.json_1_1(
            "ContinuousBackupsUnavailableException",
            "Backups are being enabled for the table: t. Please retry later",
        ),
        "backups of the new table",
    ),
]


def named(row: tuple[object, ...]) -> str:
    """Of a row: the kind, the last word of the operation, the code."""
    answer = next(value for value in row if isinstance(value, aws.Answer))
    operation = re.findall(r"[a-zA-Z]{2,}", str(row[row.index(answer) - 1]))
    return f"{row[0]}-{operation[-1]}-{aws.code_of(answer)}"


# Rows whose code and kind another one has, or another test.
REPEATS = re.compile(
    r"s3-bucket-.*(encryption|policy|lifecycle)-.*|s3-bucket-PUT-OperationAborted|s3-notification-.*-OperationAborted"
    r"|sqs-queue-CreateQueue-.*|lambda-function-(configuration|code)-.*|events-rule-PutRule-.*|glue-job-UpdateJob-.*"
    r"|glue-database-(Update|Delete)Database-.*|s3-bucket-versioning-OperationAborted|events-rule-RemoveTargets-.*"
)


def rows(table: Sequence[tuple[object, ...]]) -> list[ParameterSet]:
    """The rows with their names; repeats are for the long tests."""
    long = pytest.mark.long
    return [pytest.param(*row, id=named(row), marks=[long] if REPEATS.fullmatch(named(row)) else []) for row in table]


@pytest.mark.parametrize(("kind", "operation", "answer", "says"), rows(CREATED))
def test_what_is_refused_while_aws_is_late_or_busy_is_made_all_the_same(
    steps: SingleSteps, kind: str, operation: str, answer: aws.Answer, says: str
) -> None:
    resource = steps.absent(steps.find(kind))
    steps.refuse(Refusal(operation, answer))
    done = steps.do(resource, Action.CREATE)
    assert done.result.ok, done.result.failed
    assert steps.refused > 0
    assert any(says in reason for reason in done.waited_for) or not says, done.waited_for
    assert done.notes == []
    steps.clear()
    live = resource.read(steps.straight)
    assert live is not None
    assert resource.diff(live) == ()


CHANGED = [
    ("lambda-function", "memory", rf"{FUNCTION}/[^/]+/configuration", aws.FUNCTION_IN_PROGRESS),
    ("lambda-function", "code_sha256", rf"{FUNCTION}/[^/]+/code", aws.FUNCTION_IN_PROGRESS),
    ("lambda-function", "tags", r"lambda POST /2017-03-31/tags/.+", aws.FUNCTION_IN_PROGRESS),
    ("iam-role", "tags", "iam TagRole", aws.iam("ConcurrentModification", aws.CONCURRENT_ROLE, 409)),
    ("events-rule", "state", "events PutRule", aws.CONCURRENT_RULE),
    ("events-rule", "tags", "events TagResource", aws.CONCURRENT_RULE),
    ("glue-table", "description", "glue UpdateTable", aws.CONCURRENT_CATALOG),
    ("glue-database", "description", "glue UpdateDatabase", aws.CONCURRENT_CATALOG),
    ("glue-job", "Description", "glue UpdateJob", aws.CONCURRENT_CATALOG),
    ("s3-bucket", "versioning", rf"{BUCKET}\?versioning", aws.BUCKET_BUSY),
    (
        "log-group",
        "retention_days",
        "logs PutRetentionPolicy",
        aws.json_1_1("OperationAbortedException", aws.BUSY_GROUP),
    ),
    (
        "dynamodb-table",
        "tags",
        "dynamodb TagResource",
        aws.json_1_1(
            "ResourceInUseException", "Attempt to change a resource which is still in use: Table is being updated: t"
        ),
    ),
]


@pytest.mark.parametrize(("kind", "name", "operation", "answer"), rows(CHANGED))
def test_a_change_waits_for_the_one_before(
    steps: SingleSteps, kind: str, name: str, operation: str, answer: aws.Answer
) -> None:
    resource = steps.there(steps.find(kind))
    steps.refuse(Refusal(operation, answer))
    want = resource.tags if name == "tags" else resource.desired()[name]
    done = steps.do(resource, Action.CHANGE, (Change(name, {}, want),))
    assert done.result.ok, done.result.failed
    assert steps.refused == 2
    assert done.waited_for != []


DELETED = [
    ("iam-role", "iam DeleteRole", aws.iam("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)),
    ("iam-role", "iam DeleteRole", aws.iam("ConcurrentModification", aws.CONCURRENT_ROLE, 409)),
    (
        "events-rule",
        "events DeleteRule",
        aws.json_1_1("ValidationException", "Rule can't be deleted since it has targets."),
    ),
    ("events-rule", "events RemoveTargets", aws.CONCURRENT_RULE),
    (
        "events-rule",
        "events RemoveTargets",
        aws.failed_target("ConcurrentModificationException", "Rule r on EventBus default was modified concurrently."),
    ),
    ("log-group", "logs DeleteLogGroup", aws.json_1_1("OperationAbortedException", aws.BUSY_GROUP)),
    ("lambda-function", rf"{FUNCTION}/[^/]+", aws.FUNCTION_IN_PROGRESS),
    ("glue-table", "glue DeleteTable", aws.CONCURRENT_CATALOG),
    ("glue-database", "glue DeleteDatabase", aws.CONCURRENT_CATALOG),
    ("s3-bucket", r"s3 DELETE /[^/?]+", aws.s3("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)),
    ("s3-bucket", r"s3 DELETE /[^/?]+", aws.BUCKET_BUSY),
    ("s3-notification", rf"{BUCKET}\?notification", aws.BUCKET_BUSY),
    (
        "s3-bucket",
        r"s3 POST /[^/?]+\?delete",
        aws.Answer(
            200,
            b"<DeleteResult><Error><Key>k</Key><Code>InternalError</Code><Message>We encountered an internal error. "
            b"Please try again.</Message></Error></DeleteResult>",
            {"Content-Type": "application/xml"},
        ),
    ),
    (
        "dynamodb-table",
        "dynamodb DeleteTable",
        aws.json_1_1(
            "ResourceInUseException", "Attempt to change a resource which is still in use: Table is being created: t"
        ),
    ),
]


@pytest.mark.parametrize(("kind", "operation", "answer"), rows(DELETED))
def test_down_waits_until_it_may_delete(steps: SingleSteps, kind: str, operation: str, answer: aws.Answer) -> None:
    resource = steps.there(steps.find(kind))
    if kind == "s3-bucket":
        steps.straight.client("s3").put_object(Bucket=resource.name, Key="k", Body=b"1")
    steps.refuse(Refusal(operation, answer))
    done = steps.do(resource, Action.DELETE)
    assert done.result.ok, done.result.failed
    assert steps.refused == 2
    assert done.waited_for != []
    assert resource.read(steps.straight) is None


def test_down_denies_writes_though_another_change_of_the_bucket_is_under_way(steps: SingleSteps) -> None:
    bucket = steps.there(steps.find("s3-bucket"))
    steps.refuse(Refusal(rf"{BUCKET}\?policy", aws.BUCKET_BUSY))
    done = steps.do(WriteAccess(bucket, ()), Action.DELETE)  # type: ignore[arg-type]
    assert done.result.ok, done.result.failed
    assert steps.refused == 2
    bucket.destroy(steps.straight)


def test_a_deleted_queue_that_sqs_still_finds_is_waited_for(steps: SingleSteps) -> None:
    """DeleteQueue takes up to 60 seconds: `down` must not count it as left."""
    queue = steps.there(steps.find("sqs-queue"))
    assert isinstance(queue, Queue)
    found = steps.straight.client("sqs").get_queue_url(QueueName=queue.name)["QueueUrl"].encode()
    steps.refuse(Refusal("sqs GetQueueUrl", aws.Answer(200, b'{"QueueUrl": "%s"}' % found)), times=3)
    done = steps.do(queue, Action.DELETE)
    assert done.result.ok, done.result.failed
    assert steps.refused == 3
    assert done.waited_for == ["SQS to forget the deleted queue"]


def test_a_view_waits_until_athena_sees_the_bucket_of_its_results(steps: SingleSteps) -> None:
    database = steps.find("glue-database")
    group = steps.lake.names.workgroup
    view = View(database.name, "one", step="", workgroup=group, sql="SELECT 1 AS one", waits_for=(), needs=())
    steps.refuse(
        Refusal(
            "athena StartQueryExecution",
            aws.json_1_1("InvalidRequestException", "Unable to verify/create output bucket b"),
        ),
        then={
            "athena StartQueryExecution": b'{"QueryExecutionId": "q"}',
            "athena GetQueryExecution": b'{"QueryExecution": {"Status": {"State": "SUCCEEDED"}}}',
        },
    )
    done = steps.do(view, Action.CREATE)
    assert done.result.ok, done.result.failed
    assert steps.refused == 2
    assert done.waited_for == ["Athena to see the bucket of the results"]
