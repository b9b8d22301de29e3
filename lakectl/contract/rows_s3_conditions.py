"""S3: conditional requests, and where notifications may go."""

from __future__ import annotations

from typing import Any

from lakectl.contract.rows_s3 import API_TESTS, BUCKET, DELETED, ERRORS, OBJECT, VERSIONED, on_bucket, on_object
from lakectl.contract.sources import both, model, recorded
from lakectl.contract.table import ACCOUNT, REGION, Call, Row, accepted, call, ref, refused

WRITES = "TestS3ObjectWritePrecondition::"
IF_ABSENT = recorded(API_TESTS, WRITES + "test_put_object_if_none_match")
IF_ABSENT_CHECKED = recorded(API_TESTS, WRITES + "test_put_object_if_none_match_validation")
IF_ABSENT_VERSIONED = recorded(API_TESTS, WRITES + "test_put_object_if_none_match_versioned_bucket")
IF_MATCH = recorded(API_TESTS, WRITES + "test_put_object_if_match")
IF_MATCH_CHECKED = recorded(API_TESTS, WRITES + "test_put_object_if_match_validation")
IF_MATCH_VERSIONED = recorded(API_TESTS, WRITES + "test_put_object_if_match_versioned_bucket")
BOTH_CONDITIONS = recorded(API_TESTS, WRITES + "test_put_object_if_match_and_if_none_match_validation")
COMPLETE_MATCH = recorded(API_TESTS, WRITES + "test_multipart_if_match_etag")
COMPLETE_MATCH_PUT = recorded(API_TESTS, WRITES + "test_multipart_if_match_with_put")
COMPLETE_MATCH_SAME = recorded(API_TESTS, WRITES + "test_multipart_if_match_with_put_identical")
COMPLETE_MATCH_DELETE = recorded(API_TESTS, WRITES + "test_multipart_if_match_with_delete")
COMPLETE_ABSENT_PUT = recorded(API_TESTS, WRITES + "test_multipart_if_none_match_with_put")
COMPLETE_ABSENT_DELETE = recorded(API_TESTS, WRITES + "test_multipart_if_none_match_with_delete")
COPIES = recorded("s3/test_s3_preconditions.snapshot.json", "test_s3_copy_object_preconditions")
TO_QUEUES = "s3/test_s3_notifications_sqs.snapshot.json"
TO_FUNCTIONS = recorded("s3/test_s3_notifications_lambda.snapshot.json", "test_invalid_lambda_arn")

FAILED = refused("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold")
CONFLICT = refused(
    "ConditionalRequestConflict",
    409,
    "The conditional request cannot succeed due to a conflicting operation against this resource.",
)
GONE = refused("NoSuchKey", 404, "The specified key does not exist.")
UNKNOWN_HEADER = refused("NotImplemented", 501, "A header you provided implies functionality that is not implemented")

PUT_ROWS = [
    Row("put-if-absent-present", on_object("put_object", Body=b"", IfNoneMatch="*"), FAILED, IF_ABSENT),
    Row("put-if-absent-absent", on_bucket("put_object", Key="k", Body=b"", IfNoneMatch="*"), accepted(), IF_ABSENT),
    Row(
        "put-if-absent-on-a-delete-marker",
        (BUCKET, VERSIONED, OBJECT, DELETED, call("s3", "put_object", Bucket="c-<n>", Key="k", IfNoneMatch="*")),
        accepted(),
        IF_ABSENT_VERSIONED,
    ),
    Row(
        "put-if-none-match-a-tag",
        on_object("put_object", Body=b"", IfNoneMatch='"0123"'),
        UNKNOWN_HEADER,
        IF_ABSENT_CHECKED,
    ),
    Row("put-if-match-other", on_object("put_object", Body=b"", IfMatch='"0123"'), FAILED, IF_MATCH),
    Row("put-if-match-same", on_object("put_object", Body=b"", IfMatch=ref(1, "ETag")), accepted(), IF_MATCH),
    Row("put-if-match-absent", on_bucket("put_object", Key="k", Body=b"", IfMatch='"0123"'), GONE, IF_MATCH),
    Row(
        "put-if-match-on-a-delete-marker",
        (BUCKET, VERSIONED, OBJECT, DELETED, call("s3", "put_object", Bucket="c-<n>", Key="k", IfMatch=ref(2, "ETag"))),
        GONE,
        IF_MATCH_VERSIONED,
    ),
    Row("put-if-match-anything", on_object("put_object", Body=b"", IfMatch="*"), UNKNOWN_HEADER, IF_MATCH_CHECKED),
    Row(
        "put-under-both-conditions",
        on_object("put_object", Body=b"", IfMatch=ref(1, "ETag"), IfNoneMatch="*"),
        UNKNOWN_HEADER,
        BOTH_CONDITIONS,
    ),
]


