"""S3: names, places, limits, conditions, tags, notifications."""

from __future__ import annotations

from contract_table import REGION, Call, Row, accepted, call, ref, refused

GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"
API = "https://docs.aws.amazon.com/AmazonS3/latest/API/"
NAMES = GUIDE + "bucketnamingrules.html"
CREATE = API + "API_CreateBucket.html"
ERRORS = API + "ErrorResponses.html"
OWNER = GUIDE + "bucket-owner-condition.html"
WRITES = GUIDE + "conditional-writes.html"
READS = GUIDE + "conditional-reads.html"
TAGS = GUIDE + "tagging-managing.html"
FILTERS = GUIDE + "notification-how-to-filtering.html"
NOTIFY = API + "API_PutBucketNotificationConfiguration.html"

HERE = {"LocationConstraint": REGION}
BUCKET = call("s3", "create_bucket", Bucket="c-<n>", CreateBucketConfiguration=HERE)
OBJECT = call("s3", "put_object", Bucket="c-<n>", Key="k", Body=b"one")
QUEUE = call("sqs", "create_queue", QueueName="q-<n>")
ABSENT_FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:absent-<n>"
STRANGER = "111122223333"


def named(name: str) -> tuple[Call, ...]:
    return (call("s3", "create_bucket", Bucket=name, CreateBucketConfiguration=HERE),)


def on_bucket(operation: str, **parameters: object) -> tuple[Call, ...]:
    return (BUCKET, call("s3", operation, Bucket="c-<n>", **parameters))


def on_object(operation: str, **parameters: object) -> tuple[Call, ...]:
    return (BUCKET, OBJECT, call("s3", operation, Bucket="c-<n>", **({"Key": "k"} | parameters)))


def tagged(tags: list[dict[str, str]]) -> tuple[Call, ...]:
    return on_bucket("put_bucket_tagging", Tagging={"TagSet": tags})


def notified(**configuration: object) -> tuple[Call, ...]:
    return on_bucket("put_bucket_notification_configuration", NotificationConfiguration=configuration)


# The object is there before the upload begins: a write in between may be 409 ConditionalRequestConflict instead.
UPLOAD = (
    BUCKET,
    OBJECT,
    call("s3", "create_multipart_upload", Bucket="c-<n>", Key="k"),
    call("s3", "upload_part", Bucket="c-<n>", Key="k", UploadId=ref(2, "UploadId"), PartNumber=1, Body=b"part"),
)
COMPLETE = {
    "Bucket": "c-<n>",
    "Key": "k",
    "UploadId": ref(2, "UploadId"),
    "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": ref(3, "ETag")}]},
}

