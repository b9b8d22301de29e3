"""Where DuckDB and Athena differ, Athena wins: values, types, names, and what is refused."""

from __future__ import annotations

import pytest
from athena_lake import Lake, Query

T = "retail_silver.orders_silver"


@pytest.mark.parametrize(
    ("sql", "value", "kind"),
    [
        ("7 / 2", "3", "integer"),
        ("-7 / 2", "-3", "integer"),
        ("1.0e0 / 0", "Infinity", "double"),
        ("TRY(1 / 0)", None, "integer"),
        ("0.33", "0.33", "double"),
        ("1 / 0.0", "Infinity", "double"),
        ("DECIMAL '10.00' / 4", "2.50", "decimal"),
        ("DECIMAL '9999999999.99' * DECIMAL '9999999999.99'", "99999999999800000000.0001", "decimal"),
        ("CAST(-9223372036854775807 - 1 AS bigint) % -1", "0", "bigint"),
        ("DECIMAL '-7.5' % -1", "-0.5", "decimal"),
        ("upper('Straße ẞ')", "STRAßE ẞ", "varchar"),
        ("3330000000.0e0", "3.33E9", "double"),
        ("0.00001e0", "1.0E-5", "double"),
        ("CAST(10000000 AS double)", "1.0E7", "double"),
        ("CAST(-3.33e9 AS varchar)", "-3.33E9", "varchar"),
        ("CAST(0.00015e0 AS varchar)", "1.5E-4", "varchar"),
        ("CAST(123.25e0 AS varchar)", "1.2325E2", "varchar"),
        ("CAST(2.5e0 AS bigint)", "3", "bigint"),
        ("CAST('abc' AS varchar(2))", "ab", "varchar"),
        ("date_diff('day', TIMESTAMP '2025-01-01 12:00:00', TIMESTAMP '2025-01-02 11:00:00')", "0", "bigint"),
        ("date_diff('month', DATE '2025-01-31', DATE '2025-02-27')", "0", "bigint"),
        ("date_trunc('month', DATE '2025-01-31')", "2025-01-01", "date"),
        ("date_add('day', 1, DATE '2025-01-31')", "2025-02-01", "date"),
        ("DATE '2025-01-31' + INTERVAL '1' DAY", "2025-02-01", "date"),
        ("DATE '2025-02-01' - DATE '2025-01-31'", "1 00:00:00.000", "interval day to second"),
        ("from_unixtime(0)", "1970-01-01 00:00:00.000 UTC", "timestamp with time zone"),
        ("TIMESTAMP '2025-01-01 10:00:00'", "2025-01-01 10:00:00.000", "timestamp"),
        ("greatest(1, NULL)", None, "integer"),
        ("'a' || NULL", None, None),
        ("ARRAY[1, NULL]", "[1, null]", "array"),
        ("map(ARRAY['a'], ARRAY[1])", "{a=1}", "map"),
        ("true", "true", "boolean"),
        ("element_at(ARRAY[1, 2], 3)", None, "integer"),
        ("typeof(1)", "integer", "varchar"),
    ],
)
def test_a_value_is_what_athena_gives(query: Query, sql: str, value: str | None, kind: str | None) -> None:
    answer = query(f"SELECT {sql}")
    assert answer.rows == [[value]]
    name, found = answer.columns[0]
    assert name == "_col0"
    assert kind is None or found == kind


def test_sums_of_integers_are_bigint_and_averages_of_decimals_decimal(query: Query) -> None:
    rows = "(VALUES (1, DECIMAL '1.25'), (2, DECIMAL '2.5')) AS t (x, y)"
    answer = query(f"SELECT SUM(x), AVG(x), SUM(y), AVG(y) FROM {rows}")
    assert [kind for _, kind in answer.columns] == ["bigint", "double", "decimal", "decimal"]
    assert answer.rows == [["3", "1.5", "3.75", "1.88"]]


def test_a_window_sum_is_bigint_too(query: Query, lake: Lake) -> None:
    answer = query(f"SELECT SUM(qty) OVER (ORDER BY order_id) FROM {T} ORDER BY order_id LIMIT 2")
    assert answer.columns == [("_col0", "bigint")]
    assert answer.rows == [["1"], [str(lake.orders[0]["qty"] + lake.orders[1]["qty"])]]


def test_timestamps_of_a_table_show_six_digits(query: Query) -> None:
    assert query(f"SELECT MAX(landed_at) FROM {T}").rows == [["2025-10-01 10:00:00.123456"]]


