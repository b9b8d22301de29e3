"""No single request takes the endpoint's memory: large bodies go to disk, false sizes and zip bombs are refused."""

from __future__ import annotations

import io
import os
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import raw_requests
from botocore.exceptions import ClientError
from local_helpers import REGION, new_role, zipped
from raw_requests import own

from lakectl.local import control
from lakectl.local.control import Endpoint

MOST_MB = 400
STARTS_WITH_MB = 200
BUCKET = "bounded-bucket"


def peak_mb(endpoint: Endpoint) -> float:
    """The largest resident size that the server had since ``forget_peak``."""
    status = Path(f"/proc/{endpoint.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def forget_peak(endpoint: Endpoint) -> float:
    Path(f"/proc/{endpoint.pid}/clear_refs").write_text("5")
    return peak_mb(endpoint)


@pytest.fixture(scope="module", autouse=True)
def bucket(client: Any) -> None:
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})


class Zeros(io.RawIOBase):
    """So many bytes of nothing, for a client that reads them twice."""

    def __init__(self, size: int) -> None:
        self.size, self.place = size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = offset + (0, self.place, self.size)[whence]
        return self.place

    def tell(self) -> int:
        return self.place

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self.size - self.place)
        buffer[:count] = bytes(count)
        self.place += count
        return count


def test_a_large_object_is_not_held_in_memory(client: Any, endpoint: Endpoint) -> None:
    """Item 17: a PUT took more than twice its size; 1 GB, 2.2 GB."""
    size = 128 * 2**20
    before = forget_peak(endpoint)
    client("s3").put_object(Bucket=BUCKET, Key="large", Body=Zeros(size))
    assert peak_mb(endpoint) - before < 32
    assert client("s3").head_object(Bucket=BUCKET, Key="large")["ContentLength"] == size
    client("s3").delete_object(Bucket=BUCKET, Key="large")


@pytest.mark.long
def test_an_object_of_a_gigabyte_is_not_held_in_memory(client: Any, endpoint: Endpoint) -> None:
    """Item 17, in full."""
    forget_peak(endpoint)
    client("s3").put_object(Bucket=BUCKET, Key="large", Body=Zeros(2**30))
    assert peak_mb(endpoint) < MOST_MB
    client("s3").delete_object(Bucket=BUCKET, Key="large")


@pytest.mark.parametrize("size", [b"ffffffffffffffff", b"-5", b"0x10", b"", b"1" * 100_000, b"5;" + b"x" * 100_000])
def test_a_chunk_of_a_false_size_is_refused(endpoint: Endpoint, size: bytes) -> None:
    """Item 17: memory grew without end for a chunk size of ``ffffffffffffffff``."""
    before = forget_peak(endpoint)
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as connection:
        signed = own(endpoint).signed("s3", "PUT", f"/{BUCKET}/false", b"", {"transfer-encoding": "chunked"})
        head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        connection.sendall(f"PUT /{BUCKET}/false HTTP/1.1\r\n{head}\r\n".encode() + size + b"\r\n")
        try:
            for _ in range(64):
                connection.sendall(bytes(2**20))
            answer = connection.recv(100)
        except ConnectionError:
            answer = b""
    assert answer.startswith(b"HTTP/1.1 400") or not answer
    assert peak_mb(endpoint) - before < 32
    assert own(endpoint).send("s3", "HEAD", f"/{BUCKET}/false").status == 404


def test_an_aws_chunk_of_a_false_size_is_refused(endpoint: Endpoint) -> None:
    """Item 17: the size of an aws-chunked chunk is no better than that of HTTP's."""
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": "5",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "host": f"127.0.0.1:{endpoint.port}",
    }
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    request = AWSRequest("PUT", f"{endpoint.url}/{BUCKET}/false", headers=headers, data=b"")
    SigV4Auth(own(endpoint).keys, "s3", REGION).add_auth(request)
    body = b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n"
    answer = raw_requests.send(endpoint, "PUT", f"/{BUCKET}/false", body, dict(request.headers.items()))
    assert (answer.status, "<Code>IncompleteBody</Code>" in answer.body) == (400, True), answer


def test_bodies_that_are_no_objects_are_bounded(endpoint: Endpoint) -> None:
    """Item 17: a request that no operation takes is not read to its end."""
    before = forget_peak(endpoint)
    body = b"x" * (32 * 2**20)
    for service, target, headers in (
        ("dynamodb", "/", {"X_Amz_Target": "DynamoDB_20120810.PutItem", "Content_Type": "application/x-amz-json-1.0"}),
        ("s3", f"/{BUCKET}?policy", {}),
    ):
        try:
            answer = own(endpoint).send(service, "PUT" if service == "s3" else "POST", target, body, **headers)
        except ConnectionError:
            continue  # closed while the rest was being sent
        assert answer.status in (400, 413), answer
    assert peak_mb(endpoint) - before < 100


def bomb(megabytes: int) -> bytes:
    buffer = io.BytesIO(zipped("def handler(event, context):\n    return 1\n"))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as file:
        for _ in range(megabytes):
            file.write(bytes(2**20))
    return buffer.getvalue()


def test_code_that_unpacks_to_more_than_lambda_takes_is_refused(
    client: Any, deploy: Any, role: str, unique: str
) -> None:
    """Item 17: 250 MB unzipped is what Lambda takes ["Lambda quotas"]; from a request, and from S3."""
    large, told = bomb(251), "Unzipped size must be smaller than 262144000 bytes"
    client("s3").put_object(Bucket=BUCKET, Key="code.zip", Body=large)
    settings = {"Runtime": "python3.12", "Handler": "handler.handler", "Role": role, "FunctionName": f"bomb-{unique}"}
    for code in ({"ZipFile": large}, {"S3Bucket": BUCKET, "S3Key": "code.zip"}):
        with pytest.raises(ClientError, match=told) as caught:
            client("lambda").create_function(**settings, Code=code)
        assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
    name = deploy("def handler(event, context):\n    return 1\n")
    with pytest.raises(ClientError, match=told):
        client("lambda").update_function_code(FunctionName=name, ZipFile=large)
    assert client("lambda").invoke(FunctionName=name)["Payload"].read() == b"1"


def test_the_largest_code_that_lambda_takes_in_a_request(aws: Callable[[str], Any]) -> None:
    """Item 17: the memory that a zip of 48 MB takes on its way through a server of its own."""
    role = new_role(aws("iam"), "large-code")
    endpoint = control.ensure_running()
    buffer = io.BytesIO(zipped("def handler(event, context):\n    return 1\n"))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("noise", os.urandom(2**20) * 48)
    before = forget_peak(endpoint)
    settings = {"Runtime": "python3.12", "Handler": "handler.handler", "Role": role, "FunctionName": "large"}
    aws("lambda").create_function(**settings, Code={"ZipFile": buffer.getvalue()})
    # A server that tests have forked begins with 80 MB more than one that a command starts.
    assert peak_mb(endpoint) - before < MOST_MB - STARTS_WITH_MB
