"""Statements that change the catalog or a table really do so, or fail and say that nothing was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from athena_lake import RESULTS, SILVER, Lake, Query

T = "retail_silver.orders_silver"


@pytest.fixture
def scratch(query: Query) -> Iterator[str]:
    """An empty database, and a table ``t`` without rows in it."""
    assert query("CREATE DATABASE scratch").state == "SUCCEEDED"
    created = query(
        "CREATE TABLE scratch.t (id bigint, d date, name string, p decimal(10,2)) "
        f"LOCATION 's3://{SILVER}/scratch/t/' TBLPROPERTIES ('table_type' = 'ICEBERG')"
    )
    assert created.state == "SUCCEEDED", created.reason
    yield "scratch.t"
    assert query("DROP DATABASE IF EXISTS scratch CASCADE").state == "SUCCEEDED"


def _objects(client: Callable[..., Any], prefix: str) -> list[str]:
    found = client("s3").list_objects_v2(Bucket=SILVER, Prefix=prefix)
    return [entry["Key"] for entry in found.get("Contents", [])]


def test_a_table_without_a_snapshot_is_empty(query: Query, scratch: str) -> None:
    assert query(f"SELECT * FROM {scratch}").lines == [["id", "d", "name", "p"]]
    assert query(f"SELECT COUNT(*), MAX(d) FROM {scratch}").rows == [["0", None]]
    assert query('SELECT * FROM scratch."t$snapshots"').rows == []
    assert query('SELECT * FROM scratch."t$partitions"').rows == []
    assert query(f"EXPLAIN SELECT * FROM {scratch} WHERE id = 1").state == "SUCCEEDED"


def test_insert_update_delete(query: Query, scratch: str) -> None:
    inserted = query(
        f"INSERT INTO {scratch} VALUES (1, DATE '2025-01-01', 'a', 1.25), (2, NULL, 'b\"q,', NULL), (3, NULL, '', 3)"
    )
    assert inserted.page is not None, inserted.reason
    assert inserted.page["UpdateCount"] == 3
    assert query(f"INSERT INTO {scratch} (name, id) SELECT 'd', 4").state == "SUCCEEDED"
    assert query(f"UPDATE {scratch} SET name = upper(name), p = p * 2 WHERE id <= 2").state == "SUCCEEDED"
    deleted = query(f"DELETE FROM {scratch} WHERE id = 3")
    assert deleted.page is not None, deleted.reason
    assert deleted.page["UpdateCount"] == 1
    assert query(f"SELECT id, d, name, p FROM {scratch} ORDER BY id").rows == [
        ["1", "2025-01-01", "A", "2.50"],
        ["2", None, 'B"Q,', None],
        ["4", None, "d", None],
    ]
    assert query('SELECT COUNT(*) FROM scratch."t$snapshots"').rows[0] != ["0"]


def test_insert_of_another_type_is_refused(query: Query, scratch: str) -> None:
    assert query(f"INSERT INTO {scratch} (id) VALUES ('x')").reason.startswith("TYPE_MISMATCH: ")
    assert query(f"INSERT INTO {scratch} (nope) VALUES (1)").reason.startswith("COLUMN_NOT_FOUND: ")
    assert query(f"INSERT INTO {scratch} VALUES (1)").reason.startswith("TYPE_MISMATCH: ")


def test_create_table_as_select(query: Query, scratch: str, lake: Lake) -> None:  # noqa: ARG001
    created = query(
        "CREATE TABLE scratch.c WITH (table_type = 'ICEBERG', is_external = false, "
        f"location = 's3://{SILVER}/scratch/c/') "
        f"AS SELECT channel, SUM(qty) AS units FROM {T} GROUP BY 1"
    )
    assert created.state == "SUCCEEDED", created.reason
    assert created.execution["SubstatementType"] == "CREATE_TABLE_AS_SELECT"
    answer = query("SELECT * FROM scratch.c ORDER BY channel")
    assert answer.columns == [("channel", "varchar"), ("units", "bigint")]
    wanted = {
        name: sum(order["qty"] for order in lake.orders if order["channel"] == name)
        for name in ("mobile", "store", "web")
    }
    assert answer.rows == [[name, str(units)] for name, units in wanted.items()]
    assert query(
        f"CREATE TABLE scratch.u WITH (table_type = 'ICEBERG', location = 's3://{SILVER}/scratch/u/') AS SELECT 1"
    ).reason.startswith("COLUMN_NAME_NOT_SPECIFIED: ")


def test_drop_table_deletes_its_data(query: Query, scratch: str, client: Callable[..., Any]) -> None:
    query(f"INSERT INTO {scratch} (id) VALUES (1)")
    assert _objects(client, "scratch/t/data/")
    assert query(f"DROP TABLE {scratch}").state == "SUCCEEDED"
    assert _objects(client, "scratch/t/") == []
    assert query(f"DROP TABLE {scratch}").reason.startswith("TABLE_NOT_FOUND: ")
    assert query(f"DROP TABLE IF EXISTS {scratch}").state == "SUCCEEDED"


def test_databases(query: Query, scratch: str) -> None:  # noqa: ARG001
    assert query("CREATE DATABASE scratch").reason.startswith("ALREADY_EXISTS: ")
    assert query("CREATE DATABASE IF NOT EXISTS scratch").state == "SUCCEEDED"
    assert query("DROP DATABASE scratch").state == "FAILED"
    assert query("SHOW TABLES IN scratch").lines == [["t"]]
    assert ["retail_silver"] in query("SHOW DATABASES").lines
    assert query("DROP DATABASE nope").reason.startswith("SCHEMA_NOT_FOUND: ")


def test_show_and_describe(query: Query) -> None:
    assert query("SHOW TABLES", database="retail_silver").lines == [["orders_silver"]]
    assert query("SHOW TABLES IN retail_silver 'nope*'").lines == []
    described = query(f"DESCRIBE {T}").lines
    assert ["order_date\tdate\t"] in described
    assert "day" in str(described[-1][0])
    assert [str(line[0]).strip() for line in query(f"SHOW COLUMNS IN {T}").lines][:2] == ["order_id", "order_date"]
    created = "\n".join(str(line[0]) for line in query(f"SHOW CREATE TABLE {T}").lines)
    assert "PARTITIONED BY (day(`order_date`))" in created
    assert "'table_type'='iceberg'" in created
    assert any("metadata_location" in str(line[0]) for line in query(f"SHOW TBLPROPERTIES {T}").lines)


def test_ddl_writes_a_text_file_without_a_header(query: Query, client: Callable[..., Any]) -> None:
    answer = query("SHOW TABLES IN retail_silver")
    location = answer.execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{RESULTS}/athena/{answer.execution['QueryExecutionId']}.txt"
    key = location.removeprefix(f"s3://{RESULTS}/")
    assert client("s3").get_object(Bucket=RESULTS, Key=key)["Body"].read() == b"orders_silver\n"