def test_names_are_shown_as_written_and_found_in_any_case(query: Query) -> None:
    answer = query('SELECT Order_ID, QTY AS Units, "qty" + 1 FROM Retail_Silver.ORDERS_SILVER ORDER BY 1 LIMIT 1')
    assert [name for name, _ in answer.columns] == ["Order_ID", "Units", "_col2"]


def test_nulls_sort_last_both_ways(query: Query) -> None:
    for direction in ("ASC", "DESC"):
        answer = query(f"SELECT x FROM (VALUES 1, NULL, 2) AS t (x) ORDER BY x {direction}")
        assert answer.rows[-1] == [None]


def test_joins_ctes_subqueries_unnest_and_values(query: Query, lake: Lake) -> None:
    assert query("VALUES (1, 'a'), (2, 'b')").rows == [["1", "a"], ["2", "b"]]
    assert query("SELECT u.x FROM UNNEST(ARRAY[1, 2]) AS u (x)").rows == [["1"], ["2"]]
    assert query("SELECT * FROM (VALUES (1, 2)) a (x, y) JOIN (VALUES (1, 3)) b (x, z) USING (x)").rows == [
        ["1", "2", "3"]
    ]
    answer = query(
        f"WITH big AS (SELECT customer_id, SUM(qty) AS units FROM {T} GROUP BY 1) "
        f"SELECT COUNT(*) FROM {T} o JOIN big b ON o.customer_id = b.customer_id "
        "WHERE b.units = (SELECT MAX(units) FROM big) "
        "AND EXISTS (SELECT 1 FROM big x WHERE x.customer_id = o.product_id)"
    )
    units: dict[int, int] = {}
    for order in lake.orders:
        units[order["customer_id"]] = units.get(order["customer_id"], 0) + order["qty"]
    best = {customer for customer, total in units.items() if total == max(units.values())}
    assert answer.rows == [[str(sum(order["customer_id"] in best for order in lake.orders))]]


def test_having_means_the_column_and_not_the_alias(query: Query) -> None:
    answer = query(f"SELECT channel, SUM(qty) AS qty FROM {T} GROUP BY channel HAVING SUM(qty) > 1 ORDER BY 1")
    assert [row[0] for row in answer.rows] == ["mobile", "store", "web"]


def test_parameters_take_the_place_of_question_marks(query: Query, lake: Lake) -> None:
    answer = query(
        "SELECT COUNT(*) FROM orders_silver WHERE channel = ? AND qty > ?", ExecutionParameters=["'web'", "3"]
    )
    assert answer.rows == [[str(sum(order["channel"] == "web" and order["qty"] > 3 for order in lake.orders))]]
    assert answer.execution["ExecutionParameters"] == ["'web'", "3"]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            f"SELECT nope FROM {T}",
            "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved or requester is not authorized to access "
            "requested resources",
        ),
        (f"SELECT 1\nFROM {T} o\nWHERE o.nope = 1", "COLUMN_NOT_FOUND: line 3:7: Column 'o.nope'"),
        (f"SELECT channel AS c, COUNT(*) FROM {T} GROUP BY c", "COLUMN_NOT_FOUND: line 1:73: Column 'c'"),
        (f"SELECT qty AS x FROM {T} WHERE x > 1", "COLUMN_NOT_FOUND: line 1:56: Column 'x'"),
        ("SELECT 1 FROM nope.x", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nope' does not exist"),
        ("SELECT 1 FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.retail_silver.nope' does not exist"),
        (
            f"SELECT channel, COUNT(*) FROM {T}",
            "EXPRESSION_NOT_AGGREGATE: line 1:8: 'channel' must be an aggregate expression or appear in "
            "GROUP BY clause",
        ),
        (
            f"SELECT * FROM {T} WHERE order_date >= '2025-09-15'",
            "TYPE_MISMATCH: line 1:60: Cannot apply operator: date >= varchar(10)",
        ),
        (f"SELECT * FROM {T} WHERE qty = '1'", "TYPE_MISMATCH: line 1:53: Cannot apply operator: integer = varchar(1)"),
        (f"SELECT region || qty FROM {T}", "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar, integer)"),
        (
            f"SELECT SUM(channel) FROM {T}",
            "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar) for function sum",
        ),
        ("SELECT 1 WHERE 1", "TYPE_MISMATCH: line 1:16: WHERE clause must evaluate to a boolean: actual type integer"),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT 5 % 0", "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT DECIMAL '1.5' / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT CAST('x' AS bigint)", "INVALID_CAST_ARGUMENT: Cannot cast 'x' to BIGINT"),
        (
            "SELECT ARRAY[1, 2][3]",
            "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length",
        ),
        ("SELECT 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
        ("SELECT list_sum(ARRAY[1])", "FUNCTION_NOT_FOUND: line 1:8: Function 'list_sum' not registered"),
        ("SELECT * FROM read_csv('/etc/passwd')", "FUNCTION_NOT_FOUND"),
        ("SELECT * FROM read_text('/etc/passwd')", "FUNCTION_NOT_FOUND"),
        (f"SELECT 1 FROM {T} FOR VERSION AS OF 5", "INVALID_ARGUMENTS: Iceberg snapshot ID does not exists: 5"),
        (f"SELECT 1 FROM {T} FOR TIMESTAMP AS OF TIMESTAMP '2020-01-01 00:00:00 UTC'", "INVALID_ARGUMENTS: No version"),
        ('SELECT 1 FROM retail_silver."orders_silver$nope"', "TABLE_NOT_FOUND: line 1:15"),
    ],
)
def test_a_query_fails_as_athena_says(query: Query, sql: str, reason: str) -> None:
    answer = query(sql)
    assert answer.state == "FAILED"
    assert answer.reason.startswith(reason), answer.reason
    error = answer.execution["Status"]["AthenaError"]
    assert error["ErrorCategory"] == 2
    assert error["Retryable"] is False
    assert error["ErrorMessage"] == answer.reason


