"""S3: names, places, limits, versions, tags."""

from __future__ import annotations

from typing import Any

from lakectl.contract.sources import S3MOCK, both, model, page, recorded, reported
from lakectl.contract.table import REGION, Call, Row, accepted, call, ref, refused

GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"
NAMES = page(GUIDE + "bucketnamingrules.html")
ERRORS = page("https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html")
BAD_NAME = both(NAMES, model("s3", "Error"))
API_TESTS = "s3/test_s3_api.snapshot.json"
VERSIONS = recorded(API_TESTS, "TestS3ObjectCRUD::test_delete_object_versioned")
# Its tests run against S3 itself too.
VERSITY = "verified against AWS: https://github.com/versity/versitygw/blob/main/tests/test_rest_put_bucket_tagging.sh"
RANGES = recorded(API_TESTS, "TestS3ObjectCRUD::test_get_object_range")
OWNER = both(model("s3", "PutObject", "GetObject", "ListObjectsV2", "DeleteBucket", "CopyObject"), ERRORS)

HERE = {"LocationConstraint": REGION}
BUCKET = call("s3", "create_bucket", Bucket="c-<n>", CreateBucketConfiguration=HERE)
OBJECT = call("s3", "put_object", Bucket="c-<n>", Key="k", Body=b"one")
VERSIONED = call("s3", "put_bucket_versioning", Bucket="c-<n>", VersioningConfiguration={"Status": "Enabled"})
DELETED = call("s3", "delete_object", Bucket="c-<n>", Key="k")
STRANGER = "111122223333"


def named(name: str) -> tuple[Call, ...]:
    return (call("s3", "create_bucket", Bucket=name, CreateBucketConfiguration=HERE),)


def on_bucket(operation: str, **parameters: Any) -> tuple[Call, ...]:
    return (BUCKET, call("s3", operation, Bucket="c-<n>", **parameters))


def on_object(operation: str, **parameters: Any) -> tuple[Call, ...]:
    return (BUCKET, OBJECT, call("s3", operation, Bucket="c-<n>", **({"Key": "k"} | parameters)))


def after_delete(operation: str, **parameters: Any) -> tuple[Call, ...]:
    """Of a versioned object that was deleted: call 2 wrote it, call 3 made the delete marker."""
    return (BUCKET, VERSIONED, OBJECT, DELETED, call("s3", operation, Bucket="c-<n>", Key="k", **parameters))


def tagged(tags: list[dict[str, str]]) -> tuple[Call, ...]:
    return on_bucket("put_bucket_tagging", Tagging={"TagSet": tags})


INVALID_NAME = refused("InvalidBucketName", 400)
NAME_ROWS = [
    Row("bucket-name-capitals", named("Upper-<n>"), INVALID_NAME, BAD_NAME),
    Row("bucket-name-two-characters", named("ab"), INVALID_NAME, BAD_NAME),
    Row("bucket-name-64-characters", named("x" * 64), INVALID_NAME, BAD_NAME),
    Row("bucket-name-underscore", named("a_b-<n>"), INVALID_NAME, BAD_NAME),
    Row("bucket-name-two-dots", named("a..b-<n>"), INVALID_NAME, BAD_NAME),
    Row("bucket-name-like-an-ip-address", named("192.168.5.4"), INVALID_NAME, BAD_NAME),
    Row("bucket-name-begins-with-hyphen", named("-a<n>"), INVALID_NAME, BAD_NAME),
    Row("bucket-name-ends-with-hyphen", named("a<n>-"), INVALID_NAME, BAD_NAME),
    Row("bucket-name-prefix-xn", named("xn--<n>"), INVALID_NAME, BAD_NAME),
    Row("bucket-name-suffix-s3alias", named("a<n>-s3alias"), INVALID_NAME, BAD_NAME),
]