ROWS = [
    Row("bucket-name-capitals", named("Upper-<n>"), refused("InvalidBucketName", 400), NAMES),
    Row("bucket-name-two-characters", named("ab"), refused("InvalidBucketName", 400), NAMES),
    Row("bucket-name-64-characters", named("x" * 64), refused("InvalidBucketName", 400), NAMES),
    Row("bucket-name-underscore", named("a_b-<n>"), refused("InvalidBucketName", 400), NAMES),
    Row("bucket-name-two-dots", named("a..b-<n>"), refused("InvalidBucketName", 400), NAMES),
    Row("bucket-name-like-an-ip-address", named("192.168.5.4"), refused("InvalidBucketName", 400), NAMES),
    Row("bucket-name-begins-with-hyphen", named("-a<n>"), refused("InvalidBucketName", 400), NAMES),
    Row("bucket-name-ends-with-hyphen", named("a<n>-"), refused("InvalidBucketName", 400), NAMES),
    Row("bucket-name-prefix-xn", named("xn--<n>"), refused("InvalidBucketName", 400), NAMES),
    Row("bucket-name-suffix-s3alias", named("a<n>-s3alias"), refused("InvalidBucketName", 400), NAMES),
    Row(
        "bucket-without-a-place-outside-us-east-1",
        (call("s3", "create_bucket", Bucket="c-<n>"),),
        refused("IllegalLocationConstraintException", 400),
        CREATE,
    ),
    Row(
        "bucket-in-another-region-than-the-endpoint",
        (call("s3", "create_bucket", Bucket="c-<n>", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}),),
        refused("IllegalLocationConstraintException", 400),
        CREATE,
    ),
    Row(
        "us-east-1-is-no-location-constraint",
        (
            call(
                "s3",
                "create_bucket",
                region="us-east-1",
                Bucket="c-<n>",
                CreateBucketConfiguration={"LocationConstraint": "us-east-1"},
            ),
        ),
        refused("InvalidLocationConstraint", 400),
        CREATE,
    ),
    Row("own-bucket-again", (BUCKET, BUCKET), refused("BucketAlreadyOwnedByYou", 409), CREATE),
    Row(
        "own-bucket-again-in-us-east-1",
        (call("s3", "create_bucket", region="us-east-1", Bucket="c-<n>"),) * 2,
        accepted(),
        CREATE,
    ),
    Row(
        "bucket-not-empty",
        (BUCKET, OBJECT, call("s3", "delete_bucket", Bucket="c-<n>")),
        refused("BucketNotEmpty", 409),
        ERRORS,
    ),
    Row("bucket-absent", (call("s3", "list_objects_v2", Bucket="absent-<n>"),), refused("NoSuchBucket", 404), ERRORS),
    Row("key-absent", on_object("get_object", Key="absent"), refused("NoSuchKey", 404), ERRORS),
    Row("key-1025-bytes", on_bucket("put_object", Key="k" * 1025, Body=b""), refused("KeyTooLongError", 400), ERRORS),
    Row(
        "delete-1001-keys",
        on_bucket("delete_objects", Delete={"Objects": [{"Key": str(number)} for number in range(1001)]}),
        refused("MalformedXML", 400),
        API + "API_DeleteObjects.html",
    ),
    Row("delete-no-keys", on_bucket("delete_objects", Delete={"Objects": []}), refused("MalformedXML", 400), ERRORS),
    Row(
        "owner-is-a-stranger-put",
        on_bucket("put_object", Key="k", Body=b"", ExpectedBucketOwner=STRANGER),
        refused("AccessDenied", 403),
        OWNER,
    ),
    Row(
        "owner-is-a-stranger-get",
        on_object("get_object", ExpectedBucketOwner=STRANGER),
        refused("AccessDenied", 403),
        OWNER,
    ),
    Row(
        "owner-is-a-stranger-list",
        on_bucket("list_objects_v2", ExpectedBucketOwner=STRANGER),
        refused("AccessDenied", 403),
        OWNER,
    ),
    Row(
        "owner-is-a-stranger-delete-bucket",
        on_bucket("delete_bucket", ExpectedBucketOwner=STRANGER),
        refused("AccessDenied", 403),
        OWNER,
    ),
    Row(
        "owner-of-the-copied-is-a-stranger",
        on_object("copy_object", Key="copy", CopySource="c-<n>/k", ExpectedSourceBucketOwner=STRANGER),
        refused("AccessDenied", 403),
        OWNER,
    ),
    Row(
        "owner-is-no-account",
        on_bucket("list_objects_v2", ExpectedBucketOwner="12"),
        refused("InvalidBucketOwnerAWSAccountID", 400),
        ERRORS,
    ),
    Row(
        "put-if-absent-present",
        on_object("put_object", Body=b"", IfNoneMatch="*"),
        refused("PreconditionFailed", 412),
        WRITES,
    ),
    Row("put-if-absent-absent", on_bucket("put_object", Key="k", Body=b"", IfNoneMatch="*"), accepted(), WRITES),
    Row(
        "put-if-match-other",
        on_object("put_object", Body=b"", IfMatch='"0123"'),
        refused("PreconditionFailed", 412),
        WRITES,
    ),
    Row("put-if-match-same", on_object("put_object", Body=b"", IfMatch=ref(1, "ETag")), accepted(), WRITES),
    Row(
        "put-if-match-absent",
        on_bucket("put_object", Key="k", Body=b"", IfMatch='"0123"'),
        refused("NoSuchKey", 404),
        WRITES,
    ),
    Row(
        "put-if-none-match-a-tag",
        on_object("put_object", Body=b"", IfNoneMatch='"0123"'),
        refused("NotImplemented", 501),
        API + "API_PutObject.html",
    ),
    Row(
        "complete-if-absent-present",
        (*UPLOAD, call("s3", "complete_multipart_upload", **COMPLETE, IfNoneMatch="*")),
        refused("PreconditionFailed", 412),
        WRITES,
    ),
    Row(
        "complete-if-match-other",
        (*UPLOAD, call("s3", "complete_multipart_upload", **COMPLETE, IfMatch='"0123"')),
        refused("PreconditionFailed", 412),
        WRITES,
    ),
    Row(
        "complete-unknown-upload",
        on_object("complete_multipart_upload", UploadId="absent", MultipartUpload={"Parts": []}),
        refused("NoSuchUpload", 404),
        ERRORS,
    ),
    Row("get-if-match-other", on_object("get_object", IfMatch='"0123"'), refused("PreconditionFailed", 412), READS),
    Row("get-if-none-match-same", on_object("get_object", IfNoneMatch=ref(1, "ETag")), refused("304", 304), READS),
    Row(
        "copy-if-match-other",
        on_object("copy_object", Key="copy", CopySource="c-<n>/k", CopySourceIfMatch='"0123"'),
        refused("PreconditionFailed", 412),
        READS,
    ),
    Row(
        "copy-if-none-match-same",
        on_object("copy_object", Key="copy", CopySource="c-<n>/k", CopySourceIfNoneMatch=ref(1, "ETag")),
        refused("PreconditionFailed", 412),
        READS,
    ),
    Row(
        "copy-onto-itself-unchanged",
        on_object("copy_object", CopySource="c-<n>/k"),
        refused("InvalidRequest", 400),
        API + "API_CopyObject.html",
    ),
    Row("get-range-beyond-the-end", on_object("get_object", Range="bytes=100-"), refused("InvalidRange", 416), ERRORS),
    Row(
        "bucket-tag-twice",
        tagged([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]),
        refused("InvalidTag", 400),
        ERRORS,
    ),
    Row("bucket-tag-aws-prefix", tagged([{"Key": "aws:a", "Value": "1"}]), refused("InvalidTag", 400), ERRORS),
    Row("bucket-tag-key-129", tagged([{"Key": "k" * 129, "Value": "1"}]), refused("InvalidTag", 400), ERRORS),
    Row("bucket-tag-value-257", tagged([{"Key": "k", "Value": "v" * 257}]), refused("InvalidTag", 400), ERRORS),
    Row(
        "bucket-tags-51",
        tagged([{"Key": f"k{number}", "Value": ""} for number in range(51)]),
        refused("BadRequest", 400),
        TAGS,
    ),
    Row(
        "object-tags-11",
        on_object(
            "put_object_tagging", Tagging={"TagSet": [{"Key": f"k{number}", "Value": ""} for number in range(11)]}
        ),
        refused("BadRequest", 400),
        GUIDE + "object-tagging.html",
    ),
    Row(
        "notification-to-no-function",
        notified(
            LambdaFunctionConfigurations=[{"LambdaFunctionArn": ABSENT_FUNCTION, "Events": ["s3:ObjectCreated:*"]}]
        ),
        refused("InvalidArgument", 400, "Unable to validate the following destination configurations"),
        NOTIFY,
    ),
    Row(
        "notification-to-no-queue",
        notified(
            QueueConfigurations=[
                {"QueueArn": f"arn:aws:sqs:{REGION}:123456789012:absent-<n>", "Events": ["s3:ObjectCreated:*"]}
            ]
        ),
        refused("InvalidArgument", 400, "Unable to validate the following destination configurations"),
        NOTIFY,
    ),
    Row(
        "notification-to-no-topic",
        notified(
            TopicConfigurations=[
                {"TopicArn": f"arn:aws:sns:{REGION}:123456789012:absent-<n>", "Events": ["s3:ObjectCreated:*"]}
            ]
        ),
        refused("InvalidArgument", 400, "Unable to validate the following destination configurations"),
        NOTIFY,
    ),
    Row(
        "notification-of-no-event",
        notified(
            QueueConfigurations=[
                {"QueueArn": f"arn:aws:sqs:{REGION}:123456789012:absent-<n>", "Events": ["s3:ObjectEaten"]}
            ]
        ),
        refused("InvalidArgument", 400),
        NOTIFY,
    ),
    Row("bucket-policy-no-json", on_bucket("put_bucket_policy", Policy="{"), refused("MalformedPolicy", 400), ERRORS),
    Row(
        "list-more-than-1000",
        on_bucket("list_objects_v2", MaxKeys=5000),
        accepted(MaxKeys=1000),
        API + "API_ListObjectsV2.html",
    ),
]
