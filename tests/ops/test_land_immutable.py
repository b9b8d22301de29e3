"""`landing.enforce_immutable: true`: the bucket itself refuses what could overwrite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lakes import open_test_lake, tear_down

from lakectl.config import Config, Landing
from lakectl.engine.model import Action
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.landing import land
from lakectl.ops.landing.upload import PART_BYTES

DAY = date(2025, 10, 4)
HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
STEPS = ("create-buckets",)


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    lake = open_test_lake(endpoint, landing={"enforce_immutable": True})
    assert provision.up(lake, provision.plan(lake, STEPS), lambda _: None).ok
    yield lake
    tear_down(lake)


def refused(call: Any, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return True
    return False


def test_plain_puts_and_completions_below_the_prefix_are_denied_and_conditional_ones_are_not(lake: Lake) -> None:
    s3, bucket = lake.client("s3"), lake.names.raw_bucket
    place = {"Bucket": bucket, "Key": "retail/orders/x.csv"}
    assert refused(s3.put_object, **place, Body=b"1")
    assert refused(s3.copy_object, **place, CopySource={"Bucket": bucket, "Key": "retail/orders/"})
    assert not refused(s3.put_object, Bucket=bucket, Key="elsewhere.csv", Body=b"1")
    assert not refused(s3.put_object, **place, Body=b"1", IfNoneMatch="*")
    other = {"Bucket": bucket, "Key": "retail/orders/y.csv"}
    upload = s3.create_multipart_upload(**other)["UploadId"]
    part = s3.upload_part(**other, UploadId=upload, PartNumber=1, Body=b"1")
    end = {**other, "UploadId": upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}}
    assert refused(s3.complete_multipart_upload, **end)
    assert not refused(s3.complete_multipart_upload, **end, IfNoneMatch="*")
    assert s3.get_object(**place)["Body"].read() == b"1"


def test_small_and_large_files_land(lake: Lake, tmp_path: Path) -> None:
    row = "1,24/07/2025,7,9,2,1.50,web\n"
    for name, rows in (("small.csv", 1), ("large.csv", PART_BYTES // len(row) + 1000)):
        (tmp_path / name).write_text(HEADER + row * rows)
        files = land.prepare(lake.config, [tmp_path / name], "orders")
        assert land.land(lake, files, DAY, "auto")[0].outcome == "landed"


def test_the_switch_is_off_by_default_and_turning_it_shows_as_a_change_of_the_policy(lake: Lake) -> None:
    assert not Config().landing.enforce_immutable
    off = Lake(lake.config.model_copy(update={"landing": Landing()}), lake.project, lake.aws)
    assert provision.plan(lake, STEPS).pending == ()
    for turned, sids in ((off, {"lakectl-tls-only"}), (lake, {"lakectl-tls-only", "lakectl-immutable"})):
        pending = provision.plan(turned, STEPS).pending
        assert [(step.action, [change.field for change in step.changes]) for step in pending] == [
            (Action.CHANGE, ["policy"])
        ]
        assert provision.up(turned, provision.plan(turned, STEPS), lambda _: None).ok
        policy = json.loads(lake.client("s3").get_bucket_policy(Bucket=lake.names.raw_bucket)["Policy"])
        assert {statement["Sid"] for statement in policy["Statement"]} == sids
