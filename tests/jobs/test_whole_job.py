"""What a lake holds after whole runs of the job: four runs, and what each of them left behind."""

from __future__ import annotations

from datetime import date
from importlib import resources
from typing import Any

import pytest
from whole_job import JobLake, Ran, line

from lakectl.local.control import Endpoint

DAY = "retail/orders/ingest_date=2025-09-0"
SOUTH = "customer_id,customer_name,region,signup_date\n1,Ann,South,01/02/2024\n"


class Story:
    """``runs``: in order; ``lake``: after the last one."""

    def __init__(self, lake: JobLake) -> None:
        self.lake = lake
        self.runs: list[Ran] = []
        self.snapshots: list[int] = []

    def run(self, path: str | None = "retail/", **arguments: str) -> None:
        self.runs.append(self.lake.run(path, **arguments))
        self.snapshots.append(self.lake.snapshots())


@pytest.fixture(scope="module")
def story(spark: Any, endpoint: Endpoint) -> Story:
    lake = JobLake(spark, endpoint, {"schema_evolution": "ignore"})
    told = Story(lake)
    lake.dimensions()
    lake.land("customers", SOUTH, date="2025-09-02")  # a newer row of customer 1
    lake.orders(line(1), line(2, customer=2), batch="0001")
    mixed = "channel,NOTE,unit_price,qty,product_id,customer_id,order_date,order_id"
    lake.orders('store,"a, b","1.234,56",3,20,9,02/09/2025,3', batch="0002", header=mixed)
    lake.orders(batch="0003")  # a header, no rows
    lake.orders(line(4), "5,31/09/2025,1,10,1,2.50,web", batch="0004")  # one bad row
    for stray in ("a+b orders.csv", "orders%20copy.csv", "ingest_date=2025-09-01/batch=1/orders.csv", "x/é.csv"):
        lake.s3.put_object(Bucket=lake.raw, Key=f"retail/orders/{stray}", Body=b"no,orders\n")
    told.run()
    # Order 1 was 1 on day 1, is 2 on day 2 and 1 again on day 3; day 3 is loaded before day 2.
    lake.orders(line(1), date="2025-09-03")
    told.run()
    lake.orders(line(1, qty=2), date="2025-09-02")
    told.run()
    told.run(path=None)
    told.run(FULL="true")
    return told


def test_dimensions_landed_twice_do_not_multiply_orders_and_the_newest_row_counts(story: Story) -> None:
    assert story.lake.rows("order_id", "region", "category", "sales_amount") == [
        (1, "South", "Office", 2.5), (2, "East", "Office", 2.5), (3, None, "Kitchen", 3703.68),
    ]  # fmt: skip
    customers = story.lake.rows("customer_id", "region", "_lake_ingest_date", table="customers_silver")
    assert customers == [(1, "South", date(2025, 9, 2)), (2, "East", date(2025, 9, 1))]
    assert story.lake.rows("product_id", "list_price", table="products_silver") == [(10, 1.5), (20, 4.0)]


def test_a_bad_and_an_empty_landing_are_refused_with_their_reason_and_stop_no_other(story: Story) -> None:
    first, second, *_ = story.runs
    assert first.error.startswith("LandingsRefused: 2 landings refused, the others are in silver. s3://")
    assert "batch=0003/orders.csv: no rows below the header" in first.error
    assert "batch=0004/orders.csv: line 3: order_date is '31/09/2025', expected a date dd/MM/yyyy" in first.error
    assert (first.orders["rows_inserted"], first.orders["rows_rejected"]) == (3, 2)
    assert second.error == ""  # a poison file is asked for again by a person, not by the next run
    assert {key: story.lake.statuses()[f"{DAY}1/batch={key}/orders.csv"] for key in ("0001", "0003", "0004")} == {
        "0001": "LOADED", "0003": "FAILED", "0004": "FAILED",
    }  # fmt: skip
    assert story.lake.waiting() == []


def test_columns_go_by_the_header_and_strange_keys_are_left_alone(story: Story) -> None:
    row = next(row for row in story.lake.rows("order_id", "channel", "qty", "unit_price") if row[0] == 3)
    assert row == (3, "store", 3, 1234.56)
    assert not [key for key in story.lake.statuses() if "+" in key or "copy" in key or "batch=1/" in key]


def test_a_value_that_comes_back_wins_over_one_between_that_is_loaded_late(story: Story) -> None:
    """A, C, B: equal content with a greater row_version advances the row_version, so B is stale."""
    _, equal, late, *_ = story.runs
    assert (equal.orders["rows_advanced"], late.orders["rows_stale"]) == (1, 1)
    assert story.lake.rows("order_id", "qty", "_lake_ingest_date")[0] == (1, 1, date(2025, 9, 3))


def test_nothing_pending_is_success_and_a_replay_commits_nothing(story: Story) -> None:
    *_, late, nothing, replay = story.runs
    assert (nothing.error, nothing.orders["rows_read"], nothing.result["snapshot_id"]) == ("", 0, None)
    assert "nothing is pending" in nothing.said[-1]
    assert (replay.error, replay.orders["rows_read"], replay.result["snapshot_id"]) == ("", 5, None)
    assert replay.result["rows_read"] == 5 + 3 + 2  # of all sources
    assert late.result["snapshot_id"] is None
    assert story.snapshots == [1, 2, 2, 2, 2]


def test_pyiceberg_duckdb_and_spark_read_the_same(story: Story) -> None:
    lake = story.lake
    for name in ("orders_silver", "customers_silver"):
        table = lake.table(name)
        columns = [
            field.name for field in table.schema().fields if field.name not in ("_lake_landed_at", "_lake_loaded_at")
        ]
        by_spark = lake.spark.table(f"glue_catalog.{lake.database}.{name}").select(*columns).collect()
        by_duckdb = duckdb_on(lake).execute(
            f"SELECT {', '.join(columns)} FROM iceberg_scan('{table.metadata_location}')"
        )
        assert sorted(map(tuple, by_spark)) == sorted(by_duckdb.fetchall()) == lake.rows(*columns, table=name)


def duckdb_on(lake: JobLake) -> Any:
    """A DuckDB that knows nothing of lakectl: its extensions and the endpoint's address."""
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for name in ("httpfs", "avro", "iceberg"):
        folder = resources.files(f"duckdb_extension_{name}") / "extensions" / f"v{duckdb.__version__}"
        connection.execute(f"LOAD '{folder / f'{name}.duckdb_extension'}'")
    end = lake.endpoint
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{end.access_key_id}', SECRET '{end.secret_access_key}', "
        f"REGION '{end.region}', "
        f"ENDPOINT '{end.url.removeprefix('http://')}', URL_STYLE 'path', USE_SSL false)"
    )
    return connection
