"""``lakectl query`` as of an earlier time, and its question before a query that may read much."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from program_process import run_program
from terminal import Terminal

from lakectl import config, project
from lakectl.errors import UsageError
from lakectl.ops.lake import Lake, open_lake
from lakectl.ops.tables import estimate, named_tables, query, time_travel
from lakectl.ops.tables.named_tables import NotUnderstood


@pytest.fixture(scope="module")
def lake(folder: Path) -> Iterator[Lake]:
    """A table ``sales`` of two snapshots, one row in each, and one of CSV files that is partitioned by hand."""
    files = project.find(str(folder / "lake.yaml"))
    lake = open_lake(files, config.load_for(files, {}))
    glue, silver = lake.client("glue"), lake.names.silver_database
    bucket = f"query-{lake.config.name}"
    glue.create_database(DatabaseInput={"Name": silver})
    at = f"LOCATION 's3://{bucket}/sales/' TBLPROPERTIES ('table_type' = 'ICEBERG')"
    query.run(lake, f"CREATE TABLE {silver}.sales (id int, amount double) {at}")
    for number in (1, 2):
        query.run(lake, f"INSERT INTO sales VALUES ({number}, {number}.5)")
    serde = {"SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"}
    columns = [{"Name": "id", "Type": "int"}]
    storage = {"Columns": columns, "Location": f"s3://{bucket}/lines", "SerdeInfo": serde}
    lake.client("s3").put_object(Bucket=bucket, Key="lines/a.csv", Body=b"1\n2\n")
    lake.client("s3").put_object(Bucket=bucket, Key="lines2/a.csv", Body=b"not of it")
    keys = {"PartitionKeys": [{"Name": "day", "Type": "date"}]}
    glue.create_table(DatabaseName=silver, TableInput={"Name": "lines", "StorageDescriptor": storage})
    glue.create_table(DatabaseName=silver, TableInput={"Name": "parts", "StorageDescriptor": storage, **keys})
    yield lake
    for name in ("sales", "lines", "parts"):
        glue.delete_table(DatabaseName=silver, Name=name)
    glue.delete_database(Name=silver)


@pytest.fixture(scope="module")
def snapshots(lake: Lake) -> list[SimpleNamespace]:
    found = query.run(lake, 'SELECT snapshot_id, committed_at FROM "sales$snapshots" ORDER BY committed_at').rows
    return [SimpleNamespace(id=str(row[0]), time=str(row[1])) for row in found]


def test_a_snapshot_and_a_time_are_put_behind_each_table(lake: Lake, snapshots: list[SimpleNamespace]) -> None:
    def ids(sql: str, at: str) -> list[str | None]:
        return [row[0] for row in query.run(lake, time_travel.as_of(lake, sql, at)).rows]

    first, second = snapshots
    assert ids("SELECT id FROM sales ORDER BY id", first.id) == ["1"]
    assert ids("SELECT id FROM sales ORDER BY id", second.id) == ["1", "2"]
    assert ids("SELECT id FROM sales", first.time) == ["1"]  # as `lakectl snapshots` shows it
    several = (
        "WITH sales AS (SELECT * FROM Sales -- '🎉 FROM sales\n), twice AS (SELECT a.id FROM sales AS a JOIN "
        f'"{lake.names.silver_database}".sales b ON a.id = b.id)\n'
        "SELECT id FROM twice UNION ALL "
        "SELECT max(id) FROM sales WHERE 'FROM sales' <> '' AND id IN (SELECT id FROM sales)"
    )
    assert ids(several, first.time.replace(" UTC", "Z").replace(" ", "T")) == ["1", "1"]
    assert ids(several, second.id) in (["1", "2", "2"], ["2", "1", "2"])


def test_a_write_tells_how_many_rows_it_has_written(lake: Lake, folder: Path) -> None:
    sql = f"CREATE TABLE {lake.names.silver_database}.more (id int) LOCATION 's3://query-{lake.config.name}/more/'"
    query.run(lake, f"{sql} TBLPROPERTIES ('table_type' = 'ICEBERG')")
    for statement, told in (("INSERT INTO more VALUES (1), (2)", "2 rows written, "), ("DROP TABLE more", "0 rows, ")):
        done = run_program("query", statement, "-c", str(folder / "lake.yaml"), cwd=folder)
        assert (done.stdout, done.stderr.startswith(told)) == ("", True), done.stderr


def test_only_the_names_of_tables_are_changed(lake: Lake) -> None:
    sql = "SELECT s.id /* FROM sales */ FROM sales s, UNNEST(ARRAY[1]) AS sales2 (x) WHERE s.id = 1"
    wanted = sql.replace(" sales s", " sales FOR TIMESTAMP AS OF TIMESTAMP '2026-11-30 11:00:00.500 UTC' s")
    assert time_travel.as_of(lake, sql, "2026-11-30T12:00:00.5+01:00") == wanted
    wanted = "SELECT * FROM sales FOR TIMESTAMP AS OF TIMESTAMP '2026-11-30 00:00:00.000 UTC'"
    assert time_travel.as_of(lake, "SELECT * FROM sales", "2026-11-30") == wanted


@pytest.mark.parametrize(
    ("sql", "at", "told"),
    [
        ("SELECT * FROM sales", "yesterday", "neither a snapshot id nor a time"),
        ("SELECT 1", "2026-11-30", "names none"),
        ("DELETE FROM sales", "2026-11-30", "not understood as one"),
        ("SELECT * FROM sales; SELECT 1", "2026-11-30", "not understood as one"),
        ("SELECT * FROM sales, lines", "1", "a snapshot is one table's"),
        ("SELECT * FROM lines", "2026-11-30", "has no snapshots"),
        ('SELECT * FROM "sales$files"', "2026-11-30", "has no earlier state"),
        ("SELECT * FROM nowhere", "2026-11-30", "there is no table"),
        ("SELECT * FROM sales FOR VERSION AS OF 1", "2026-11-30", "the statement itself says"),
    ],
)
def test_what_has_no_earlier_time_is_refused(lake: Lake, sql: str, at: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        time_travel.as_of(lake, sql, at)


def test_tables_are_found_wherever_they_stand() -> None:
    sql = (
        "WITH T AS (SELECT * FROM t), b AS (SELECT * FROM T) "
        'SELECT (SELECT max(x) FROM "S".z) FROM b m JOIN b n ON true, '
        "LATERAL (SELECT * FROM c.d.e) l JOIN (f JOIN g ON true) ON true WHERE EXISTS (SELECT 1 FROM T) "
        "AND EXISTS (SELECT 1 FROM u FOR VERSION AS OF 1) ORDER BY (SELECT 1 FROM h)"
    )
    found = [(each.catalog, each.database, each.name, each.travels, each.times) for each in named_tables.of(sql)]
    assert found == [
        ("", "", "t", False, 3),
        ("", "s", "z", False, 1),
        ("c", "d", "e", False, 1),
        ("", "", "f", False, 1),
        ("", "", "g", False, 1),
        ("", "", "u", True, 1),
        ("", "", "h", False, 1),
    ]
    for wrong in ("SELEC 1", "SELECT 1; SELECT 2", "DROP TABLE t", "SELECT * FROM a, a", "(" * 5000):
        with pytest.raises(NotUnderstood):
            named_tables.of(wrong)


def test_an_estimate_is_what_the_files_hold(lake: Lake, snapshots: list[SimpleNamespace]) -> None:
    size = int(query.run(lake, 'SELECT sum(file_size_in_bytes) FROM "sales$files"').value or 0)
    sales, lines = (f"{lake.names.silver_database}.{name}" for name in ("sales", "lines"))
    one = estimate.of(lake, "SELECT count(*) FROM sales")
    assert one == estimate.Estimate(size, (sales,))
    assert one.usd == pytest.approx(10 * 1024**2 / 1e12 * 5)
    assert estimate.of(lake, "WITH s AS (SELECT * FROM sales) SELECT * FROM s a, s b, lines") == estimate.Estimate(
        2 * size + 4, (sales, lines)
    )
    travelling = estimate.of(lake, f"SELECT * FROM sales FOR VERSION AS OF {snapshots[0].id}")
    assert travelling == one  # never less than any snapshot holds
    for unknown in (
        "SELECT 1",
        'SELECT * FROM "sales$files"',
        "SELECT * FROM sales, parts",
        "SELECT * FROM gone",
        "SHOW x",
    ):
        assert estimate.of(lake, unknown) is None, unknown


def test_a_query_that_may_read_much_asks_on_a_terminal(lake: Lake, folder: Path) -> None:
    config = folder / "asks.yaml"
    config.write_text((folder / "lake.yaml").read_text() + "athena: {ask_above_bytes: 100}\n")
    command = ["query", "SELECT count(*) AS n FROM sales", "-c", str(config)]
    for answer, code in (("y", 0), ("n", 64)):
        terminal = Terminal([sys.executable, "-m", "lakectl", *command], folder, width=160)
        told = terminal.wait_for("Run it? [y/N]: ")
        assert "This query reads from 1." in told
        assert (
            f" KiB ({lake.names.silver_database}.sales): all of it costs less than 0.01 USD on AWS, nothing here."
            in told
        )
        terminal.type(f"{answer}\r")
        assert (terminal.end(), "not confirmed, so nothing was run" in terminal.said) == (code, bool(code))
    assert len(query.run(lake, "SELECT count(*) FROM sales").rows) == 1

    def asked(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_program(*command, *arguments, cwd=folder)

    piped, unasked, never = asked(), asked("--yes"), asked("--no-input")
    assert (piped.stdout, unasked.stdout, never.returncode) == ("n\n2\n", "n\n2\n", 64)
    assert ("This query reads" in piped.stderr, "This query reads" in unasked.stderr) == (True, False)
    assert "nothing was run" in never.stderr
