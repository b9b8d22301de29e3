"""Landing on the local endpoint: once, and never overwritten."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from lakes import open_test_lake, tear_down

from lakectl.config import Config
from lakectl.errors import LakectlError
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.landing import land

DAY = date(2025, 10, 4)
HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    lake = open_test_lake(endpoint)
    assert provision.up(lake, provision.plan(lake, ("create-buckets",)), lambda _: None).ok
    yield lake
    tear_down(lake)


def land_text(lake: Lake, tmp_path: Path, rows: str, batch: str | None = None) -> land.Landed:
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + rows)
    (landed,) = land.land(lake, land.prepare(lake.config, [path]), DAY, batch)
    return landed


def versions(lake: Lake, key: str) -> int:
    answer = lake.client("s3").list_object_versions(Bucket=lake.names.raw_bucket, Prefix=key)
    return len(answer.get("Versions", []))


def test_the_key_holds_source_and_date_and_the_same_bytes_again_are_fine(lake: Lake, tmp_path: Path) -> None:
    first = land_text(lake, tmp_path, "1,24/07/2025,7,9,2,1.5,web\n")
    assert first.key == "retail/orders/ingest_date=2025-10-04/orders.csv"
    assert (first.outcome, first.version_id is not None) == ("landed", True)
    again = land_text(lake, tmp_path, "1,24/07/2025,7,9,2,1.5,web\n")
    assert (again.outcome, again.version_id) == ("already", first.version_id)
    assert versions(lake, first.key) == 1


def test_landing_other_bytes_under_the_same_key_is_refused_with_the_command_that_works(
    lake: Lake, tmp_path: Path
) -> None:
    land_text(lake, tmp_path, "1,24/07/2025,7,9,2,1.5,web\n", batch="0007")
    with pytest.raises(LakectlError, match="holds different content") as caught:
        land_text(lake, tmp_path, "2,24/07/2025,7,9,2,1.5,web\n", batch="0007")
    assert caught.value.hint is not None
    assert "orders.csv --source orders --ingest-date 2025-10-04 --batch auto" in caught.value.hint
    landed = land_text(lake, tmp_path, "2,24/07/2025,7,9,2,1.5,web\n", batch="0008")
    assert landed.key == "retail/orders/ingest_date=2025-10-04/batch=0008/orders.csv"
    assert versions(lake, "retail/orders/ingest_date=2025-10-04/batch=0007/") == 1


def test_landing_without_a_lake_names_the_command_that_makes_one(lake: Lake, tmp_path: Path) -> None:
    nowhere = Lake(Config(name="nowhere-at-all", suffix_names=True), lake.project, lake.aws)
    with pytest.raises(LakectlError, match="has no bucket") as caught:
        land_text(nowhere, tmp_path, "1,24/07/2025,7,9,2,1.5,web\n")
    assert caught.value.hint == "make it with: lakectl up"


def rows(number: int) -> str:
    return f"{number},24/07/2025,7,9,2,1.5,web\n"


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(HEADER + content)
    return path


def batches(landed: list[land.Landed]) -> dict[str, str]:
    """File name → batch number."""
    return {Path(each.path).name: each.key.split("batch=")[1][:4] for each in landed}


def test_several_files_of_one_source_and_date_get_a_batch_each(lake: Lake, tmp_path: Path) -> None:
    day = date(2025, 11, 1)
    files = [write(tmp_path, f"{name}.csv", rows(n)) for n, name in enumerate("cab")]
    with pytest.raises(LakectlError, match=r"c\.csv and .*a\.csv are both orders of one date") as caught:
        land.prepare(lake.config, files, "orders", batch="0001")
    assert caught.value.hint == "land each one as its own batch: add --batch auto"
    checked = land.prepare(lake.config, files, "orders", batch="auto")
    assert batches(land.land(lake, checked, day, "auto")) == {"c.csv": "0001", "a.csv": "0002", "b.csv": "0003"}
    more = land.prepare(lake.config, [write(tmp_path, "d.csv", rows(9))], "orders")
    assert batches(land.land(lake, more, day, "auto")) == {"d.csv": "0004"}


def test_an_interrupted_row_of_batches_goes_on_in_the_same_numbers(lake: Lake, tmp_path: Path) -> None:
    day = date(2025, 11, 2)
    land.land(lake, land.prepare(lake.config, [write(tmp_path, "orders.csv", rows(0))]), day, "0001")
    files = [write(tmp_path, f"{n}.csv", rows(n)) for n in range(1, 6)]
    checked = land.prepare(lake.config, files, "orders", batch="auto")
    for file, batch in ((checked[0], "0002"), (checked[2], "0004")):  # what a killed run left, with a hole
        land.land(lake, [file], day, batch)
    landed = land.land(lake, checked, day, "auto")
    assert batches(landed) == {"1.csv": "0002", "2.csv": "0003", "3.csv": "0004", "4.csv": "0005", "5.csv": "0006"}
    assert sorted(each.outcome for each in landed) == ["already", "already", "landed", "landed", "landed"]
    assert versions(lake, "retail/orders/ingest_date=2025-11-02/") == 6


def test_bytes_that_return_after_others_are_a_new_batch(lake: Lake, tmp_path: Path) -> None:
    """1, then 2, then 1 again is a correction: it must reach silver after 2."""
    day, found = date(2025, 11, 3), []
    for number in (1, 2, 1, 1):
        checked = land.prepare(lake.config, [write(tmp_path, "orders.csv", rows(number))])
        found += land.land(lake, checked, day, "auto")
    assert [each.key.split("batch=")[1][:4] for each in found] == ["0001", "0002", "0003", "0003"]
    assert [each.outcome for each in found] == ["landed", "landed", "landed", "already"]


def test_two_who_take_the_same_free_number_both_land(lake: Lake, tmp_path: Path) -> None:
    day = date(2025, 11, 4)

    def one(number: int) -> str:
        path = write(tmp_path, f"{number}.csv", rows(number))
        checked = land.prepare(lake.config, [path], "orders")
        return next(iter(batches(land.land(lake, checked, day, "auto")).values()))

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(one, range(6))) == [f"{n:04d}" for n in range(1, 7)]


def test_a_refused_file_does_not_keep_the_others_back(lake: Lake, tmp_path: Path) -> None:
    day = date(2025, 11, 5)
    customers = tmp_path / "customers.csv"
    customers.write_text("customer_id,customer_name,region,signup_date\n1,Ada,North,01/02/2020\n")
    land.land(lake, land.prepare(lake.config, [customers]), day)
    customers.write_text(customers.read_text().replace("Ada", "Eva"))
    seen: list[land.Landed] = []
    files = land.prepare(lake.config, [customers, write(tmp_path, "orders.csv", rows(1))])
    with pytest.raises(LakectlError, match=r"customers\.csv: s3://.* holds different content"):
        land.land(lake, files, day, observer=seen.append)
    assert [each.source for each in seen] == ["orders"]


def test_the_key_says_gzip_and_source_whatever_the_file_is_called(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "export of monday.txt"
    path.write_bytes(gzip.compress((HEADER + rows(1)).encode()))
    (landed,) = land.land(lake, land.prepare(lake.config, [path], "orders"), date(2025, 11, 6))
    assert landed.key == "retail/orders/ingest_date=2025-11-06/orders.csv.gz"
    head = lake.client("s3").head_object(Bucket=landed.bucket, Key=landed.key, ChecksumMode="ENABLED")
    digest = hashlib.sha256(path.read_bytes())
    assert head["ChecksumSHA256"] == base64.b64encode(digest.digest()).decode()
    assert (head["ContentType"], head["Metadata"]) == ("application/gzip", {"sha256": digest.hexdigest()})


def test_an_object_without_checksum_is_known_by_its_etag(lake: Lake, tmp_path: Path) -> None:
    path, key = write(tmp_path, "orders.csv", rows(1)), "retail/orders/ingest_date=2025-11-07/orders.csv"
    lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=path.read_bytes())
    checked = land.prepare(lake.config, [path])
    assert land.land(lake, checked, date(2025, 11, 7))[0].outcome == "already"


def test_the_command_takes_standard_input_folders_and_patterns(endpoint: Endpoint, lake: Lake, tmp_path: Path) -> None:
    config = tmp_path / "lake.yaml"
    config.write_text(f"name: {lake.config.name}\nsuffix_names: true\ntarget: aws\nendpoint_url: {endpoint.url}\n")
    secrets = {"AWS_ACCESS_KEY_ID": endpoint.access_key_id, "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key}

    def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "lakectl", "-c", str(config), "land", *arguments]
        environment = {**os.environ, **secrets, "AWS_EC2_METADATA_DISABLED": "true", "TMPDIR": str(tmp_path)}
        return subprocess.run(command, input=given, capture_output=True, env=environment, timeout=60, check=False)

    piped = run("-", "--source", "orders", "--ingest-date", "2025-12-01", given=(HEADER + rows(1)).encode())
    assert piped.returncode == 0, piped.stderr
    assert b"landed s3://" in piped.stdout
    assert not list(tmp_path.glob("lakectl-*"))  # what was spooled is gone
    bad = run("-", "--source", "orders", given=(HEADER + "x\n").encode())
    assert (bad.returncode, b"standard input:2: 1 values" in bad.stderr) == (64, True)

    folder = tmp_path / "data"
    folder.mkdir()
    for n in range(30):
        write(folder, f"{n:02d}.csv", rows(n))
    many = run(str(folder / "*.csv"), "--source", "orders", "--batch", "auto", "--ingest-date", "2025-12-02")
    assert many.returncode == 0, many.stderr
    assert "orders: 30 landed" in many.stdout.decode()
    assert len(many.stdout.splitlines()) <= 5
    again = run(str(folder), "--source", "orders", "--batch", "auto", "--ingest-date", "2025-12-02", "--json")
    assert {each["outcome"] for each in json.loads(again.stdout)} == {"already"}
