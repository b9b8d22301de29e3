"""Keys with characters that XML has no place for: listed as S3 lists them, with and without ``EncodingType=url``."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from local_helpers import REGION
from raw_requests import own

from lakectl.aws import Aws
from lakectl.local.control import Endpoint
from lakectl.resources import bucket as bucket_resource

KEYS = ["a/\x01/b", "carriage\rreturn", "note\x01.txt", "percent%41+ é~", "\x7f\ufffe"]


@pytest.fixture
def bucket(client: Any, unique: str) -> str:
    name, s3 = f"control-{unique}", client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for key in KEYS:
        s3.put_object(Bucket=name, Key=key, Body=b"x")
    return name


def test_every_listing_names_every_key(client: Any, bucket: str) -> None:
    """Item 15: ListObjectVersions was 500 with one such key in the bucket. boto3 asks for EncodingType=url itself."""
    s3 = client("s3")
    assert sorted(each["Key"] for each in s3.list_objects(Bucket=bucket)["Contents"]) == sorted(KEYS)
    assert sorted(each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]) == sorted(KEYS)
    assert sorted(each["Key"] for each in s3.list_object_versions(Bucket=bucket)["Versions"]) == sorted(KEYS)
    for key in KEYS:
        s3.delete_object(Bucket=bucket, Key=key)
    assert sorted(each["Key"] for each in s3.list_object_versions(Bucket=bucket)["DeleteMarkers"]) == sorted(KEYS)


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_object_versions"])
def test_the_echo_of_the_request_is_encoded_too(client: Any, bucket: str, operation: str) -> None:
    """Item 15: prefix, delimiter, markers and common prefixes."""
    answer = getattr(client("s3"), operation)(Bucket=bucket, Prefix="a/\x01", Delimiter="\x01")
    prefix = "a/%01" if operation == "list_objects" else "a/\x01"  # boto3 does not decode it there
    assert (answer["Prefix"], answer["Delimiter"]) == (prefix, "\x01")
    assert "CommonPrefixes" not in answer or answer["CommonPrefixes"] == []
    answer = getattr(client("s3"), operation)(Bucket=bucket, Prefix="a", Delimiter="\x01")
    assert answer["CommonPrefixes"] == [{"Prefix": "a/\x01"}]


def test_pages_go_on_after_such_a_key(client: Any, bucket: str) -> None:
    """Item 15: the markers of the next page."""
    for operation, field in (
        ("list_objects", "Contents"),
        ("list_objects_v2", "Contents"),
        ("list_object_versions", "Versions"),
    ):
        pages = client("s3").get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
        assert [each["Key"] for page in pages for each in page.get(field, [])] == sorted(KEYS)


def test_uploads_are_listed(client: Any, endpoint: Endpoint, bucket: str) -> None:
    """Item 15: ListMultipartUploads, for which boto3 does not ask for the encoding."""
    begun = own(endpoint).send("s3", "POST", f"/{bucket}/up%01load?uploads")
    assert (begun.status, "<Key>up&#x1;load</Key>" in begun.body) == (200, True)  # boto3 can't read it, as on AWS
    answer = client("s3").list_multipart_uploads(Bucket=bucket, EncodingType="url")
    assert (answer["EncodingType"], answer["Uploads"][0]["Key"]) == ("url", "up%01load")


@pytest.mark.parametrize("query", ["", "?list-type=2", "?versions"])
def test_without_the_encoding_they_are_character_references(endpoint: Endpoint, bucket: str, query: str) -> None:
    """Item 15: S3 writes what XML 1.0 can't hold as a reference, which XML 1.0's parsers refuse [S3 API reference,
    ListObjectsV2, "encoding-type"].
    """
    answer = own(endpoint).send("s3", "GET", f"/{bucket}{query}")
    assert (answer.status, "<Key>note&#x1;.txt</Key>" in answer.body) == (200, True), answer.body
    assert "carriage&#xD;return" in answer.body
    assert not any(character in answer.body for character in "\x01\r")


def test_such_a_key_can_not_be_deleted_with_others(client: Any, bucket: str) -> None:
    """Item 15: boto3's DeleteObjects is no XML then, which S3 refuses; DeleteObject takes the key."""
    with pytest.raises(ClientError, match="MalformedXML"):
        client("s3").delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "note\x01.txt"}]})
    client("s3").delete_object(Bucket=bucket, Key="note\x01.txt")


def test_a_bucket_is_emptied_of_such_keys(client: Any, endpoint: Endpoint, bucket: str) -> None:
    """Item 15: ``down`` exited with 1."""
    own(endpoint).send("s3", "POST", f"/{bucket}/up%01load?uploads")
    keys = {"aws_access_key_id": endpoint.access_key_id, "aws_secret_access_key": endpoint.secret_access_key}
    aws = Aws(boto3.Session(**keys), REGION, endpoint.url)
    assert bucket_resource.empty(aws, bucket) == len(KEYS)
    assert "Versions" not in client("s3").list_object_versions(Bucket=bucket)
    assert "Uploads" not in client("s3").list_multipart_uploads(Bucket=bucket)
