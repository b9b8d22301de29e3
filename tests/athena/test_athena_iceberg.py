"""Changes of Iceberg tables: MERGE, UPDATE, DELETE, ALTER, OPTIMIZE, VACUUM, and writers that meet."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from athena_lake import SILVER, Query
from pyiceberg.catalog.glue import GlueCatalog

WHERE = f"s3://{SILVER}/changing"


@pytest.fixture(scope="module")
def ask(query: Query) -> Iterator[Callable[[str], Any]]:
    """Rows of a SELECT, the number of changed rows else, the reason of a failure."""
    assert query("CREATE DATABASE changing").state == "SUCCEEDED"

    def run(sql: str) -> Any:
        answer = query(sql, database="changing")
        if answer.page is None:
            return answer.reason
        return answer.rows if sql.startswith("SELECT") else answer.page.get("UpdateCount", 0)

    yield run
    assert query("DROP DATABASE changing CASCADE").state == "SUCCEEDED"


@pytest.fixture
def table(ask: Any) -> Iterator[str]:
    """Five rows in a table that is partitioned by month."""
    made = ask(
        "CREATE TABLE t (id int, name string, day date, price decimal(10,2)) PARTITIONED BY (month(day)) "
        f"LOCATION '{WHERE}/t/' TBLPROPERTIES ('table_type' = 'ICEBERG', 'vacuum_max_snapshot_age_seconds' = '1')"
    )
    assert made == 0
    rows = ", ".join(f"({n}, 'n{n}', DATE '2025-0{1 + n % 2}-01', {n})" for n in range(1, 6))
    assert ask(f"INSERT INTO t VALUES {rows}") == 5
    yield "changing.t"
    assert ask("DROP TABLE t") == 0


def _in_iceberg(catalog: GlueCatalog, table: str) -> list[tuple[int, str | None]]:
    """The rows as another Iceberg client sees them."""
    found = catalog.load_table(table).scan().to_arrow().sort_by("id").to_pylist()
    return [(row["id"], row["name"]) for row in found]


def test_delete_and_update_with_any_predicate(ask: Any, table: str, catalog: GlueCatalog) -> None:
    assert ask("DELETE FROM t WHERE id % 2 = 0 AND name IN (SELECT 'n' || '2')") == 1
    assert ask("UPDATE t x SET name = upper(x.name), price = x.price * 2 WHERE id > (SELECT 3)") == 2
    assert _in_iceberg(catalog, table) == [(1, "n1"), (3, "n3"), (4, "N4"), (5, "N5")]
    assert ask("SELECT id, price FROM t WHERE name LIKE 'N%' ORDER BY 1") == [["4", "8.00"], ["5", "10.00"]]
    assert ask('SELECT DISTINCT content FROM "t$files" ORDER BY 1') == [["0"], ["1"]]  # merge-on-read
    assert ask('SELECT operation FROM "t$snapshots" ORDER BY committed_at') == [["append"], ["delete"], ["overwrite"]]
    assert ask("DELETE FROM t WHERE id = 77") == 0
    assert ask("DELETE FROM t") == 4
    assert ask("SELECT count(*) FROM t") == [["0"]]
    first = catalog.load_table(table).metadata.snapshots[0].snapshot_id
    assert ask(f"SELECT count(*) FROM t FOR VERSION AS OF {first} a JOIN t b ON a.id <> b.id") == [["0"]]
    assert ask(f"SELECT count(*) FROM (SELECT * FROM t FOR VERSION AS OF {first})") == [["5"]]


def test_merge(ask: Any, table: str, catalog: GlueCatalog) -> None:
    source = "(VALUES (1, 'one'), (2, 'two'), (3, 'three'), (9, 'nine'), (10, 'ten')) AS s(i, n)"
    merged = ask(
        f"MERGE INTO t AS a USING {source} ON a.id = s.i WHEN MATCHED AND s.n = 'two' THEN DELETE "
        "WHEN MATCHED AND a.id < 3 THEN UPDATE SET name = s.n || a.name, price = NULL "
        "WHEN NOT MATCHED AND s.i = 9 THEN INSERT (name, id) VALUES (s.n, s.i)"
    )
    assert merged == 3
    assert _in_iceberg(catalog, table) == [(1, "onen1"), (3, "n3"), (4, "n4"), (5, "n5"), (9, "nine")]
    before = catalog.load_table(table).metadata.current_snapshot_id
    twice = "MERGE INTO t USING (VALUES 4, 4) AS s(i) ON t.id = s.i WHEN MATCHED THEN UPDATE SET name = 'x'"
    assert ask(twice).startswith("MERGE_TARGET_ROW_MULTIPLE_MATCHES: One MERGE target table row matched more than one")
    wrong = "MERGE INTO t USING (VALUES 4) AS s(i) ON t.id = s.i WHEN MATCHED THEN UPDATE SET day = s.i"
    assert ask(wrong).startswith("TYPE_MISMATCH: MERGE table column types don't match for MERGE case 0")
    unknown = "MERGE INTO t USING (VALUES 4) AS s(i) ON t.id = s.i WHEN NOT MATCHED THEN INSERT (x) VALUES (1)"
    assert ask(unknown).startswith("COLUMN_NOT_FOUND: ")
    chance = "MERGE INTO t USING (VALUES 4) AS s(i) ON t.id = s.i WHEN MATCHED AND random() < 0.5 THEN DELETE"
    assert ask(chance).startswith("NOT_SUPPORTED: line 1:70: MERGE with random in a WHEN clause")
    assert ask("UPDATE t SET name = 1").endswith("SET expressions: Table: [varchar], Expressions: [integer]")
    assert catalog.load_table(table).metadata.current_snapshot_id == before


@pytest.mark.long
def test_a_hundred_partitions_at_once(ask: Any, table: str, catalog: GlueCatalog) -> None:
    before = catalog.load_table(table).metadata.current_snapshot_id
    many = "INSERT INTO t (id, day) SELECT n, date_add('month', n, DATE '2000-01-01') FROM UNNEST(sequence(1, {})) u(n)"
    assert ask(many.format(101)).startswith("ICEBERG_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers")
    assert catalog.load_table(table).metadata.current_snapshot_id == before
    assert ask(many.format(100)) == 100


def test_alter(ask: Any, table: str, catalog: GlueCatalog) -> None:
    assert ask("ALTER TABLE t ADD COLUMNS (more int COMMENT 'new', tags array<string>)") == 0
    assert ask("ALTER TABLE t CHANGE COLUMN id id bigint") == 0
    assert ask("ALTER TABLE t CHANGE COLUMN more extra bigint AFTER id") == 0
    assert ask("ALTER TABLE t DROP COLUMN tags") == 0
    assert ask("ALTER TABLE t CHANGE COLUMN price cost decimal(10,2)") == 0
    assert ask("ALTER TABLE t CHANGE COLUMN cost price decimal(12,2) COMMENT 'more'") == 0
    assert ask("ALTER TABLE t CHANGE COLUMN name name int").startswith("NOT_SUPPORTED: Cannot change column type")
    assert ask("ALTER TABLE t DROP COLUMN day").startswith("NOT_SUPPORTED: Cannot drop partition field")
    assert ask("ALTER TABLE t SET TBLPROPERTIES ('vacuum_min_snapshots_to_keep' = '7')") == 0
    assert ask("ALTER TABLE t SET TBLPROPERTIES ('nope' = '7')").startswith("INVALID_TABLE_PROPERTY: Unsupported")
    loaded = catalog.load_table(table)
    assert [field.name for field in loaded.schema().fields] == ["id", "extra", "name", "day", "price"]
    assert loaded.properties["vacuum_min_snapshots_to_keep"] == "7"
    assert ask("ALTER TABLE t UNSET TBLPROPERTIES ('vacuum_min_snapshots_to_keep')") == 0
    assert "vacuum_min_snapshots_to_keep" not in catalog.load_table(table).properties
    assert ask("UPDATE t SET extra = id * 10000000000 WHERE id = 1") == 1
    assert ask("SELECT extra FROM t WHERE id < 3 ORDER BY id") == [["10000000000"], [None]]
    assert ask("ALTER TABLE t RENAME TO changing.u") == 0
    assert ask("SELECT count(*) FROM u") == [["5"]]
    assert ask("ALTER TABLE u RENAME TO t") == 0


@pytest.mark.long
def test_optimize_and_vacuum(ask: Any, table: str, catalog: GlueCatalog, client: Callable[..., Any]) -> None:
    for number in range(10, 15):
        assert ask(f"INSERT INTO t VALUES ({number}, 'x', DATE '2025-01-02', 1)") == 1
    assert ask("DELETE FROM t WHERE id = 2") == 1  # one of two rows of a file
    assert ask("OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE id = 1").startswith("NOT_SUPPORTED: ")
    assert ask("OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE day >= DATE '2025-01-01'") == 0
    assert ask('SELECT sum(record_count), count(*) FROM "t$files" WHERE content = 0') == [["9", "2"]]
    assert ask('SELECT operation FROM "t$snapshots" ORDER BY committed_at DESC LIMIT 1') == [["replace"]]
    assert len(_in_iceberg(catalog, table)) == 9
    time.sleep(1.2)
    before = client("s3").list_objects_v2(Bucket=SILVER, Prefix="changing/t/data/")["KeyCount"]
    assert ask("VACUUM t") == 0
    after = client("s3").list_objects_v2(Bucket=SILVER, Prefix="changing/t/data/")["KeyCount"]
    assert after < before
    assert ask('SELECT count(*) FROM "t$snapshots"') == [["1"]]
    assert len(_in_iceberg(catalog, table)) == 9
    assert ask("VACUUM t FULL").startswith("SYNTAX_ERROR: line 1:10: ")


@pytest.mark.long
def test_writers_that_meet(ask: Any, table: str, catalog: GlueCatalog, client: Callable[..., Any]) -> None:
    """Appends are made again on top of each other; of changes that meet, one fails and leaves nothing."""
    answers: list[Any] = []
    statements = [f"INSERT INTO t VALUES ({n}, 'new', NULL, NULL)" for n in (100, 101, 102)]
    statements += [f"UPDATE t SET name = name || '{n}' WHERE id = 1" for n in "ab"]
    threads = [threading.Thread(target=lambda sql=sql: answers.append((sql, ask(sql)))) for sql in statements]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [sql for sql, answer in answers if answer == 1]
    failed = [answer for _, answer in answers if answer != 1]
    assert all(str(answer).startswith("ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update") for answer in failed)
    assert sum(sql.startswith("INSERT") for sql in done) == 3
    rows = _in_iceberg(catalog, table)
    assert len(rows) == 8
    assert len(str(rows[0][1])) == 2 + sum(sql.startswith("UPDATE") for sql in done)
    named = {task.file.file_path for task in catalog.load_table(table).scan().plan_files()}
    stored = client("s3").list_objects_v2(Bucket=SILVER, Prefix="changing/t/data/")["Contents"]
    data = {f"s3://{SILVER}/{each['Key']}" for each in stored if not each["Key"].endswith("-deletes.parquet")}
    assert named <= data
    assert len(data - named) <= len(done)  # files of before a change; none of a commit that failed


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ("'table_type' = 'ICEBERG', 'nope' = '1'", "INVALID_TABLE_PROPERTY: Unsupported table property key: nope"),
        ("'table_type' = 'ICEBERG', 'format' = 'orc'", "NOT_SUPPORTED: Iceberg tables of format orc"),
        ("'table_type' = 'ICEBERG', 'vacuum_min_snapshots_to_keep' = 'x'", "INVALID_TABLE_PROPERTY: Invalid value"),
    ],
)
def test_properties_that_are_refused(ask: Any, properties: str, reason: str) -> None:
    assert ask(f"CREATE TABLE x (a int) LOCATION '{WHERE}/x/' TBLPROPERTIES ({properties})").startswith(reason)


def test_metadata_that_is_not_there(ask: Any, table: str, catalog: GlueCatalog, client: Callable[..., Any]) -> None:
    key = catalog.load_table(table).metadata_location.removeprefix(f"s3://{SILVER}/")
    client("s3").put_object(Bucket=SILVER, Key=key, Body=b"{nope")
    assert ask("SELECT * FROM t").startswith("ICEBERG_INVALID_METADATA: ")
    client("s3").delete_object(Bucket=SILVER, Key=key)
    for sql in ("SELECT * FROM t", "INSERT INTO t (id) VALUES (1)", "DELETE FROM t"):
        assert ask(sql) == "ICEBERG_MISSING_METADATA: Metadata not found in metadata location for table changing.t"


def test_a_location_with_an_empty_folder(ask: Any, client: Callable[..., Any]) -> None:
    """S3 knows no folders: a//b is a key like others. dlt makes such locations of a bucket_url that ends in /."""
    made = (
        f"CREATE TABLE twice (id int, name string) LOCATION '{WHERE}//twice/' TBLPROPERTIES ('table_type' = 'ICEBERG')"
    )
    assert ask(made) == 0
    assert ask("INSERT INTO twice VALUES (1, 'a'), (2, 'b')") == 2
    assert ask("UPDATE twice SET name = 'c' WHERE id = 2") == 1
    assert ask("SELECT id, name FROM twice ORDER BY id") == [["1", "a"], ["2", "c"]]
    found = client("s3").list_objects_v2(Bucket=SILVER, Prefix="changing//twice/data/")["Contents"]
    assert len(found) == 3  # two files of rows, one of deleted places
    assert ask("DROP TABLE twice") == 0
    assert client("s3").list_objects_v2(Bucket=SILVER, Prefix="changing//twice/")["KeyCount"] == 0
