"""S3's object locks, forms that browsers post, and what new buckets have by themselves."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import raw_requests
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from local_helpers import REGION, Queue

from lakectl.local.control import Endpoint

PART = 5 * 2**20
LATER = datetime.now(UTC) + timedelta(days=2)


@pytest.fixture(scope="module")
def s3(client: Callable[..., Any]) -> Any:
    return client("s3")


@pytest.fixture
def bucket(s3: Any, unique: str) -> str:
    name = f"plain-{unique}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


@pytest.fixture
def locked(s3: Any, unique: str) -> str:
    name, where = f"locked-{unique}", {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
    return name


def refused(code: str, call: Callable[..., Any], **parameters: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    return caught.value


def records_in(queue: Queue, count: int) -> list[Any]:
    """The next ``count`` records, without the test message that S3 sends for each configuration."""
    found: list[Any] = []
    while len(found) < count and (messages := queue.messages(1)):
        found += [record for message in messages for record in message.get("Records", [])]
    return found


def test_a_lock_holds_an_upload_in_parts_and_is_not_weakened(s3: Any, locked: str) -> None:
    key = {"Bucket": locked, "Key": "k"}
    begun = s3.create_multipart_upload(**key, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=LATER)
    upload = key | {"UploadId": begun["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x")
    listed = {"PartNumber": 1, "ETag": part["ETag"]}
    version = {"VersionId": s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [listed]})["VersionId"]}
    told = s3.get_object_retention(**key)["Retention"]
    assert (told["Mode"], abs(told["RetainUntilDate"] - LATER) < timedelta(seconds=1)) == ("COMPLIANCE", True)
    shorter = {"Mode": "COMPLIANCE", "RetainUntilDate": LATER - timedelta(days=1)}
    refused("AccessDenied", s3.put_object_retention, **key, Retention=shorter, BypassGovernanceRetention=True)
    refused("AccessDenied", s3.delete_object, **key, **version, BypassGovernanceRetention=True)
    named = {"Key": "k"} | version
    (error,) = s3.delete_objects(Bucket=locked, Delete={"Objects": [named]}, BypassGovernanceRetention=True)["Errors"]
    assert (error["Key"], error["VersionId"], error["Code"]) == ("k", version["VersionId"], "AccessDenied")


def test_governance_is_bypassed_by_who_says_so(s3: Any, locked: str) -> None:
    key = {"Bucket": locked, "Key": "k"}
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": LATER}
    version = s3.put_object(**key, Body=b"x", **lock)["VersionId"]
    refused("AccessDenied", s3.delete_object, **key, VersionId=version, BypassGovernanceRetention=False)
    s3.delete_object(**key, VersionId=version, BypassGovernanceRetention=True)
    refused("NoSuchKey", s3.get_object_retention, **key)
    s3.put_object(**key, Body=b"x")
    refused("NoSuchObjectLockConfiguration", s3.get_object_retention, **key)
    refused("NoSuchObjectLockConfiguration", s3.get_object_legal_hold, **key)


def test_deleting_what_is_not_there_is_told_and_marked(s3: Any, bucket: str, queue: Queue) -> None:
    configuration = {"QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectRemoved:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    assert "VersionId" not in s3.delete_object(Bucket=bucket, Key="a")
    s3.put_object(Bucket=bucket, Key="b", Body=b"x")
    assert s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}], "Quiet": True}).get("Deleted") is None
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    marker = s3.delete_object(Bucket=bucket, Key="c")
    assert s3.list_object_versions(Bucket=bucket)["DeleteMarkers"][0]["VersionId"] == marker["VersionId"]
    gone = s3.delete_object(Bucket=bucket, Key="c", VersionId=marker["VersionId"])
    assert gone["DeleteMarker"] is True
    records = records_in(queue, 4)
    told = sorted((each["eventName"].partition(":")[2], *sorted(each["s3"]["object"].items())) for each in records)
    names = [(name, [field for field, _ in fields]) for name, *fields in told]
    plain, versioned = ["key", "sequencer"], ["key", "sequencer", "versionId"]
    assert names == [
        ("Delete", plain),
        ("Delete", plain),
        ("Delete", versioned),
        ("DeleteMarkerCreated", ["eTag", *versioned]),
    ]


def test_a_new_bucket_has_todays_defaults(s3: Any, bucket: str) -> None:
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert len(blocked) == 4
    assert all(blocked.values())
    (rule,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rule == {"ObjectOwnership": "BucketOwnerEnforced"}
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    answers = [s3.put_object(Bucket=bucket, Key="k", Body=b"x"), s3.get_object(Bucket=bucket, Key="k")]
    answers += [
        s3.head_object(Bucket=bucket, Key="k"),
        s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/k"),
    ]
    answers.append(s3.create_multipart_upload(Bucket=bucket, Key="m"))
    assert [(each["ServerSideEncryption"], "VersionId" in each) for each in answers] == [("AES256", False)] * 5
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    refused("AccessDenied", s3.put_bucket_policy, Bucket=bucket, Policy=policy)


def form(s3: Any, bucket: str, key: str = "in/${filename}", seconds: int = 60, **more: Any) -> Any:
    return s3.generate_presigned_post(bucket, key, ExpiresIn=seconds, **more)


def post(made: Any, data: bytes = b"hello", **fields: str) -> requests.Response:
    return requests.post(made["url"], data=made["fields"] | fields, files={"file": ("a.txt", data)}, timeout=10)


def code_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


def test_a_form_that_keeps_to_its_policy_makes_the_object(
    endpoint: Endpoint, s3: Any, bucket: str, queue: Queue
) -> None:
    configuration = {"QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    wanted = {"success_action_status": "201", "x-amz-meta-from": "a form", "Content-Type": "text/plain"}
    made = form(s3, bucket, Fields=wanted, Conditions=[{name: value} for name, value in wanted.items()])
    answer = post(made)
    assert (answer.status_code, "<Key>in/a.txt</Key>" in answer.text) == (201, True)
    found = s3.get_object(Bucket=bucket, Key="in/a.txt", ChecksumMode="ENABLED")
    assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (
        b"hello",
        "text/plain",
        {"from": "a form"},
    )
    newer = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=REGION,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        config=Config(signature_version="s3v4"),
    )
    made = form(newer, bucket, "plain")
    assert post(made).status_code == 204
    assert code_of(post(made, **{"x-amz-signature": "0" * 64})) == (403, "SignatureDoesNotMatch")
    names = [record["eventName"] for record in records_in(queue, 2)]
    assert names == ["ObjectCreated:Post"] * 2


@pytest.mark.parametrize(
    ("more", "change", "answered"),
    [
        ({}, {"key": "elsewhere"}, (403, "AccessDenied")),
        ({}, {"x-amz-meta-extra": "1"}, (403, "AccessDenied")),
        ({}, {"signature": "0" * 28}, (403, "SignatureDoesNotMatch")),
        ({}, {"policy": base64.b64encode(b"{}").decode()}, (403, "SignatureDoesNotMatch")),
        ({"Conditions": [["content-length-range", 0, 4]]}, {}, (400, "EntityTooLarge")),
        ({"Conditions": [["content-length-range", 6, 9]]}, {}, (400, "EntityTooSmall")),
        (
            {"Conditions": [["starts-with", "$Content-Type", "image/"]]},
            {"Content-Type": "text/x"},
            (403, "AccessDenied"),
        ),
        ({"seconds": 1}, {}, (403, "AccessDenied")),
    ],
)
def test_a_form_that_breaks_its_policy_makes_nothing(
    s3: Any, bucket: str, more: dict[str, Any], change: dict[str, str], answered: tuple[int, str]
) -> None:
    made = form(s3, bucket, **more)
    if "seconds" in more:
        time.sleep(2.1)
    assert code_of(post(made, **change)) == answered
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_what_is_malformed_is_refused_and_no_failure_of_the_server(s3: Any, bucket: str, endpoint: Endpoint) -> None:
    from botocore.credentials import Credentials

    sender = raw_requests.Sender(endpoint, Credentials(endpoint.access_key_id, endpoint.secret_access_key))
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": ""}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": ""}]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": []})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    refused("MalformedXML", s3.complete_multipart_upload, Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={})
    answer = sender.send("s3", "GET", f"/{bucket}/k", range="0-1")
    assert (answer.status, answer.body) == (200, "hello")
    answer = sender.send("s3", "GET", f"/{bucket}?max-keys=abc")
    assert (answer.status, "<Code>InvalidArgument</Code>" in answer.body) == (400, True)
    for target in ("tagging", "versioning", "lifecycle", "notification", "encryption", "publicAccessBlock"):
        for body, code in ((b"<a><b></a>", "MalformedXML"), (b"<Other/>", "MalformedXML"), (b"", "MissingRequestBody")):
            answer = sender.send("s3", "PUT", f"/{bucket}?{target}", body)
            assert (answer.status, f"<Code>{code}" in answer.body) == (400, True), (target, body, answer)


def test_a_notification_with_an_empty_filter_is_kept(s3: Any, bucket: str, queue: Queue) -> None:
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    assert s3.get_bucket_notification_configuration(Bucket=bucket)["EventBridgeConfiguration"] == {}
    rule = {"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": []}}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [rule]})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert len(records_in(queue, 1)) == 1
