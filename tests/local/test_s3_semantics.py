"""S3 where moto differs from AWS: conditions under concurrency, tags at creation, policies, limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_helpers import REGION

WRITERS = 16


@pytest.fixture
def bucket(client: Callable[..., Any], unique: str) -> str:
    name = f"semantics-{unique}"
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def race(action: Callable[[int], Any]) -> list[str]:
    """The outcome of ``action`` in concurrent threads: "ok" or an error code each."""

    def run(number: int) -> str:
        try:
            action(number)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "ok"

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(run, range(WRITERS)))


def test_if_none_match_lets_one_of_many_put(client: Any, bucket: str) -> None:
    for attempt in range(5):
        outcomes = race(
            lambda n, key=f"once-{attempt}": client("s3").put_object(
                Bucket=bucket, Key=key, Body=str(n).encode(), IfNoneMatch="*"
            )
        )
        assert sorted(outcomes) == ["PreconditionFailed"] * (WRITERS - 1) + ["ok"]


def test_if_none_match_lets_one_of_many_complete_an_upload(client: Any, bucket: str) -> None:
    s3 = client("s3")

    def upload(number: int) -> None:
        upload_id = s3.create_multipart_upload(Bucket=bucket, Key="large")["UploadId"]
        body = str(number).encode()
        part = s3.upload_part(Bucket=bucket, Key="large", UploadId=upload_id, PartNumber=1, Body=body)
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(
            Bucket=bucket, Key="large", UploadId=upload_id, MultipartUpload=parts, IfNoneMatch="*"
        )

    assert sorted(race(upload)) == ["PreconditionFailed"] * (WRITERS - 1) + ["ok"]


def test_concurrent_puts_lose_no_version(client: Any, bucket: str) -> None:
    client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert race(lambda n: client("s3").put_object(Bucket=bucket, Key="k", Body=str(n).encode())) == ["ok"] * WRITERS
    versions = client("s3").list_object_versions(Bucket=bucket)["Versions"]
    assert len(versions) == WRITERS


Seen = list[tuple[str, str]]


def versions_of(
    s3: Any, bucket: str, size: int, between: Callable[[Seen], None] = lambda _: None, **start: Any
) -> Seen:
    """(key, version id) of all, in pages of ``size``; ``between`` gets each page before the next is asked for."""
    found: Seen = []
    marker: dict[str, Any] = start
    while True:
        page = s3.list_object_versions(Bucket=bucket, MaxKeys=size, **marker)
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        entries.sort(key=lambda each: each["Key"])
        found += (new := [(each["Key"], each["VersionId"]) for each in entries])
        if not page["IsTruncated"]:
            return found
        marker = start | {"KeyMarker": page["NextKeyMarker"]}
        if "NextVersionIdMarker" in page:
            marker["VersionIdMarker"] = page["NextVersionIdMarker"]
        between(new)


@pytest.fixture
def versions(client: Any, bucket: str) -> list[tuple[str, str]]:
    """Keys a, b, c with three versions each; (key, version id) as S3 orders them: newest first."""
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    made = [(key, s3.put_object(Bucket=bucket, Key=key, Body=b"x")["VersionId"]) for key in "abc" for _ in range(3)]
    return [each for key in "abc" for each in reversed(made) if each[0] == key]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_pages_of_versions_hold_each_once_though_it_is_deleted_at_once(
    client: Any, bucket: str, versions: list[tuple[str, str]], size: int
) -> None:
    """Who empties a bucket deletes what a page ends with before asking for the next."""
    s3 = client("s3")

    def delete(page: Seen) -> None:
        for key, version in page:
            s3.delete_object(Bucket=bucket, Key=key, VersionId=version)

    assert versions_of(s3, bucket, size) == versions
    assert versions_of(s3, bucket, size, delete) == versions


def test_the_newest_version_is_the_latest_in_whatever_millisecond_it_was_made(client: Any, bucket: str) -> None:
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for _ in range(20):
        newest = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    page = s3.list_object_versions(Bucket=bucket)
    assert (len(page["DeleteMarkers"]), page["Versions"][0]["IsLatest"]) == (20, False)
    assert [each["VersionId"] for each in page["DeleteMarkers"] if each["IsLatest"]] == [newest]


def test_versions_are_listed_under_common_prefixes(client: Any, bucket: str) -> None:
    s3 = client("s3")
    for key in ("a/1", "a/2", "b", "c/1", "d"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    whole = s3.list_object_versions(Bucket=bucket, Delimiter="/")
    assert [each["Prefix"] for each in whole["CommonPrefixes"]] == ["a/", "c/"]
    assert versions_of(s3, bucket, 1, Delimiter="/") == [("b", "null"), ("d", "null")]
    assert versions_of(s3, bucket, 9, Prefix="a/") == [("a/1", "null"), ("a/2", "null")]
    assert versions_of(s3, bucket, 9, KeyMarker="b") == [("c/1", "null"), ("d", "null")]


def test_tags_of_the_create_call_are_kept(client: Any, unique: str) -> None:
    name = f"tagged-{unique}"
    tags = [{"Key": "lakectl:lake", "Value": "demo"}, {"Key": "empty", "Value": ""}]
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION, "Tags": tags})
    assert client("s3").get_bucket_tagging(Bucket=name)["TagSet"] == tags


def statement(bucket: str, action: str, **more: Any) -> str:
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    body = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resources} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [body]})


def test_a_tls_only_policy_does_not_lock_out_loopback(client: Any, bucket: str) -> None:
    policy = statement(bucket, "s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")
    assert client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_a_deny_denies(client: Any, bucket: str) -> None:
    client("s3").put_bucket_policy(Bucket=bucket, Policy=statement(bucket, "s3:PutObject"))
    with pytest.raises(ClientError) as caught:
        client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")
    assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_a_thousand_keys_are_deleted_at_once_and_no_more(client: Any, bucket: str) -> None:
    keys = [{"Key": str(number)} for number in range(1001)]
    client("s3").delete_objects(Bucket=bucket, Delete={"Objects": keys[:1000]})
    with pytest.raises(ClientError, match="MalformedXML"):
        client("s3").delete_objects(Bucket=bucket, Delete={"Objects": keys})


@pytest.mark.parametrize("key", ["a b", "a+b", "a%20b", "ü/ß=1", "a//b", "trailing/"])
def test_odd_keys_come_back_as_they_went(client: Any, bucket: str, key: str) -> None:
    client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    assert [entry["Key"] for entry in client("s3").list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("x-amz-checksum-sha256", "A" * 43 + "=", "BadDigest"),
        ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
        ("Content-MD5", "A" * 22 + "==", "BadDigest"),
    ],
)
def test_a_body_that_is_not_what_its_checksum_says_is_refused(
    client: Any, bucket: str, header: str, value: str, code: str
) -> None:
    s3 = client("s3", fresh=True)

    def wrong(request: Any, **_: Any) -> None:
        del request.headers[header]
        request.headers[header] = value

    s3.meta.events.register("before-sign.s3.PutObject", wrong)
    with pytest.raises(ClientError, match=code) as caught:
        s3.put_object(Bucket=bucket, Key="wrong", Body=b"abc")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)
