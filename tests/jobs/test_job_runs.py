"""The whole job on the local endpoint: policies, composite keys, and quarantine that does not double."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lakes import bring_up, open_test_lake, plain_sources, tear_down

from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.runs import transform
from lakectl.ops.tables import query

HEADER = "order_id,line_no,order_date,customer_id,product_id,qty,unit_price,channel\n"
COLUMNS = {
    "order_id": "bigint", "line_no": "int", "order_date": {"type": "date", "format": "dd/MM/yyyy"},
    "customer_id": "bigint", "product_id": "bigint", "qty": "int",
    "unit_price": {"type": "double", "decimal_mark": "any"}, "channel": "string",
}  # fmt: skip
CUSTOMERS = "customer_id,customer_name,region,signup_date\n1,Ann,North,01/02/2024\n"
PRODUCTS = "product_id,product_name,category,list_price\n10,Pen,Office,1.50\n"


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    sources = plain_sources()
    sources["orders"].update(keys=["order_id", "line_no"], columns=COLUMNS)
    # The starter would run the job as well: nothing here waits for it.
    lake = open_test_lake(endpoint, sources=sources)
    bring_up(lake)
    for rule in (lake.names.orders_rule, lake.names.drain_rule):
        lake.client("events").disable_rule(Name=rule)
    yield lake
    tear_down(lake)


def land(lake: Lake, source: str, text: str, batch: str) -> None:
    key = f"retail/{source}/ingest_date=2026-11-24/batch={batch}/{source}.csv"
    lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=text.encode())


def run(lake: Lake, **arguments: str) -> transform.JobRun:
    given = {f"--{name}": value for name, value in {"FULL": "true", **arguments}.items()}
    return transform.follow(lake, transform.start(lake, given))


def orders(run: transform.JobRun) -> dict[str, Any]:
    found: dict[str, Any] = run.result["sources"]["orders"]
    return found


def rows(lake: Lake, sql: str) -> list[list[str | None]]:
    return [list(row) for row in query.run(lake, sql.replace("retail_silver", lake.names.silver_database)).rows]


@pytest.mark.long
def test_bad_rows_are_refused_set_aside_once_or_let_through_as_asked(lake: Lake) -> None:
    land(lake, "customers", CUSTOMERS, "0001")
    land(lake, "products", PRODUCTS, "0001")
    text = HEADER + (
        "1,1,24/11/2026,1,10,2,1.50,web\n"
        "1,2,24/11/2026,1,10,1,1.50,web\n"  # the same order, another line
        "2,1,never,1,10,1,1.50,web\n"
        "3,1,24/11/2026,1,10,x,1.50,web\n"
        ",1,24/11/2026,1,10,1,1.50,web\n"
        "4,1,24/11/2026\n"
        "5,1,24/11/2026,1,10,1,1.50,web\n5,1,24/11/2026,1,10,9,1.50,web\n"  # differ
        "6,1,24/11/2026,77,10,0,1.50,web\n"  # unknown customer, no quantity
    )
    land(lake, "orders", text, "0001")
    refused = run(lake)
    assert refused.state == "FAILED"
    for named in (
        "line 4: order_date is 'never'",
        "line 5: qty is 'x'",
        "line 6: order_id is empty",
        "5/1 (lines 8, 9)",
    ):
        assert named in refused.error
    aside = run(lake, ON_BAD_ROWS="quarantine", RETRY_FAILED="true")
    assert aside.state == "SUCCEEDED", aside.error
    assert (orders(aside)["rows_inserted"], orders(aside)["rows_quarantined"], orders(aside)["rows_warned"]) == (
        3,
        6,
        1,
    )
    assert aside.result["checks"] == {
        "broken_rows": 1, "null_keys": 1, "dates": 1, "numbers": 1, "duplicate_keys": 2,
        "quantities": 1, "lookups.customers": 1,
    }  # fmt: skip
    assert rows(lake, "SELECT order_id, line_no, region FROM retail_silver.orders_silver ORDER BY 1, 2") == [
        ["1", "1", "North"], ["1", "2", "North"], ["6", "1", None],
    ]  # fmt: skip
    by_reason = (
        "SELECT _lake_reasons, COUNT(*), MIN(_lake_line) FROM retail_silver.orders_rejected GROUP BY 1 ORDER BY 1"
    )
    before = rows(lake, by_reason)
    assert [row[:2] for row in before] == [
        ["broken_rows", "1"], ["dates", "1"], ["duplicate_keys", "2"], ["null_keys", "1"], ["numbers", "1"],
    ]  # fmt: skip
    assert before[0][2] == "4,1,24/11/2026"
    snapshots = 'SELECT COUNT(*) FROM retail_silver."orders_rejected$snapshots"'
    count = rows(lake, snapshots)
    again = run(lake, ON_BAD_ROWS="quarantine")
    assert (orders(again)["rows_unchanged"], again.result["snapshot_id"]) == (3, None)
    assert rows(lake, by_reason) == before
    assert rows(lake, snapshots) == count
    warned = run(lake, ON_BAD_ROWS="warn")
    assert warned.state == "SUCCEEDED", warned.error
    assert (orders(warned)["rows_inserted"], orders(warned)["rows_quarantined"]) == (3, 2)  # 2, 3 and one of 5
    let_through = "SELECT order_date, qty FROM retail_silver.orders_silver WHERE order_id IN (2, 3) ORDER BY order_id"
    assert rows(lake, let_through) == [[None, "1"], ["2026-11-24", None]]
