"""Files that land while a run is active reach silver by themselves, in a few runs. With the real job."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from event_lakes import HEADER, job_runs, orders_key, put, queued_events, rows, settle_runs, wait_for
from lakes import bring_up, open_test_lake, tear_down

from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.tables import query

FILES = 20
CUSTOMERS = b"customer_id,customer_name,region,signup_date\n1,Ann,North,01/02/2024\n"
PRODUCTS = b"product_id,product_name,category,list_price\n10,Pen,Office,1.50\n"


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    lake = open_test_lake(endpoint)
    bring_up(lake)
    yield lake
    settle_runs(lake)
    tear_down(lake)


def order(number: int) -> bytes:
    return f"{HEADER}{number},24/07/2025,1,10,2,1.5,web\n".encode()


@pytest.mark.long
def test_twenty_files_landed_during_a_run_reach_silver_in_far_fewer_runs(lake: Lake) -> None:
    put(lake, "retail/customers/ingest_date=2026-11-24/customers.csv", CUSTOMERS)
    put(lake, "retail/products/ingest_date=2026-11-24/products.csv", PRODUCTS)
    put(lake, orders_key(0), order(1000))
    wait_for(lambda: [r for r in job_runs(lake) if r["JobRunState"] == "RUNNING"], what="an active run")
    for number in range(1, FILES + 1):
        put(lake, orders_key(number), order(1000 + number))
    wait_for(
        lambda: {run.load_status for run in rows(lake)} == {"LOADED"} and len(rows(lake)) == FILES + 3,
        seconds=240,
        what="loading all of them",
    )
    settle_runs(lake)
    sql = f"SELECT COUNT(*), COUNT(DISTINCT order_id) FROM {lake.names.silver_database}.orders_silver"
    assert query.run(lake, sql).rows == [[str(FILES + 1), str(FILES + 1)]]
    states = [run["JobRunState"] for run in job_runs(lake)]
    assert set(states) == {"SUCCEEDED"}
    assert len(states) <= 5, states
    assert queued_events(lake) == 0
