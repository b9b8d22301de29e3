"""Signatures are verified: who doesn't know the secret is refused, however the request is signed."""

from __future__ import annotations

import hashlib
import hmac
import http.client
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import raw_requests
from botocore.auth import SigV4Auth
from botocore.config import Config
from botocore.exceptions import ClientError
from local_helpers import REGION
from raw_requests import Answer, own, with_secret

from lakectl.local.control import Endpoint
from lakectl.ops.landing.lean_put import signed as lean_signed

BUCKET = "signed-bucket"
CHUNKED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


@pytest.fixture(scope="module", autouse=True)
def bucket(client: Any) -> None:
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3").put_object(Bucket=BUCKET, Key="k", Body=b"hidden", ContentType="text/html")


def code_of(answer: Answer) -> str:
    if "<Code>" in answer.body:
        return answer.body.split("<Code>")[1].split("</Code>")[0]
    return answer.headers.get("x-amzn-errortype", "")


WRONG = {
    "s3": ("GET", f"/{BUCKET}/k", b"", {}, "SignatureDoesNotMatch"),
    "sts": ("POST", "/", b"Action=GetCallerIdentity", {"Content_Type": raw_requests.FORM}, "SignatureDoesNotMatch"),
    "dynamodb": (
        "POST",
        "/",
        b"{}",
        {"Content_Type": "application/x-amz-json-1.0", "X_Amz_Target": "DynamoDB_20120810.ListTables"},
        "InvalidSignatureException",
    ),
    "lambda": ("GET", "/2015-03-31/functions/", b"", {}, "InvalidSignatureException"),
}


@pytest.mark.parametrize("service", WRONG)
def test_another_secret_is_refused(endpoint: Endpoint, service: str) -> None:
    """Item 20: a known key id alone opens nothing."""
    method, target, body, headers, code = WRONG[service]
    sender = own(endpoint)
    assert sender.send(service, method, target, body, **headers).status == 200
    answer = with_secret(sender, "x" * 40).send(service, method, target, body, **headers)
    assert (answer.status, code_of(answer)) == (403 if service != "dynamodb" else 400, code), answer


def test_keys_of_a_role_and_of_a_user_are_verified_too(client: Any, endpoint: Endpoint, unique: str) -> None:
    """Item 20: the secrets that IAM gave out."""
    client("iam").create_user(UserName=f"signs-{unique}")
    keys = client("iam").create_access_key(UserName=f"signs-{unique}")["AccessKey"]

    def who(secret: str) -> str:
        sts = boto3.client(
            "sts",
            endpoint_url=endpoint.url,
            region_name=REGION,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=secret,
        )
        return str(sts.get_caller_identity()["Arn"])

    assert who(keys["SecretAccessKey"]).endswith(f"user/signs-{unique}")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        who("x" * 40)


