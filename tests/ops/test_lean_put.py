"""Small puts without boto3: signed as boto3 signs, and boto3's whenever something is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from faults.recording_proxy import Call, Proxy, xml_error
from lakes import open_test_lake, tear_down

from lakectl.aws import Aws
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.landing import land, lean_put
from lakectl.ops.landing.lean_put import LeanPut

DAY = date(2025, 10, 4)
FILE = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n1,24/07/2025,7,9,2,1.50,web\n"


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    lake = open_test_lake(endpoint)
    assert provision.up(lake, provision.plan(lake, ("create-buckets",)), lambda _: None).ok
    yield lake
    tear_down(lake)


@pytest.fixture
def proxy(endpoint: Endpoint) -> Iterator[Proxy]:
    proxy = Proxy(endpoint.url)
    yield proxy
    proxy.close()


@pytest.fixture
def proxied(lake: Lake, proxy: Proxy, endpoint: Endpoint) -> Lake:
    session = boto3.Session(endpoint.access_key_id, endpoint.secret_access_key, region_name=endpoint.region)
    return Lake(lake.config, lake.project, Aws(session, endpoint.region, proxy.url))


def land_one(lake: Lake, tmp_path: Path, batch: str) -> land.Landed:
    path = tmp_path / "orders.csv"
    path.write_text(FILE)
    (landed,) = land.land(lake, land.prepare(lake.config, [path]), DAY, batch)
    return landed


def versions(lake: Lake, landed: land.Landed) -> list[str]:
    found = lake.client("s3").list_object_versions(Bucket=landed.bucket, Prefix=landed.key).get("Versions", [])
    return [version["VersionId"] for version in found]


@pytest.mark.parametrize("token", [None, "a/session+token=="])
def test_the_signature_is_the_one_of_botocore(token: str | None) -> None:
    keys = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    path = "/bucket/retail/orders/ingest_date%3D2025-10-04/batch%3D0001/a%20b%2Bc~%C3%A9.csv"
    headers = {"host": "127.0.0.1:5000", "content-type": "text/csv", "if-none-match": "*", "x-amz-meta-sha256": "ab"}
    now = datetime.now(UTC)
    signed = lean_put.signed("PUT", path, headers, keys.get_frozen_credentials(), "eu-west-1", now)
    request = AWSRequest("PUT", f"http://127.0.0.1:5000{path}", headers=headers, data=b"")
    request.context["timestamp"] = signed["x-amz-date"]
    request.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
    request.headers["X-Amz-Date"] = signed["x-amz-date"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    theirs = S3SigV4Auth(keys, "s3", "eu-west-1")
    text = theirs.string_to_sign(request, theirs.canonical_request(request))
    assert signed["authorization"].endswith(f"Signature={theirs.signature(text, request)}")
    assert signed.get("x-amz-security-token") == token


def test_one_request_lands_a_small_file_as_boto3_would(
    lake: Lake, proxied: Lake, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lean = land_one(proxied, tmp_path, "0001")
    (put,) = proxy.writes
    assert put.operation.startswith("PUT")
    monkeypatch.setattr(LeanPut, "to", lambda _: None)
    plain = land_one(proxied, tmp_path, "0002")
    assert versions(lake, lean) == [lean.version_id]
    ours, theirs = (
        lake.client("s3").head_object(Bucket=each.bucket, Key=each.key, ChecksumMode="ENABLED")
        for each in (lean, plain)
    )
    for same in ("ETag", "ChecksumSHA256", "ContentType", "ContentLength", "Metadata"):
        assert ours[same] == theirs[same], same


def test_after_a_failure_or_a_lost_answer_boto3_goes_on(
    lake: Lake, proxied: Lake, proxy: Proxy, tmp_path: Path
) -> None:
    def fail_first(call: Call) -> Any:
        return xml_error("SlowDown", "Please reduce your request rate.", 503) if call.write_number == 1 else None

    proxy.before = fail_first
    landed = land_one(proxied, tmp_path, "0003")
    assert (landed.outcome, versions(lake, landed)) == ("landed", [landed.version_id])
    proxy.before = lambda _: None
    proxy.forget()
    proxy.after = lambda call: call.write_number == 1
    landed = land_one(proxied, tmp_path, "0004")
    assert (landed.outcome, versions(lake, landed)) == ("already", [landed.version_id])


def test_an_endpoint_that_refuses_it_is_not_asked_again(proxied: Lake, proxy: Proxy, tmp_path: Path) -> None:
    def refuse_lean(call: Call) -> Any:
        return xml_error("SignatureDoesNotMatch", "no", 403) if call.write_number == 1 else None

    proxy.before = refuse_lean
    for number in range(3):
        (tmp_path / f"{number}.csv").write_text(FILE.replace("1,24", f"{number},24"))
    files = land.prepare(proxied.config, [tmp_path], "orders", batch="auto")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(land, "SMALL_AT_ONCE", 1)
        landed = land.land(proxied, files, date(2025, 10, 5), "auto")
    assert [each.outcome for each in landed] == ["landed"] * 3
    assert len(proxy.writes) == 4


def test_it_is_for_plain_endpoints_without_a_proxy_only(monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session("a", "b", region_name="eu-west-1")
    for url in (None, "https://s3.eu-west-1.amazonaws.com", "http://127.0.0.1:5000/below"):
        assert LeanPut.to(Aws(session, "eu-west-1", url)) is None
    assert LeanPut.to(Aws(session, "eu-west-1", "http://192.0.2.1:5000")) is not None
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.2:3128")
    assert LeanPut.to(Aws(session, "eu-west-1", "http://192.0.2.1:5000")) is None