BUCKET_ROWS = [
    Row(
        "bucket-without-a-place-outside-us-east-1",
        (call("s3", "create_bucket", Bucket="c-<n>"),),
        refused("IllegalLocationConstraintException", 400),
        ERRORS,
    ),
    Row(
        "bucket-in-another-region-than-the-endpoint",
        (call("s3", "create_bucket", Bucket="c-<n>", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}),),
        refused("IllegalLocationConstraintException", 400),
        ERRORS,
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
        both(ERRORS, model("s3", "BucketLocationConstraint")),
    ),
    Row(
        "own-bucket-again",
        (BUCKET, BUCKET),
        refused("BucketAlreadyOwnedByYou", 409),
        model("s3", "BucketAlreadyOwnedByYou"),
    ),
    Row(
        "own-bucket-again-in-us-east-1",
        (call("s3", "create_bucket", region="us-east-1", Bucket="c-<n>"),) * 2,
        accepted(),
        model("s3", "BucketAlreadyOwnedByYou"),
    ),
    Row(
        "bucket-not-empty",
        (BUCKET, OBJECT, call("s3", "delete_bucket", Bucket="c-<n>")),
        refused("BucketNotEmpty", 409, "The bucket you tried to delete is not empty"),
        recorded(API_TESTS, "TestS3BucketCRUD::test_delete_bucket_with_objects"),
    ),
    Row(
        "bucket-with-a-delete-marker-alone-is-not-empty",
        (
            BUCKET,
            VERSIONED,
            OBJECT,
            DELETED,
            call("s3", "delete_object", Bucket="c-<n>", Key="k", VersionId=ref(2, "VersionId")),
            call("s3", "delete_bucket", Bucket="c-<n>"),
        ),
        refused("BucketNotEmpty", 409, "You must delete all versions in the bucket."),
        recorded(API_TESTS, "TestS3BucketCRUD::test_delete_versioned_bucket_with_objects"),
    ),
    Row(
        "bucket-absent",
        (call("s3", "list_objects_v2", Bucket="absent-<n>"),),
        refused("NoSuchBucket", 404),
        model("s3", "NoSuchBucket", "ListObjectsV2"),
    ),
    Row(
        "bucket-policy-no-json",
        on_bucket("put_bucket_policy", Policy="no"),
        refused("MalformedPolicy", 400, "Policies must be valid JSON and the first byte must be '{'"),
        both(reported("aws/aws-cli#2779", "versity/versitygw#965"), ERRORS),
    ),
]