def upload(*before: Call) -> tuple[Call, ...]:
    """An upload of one part; the last two of these calls begin it and send the part."""
    number = len(before)
    return (
        *before,
        call("s3", "create_multipart_upload", Bucket="c-<n>", Key="k"),
        call("s3", "upload_part", Bucket="c-<n>", Key="k", UploadId=ref(number, "UploadId"), PartNumber=1, Body=b"p"),
    )


def complete(begun: int, **condition: Any) -> Call:
    """End the upload that call number ``begun`` began."""
    parts = {"Parts": [{"PartNumber": 1, "ETag": ref(begun + 1, "ETag")}]}
    upload_id = ref(begun, "UploadId")
    return call(
        "s3",
        "complete_multipart_upload",
        Bucket="c-<n>",
        Key="k",
        UploadId=upload_id,
        MultipartUpload=parts,
        **condition,
    )


OTHER_OBJECT = call("s3", "put_object", Bucket="c-<n>", Key="k", Body=b"other")
COMPLETE_ROWS = [
    Row(
        "complete-if-absent-present",
        (*upload(BUCKET, OBJECT), complete(2, IfNoneMatch="*")),
        FAILED,
        COMPLETE_ABSENT_DELETE,
    ),
    Row(
        "complete-if-absent-absent", (*upload(BUCKET), complete(1, IfNoneMatch="*")), accepted(), COMPLETE_ABSENT_DELETE
    ),
    Row(
        "complete-if-absent-put-meanwhile",
        (*upload(BUCKET), OBJECT, complete(1, IfNoneMatch="*")),
        FAILED,
        COMPLETE_ABSENT_PUT,
    ),
    Row(
        "complete-if-absent-deleted-meanwhile",
        (*upload(BUCKET, OBJECT), DELETED, complete(2, IfNoneMatch="*")),
        CONFLICT,
        COMPLETE_ABSENT_DELETE,
    ),
    Row("complete-if-match-other", (*upload(BUCKET, OBJECT), complete(2, IfMatch='"0123"')), FAILED, COMPLETE_MATCH),
    Row(
        "complete-if-match-same",
        (*upload(BUCKET, OBJECT), complete(2, IfMatch=ref(1, "ETag"))),
        accepted(),
        COMPLETE_MATCH,
    ),
    Row(
        "complete-if-match-put-meanwhile",
        (*upload(BUCKET, OBJECT), OTHER_OBJECT, complete(2, IfMatch=ref(4, "ETag"))),
        CONFLICT,
        COMPLETE_MATCH_PUT,
    ),
    Row(
        "complete-if-match-of-before-put-meanwhile",
        (*upload(BUCKET, OBJECT), OTHER_OBJECT, complete(2, IfMatch=ref(1, "ETag"))),
        FAILED,
        COMPLETE_MATCH_PUT,
    ),
    Row(
        "complete-if-match-same-bytes-put-meanwhile",
        (*upload(BUCKET, OBJECT), OBJECT, complete(2, IfMatch=ref(1, "ETag"))),
        CONFLICT,
        COMPLETE_MATCH_SAME,
    ),
    Row(
        "complete-if-match-deleted-meanwhile",
        (*upload(BUCKET, OBJECT), DELETED, complete(2, IfMatch=ref(1, "ETag"))),
        GONE,
        COMPLETE_MATCH_DELETE,
    ),
    Row(
        "complete-unknown-upload",
        on_object(
            "complete_multipart_upload",
            UploadId="absent",
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": '"0123"'}]},
        ),
        refused("NoSuchUpload", 404),
        both(model("s3", "CompleteMultipartUpload"), ERRORS),
    ),
]

