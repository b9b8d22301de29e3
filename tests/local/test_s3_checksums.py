"""Checksums of S3's objects: compared when bytes arrive, kept with parts and copies, told when they are asked for."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Callable
from typing import Any

import anycrc
import boto3
import pytest
import raw_requests
from boto3.s3.transfer import TransferConfig
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from local_helpers import REGION

from lakectl.local.control import Endpoint

PART = 5 * 2**20
SIZES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8}
MODELS = {"CRC32": "CRC32", "CRC32C": "CRC32-ISCSI", "CRC64NVME": "CRC64-NVME"}
BODY = bytes(range(256)) * (9 * 2**12)  # 9 MB


def crc(algorithm: str, data: bytes) -> str:
    value = anycrc.Model(MODELS[algorithm]).calc(data)
    return base64.b64encode(value.to_bytes(SIZES[algorithm], "big")).decode()


@pytest.fixture(scope="module")
def bucket(client: Callable[..., Any]) -> str:
    name = "checksums"
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def upload(s3: Any, bucket: str, key: str, parts: dict[str, Any], **begin: Any) -> dict[str, Any]:
    """The parameters of CompleteMultipartUpload for two parts, each uploaded with ``parts``."""
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key=key, **begin)["UploadId"]
    listed = []
    for number, data in enumerate((BODY[:PART], BODY[PART:]), 1):
        sums = {name: crc(name.removeprefix("Checksum"), data) for name in parts}
        put = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=data, **sums)
        listed.append({"PartNumber": number, "ETag": put["ETag"], **sums})
    return {"Bucket": bucket, "Key": key, "UploadId": upload_id, "MultipartUpload": {"Parts": listed}}


def read(s3: Any, bucket: str, key: str) -> dict[str, Any]:
    """The headers of the object, whose bytes botocore has compared with its checksum."""
    found = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert found["Body"].read() == BODY
    told: dict[str, Any] = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert {name: told[name] for name in told if name.startswith("Checksum")} == {
        name: found[name] for name in found if name.startswith("Checksum")
    }
    return told


def test_a_copy_of_an_upload_in_parts_is_one_piece_and_can_be_read(client: Any, bucket: str) -> None:
    s3 = client("s3")
    s3.upload_fileobj(io.BytesIO(BODY), bucket, "parts", Config=TransferConfig(multipart_threshold=PART))
    told = read(s3, bucket, "parts")
    assert told["ETag"].endswith('-2"')
    assert (told["ChecksumType"], told["ChecksumCRC32"][-2:]) == ("COMPOSITE", "-2")
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/parts")["CopyObjectResult"]
    told = read(s3, bucket, "copy")
    whole = base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
    assert (told["ChecksumType"], told["ChecksumCRC32"], copied["ChecksumCRC32"]) == ("FULL_OBJECT", whole, whole)
    assert (told["ETag"], copied["ETag"]) == (copied["ETag"], s3.put_object(Bucket=bucket, Key="o", Body=BODY)["ETag"])


@pytest.mark.parametrize("algorithm", SIZES)
def test_a_checksum_of_the_full_object_is_that_of_all_bytes(client: Any, bucket: str, algorithm: str) -> None:
    s3, name = client("s3"), f"Checksum{algorithm}"
    complete = upload(s3, bucket, algorithm, {name: 0}, ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
    with pytest.raises(ClientError, match="BadDigest"):
        s3.complete_multipart_upload(**complete, **{name: crc(algorithm, b"others")})
    done = s3.complete_multipart_upload(**complete, **{name: crc(algorithm, BODY)}, ChecksumType="FULL_OBJECT")
    assert (done[name], done["ChecksumType"]) == (crc(algorithm, BODY), "FULL_OBJECT")
    assert s3.head_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")[name] == crc(algorithm, BODY)


def test_an_object_whose_client_gives_no_checksum_has_crc64nvme(endpoint: Endpoint, bucket: str) -> None:
    quiet = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=REGION,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        config=Config(request_checksum_calculation="when_required"),
    )
    assert quiet.put_object(Bucket=bucket, Key="none", Body=BODY)["ChecksumCRC64NVME"] == crc("CRC64NVME", BODY)
    done = quiet.complete_multipart_upload(**upload(quiet, bucket, "none-in-parts", {}))
    assert (done["ChecksumCRC64NVME"], done["ChecksumType"]) == (crc("CRC64NVME", BODY), "FULL_OBJECT")


@pytest.mark.parametrize(
    ("begin", "change", "code"),
    [
        ({"ChecksumAlgorithm": "CRC32C"}, {"ChecksumCRC32C": None}, "InvalidRequest"),
        ({"ChecksumAlgorithm": "CRC32C"}, {"ChecksumCRC32C": crc("CRC32C", b"others")}, "InvalidPart"),
    ],
)
def test_the_parts_of_a_composite_checksum_have_to_agree(
    client: Any, bucket: str, begin: dict[str, str], change: dict[str, Any], code: str
) -> None:
    s3 = client("s3")
    complete = upload(s3, bucket, "composite", {"ChecksumCRC32C": 0}, **begin)
    part = complete["MultipartUpload"]["Parts"][1]
    right = dict(part)
    part |= change
    complete["MultipartUpload"]["Parts"][1] = {name: value for name, value in part.items() if value}
    with pytest.raises(ClientError, match=code):
        s3.complete_multipart_upload(**complete)
    complete["MultipartUpload"]["Parts"][1] = right
    assert s3.complete_multipart_upload(**complete)["ChecksumCRC32C"].endswith("-2")


def test_a_part_with_another_checksum_than_the_upload_is_refused(client: Any, bucket: str) -> None:
    s3 = client("s3")
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="other", ChecksumAlgorithm="SHA256")["UploadId"]
    with pytest.raises(ClientError, match="expected checksum Type: sha256, actual checksum Type: crc32"):
        s3.upload_part(Bucket=bucket, Key="other", UploadId=upload_id, PartNumber=1, Body=b"x")


@pytest.mark.parametrize("algorithm", SIZES)
def test_bytes_that_are_not_what_their_header_says_are_refused(client: Any, bucket: str, algorithm: str) -> None:
    s3 = client("s3")
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket=bucket, Key="w", Body=b"abc", **{f"Checksum{algorithm}": crc(algorithm, b"abd")})
    with pytest.raises(ClientError, match=f"Value for x-amz-checksum-{algorithm.lower()} header is invalid"):
        s3.put_object(Bucket=bucket, Key="w", Body=b"abc", **{f"Checksum{algorithm}": "AAAA"})


@pytest.mark.parametrize("algorithm", SIZES)
def test_bytes_that_are_not_what_their_trailer_says_are_refused(
    endpoint: Endpoint, client: Any, bucket: str, algorithm: str
) -> None:
    name, path = f"x-amz-checksum-{algorithm.lower()}", f"/{bucket}/trailer"
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": "3",
        "x-amz-trailer": name,
        "content-encoding": "aws-chunked",
        "host": f"127.0.0.1:{endpoint.port}",
    }
    for data, status in ((b"abc", 200), (b"abd", 400)):
        request = AWSRequest("PUT", f"{endpoint.url}{path}", headers=headers, data=b"")
        SigV4Auth(Credentials(endpoint.access_key_id, endpoint.secret_access_key), "s3", REGION).add_auth(request)
        body = b"3\r\nabc\r\n0\r\n%s:%s\r\n\r\n" % (name.encode(), crc(algorithm, data).encode())
        answer = raw_requests.send(endpoint, "PUT", path, body, dict(request.headers.items()))
        assert (answer.status, "BadDigest" in answer.body) == (status, status == 400)
    told = client("s3").head_object(Bucket=bucket, Key="trailer", ChecksumMode="ENABLED")
    assert told[f"Checksum{algorithm}"] == crc(algorithm, b"abc")