OBJECT_ROWS = [
    Row(
        "key-absent",
        on_object("get_object", Key="absent"),
        refused("NoSuchKey", 404, "The specified key does not exist."),
        VERSIONS,
    ),
    Row(
        "key-1025-bytes",
        on_bucket("put_object", Key="k" * 1025, Body=b""),
        refused("KeyTooLongError", 400),
        both(ERRORS, page(GUIDE + "object-keys.html")),
    ),
    Row(
        "key-absent-deleted",
        on_bucket("delete_object", Key="absent"),
        accepted(),
        recorded(API_TESTS, "TestS3ObjectCRUD::test_delete_object"),
    ),
    Row("deleted-object", after_delete("get_object"), refused("NoSuchKey", 404), VERSIONS),
    Row(
        "delete-marker-got",
        after_delete("get_object", VersionId=ref(3, "VersionId")),
        refused("MethodNotAllowed", 405, "The specified method is not allowed against this resource."),
        VERSIONS,
    ),
    Row(
        "version-before-the-delete-marker",
        after_delete("get_object", VersionId=ref(2, "VersionId")),
        accepted(ContentLength=3),
        VERSIONS,
    ),
    Row(
        "version-deleted",
        (
            BUCKET,
            VERSIONED,
            OBJECT,
            call("s3", "delete_object", Bucket="c-<n>", Key="k", VersionId=ref(2, "VersionId")),
            call("s3", "get_object", Bucket="c-<n>", Key="k", VersionId=ref(2, "VersionId")),
        ),
        refused("NoSuchVersion", 404, "The specified version does not exist."),
        VERSIONS,
    ),
    Row(
        "delete-1001-keys",
        on_bucket("delete_objects", Delete={"Objects": [{"Key": str(number)} for number in range(1001)]}),
        refused("MalformedXML", 400, "did not validate against our published schema"),
        both(reported("aws/aws-sdk-java#1293", "boto/boto3#3297"), model("s3", "DeleteObjects")),
    ),
    Row(
        "delete-objects-that-are-absent",
        on_bucket("delete_objects", Delete={"Objects": [{"Key": "absent"}]}),
        accepted(Deleted__0__Key="absent"),
        recorded(API_TESTS, "TestS3ObjectCRUD::test_delete_objects"),
    ),
    Row(
        "owner-a-stranger-put",
        on_bucket("put_object", Key="k", Body=b"", ExpectedBucketOwner=STRANGER),
        refused("AccessDenied", 403),
        OWNER,
    ),
    Row(
        "owner-a-stranger-get",
        on_object("get_object", ExpectedBucketOwner=STRANGER),
        refused("AccessDenied", 403),
        OWNER,
    ),
    Row(
        "owner-a-stranger-list",
        on_bucket("list_objects_v2", ExpectedBucketOwner=STRANGER),
        refused("AccessDenied", 403),
        OWNER,
    ),
    Row(
        "owner-a-stranger-delete-bucket",
        on_bucket("delete_bucket", ExpectedBucketOwner=STRANGER),
        refused("AccessDenied", 403),
        OWNER,
    ),
    Row(
        "owner-of-the-copied-a-stranger",
        on_object("copy_object", Key="copy", CopySource="c-<n>/k", ExpectedSourceBucketOwner=STRANGER),
        refused("AccessDenied", 403),
        OWNER,
    ),
    Row(
        "owner-no-account",
        on_bucket("list_objects_v2", ExpectedBucketOwner="12"),
        refused("InvalidBucketOwnerAWSAccountID", 400),
        ERRORS,
    ),
    Row(
        "copy-onto-itself-unchanged",
        on_object("copy_object", CopySource="c-<n>/k"),
        refused("InvalidRequest", 400, "This copy request is illegal because it is trying to copy an object to itself"),
        f"verified against AWS: {S3MOCK}CopyObjectIT.kt copy object fails with same bucket and key",
    ),
    Row(
        "copy-of-an-absent-key",
        on_bucket("copy_object", Key="copy", CopySource="c-<n>/absent"),
        refused("NoSuchKey", 404, "The specified key does not exist."),
        f"verified against AWS: {S3MOCK}CopyObjectIT.kt copy object fails with non existing source key",
    ),
    Row(
        "get-range-beyond-the-end",
        on_object("get_object", Range="bytes=100-200"),
        refused("InvalidRange", 416, "The requested range is not satisfiable"),
        RANGES,
    ),
    Row(
        "get-range-of-the-last-0-bytes", on_object("get_object", Range="bytes=-0"), refused("InvalidRange", 416), RANGES
    ),
    Row(
        "get-range-past-the-end",
        on_object("get_object", Range="bytes=0-100"),
        accepted(ContentRange="bytes 0-2/3"),
        RANGES,
    ),
]

TAG_ROWS = [
    Row(
        "bucket-tag-twice",
        tagged([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]),
        refused("InvalidTag", 400, "Cannot provide multiple Tags with the same key"),
        both(VERSITY, ERRORS),
    ),
    Row("bucket-tag-aws-prefix", tagged([{"Key": "aws:a", "Value": "1"}]), refused("InvalidTag", 400), ERRORS),
    Row("bucket-tag-key-129", tagged([{"Key": "k" * 129, "Value": "1"}]), refused("InvalidTag", 400), ERRORS),
    Row("bucket-tag-value-257", tagged([{"Key": "k", "Value": "v" * 257}]), refused("InvalidTag", 400), ERRORS),
    Row(
        "bucket-tags-51",
        tagged([{"Key": f"k{number}", "Value": ""} for number in range(51)]),
        refused("BadRequest", 400, "Bucket tag count cannot be greater than 50"),
        VERSITY,
    ),
    Row(
        "bucket-without-tags",
        on_bucket("get_bucket_tagging"),
        refused("NoSuchTagSet", 404, "The TagSet does not exist"),
        recorded(API_TESTS, "TestS3BucketObjectTagging::test_bucket_tagging_crud"),
    ),
    Row(
        "object-tags-11",
        on_object(
            "put_object_tagging", Tagging={"TagSet": [{"Key": f"k{number}", "Value": ""} for number in range(11)]}
        ),
        refused("BadRequest", 400, "Object tags cannot be greater than 10"),
        both(
            reported("hashicorp/terraform-provider-aws#41747", "hashicorp/terraform-provider-aws#19895"),
            model("s3", "PutObjectTagging"),
        ),
    ),
]

ROWS = [*NAME_ROWS, *BUCKET_ROWS, *OBJECT_ROWS, *TAG_ROWS]
