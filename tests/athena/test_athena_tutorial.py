"""Every query of the tutorial's section 4, as it is written there, against orders whose sums are known."""

from __future__ import annotations

import datetime
from collections import defaultdict

from athena_lake import FIRST_DAY, Lake, Query

T = "retail_silver.orders_silver"


def _sales_by(lake: Lake, key: str) -> dict[object, float]:
    totals: dict[object, float] = defaultdict(float)
    for order in lake.orders:
        totals[order[key]] += order["sales_amount"]
    return totals


def test_peek_gives_ten_rows_with_the_columns_in_order(query: Query) -> None:
    answer = query(f"-- peek a few rows\nSELECT * FROM {T}\nLIMIT 10;")
    assert len(answer.rows) == 10
    assert [name for name, _ in answer.columns][:3] == ["order_id", "order_date", "customer_id"]
    assert [kind for _, kind in answer.columns] == [
        "bigint", "date", "bigint", "bigint", "integer", "double", "varchar", "varchar", "varchar", "double",
        "timestamp",
    ]  # fmt: skip


def test_total_rows(query: Query) -> None:
    answer = query(f"SELECT COUNT(*) AS rows\nFROM {T};")
    assert answer.lines == [["rows"], ["900"]]
    assert answer.columns == [("rows", "bigint")]


def test_date_range(query: Query) -> None:
    answer = query(f"SELECT MIN(order_date) AS min_date, MAX(order_date) AS max_date\nFROM {T};")
    assert answer.rows == [["2025-09-01", "2025-09-30"]]


def test_distinct_customers_and_products(query: Query) -> None:
    answer = query(
        "SELECT COUNT(DISTINCT customer_id) AS distinct_customers,\n"
        f"       COUNT(DISTINCT product_id)  AS distinct_products\nFROM {T};"
    )
    assert answer.rows == [["50", "20"]]


def test_missing_enrichment(query: Query) -> None:
    answer = query(
        "SELECT\n  SUM(CASE WHEN region   IS NULL THEN 1 ELSE 0 END) AS missing_region,\n"
        f"  SUM(CASE WHEN category IS NULL THEN 1 ELSE 0 END) AS missing_category\nFROM {T};"
    )
    assert answer.rows == [["0", "0"]]
    assert answer.columns == [("missing_region", "bigint"), ("missing_category", "bigint")]


def test_sales_by_day(query: Query, lake: Lake) -> None:
    answer = query(
        f"SELECT order_date AS day, SUM(sales_amount) AS sales\nFROM {T}\nGROUP BY 1\nORDER BY 1 DESC\nLIMIT 7;"
    )
    wanted = _sales_by(lake, "order_date")
    days = [FIRST_DAY + datetime.timedelta(days=day) for day in range(29, 22, -1)]
    assert answer.rows == [[str(day), str(wanted[day])] for day in days]


def test_sales_by_channel_and_by_region(query: Query, lake: Lake) -> None:
    for key in ("channel", "region"):
        answer = query(
            f"SELECT {key}, ROUND(SUM(sales_amount), 2) AS sales\nFROM {T}\nGROUP BY 1\nORDER BY sales DESC;"
        )
        wanted = sorted(_sales_by(lake, key).items(), key=lambda item: -item[1])
        assert answer.rows == [[name, str(sales)] for name, sales in wanted]


def test_top_categories(query: Query, lake: Lake) -> None:
    answer = query(
        "SELECT category, ROUND(SUM(sales_amount), 2) AS sales, SUM(qty) AS units\n"
        f"FROM {T}\nGROUP BY 1\nORDER BY sales DESC\nLIMIT 10;"
    )
    units: dict[str, int] = defaultdict(int)
    for order in lake.orders:
        units[order["category"]] += order["qty"]
    wanted = sorted(_sales_by(lake, "category").items(), key=lambda item: -item[1])
    assert answer.rows == [[name, str(sales), str(units[str(name)])] for name, sales in wanted]


def test_recompute_check(query: Query) -> None:
    answer = query(
        f"WITH recompute AS (\n  SELECT SUM(qty * unit_price) AS calc_sales\n  FROM {T}\n),\nstored AS (\n"
        f"  SELECT SUM(sales_amount) AS stored_sales\n  FROM {T}\n)\n"
        "SELECT stored.stored_sales, recompute.calc_sales,\n"
        "       ROUND(stored.stored_sales - recompute.calc_sales, 6) AS diff\nFROM stored CROSS JOIN recompute;"
    )
    stored, computed, difference = answer.rows[0]
    assert stored == computed
    assert difference == "0.0"


def test_explain_of_one_week_names_the_range_and_the_files_left(query: Query, lake: Lake) -> None:
    answer = query(
        f"EXPLAIN\nSELECT SUM(sales_amount)\nFROM {T}\n"
        "WHERE order_date BETWEEN DATE '2025-09-15' AND DATE '2025-09-21';"
    )
    plan = "\n".join(str(line[0]) for line in answer.lines)
    table = f"awsdatacatalog:retail_silver.orders_silver$data@{lake.snapshots[-1]}"
    assert f"TableScan[table = {table}, constraint on [order_date]]" in plan
    assert "2:order_date:date" in plan
    assert ":: [[2025-09-15, 2025-09-21]]" in plan
    assert "files: 14 of 60" in plan
    assert "partitions: 7 of 30" in plan
    assert (answer.execution["StatementType"], answer.lines[0]) == ("DML", ["Query Plan"])
    assert answer.execution["Statistics"]["DataScannedInBytes"] == 0


def test_one_week_reads_a_part_of_the_bytes(query: Query) -> None:
    every = query(f"SELECT SUM(sales_amount) FROM {T}").execution["Statistics"]["DataScannedInBytes"]
    week = query(
        f"SELECT SUM(sales_amount) FROM {T} WHERE order_date BETWEEN DATE '2025-09-15' AND DATE '2025-09-21'"
    ).execution["Statistics"]["DataScannedInBytes"]
    assert 0 < week < every / 3


def test_snapshots(query: Query, lake: Lake) -> None:
    answer = query(
        "SELECT snapshot_id, parent_id, committed_at, operation, summary\n"
        'FROM retail_silver."orders_silver$snapshots"\nORDER BY committed_at DESC\nLIMIT 5;'
    )
    first, second = lake.snapshots
    assert [row[:2] for row in answer.rows] == [[str(second), str(first)], [str(first), None]]
    assert {row[3] for row in answer.rows} == {"append"}
    assert "total-records=900" in str(answer.rows[0][4])
    assert answer.columns[2] == ("committed_at", "timestamp with time zone")
    assert str(answer.rows[0][2]).endswith(" UTC")


def test_time_travel_by_snapshot_id(query: Query, lake: Lake) -> None:
    answer = query(
        "-- copy a snapshot_id from the query above\nSELECT COUNT(*) AS rows_at_that_time\n"
        f"FROM {T}\nFOR VERSION AS OF {lake.snapshots[0]};"
    )
    assert answer.rows == [["600"]]


def test_history(query: Query, lake: Lake) -> None:
    answer = query('SELECT *\nFROM retail_silver."orders_silver$history"\nORDER BY made_current_at DESC\nLIMIT 5;')
    assert [name for name, _ in answer.columns] == [
        "made_current_at",
        "snapshot_id",
        "parent_id",
        "is_current_ancestor",
    ]
    assert [row[1] for row in answer.rows] == [str(lake.snapshots[1]), str(lake.snapshots[0])]
    assert {row[3] for row in answer.rows} == {"true"}