def test_what_was_signed_can_not_be_changed(endpoint: Endpoint) -> None:
    """Item 20: path, query, body and the x-amz headers are covered."""
    sender, host = own(endpoint), {"host": f"127.0.0.1:{endpoint.port}"}
    headers = sender.signed("s3", "PUT", f"/{BUCKET}/changed", b"as signed")
    other_body = raw_requests.send(endpoint, "PUT", f"/{BUCKET}/changed", b"not signed", headers)
    assert (other_body.status, code_of(other_body)) == (400, "XAmzContentSHA256Mismatch"), other_body
    headers = sender.signed("s3", "PUT", f"/{BUCKET}/changed", b"as signed", host)
    for target in (f"/{BUCKET}/other", f"/{BUCKET}/changed?acl"):
        answer = raw_requests.send(endpoint, "PUT", target, b"as signed", headers)
        assert (answer.status, code_of(answer)) == (403, "SignatureDoesNotMatch"), answer
    more = {**headers, "x-amz-acl": "public-read"}
    answer = raw_requests.send(endpoint, "PUT", f"/{BUCKET}/changed", b"as signed", more)
    assert (answer.status, "headers present in the request which were not signed" in answer.body) == (403, True)
    form = {"Content_Type": raw_requests.FORM}

    def other(found: dict[str, str]) -> None:
        found["X-Amz-Date"] = found["X-Amz-Date"][:-2] + "0Z"

    assert sender.send("sts", body=b"Action=GetCallerIdentity", change=other, **form).status in (200, 403)
    signed = sender.signed("sts", "POST", "/", b"Action=GetCallerIdentity", {"Content-Type": raw_requests.FORM})
    answer = raw_requests.send(endpoint, "POST", "/", b"Action=GetSessionToken", signed)
    assert (answer.status, code_of(answer)) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_wrong_is_named(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    """Item 20: a recorded request can't be sent again a quarter of an hour later."""
    import botocore.auth

    def shifted() -> datetime:
        return datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=minutes)

    monkeypatch.setattr(botocore.auth, "get_current_datetime", shifted)
    answer = own(endpoint).send("s3", "GET", f"/{BUCKET}/k")
    assert (answer.status, code_of(answer)) == (403, "RequestTimeTooSkewed"), answer
    answer = own(endpoint).send("sts", body=b"Action=GetCallerIdentity", Content_Type=raw_requests.FORM)
    assert (answer.status, code_of(answer)) == (403, "SignatureDoesNotMatch"), answer
    assert ("Signature expired" if minutes < 0 else "Signature not yet current") in answer.body


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_url_holds_until_it_expires(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """Item 20: a presigned URL of 2020 opened what it named."""
    import botocore.auth

    def client(secret: str = endpoint.secret_access_key) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=endpoint.url,
            region_name=REGION,
            aws_access_key_id=endpoint.access_key_id,
            aws_secret_access_key=secret,
            config=Config(signature_version=version),
        )

    def get(url: str, method: str = "GET") -> Answer:
        host = {"host": f"127.0.0.1:{endpoint.port}"}
        return raw_requests.send(endpoint, method, url.removeprefix(endpoint.url), b"", host)

    named = {"Bucket": BUCKET, "Key": "k"}
    url = client().generate_presigned_url("get_object", named, ExpiresIn=60)
    assert (get(url).status, get(url).body) == (200, "hidden")
    assert code_of(get(url, "DELETE")) == "SignatureDoesNotMatch"
    assert code_of(get(url.replace("/k?", "/other?"))) == "SignatureDoesNotMatch"
    answer = get(client("x" * 40).generate_presigned_url("get_object", named))
    assert (answer.status, code_of(answer)) == (403, "SignatureDoesNotMatch"), answer
    long_ago = datetime(2020, 1, 1)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: long_ago)
    monkeypatch.setattr(botocore.auth.time, "time", lambda: long_ago.replace(tzinfo=UTC).timestamp())
    answer = get(client().generate_presigned_url("get_object", named, ExpiresIn=60))
    assert (answer.status, "Request has expired" in answer.body) == (403, True), answer


def chunk_signature(key: bytes, moment: str, scope: str, previous: str, data: bytes) -> str:
    empty = hashlib.sha256(b"").hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", moment, scope, previous, empty, hashlib.sha256(data).hexdigest()])
    return hmac.digest(key, text.encode(), "sha256").hex()


