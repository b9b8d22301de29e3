"""Listings and many small objects in one request: signed and judged as any other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from lakectl.local.athena import many_objects
from lakectl.local.athena.access import Access
from lakectl.local.control import Endpoint
from lakectl.local.iam.credentials import Keys

BUCKET = "many-objects"


@pytest.fixture(scope="module")
def access(endpoint: Endpoint, client: Callable[..., Any]) -> Iterator[Access]:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": endpoint.region})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for number in range(7):
        s3.put_object(Bucket=BUCKET, Key=f"a/ü {number}%.csv", Body=bytes([number]) * number)
    s3.put_object(Bucket=BUCKET, Key="b/x", Body=b"x")
    s3.delete_object(Bucket=BUCKET, Key="a/ü 3%.csv")
    yield Access(endpoint.url, endpoint.region, Keys(endpoint.access_key_id, endpoint.secret_access_key))
    versions = s3.list_object_versions(Bucket=BUCKET)
    for each in [*versions["Versions"], *versions["DeleteMarkers"]]:
        s3.delete_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)


def test_a_listing_is_that_of_s3(access: Access, client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    found = client("s3").list_objects_v2(Bucket=BUCKET, Prefix="a/")["Contents"]
    wanted = [(each["Key"], each["ETag"], each["Size"]) for each in found]
    assert list(many_objects.listing(access, BUCKET, "a/")) == wanted
    assert len(wanted) == 6  # deleted ones are not there
    monkeypatch.setattr(many_objects, "_ask", lambda *_: None)
    assert list(many_objects.listing(access, BUCKET, "a/")) == wanted


def test_bytes_come_in_order(access: Access) -> None:
    paths = [f"s3://{BUCKET}/a/ü {number}%.csv" for number in (6, 0, 2)]
    assert list(many_objects.fetch(access, paths)) == [
        (path, bytes([number]) * number) for path, number in zip(paths, (6, 0, 2), strict=True)
    ]


def test_places_are_those_of_the_bytes(access: Access) -> None:
    paths = [f"s3://{BUCKET}/a/ü {number}%.csv" for number in (6, 2)]
    near = many_objects.near(access, paths[1], f"s3://{BUCKET}/a/")
    assert list(near) == [f"s3://{BUCKET}/a/ü {number}%.csv" for number in (2, 4, 5, 6)]  # none before it
    for path, place in many_objects.places(access, paths).items():
        assert near[path] == place
        data = b"".join(Path(name).read_bytes()[start : start + size] for name, start, size in place)
        assert data == dict(many_objects.fetch(access, [path]))[path]
    assert many_objects.places(access, [f"s3://{BUCKET}/a/ü 3%.csv"]) == {}
    wrong = Access(access.endpoint_url, access.region, Keys(access.keys.access_key_id, "wrong"))
    assert many_objects.places(wrong, paths) == {}
    assert many_objects.near(wrong, paths[1], f"s3://{BUCKET}/a/") == {}


def test_what_is_not_there_is_s3s_own_error(access: Access) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        list(many_objects.fetch(access, [f"s3://{BUCKET}/b/x", f"s3://{BUCKET}/a/ü 3%.csv"]))
    with pytest.raises(ClientError, match="NoSuchBucket"):
        list(many_objects.listing(access, "no-such-bucket-here", ""))


def test_other_keys_are_refused(access: Access) -> None:
    wrong = Access(access.endpoint_url, access.region, Keys(access.keys.access_key_id, "wrong"))
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        list(many_objects.listing(wrong, BUCKET, ""))


@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        (None, {"listing": [BUCKET, ""]}),  # anonymous
        ({"listing": [BUCKET, "a"]}, {"listing": [BUCKET, ""]}),  # another body than was signed
        ({"objects": [[BUCKET, 1]]}, {"objects": [[BUCKET, 1]]}),
        ({"objects": [[BUCKET, "x"]] * 501}, {"objects": [[BUCKET, "x"]] * 501}),
        ([], []),
    ],
)
def test_a_request_that_is_not_signed_or_not_understood_is_refused(access: Access, signed: Any, sent: Any) -> None:
    headers: dict[str, str] = {}
    url = access.endpoint_url + many_objects.ADDRESS
    if signed is not None:
        request = AWSRequest("POST", url, data=json.dumps(signed).encode())
        keys = Credentials(access.keys.access_key_id, access.keys.secret_access_key)
        S3SigV4Auth(keys, "s3", access.region).add_auth(request)
        headers = dict(request.prepare().headers.items())
    body = json.dumps(sent).encode()
    headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(url, data=body, headers=headers, method="POST"))  # noqa: S310 - the endpoint
    assert caught.value.code in (400, 403)
    assert b"<Code>" in caught.value.read()