READ_ROWS = [
    Row(
        "get-if-match-other",
        on_object("get_object", IfMatch='"0123"'),
        refused("PreconditionFailed", 412),
        both(model("s3", "GetObject"), ERRORS),
    ),
    Row(
        "get-if-none-match-same",
        on_object("get_object", IfNoneMatch=ref(1, "ETag")),
        refused("304", 304),
        model("s3", "GetObject"),
    ),
    Row(
        "copy-if-match-other",
        on_object("copy_object", Key="copy", CopySource="c-<n>/k", CopySourceIfMatch='"0123"'),
        FAILED,
        COPIES,
    ),
    Row(
        "copy-if-none-match-same",
        on_object("copy_object", Key="copy", CopySource="c-<n>/k", CopySourceIfNoneMatch=ref(1, "ETag")),
        FAILED,
        COPIES,
    ),
    Row(
        "copy-if-none-match-same-without-quotes",
        on_object(
            "copy_object", Key="copy", CopySource="c-<n>/k", CopySourceIfNoneMatch="f97c5d29941bfb1b2fdab0874906ab82"
        ),
        FAILED,
        COPIES,
    ),
    Row(
        "copy-if-match-same",
        on_object("copy_object", Key="copy", CopySource="c-<n>/k", CopySourceIfMatch=ref(1, "ETag")),
        accepted(),
        COPIES,
    ),
]

ABSENT_QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:absent-<n>"
ABSENT_FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:absent-<n>"
CREATED = ["s3:ObjectCreated:*"]
UNREACHABLE = refused("InvalidArgument", 400, "Unable to validate the following destination configurations")
NO_ARN = refused("InvalidArgument", 400, "The ARN could not be parsed")


def notified(skip: bool = False, **configuration: Any) -> tuple[Call, ...]:
    more = {"SkipDestinationValidation": True} if skip else {}
    return on_bucket("put_bucket_notification_configuration", NotificationConfiguration=configuration, **more)


NOTIFICATION_ROWS = [
    Row(
        "notification-to-no-function",
        notified(LambdaFunctionConfigurations=[{"LambdaFunctionArn": ABSENT_FUNCTION, "Events": CREATED}]),
        UNREACHABLE,
        TO_FUNCTIONS,
    ),
    Row(
        "notification-to-no-function-arn",
        notified(LambdaFunctionConfigurations=[{"LambdaFunctionArn": "invalid", "Events": CREATED}]),
        NO_ARN,
        TO_FUNCTIONS,
    ),
    Row(
        "notification-to-no-function-unchecked",
        notified(True, LambdaFunctionConfigurations=[{"LambdaFunctionArn": ABSENT_FUNCTION, "Events": CREATED}]),
        accepted(),
        TO_FUNCTIONS,
    ),
    Row(
        "notification-to-no-queue",
        notified(QueueConfigurations=[{"QueueArn": ABSENT_QUEUE, "Events": CREATED}]),
        UNREACHABLE,
        recorded(TO_QUEUES, "test_invalid_sqs_arn"),
    ),
    Row(
        "notification-to-no-queue-arn",
        notified(QueueConfigurations=[{"QueueArn": "invalid", "Events": CREATED}]),
        NO_ARN,
        recorded(TO_QUEUES, "test_invalid_sqs_arn"),
    ),
    Row(
        "notification-to-no-queue-unchecked",
        notified(True, QueueConfigurations=[{"QueueArn": ABSENT_QUEUE, "Events": CREATED}]),
        accepted(),
        recorded(TO_QUEUES, "test_invalid_sqs_arn"),
    ),
    Row(
        "notification-filtered-by-neither-prefix-nor-suffix",
        notified(
            QueueConfigurations=[
                {
                    "QueueArn": ABSENT_QUEUE,
                    "Events": CREATED,
                    "Filter": {"Key": {"FilterRules": [{"Name": "INVALID", "Value": "x"}]}},
                }
            ]
        ),
        refused("InvalidArgument", 400, "filter rule name must be either prefix or suffix"),
        recorded(TO_QUEUES, "test_bucket_notification_with_invalid_filter_rules"),
    ),
]

ROWS = [*PUT_ROWS, *COMPLETE_ROWS, *READ_ROWS, *NOTIFICATION_ROWS]
