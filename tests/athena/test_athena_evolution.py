"""Columns that changed without a new snapshot: a query sees the table's own, time travel the snapshot's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from athena_lake import SILVER, Lake, Query
from pyiceberg.types import DecimalType, LongType, StringType

T = "retail_silver.evolved"


@pytest.fixture(scope="module")
def evolved(lake: Lake, query: Query) -> Iterator[int]:
    """Two rows, and since then: a column added, one renamed, one widened, one dropped. The one snapshot's id."""
    query(
        f"CREATE TABLE {T} (id int, name string, price decimal(5,2), gone string) "
        f"LOCATION 's3://{SILVER}/evolved/' TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    query(f"INSERT INTO {T} VALUES (1, 'a', DECIMAL '1.50', 'x'), (2, 'b', DECIMAL '2.50', 'y')")
    table = lake.catalog.load_table(("retail_silver", "evolved"))
    with table.update_schema(allow_incompatible_changes=True) as change:
        change.add_column("note", StringType())
        change.rename_column("name", "label")
        change.update_column("id", LongType())
        change.update_column("price", DecimalType(9, 2))
        change.delete_column("gone")
    yield lake.catalog.load_table(("retail_silver", "evolved")).current_snapshot().snapshot_id
    query(f"DROP TABLE {T}")


def test_a_column_that_was_added_without_a_snapshot_is_null(query: Query, evolved: int) -> None:
    answer = query(f"SELECT * FROM {T} ORDER BY id")
    assert answer.columns == [("id", "bigint"), ("label", "varchar"), ("price", "decimal"), ("note", "varchar")]
    assert answer.rows == [["1", "a", "1.50", None], ["2", "b", "2.50", None]]
    assert query(f"SELECT count(*) FROM {T} WHERE note IS NULL AND label > 'a'").rows == [["1"]]
    plan = "\n".join(str(line[0]) for line in query(f"EXPLAIN SELECT id FROM {T} WHERE note = 'n'").lines)
    assert "constraint on [note]" in plan
    assert "COLUMN_NOT_FOUND" in query(f"SELECT gone FROM {T}").reason
    assert evolved


def test_time_travel_has_the_columns_of_the_snapshot(query: Query, evolved: int) -> None:
    then = f"{T} FOR VERSION AS OF {evolved}"
    answer = query(f"SELECT * FROM {then} ORDER BY id")
    assert [name for name, _ in answer.columns] == ["id", "name", "price", "gone"]
    assert answer.rows[0] == ["1", "a", "1.50", "x"]
    assert "COLUMN_NOT_FOUND" in query(f"SELECT note FROM {then}").reason


def test_a_row_written_since_has_the_new_column(query: Query, evolved: int) -> None:
    assert evolved
    assert query(f"INSERT INTO {T} VALUES (3, 'c', DECIMAL '3.00', 'new')").state == "SUCCEEDED"
    assert query(f"SELECT note FROM {T} ORDER BY id").rows == [[None], [None], ["new"]]
