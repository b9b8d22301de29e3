"""Listings and many small objects in one request: signed and judged as any other."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
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
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.object_files import ObjectFile, ObjectFiles
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


def test_the_bytes_are_where_it_is_said(access: Access) -> None:
    paths = [f"s3://{BUCKET}/a/ü {number}%.csv" for number in (6, 0, 2)]
    found = many_objects.places(access, paths)
    assert found == {path: many_objects.place(access, path) for path in paths}
    assert [ObjectFile(found[path], lambda _: None).read() for path in paths] == [b"\6" * 6, b"", b"\2\2"]


def test_no_place_is_told_of_what_is_not_there_or_may_not_be_read(access: Access) -> None:
    gone = f"s3://{BUCKET}/a/ü 3%.csv"
    assert many_objects.places(access, [f"s3://{BUCKET}/b/x", gone]) == {}
    with pytest.raises(ClientError, match="404"):
        many_objects.place(access, gone)
    wrong = Access(access.endpoint_url, access.region, Keys(access.keys.access_key_id, "wrong"))
    with pytest.raises(ClientError, match="403"):
        many_objects.place(wrong, f"s3://{BUCKET}/b/x")


def test_an_object_in_parts_is_read_as_one_and_to_its_end_though_it_is_deleted(
    access: Access, client: Callable[..., Any]
) -> None:
    s3, part = client("s3"), 5 << 20
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    target = {"Bucket": BUCKET, "Key": "parts", "UploadId": upload}
    bodies = [bytes([number]) * (part + number) for number in (1, 2)] + [b"end"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**target, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(bodies, 1)
    ]
    version = s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})["VersionId"]
    counted: list[int] = []
    file = ObjectFile(many_objects.place(access, f"s3://{BUCKET}/parts"), counted.append)
    s3.delete_object(Bucket=BUCKET, Key="parts", VersionId=version)
    whole = b"".join(bodies)
    for begin, length in ((0, 10), (part - 2, 9), (2 * part, 100), (len(whole) - 2, 50), (len(whole) + 5, 1)):
        assert file.seek(begin) == begin
        assert file.read(length) == whole[begin : begin + length]
    file.seek(0)
    assert file.read() == whole
    assert sum(counted) == len(whole) + 10 + 9 + 6 + 2


def test_looking_for_what_is_not_there_is_no_failure_of_the_query(access: Access) -> None:
    files = ObjectFiles()
    files.use(access)
    assert not files.exists(f"s3://{BUCKET}/nothing")
    assert files.exists(f"s3://{BUCKET}/b/x")
    assert files.failure is None
    with pytest.raises(QueryError, match="nothing"):
        files.open(f"s3://{BUCKET}/nothing")
    assert files.failure is not None


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


def test_a_connection_that_has_ended_is_opened_again(access: Access) -> None:
    path = f"s3://{BUCKET}/a/ü 6%.csv"
    assert list(many_objects.fetch(access, [path])) == [(path, bytes([6]) * 6)]
    many_objects._OPEN.connection.sock.shutdown(socket.SHUT_RDWR)  # as the endpoint closes one that nobody uses
    assert list(many_objects.fetch(access, [path])) == [(path, bytes([6]) * 6)]


def test_files_beside_one_that_is_read_are_asked_for_with_it(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def places(_: Access, paths: list[str]) -> dict[str, many_objects.Place]:
        asked.append(paths)
        return {path: many_objects.Place(()) for path in paths}

    monkeypatch.setattr(many_objects, "places", places)
    files = ObjectFiles()
    files.use(access)
    known = tuple(f"s3://{BUCKET}/{number}.parquet" for number in range(100))
    files.expect(lambda: (), known)
    for path in known[40:]:
        assert files.size(path) == 0
    assert asked == [list(known[40:56]), list(known[56:88]), list(known[88:])]
    files.use(access)  # another query knows nothing of them
    monkeypatch.setattr(many_objects, "place", lambda *_: many_objects.Place(()))
    files.size(known[0])
    assert len(asked) == 3