def test_time_travel_by_timestamp(query: Query) -> None:
    assert query(f"SELECT COUNT(*) FROM {T} FOR TIMESTAMP AS OF current_timestamp").rows == [["900"]]


METADATA = {
    "files": ["content", "file_path", "file_format", "record_count", "file_size_in_bytes", "column_sizes",
              "value_counts",
              "null_value_counts", "nan_value_counts", "lower_bounds", "upper_bounds", "key_metadata", "split_offsets",
              "equality_ids"],
    "partitions": ["partition", "record_count", "file_count", "total_size", "data"],
    "manifests": ["path", "length", "partition_spec_id", "added_snapshot_id", "added_data_files_count",
                  "added_rows_count", "existing_data_files_count", "existing_rows_count", "deleted_data_files_count",
                  "deleted_rows_count", "partition_summaries"],
    "refs": ["name", "type", "snapshot_id", "max_reference_age_in_ms", "min_snapshots_to_keep",
             "max_snapshot_age_in_ms"],
    "snapshots": ["committed_at", "snapshot_id", "parent_id", "operation", "manifest_list", "summary"],
}  # fmt: skip


@pytest.mark.parametrize("kind", METADATA)
def test_metadata_tables_have_athenas_columns(query: Query, kind: str) -> None:
    answer = query(f'SELECT * FROM retail_silver."orders_silver${kind}"')
    assert [name for name, _ in answer.columns] == METADATA[kind]
    assert answer.rows


def test_partitions_add_up(query: Query) -> None:
    answer = query(
        "SELECT COUNT(*), SUM(record_count), SUM(file_count), MIN(data.order_id.min), MAX(data.order_id.max) "
        'FROM retail_silver."orders_silver$partitions"'
    )
    assert answer.rows == [["30", "900", "60", "0", "899"]]


def test_explain_reads_bounds_in_lists_and_joins(query: Query) -> None:
    plan = "\n".join(
        str(line[0])
        for line in query(
            f"EXPLAIN SELECT o.channel, COUNT(*) FROM {T} o JOIN {T} p ON o.order_id = p.order_id "
            "WHERE o.order_date > DATE '2025-09-28' AND o.channel IN ('web', 'store') GROUP BY 1 ORDER BY 2 LIMIT 3"
        ).lines
    )
    assert "constraint on [order_date, channel]" in plan
    assert ":: [(2025-09-28, <max>)]" in plan
    assert ":: [[store], [web]]" in plan
    assert "files: 60 of 60" in plan
    assert "TopN[count = 3" in plan


def test_explain_does_not_prune_the_null_side_of_an_outer_join(query: Query) -> None:
    answer = query(
        f"EXPLAIN SELECT 1 FROM {T} a LEFT JOIN {T} b ON a.order_id = b.order_id WHERE b.order_date = DATE '2025-09-02'"
    )
    assert not any("constraint on" in str(line[0]) for line in answer.lines)


def test_explain_of_a_union_shows_both_scans(query: Query) -> None:
    answer = query(f"EXPLAIN SELECT qty FROM {T} UNION ALL SELECT order_id FROM {T} WHERE channel = 'web'")
    assert sum("TableScan[" in str(line[0]) for line in answer.lines) == 2
