"""Landing on the local endpoint: once and for good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from lakes import open_test_lake, tear_down

from lakectl.config import Config
from lakectl.errors import LakectlError
from lakectl.local.control import Endpoint
from lakectl.ops import land, provision
from lakectl.ops.lake import Lake

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
    with pytest.raises(LakectlError, match="holds other bytes") as caught:
        land_text(lake, tmp_path, "2,24/07/2025,7,9,2,1.5,web\n", batch="0007")
    assert caught.value.hint is not None
    assert "--batch" in caught.value.hint
    landed = land_text(lake, tmp_path, "2,24/07/2025,7,9,2,1.5,web\n", batch="0008")
    assert landed.key == "retail/orders/ingest_date=2025-10-04/batch=0008/orders.csv"
    assert versions(lake, "retail/orders/ingest_date=2025-10-04/batch=0007/") == 1


def test_landing_without_a_lake_names_the_command_that_makes_one(lake: Lake, tmp_path: Path) -> None:
    nowhere = Lake(Config(name="nowhere-at-all", suffix_names=True), lake.project, lake.aws)
    with pytest.raises(LakectlError, match="has no bucket") as caught:
        land_text(nowhere, tmp_path, "1,24/07/2025,7,9,2,1.5,web\n")
    assert caught.value.hint == "make it with: lakectl up"
