"""`land --wait`: until it is in silver, whoever starts the run."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from lakes import bring_up, open_test_lake, tear_down

from lakectl.errors import LakectlError
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.landing import land
from lakectl.ops.landing.sample_data import write_sample_data
from lakectl.ops.runs import transform, wait
from lakectl.ops.tables import query

DAY = date(2025, 10, 4)


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    lake = open_test_lake(endpoint)
    bring_up(lake)
    yield lake
    tear_down(lake)


@pytest.mark.long
def test_gzip_reaches_silver_and_dimensions_alone_start_a_run_of_their_own(lake: Lake, tmp_path: Path) -> None:
    files = write_sample_data(tmp_path, orders=300, customers=20, products=10, until=DAY)
    for path in files:
        Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    dimensions = land.land(lake, land.prepare(lake.config, [tmp_path / "c*.gz", tmp_path / "products.csv.gz"]), DAY)
    assert sorted(each.key.rsplit("/", 1)[1] for each in dimensions) == ["customers.csv.gz", "products.csv.gz"]
    assert transform.latest(lake) is None  # no event starts a run for them
    run = wait.for_loading(lake, dimensions, patience_s=600)
    assert run is not None
    orders = land.land(lake, land.prepare(lake.config, [tmp_path]), DAY)
    assert [each.outcome for each in orders] == ["already", "already", "landed"]
    ran = wait.for_loading(lake, orders, patience_s=600)  # the landing itself starts this one
    assert ran is not None
    assert ran.id != run.id
    silver = f"{lake.names.silver_database}.orders_silver"
    counted = query.run(lake, f"SELECT COUNT(*), COUNT(region), COUNT(category) FROM {silver}").rows
    assert [tuple(map(int, row)) for row in counted] == [(300, 300, 300)]
    assert wait.for_loading(lake, orders) is None  # it is there already


@pytest.mark.long
def test_a_run_that_never_comes_is_started_and_a_bad_landing_is_named(lake: Lake, tmp_path: Path) -> None:
    lake.client("events").disable_rule(Name=lake.names.orders_rule)
    path = tmp_path / "orders.csv"
    header = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
    row = "1,24/07/2025,7,9,2,1.5,web\n"
    path.write_text(header + row + "2,24/07/2025,7,9,many,1.5,web\n" * 9 + row.replace("1,", "3,", 1))
    landed = land.land(lake, land.prepare(lake.config, [path]), DAY, "auto")
    with pytest.raises(LakectlError, match=r"batch=0001/orders\.csv was refused: "):
        wait.for_loading(lake, landed, patience_s=1)
