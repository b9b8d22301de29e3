"""S3's objects in parts, in pages, with keys of customers, and under a policy of their bucket."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from local_helpers import REGION

from lakectl.local.control import Endpoint

PART = 5 * 2**20
KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.fixture(scope="module")
def s3(client: Callable[..., Any]) -> Any:
    return client("s3")


@pytest.fixture
def bucket(s3: Any, unique: str) -> str:
    name = f"objects-{unique}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def refused(code: str, call: Callable[..., Any], **parameters: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] == code


def test_an_object_is_read_part_by_part(s3: Any, bucket: str) -> None:
    key = {"Bucket": bucket, "Key": "parts"}
    upload = key | {"UploadId": s3.create_multipart_upload(**key, ChecksumAlgorithm="SHA256")["UploadId"]}
    listed = []
    for number, data in ((2, b"a" * PART), (5, b"bc")):
        put = s3.upload_part(**upload, PartNumber=number, Body=data, ChecksumAlgorithm="SHA256")
        listed.append({name: put[name] for name in ("ETag", "ChecksumSHA256")} | {"PartNumber": number})
    page = s3.list_parts(**upload, MaxParts=1)
    assert (page["IsTruncated"], page["NextPartNumberMarker"], page["ChecksumType"]) == (True, 2, "COMPOSITE")
    assert s3.list_parts(**upload, PartNumberMarker=2)["Parts"][0]["ChecksumSHA256"] == listed[1]["ChecksumSHA256"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": listed})
    found = s3.get_object(**key, PartNumber=2, ChecksumMode="ENABLED")
    assert (found["Body"].read(), found["PartsCount"]) == (b"bc", 2)
    assert found["ContentRange"] == f"bytes {PART}-{PART + 1}/{PART + 2}"
    assert s3.head_object(**key, PartNumber=1)["ContentLength"] == PART
    refused("InvalidPartNumber", s3.get_object, **key, PartNumber=3)
    told = s3.get_object_attributes(**key, ObjectAttributes=["Checksum", "ObjectParts", "ObjectSize"])
    assert [part["PartNumber"] for part in told["ObjectParts"]["Parts"]] == [2, 5]
    assert (told["ObjectSize"], told["Checksum"]["ChecksumType"]) == (PART + 2, "COMPOSITE")


def test_a_range_of_another_object_becomes_a_part(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    key = {"Bucket": bucket, "Key": "k"}
    upload = key | {"UploadId": s3.create_multipart_upload(**key, ChecksumAlgorithm="CRC32")["UploadId"]}
    copy = upload | {"CopySource": f"{bucket}/source", "PartNumber": 1}
    refused("InvalidArgument", s3.upload_part_copy, **copy, CopySourceRange="bytes=5-10")
    refused("InvalidArgument", s3.upload_part_copy, **copy, CopySourceRange="5-9")
    refused("PreconditionFailed", s3.upload_part_copy, **copy, CopySourceIfMatch="other")
    result = s3.upload_part_copy(**copy, CopySourceRange="bytes=2-4")["CopyPartResult"]
    part = {name: result[name] for name in ("ETag", "ChecksumCRC32")} | {"PartNumber": 1}
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
    assert s3.get_object(**key)["Body"].read() == b"234"


def test_keys_and_common_prefixes_come_in_one_order_page_by_page(s3: Any, bucket: str) -> None:
    for key in ("a", "b/1", "b/2", "c", "d/1"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    seen: list[str] = []
    asked: dict[str, Any] = {"Bucket": bucket, "Delimiter": "/", "MaxKeys": 1}
    while True:
        page = s3.list_objects_v2(**asked)
        seen += [each["Key"] for each in page.get("Contents", [])]
        seen += [each["Prefix"] for each in page.get("CommonPrefixes", [])]
        if not page["IsTruncated"]:
            break
        asked["ContinuationToken"] = page["NextContinuationToken"]
    assert seen == ["a", "b/", "c", "d/"]
    after = s3.list_objects(Bucket=bucket, Marker="b/11")
    assert [each["Key"] for each in after["Contents"]] == ["b/2", "c", "d/1"]
    refused("InvalidArgument", s3.list_objects_v2, Bucket=bucket, ContinuationToken="none")


def test_uploads_are_listed_page_by_page(s3: Any, bucket: str) -> None:
    begun = [s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in ("a", "a", "b/1", "b/2")]
    first = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=1)
    assert ([each["UploadId"] for each in first["Uploads"]], first["IsTruncated"]) == (begun[:1], True)
    markers = {"KeyMarker": first["NextKeyMarker"], "UploadIdMarker": first["NextUploadIdMarker"]}
    rest = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/", **markers)
    assert [each["UploadId"] for each in rest["Uploads"]] == begun[1:2]
    assert [each["Prefix"] for each in rest["CommonPrefixes"]] == ["b/"]


def test_buckets_are_listed_page_by_page(s3: Any, bucket: str) -> None:
    s3.create_bucket(Bucket=f"{bucket}-2", CreateBucketConfiguration={"LocationConstraint": REGION})
    first = s3.list_buckets(Prefix=bucket, MaxBuckets=1)
    rest = s3.list_buckets(Prefix=bucket, MaxBuckets=1, ContinuationToken=first["ContinuationToken"])
    assert [first["Buckets"][0]["Name"], rest["Buckets"][0]["Name"]] == [bucket, f"{bucket}-2"]
    assert "ContinuationToken" not in rest


def customer(key: bytes, prefix: str = "SSECustomer") -> dict[str, str]:
    return {f"{prefix}Algorithm": "AES256", f"{prefix}Key": key.decode()}


def test_who_has_not_the_customers_key_does_not_get_the_object(s3: Any, bucket: str) -> None:
    key = {"Bucket": bucket, "Key": "secret"}
    put = s3.put_object(**key, Body=b"x", **customer(KEY))
    assert put["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(KEY, usedforsecurity=False).digest()).decode()
    assert "ServerSideEncryption" not in put
    refused("InvalidRequest", s3.get_object, **key)
    refused("AccessDenied", s3.get_object, **key, **customer(OTHER))
    assert s3.get_object(**key, **customer(KEY))["Body"].read() == b"x"
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": f"{bucket}/secret"}
    refused("InvalidRequest", s3.copy_object, **copy)
    s3.copy_object(**copy, **customer(KEY, "CopySourceSSECustomer"))
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"x"
    upload = key | {"UploadId": s3.create_multipart_upload(**key, **customer(KEY))["UploadId"]}
    refused("InvalidRequest", s3.upload_part, **upload, PartNumber=1, Body=b"y")
    part = s3.upload_part(**upload, PartNumber=1, Body=b"y", **customer(KEY))
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    refused("InvalidRequest", s3.get_object, **key)


def test_a_denial_with_a_condition_holds_for_ones_own_keys(s3: Any, bucket: str) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    refused("AccessDenied", s3.put_object, Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="AES256")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    s3.delete_bucket_policy(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")


def test_signature_version_2_holds_for_a_bucket(endpoint: Endpoint, unique: str) -> None:
    older = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=REGION,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        config=Config(signature_version="s3"),
    )
    with pytest.raises(ClientError, match="NoSuchBucket"):
        older.list_objects_v2(Bucket=f"none-{unique}")
