"""Large files: in parts, conditional, resumed and never torn. Requests are counted by a proxy."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from faults.recording_proxy import Call, Proxy, xml_error
from lakes import open_test_lake, tear_down

from lakectl.aws import Aws
from lakectl.errors import LakectlError, UsageError
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.landing import land, upload
from lakectl.ops.landing.upload import PART_BYTES, part_bytes
from lakectl.progress import Moved, unseen

DAY = date(2025, 10, 4)
HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
ROW = "{:09d},24/07/2025,7,9,2,1.50,web\n"
PARTS = 5
SEED = 4


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    lake = open_test_lake(endpoint)
    assert provision.up(lake, provision.plan(lake, ("create-buckets",)), lambda _: None).ok
    yield lake
    tear_down(lake)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somewhat more than four parts."""
    path = tmp_path_factory.mktemp("big") / "orders.csv"
    rows = "".join(ROW.format(n) for n in range((PARTS - 1) * PART_BYTES // len(ROW.format(0)) + 5000))
    path.write_text(HEADER + rows)
    return path


@pytest.fixture(scope="module")
def proxy(endpoint: Endpoint) -> Iterator[Proxy]:
    proxy = Proxy(endpoint.url)
    yield proxy
    proxy.close()


@pytest.fixture
def proxied(lake: Lake, proxy: Proxy, endpoint: Endpoint) -> Lake:
    """The same lake, through the proxy."""
    proxy.before, proxy.after = lambda _: None, lambda _: False
    proxy.forget()
    session = boto3.Session(endpoint.access_key_id, endpoint.secret_access_key, region_name=endpoint.region)
    return Lake(lake.config, lake.project, Aws(session, endpoint.region, proxy.url))


def one(lake: Lake, path: Path, batch: str | None = None, progress: Moved = unseen) -> land.Landed:
    (landed,) = land.land(lake, land.prepare(lake.config, [path], "orders"), DAY, batch, progress=progress)
    return landed


def content(lake: Lake, key: str) -> bytes:
    body: bytes = lake.client("s3").get_object(Bucket=lake.names.raw_bucket, Key=key)["Body"].read()
    return body


def exists(lake: Lake, key: str) -> bool:
    answer = lake.client("s3").list_object_versions(Bucket=lake.names.raw_bucket, Prefix=key)
    assert len(answer.get("Versions", [])) <= 1
    return bool(answer.get("Versions"))


def part_of(call: Call) -> int | None:
    found = re.search(r"partNumber=(\d+)", call.path)
    return int(found[1]) if call.operation.startswith("PUT") and found else None


def test_part_size_depends_on_the_file_size_alone_and_parts_never_exceed_ten_thousand() -> None:
    for size in (PART_BYTES + 1, 10**9, 80 * 2**30, 10**12, 5 * 2**40):
        assert -(-size // part_bytes(size)) <= 10_000
        assert part_bytes(size) % 2**20 == 0
    assert part_bytes(10**9) == PART_BYTES


def test_a_large_file_lands_in_parts_and_the_same_bytes_again_send_none(
    lake: Lake, proxied: Lake, proxy: Proxy, big: Path
) -> None:
    first = one(proxied, big, "0100")
    assert (first.outcome, content(lake, first.key)) == ("landed", big.read_bytes())
    assert sorted(filter(None, map(part_of, proxy.calls))) == [1, 2, 3, 4, 5]
    proxy.forget()
    again = one(proxied, big, "0100")
    assert (again.outcome, again.version_id) == ("already", first.version_id)
    assert proxy.writes == []


def test_other_bytes_under_a_large_files_key_are_refused_before_one_is_sent(
    proxied: Lake, proxy: Proxy, big: Path, tmp_path: Path
) -> None:
    one(proxied, big, "0101")
    other = tmp_path / "orders.csv"
    other.write_bytes(big.read_bytes().replace(b"1.50,web", b"1.60,web"))
    proxy.forget()
    with pytest.raises(LakectlError, match="holds different content") as caught:
        one(proxied, other, "0101")
    assert caught.value.hint is not None
    assert "--source orders --ingest-date 2025-10-04 --batch auto" in caught.value.hint
    assert proxy.writes == []


def test_who_comes_second_while_both_upload_is_refused_at_the_end(
    lake: Lake, proxied: Lake, proxy: Proxy, big: Path
) -> None:
    key = "retail/orders/ingest_date=2025-10-04/batch=0102/orders.csv"

    def put_first(call: Call) -> None:
        if part_of(call) == 3:
            lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=b"theirs", IfNoneMatch="*")

    proxy.before = put_first
    with pytest.raises(LakectlError, match="holds different content"):
        one(proxied, big, "0102")
    assert content(lake, key) == b"theirs"
    assert "Uploads" not in lake.client("s3").list_multipart_uploads(Bucket=lake.names.raw_bucket, Prefix=key)


def test_a_large_object_of_another_program_is_compared_byte_by_byte(lake: Lake, big: Path) -> None:
    s3, key = lake.client("s3"), "retail/orders/ingest_date=2025-10-04/batch=0103/orders.csv"
    s3.upload_file(str(big), lake.names.raw_bucket, key)
    assert "-" in s3.head_object(Bucket=lake.names.raw_bucket, Key=key)["ETag"]
    assert one(lake, big, "0103").outcome == "already"


def test_a_file_that_changes_while_it_is_sent_does_not_land(
    lake: Lake, proxied: Lake, proxy: Proxy, big: Path, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(big.read_bytes())

    def change(call: Call) -> None:
        if part_of(call) == 2:
            with path.open("r+b") as file:
                file.seek(len(HEADER))
                file.write(b"999999999")

    proxy.before = change
    with pytest.raises(UsageError, match="changed while it was landed"):
        one(proxied, path, "0104")
    assert not exists(lake, "retail/orders/ingest_date=2025-10-04/batch=0104/")


def test_an_upload_of_other_bytes_is_not_gone_on_with(lake: Lake, proxied: Lake, proxy: Proxy, big: Path) -> None:
    key = "retail/orders/ingest_date=2025-10-04/batch=0105/orders.csv"
    s3, place = lake.client("s3"), {"Bucket": lake.names.raw_bucket, "Key": key}
    theirs = s3.create_multipart_upload(**place, ChecksumAlgorithm="SHA256")["UploadId"]
    s3.upload_part(**place, UploadId=theirs, PartNumber=1, Body=b"x" * PART_BYTES, ChecksumAlgorithm="SHA256")
    landed = one(proxied, big, "0105")
    assert content(lake, landed.key) == big.read_bytes()
    assert sorted(filter(None, map(part_of, proxy.calls))) == [1, 2, 3, 4, 5]
    s3.abort_multipart_upload(**place, UploadId=theirs)


@pytest.mark.parametrize("rows", [1, 400_000])
def test_bytes_that_change_on_the_way_do_not_land_and_the_same_command_mends_it(
    lake: Lake, proxied: Lake, proxy: Proxy, tmp_path: Path, rows: int
) -> None:
    """As one object and in parts."""
    path, batch = tmp_path / "orders.csv", f"02{rows % 9:02d}"
    path.write_text(HEADER + "".join(ROW.format(n) for n in range(rows)))

    def flip(call: Call) -> bytes | None:
        if not call.operation.startswith("PUT"):
            return None
        return call.body[:-2] + bytes([call.body[-2] ^ 1]) + call.body[-1:]

    proxy.before = flip
    with pytest.raises(LakectlError, match=r"the data arrived damaged in s3://.* \(BadDigest\)"):
        one(proxied, path, batch)
    assert not exists(lake, f"retail/orders/ingest_date=2025-10-04/batch={batch}/")
    proxy.before = lambda _: None
    landed = one(proxied, path, batch)
    assert (landed.outcome, content(lake, landed.key)) == ("landed", path.read_bytes())


@pytest.mark.long
def test_an_upload_of_more_than_a_thousand_parts_goes_on(
    lake: Lake, proxied: Lake, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 lists 1,000 parts at once. Tiny parts: only their number matters here."""
    monkeypatch.setattr(upload, "PART_BYTES", 1024)
    monkeypatch.setattr(upload, "MIB", 1024)
    path, key = tmp_path / "orders.csv", "retail/orders/ingest_date=2025-10-04/batch=0210/orders.csv"
    path.write_text(HEADER + "".join(ROW.format(n) for n in range(36_000)))
    count, place = -(-path.stat().st_size // 1024), {"Bucket": lake.names.raw_bucket, "Key": key}
    s3 = lake.client("s3")
    upload_id = s3.create_multipart_upload(**place, ChecksumAlgorithm="SHA256")["UploadId"]
    pieces = [path.read_bytes()[start : start + 1024] for start in range(0, path.stat().st_size, 1024)]
    left = {3, 1010, count}

    def send(number: int) -> None:
        if number not in left:
            body = pieces[number - 1]
            s3.upload_part(**place, UploadId=upload_id, PartNumber=number, Body=body, ChecksumAlgorithm="SHA256")

    before: list[int] = []
    sent: list[int] = []

    def moved(number: int, *, found: bool = False) -> None:
        (before if found else sent).append(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(1, count + 1)))
    # S3 does not complete an upload of parts so small.
    proxy.before = lambda call: xml_error("AccessDenied", "enough", 403) if call.operation.startswith("POST") else None
    with pytest.raises(LakectlError, match="CompleteMultipartUpload: AccessDenied: enough"):
        one(proxied, path, "0210", moved)
    assert count > 1000
    assert (sum(before), sum(sent)) == (path.stat().st_size - sum(sent), sum(len(pieces[n - 1]) for n in left))
    assert set(filter(None, map(part_of, proxy.calls))) == left
    s3.abort_multipart_upload(**place, UploadId=upload_id)


def land_command(lake: Lake, endpoint_url: str, path: Path, batch: str, endpoint: Endpoint) -> subprocess.Popen[bytes]:
    """A real ``lakectl land`` that talks to ``endpoint_url``."""
    config = path.parent / f"{batch}.yaml"
    config.write_text(f"name: {lake.config.name}\nsuffix_names: true\ntarget: aws\nendpoint_url: {endpoint_url}\n")
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": endpoint.access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    arguments = ["-c", str(config), "land", str(path), "--ingest-date", DAY.isoformat(), "--batch", batch]
    return subprocess.Popen(
        [sys.executable, "-m", "lakectl", *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def kill_and_go_on(lake: Lake, proxy: Proxy, endpoint: Endpoint, big: Path, point: int, when: str) -> None:
    """kill -9 at the ``point``-th write (create, five parts, complete), then the same command again."""
    batch = f"{point:03d}{0 if when == 'before' else 1}"
    key = f"retail/orders/ingest_date=2025-10-04/batch={batch}/orders.csv"
    process = land_command(lake, proxy.url, big, batch, endpoint)
    finished: set[int] = set()

    def before(call: Call) -> Any:
        if when == "before" and call.write_number == point:
            process.kill()
            process.wait(30)
        return None

    def after(call: Call) -> bool:
        if part := part_of(call):
            finished.add(part)
        if when == "after" and call.write_number == point:
            process.kill()
            process.wait(30)
        return False

    proxy.before, proxy.after = before, after
    assert process.wait(120) == -9
    proxy.wait_until_idle()
    if exists(lake, key):
        assert content(lake, key) == big.read_bytes()  # whole, if it is there at all
    proxy.before, proxy.after = lambda _: None, lambda _: False
    proxy.forget()
    again = land_command(lake, proxy.url, big, batch, endpoint)
    said, _ = again.communicate(timeout=120)
    assert again.returncode == 0, said.decode()
    assert exists(lake, key)
    assert content(lake, key) == big.read_bytes()
    sent = sorted(filter(None, map(part_of, proxy.calls)))
    assert not finished & set(sent), "a finished part was sent again"
    for version in lake.client("s3").list_object_versions(Bucket=lake.names.raw_bucket, Prefix=key)["Versions"]:
        lake.client("s3").delete_object(Bucket=lake.names.raw_bucket, Key=key, VersionId=version["VersionId"])


POINTS = [(point, when) for point in range(1, PARTS + 3) for when in ("before", "after")]


@pytest.mark.parametrize(("point", "when"), [(4, "after"), (7, "before"), (7, "after")])
@pytest.mark.usefixtures("proxied")
def test_a_killed_upload_goes_on_and_sends_no_finished_part_again(
    lake: Lake, proxy: Proxy, endpoint: Endpoint, big: Path, point: int, when: str
) -> None:
    kill_and_go_on(lake, proxy, endpoint, big, point, when)


@pytest.mark.long
@pytest.mark.parametrize(("point", "when"), POINTS)
@pytest.mark.usefixtures("proxied")
def test_an_upload_killed_at_any_write_goes_on(
    lake: Lake, proxy: Proxy, endpoint: Endpoint, big: Path, point: int, when: str
) -> None:
    kill_and_go_on(lake, proxy, endpoint, big, point, when)


@pytest.mark.long
@pytest.mark.parametrize("delay", [random.Random(SEED).uniform(0.3, 3.0) for _ in range(8)])
@pytest.mark.usefixtures("proxied")
def test_an_upload_killed_at_any_moment_leaves_nothing_torn(
    lake: Lake, proxy: Proxy, endpoint: Endpoint, big: Path, delay: float
) -> None:
    batch = f"9{int(delay * 100):03d}"
    key = f"retail/orders/ingest_date=2025-10-04/batch={batch}/orders.csv"
    process = land_command(lake, proxy.url, big, batch, endpoint)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(30)
    proxy.wait_until_idle()
    if exists(lake, key):
        assert content(lake, key) == big.read_bytes()
    assert land_command(lake, proxy.url, big, batch, endpoint).wait(120) == 0
    assert content(lake, key) == big.read_bytes()