def in_chunks(
    endpoint: Endpoint, chunks: list[bytes], *, spoil: int | None = None, length: int | None = None
) -> Answer:
    """PutObject as the AWS SDK for Java 1 sends it [S3 API, "Signature calculations for the Authorization header:
    Transferring payload in multiple chunks"]; ``spoil`` is the chunk whose data is changed after signing.
    """
    size = sum(map(len, chunks)) if length is None else length
    headers = {
        "x-amz-content-sha256": CHUNKED,
        "x-amz-decoded-content-length": str(size),
        "content-encoding": "aws-chunked",
        "host": f"127.0.0.1:{endpoint.port}",
    }
    from botocore.awsrequest import AWSRequest

    class Signer(SigV4Auth):
        def _normalize_url_path(self, path: str) -> str:
            return path

    sender = own(endpoint)
    request = AWSRequest("PUT", f"{endpoint.url}/{BUCKET}/chunks", headers=headers, data=b"")
    signer = Signer(sender.keys, "s3", REGION)
    signer.add_auth(request)
    moment = request.context["timestamp"]
    scope = f"{moment[:8]}/{REGION}/s3/aws4_request"
    key = f"AWS4{endpoint.secret_access_key}".encode()
    for part in (moment[:8], REGION, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    previous = request.headers["Authorization"].rpartition("Signature=")[2]
    body = b""
    for number, data in enumerate([*chunks, b""]):
        previous = chunk_signature(key, moment, scope, previous, data)
        sent = data[::-1] if number == spoil else data
        body += b"%x;chunk-signature=%s\r\n%s\r\n" % (len(data), previous.encode(), sent)
    return raw_requests.send(endpoint, "PUT", f"/{BUCKET}/chunks", body, dict(request.headers.items()))


def test_each_chunk_of_a_signed_stream_is_verified(client: Any, endpoint: Endpoint) -> None:
    """Item 20: STREAMING-AWS4-HMAC-SHA256-PAYLOAD."""
    chunks = [b"ab" * 40_000, b"cd" * 10, b"e"]
    assert in_chunks(endpoint, chunks).status == 200
    found = client("s3").get_object(Bucket=BUCKET, Key="chunks")
    assert found["Body"].read() == b"".join(chunks)
    assert "aws-chunked" not in found.get("ContentEncoding", "")
    for spoiled in (0, 1):
        answer = in_chunks(endpoint, chunks, spoil=spoiled)
        assert (answer.status, code_of(answer)) == (403, "SignatureDoesNotMatch"), answer
    for length in (10, 10**6):
        answer = in_chunks(endpoint, chunks, length=length)
        assert (answer.status, code_of(answer)) == (400, "IncompleteBody"), answer


def test_a_trailing_checksum_is_compared(endpoint: Endpoint) -> None:
    """Item 20: STREAMING-UNSIGNED-PAYLOAD-TRAILER, as botocore and the AWS SDK for Java 2 send it."""

    def put(trailer: bytes) -> Answer:
        headers = {
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": "5",
            "x-amz-trailer": "x-amz-checksum-crc32",
            "content-encoding": "aws-chunked",
            "host": f"127.0.0.1:{endpoint.port}",
        }
        from botocore.awsrequest import AWSRequest

        request = AWSRequest("PUT", f"{endpoint.url}/{BUCKET}/trailer", headers=headers, data=b"")
        SigV4Auth(own(endpoint).keys, "s3", REGION).add_auth(request)
        body = b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n"
        return raw_requests.send(endpoint, "PUT", f"/{BUCKET}/trailer", body, dict(request.headers.items()))

    assert put(b"x-amz-checksum-crc32:NhCmhg==").status == 200
    assert code_of(put(b"x-amz-checksum-crc32:AAAAAA==")) == "BadDigest"
    assert code_of(put(b"x-amz-other:AAAAAA==")) == "MalformedTrailerError"


def test_the_programs_own_puts_hold(endpoint: Endpoint) -> None:
    sender = own(endpoint)
    path, body = f"/{BUCKET}/lean~%20%C3%A9=1", b"x"
    host = {"host": f"127.0.0.1:{endpoint.port}", "content-length": "1"}
    frozen = sender.keys.get_frozen_credentials()
    headers = lean_signed("PUT", path, host, frozen, REGION, datetime.now(UTC))
    assert raw_requests.send(endpoint, "PUT", path, body, headers).status == 200


@pytest.mark.parametrize("target", ["/moto-api/reset", "/moto-api/data.json", "/moto-api/", "/favicon.ico"])
def test_the_ways_into_moto_are_closed(client: Any, endpoint: Endpoint, target: str) -> None:
    """Item 20: /moto-api/reset emptied the endpoint."""
    for service in ("s3", "iam"):
        for method in ("GET", "POST"):
            assert own(endpoint).send(service, method, target).status in (400, 403, 404, 405, 411)
    host = {"host": f"127.0.0.1:{endpoint.port}"}
    assert raw_requests.send(endpoint, "POST", target, b"", host).status == 403
    assert client("s3").get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"hidden"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "s3.eu-west-1.amazonaws.com", ""])
def test_another_host_is_refused(endpoint: Endpoint, host: str) -> None:
    """Item 20: a name that resolves to 127.0.0.1 is not this endpoint's."""
    answer = raw_requests.send(endpoint, "GET", "/_lakectl/health", b"", {"host": host} if host else {})
    assert answer.status in (400, 403)


def test_two_hosts_are_refused(endpoint: Endpoint) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port)
    connection.putrequest("GET", "/", skip_host=True)
    connection.putheader("Host", "localhost")
    connection.putheader("Host", "evil.example")
    connection.endheaders()
    assert connection.getresponse().status in (400, 403)


def test_stored_html_does_not_run_in_the_endpoints_origin(endpoint: Endpoint) -> None:
    """Item 20: a browser that opens an object puts it into a sandbox, and does not guess what it is."""
    answer = own(endpoint).send("s3", "GET", f"/{BUCKET}/k")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_both_kinds_of_authentication_at_once_are_refused(endpoint: Endpoint) -> None:
    """Item 20: which of the two would be judged?"""
    answer = own(endpoint).send("s3", "GET", f"/{BUCKET}/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a")
    assert (answer.status, code_of(answer)) == (400, "InvalidArgument"), answer
