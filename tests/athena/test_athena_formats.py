"""Landed JSON Lines, Parquet and other CSV as external tables, made from a source's specification."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from lakes import open_test_lake, tear_down
from pyarrow import parquet

from lakectl.lake.bronze import layout_of
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.tables import query
from lakectl.resources.glue_table import LandedTable
from lakectl.spec.model import Column, FileFormat, SourceSpec

Show = Callable[..., list[list[str | None]]]


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    lake = open_test_lake(endpoint)
    plan = provision.plan(lake, ("create-databases", "create-workgroup", "create-buckets"))
    assert provision.up(lake, plan, lambda _: None).ok
    yield lake
    tear_down(lake)


@pytest.fixture
def show(lake: Lake) -> Iterator[Show]:
    """``show(source, {path: bytes}, sql)``: land the files, make the table, and ask it; ``RAW`` is its name."""
    made: list[LandedTable] = []

    def ask(source: SourceSpec, files: dict[str, bytes], sql: str = "SELECT * FROM RAW") -> list[list[str | None]]:
        database = lake.names.bronze_database
        if not made:
            for path, body in files.items():
                key = f"retail/{source.name}/ingest_date=2025-09-01/{path}"
                lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=body)
            table = LandedTable(
                database,
                source.raw_table,
                step="create-databases",
                tags=lake.names.tags,
                place=lake.names.place,
                location=f"s3://{lake.names.raw_bucket}/retail/{source.name}/",
                layout=layout_of(source),
                dates="2020-01-01,NOW+1YEARS",
                needs=(),
            )
            table.create(lake.aws)
            live = table.read(lake.aws)
            assert live is not None
            assert table.diff(live) == ()
            made.append(table)
        return query.run(lake, sql.replace("RAW", f"{database}.{source.raw_table}")).rows

    yield ask
    for table in made:
        table.destroy(lake.aws)


def columns(**kinds: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in kinds.items())


def test_csv_with_a_delimiter_and_a_quote_of_its_own(show: Show) -> None:
    source = SourceSpec("drivers", columns(id="bigint", name="string"), file=FileFormat(delimiter=";", quote="'"))
    rows = show(source, {"drivers.csv": b"id;name\n1;'a;''b'\n2;\n"})
    assert rows == [["1", "a;'b", "2025-09-01"], ["2", "", "2025-09-01"]]
    tabs = SourceSpec("tabs", columns(id="bigint"), file=FileFormat(delimiter="\t"))
    assert layout_of(tabs).parameters["separatorChar"] == "\t"


def test_json_lines_are_text_by_name(show: Show) -> None:
    """Numbers as they are written, NULL for what is missing, NULLs for a line that is no object."""
    source = SourceSpec(
        "rides",
        (
            *columns(id="bigint", fare="decimal(10,2)", ok="boolean", more="string"),
            Column("at", "date", header="At-Day"),
        ),
        file=FileFormat("jsonl"),
    )
    lines = (
        '{"ID": 7, "fare": 1.50, "ok": true, "more": {"a": [1, null, "x"], "b": 1e3}, "At-Day": "2025-09-01", "z": 1}',
        '{"id": "007", "fare": null, "more": "caf\\u00e9 \\"q\\""}',
        '{"id": 8, "id": 9} and more',
        '["10", 2.0]',
        "{broken",
        "no json",
        "",
    )
    body = "\n".join(lines).encode()
    one = lines[0].encode() + b"\n\n"
    rows = show(source, {"rides.jsonl": one, "batch=0001/rides.jsonl.gz": gzip.compress(body)}, "SELECT 1")
    rows = show(source, {}, """SELECT id, fare, ok, more, "at" FROM RAW WHERE "$path" LIKE '%.gz' """)
    assert rows == [
        ["7", "1.50", "true", '{"a":[1,null,"x"],"b":1E+3}', "2025-09-01"],
        ["007", None, None, 'café "q"', None],
        ["9", None, None, None, None],
        ["10", "2.0", None, None, None],
        *[[None] * 5] * 2,
    ]
    assert show(source, {}, "SELECT count(*), count(id) FROM RAW WHERE ingest_date = '2025-09-01'") == [["8", "5"]]


def parquet_of(**values: list[Any]) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table(values), file)
    return file.getvalue()


def test_parquet_has_the_declared_types(show: Show) -> None:
    """A narrower type is widened, a column that a file does not have is NULL, and another one is not seen."""
    source = SourceSpec(
        "zones",
        (
            *columns(id="bigint", name="string", fee="decimal(9,2)", day="date", at="timestamp", open="boolean"),
            Column("since", "date", formats=("dd/MM/yyyy",)),
            Column("rate", "double", header="Rate (%)"),
        ),
        file=FileFormat("parquet"),
    )
    assert "rate" not in layout_of(source).columns
    one = parquet_of(
        ID=pa.array([1], pa.int32()),
        name=["a"],
        fee=pa.array([Decimal("1.50")], pa.decimal128(5, 2)),
        day=[date(2025, 9, 1)],
        at=pa.array([datetime(2025, 9, 1, 10, 0, 0, 123456, UTC)], pa.timestamp("us", "UTC")),
        open=[True],
        since=["01/09/2020"],
    )
    rows = show(source, {"zones.parquet": one, "batch=0001/zones.parquet": parquet_of(id=[2], other=[3.5])})
    assert sorted(rows, key=str) == [
        ["1", "a", "1.50", "2025-09-01", "2025-09-01 10:00:00.123", "true", "01/09/2020", "2025-09-01"],
        ["2", *[None] * 6, "2025-09-01"],
    ]
    assert show(source, {}, "SELECT sum(id), max(day) FROM RAW WHERE fee > 1") == [["1", "2025-09-01"]]


def test_parquet_of_another_type_is_refused_by_name(show: Show) -> None:
    source = SourceSpec("sites", columns(id="bigint"), file=FileFormat("parquet"))
    with pytest.raises(query.QueryFailed, match="HIVE_BAD_DATA: Field id's type BINARY in parquet files of"):
        show(source, {"sites.parquet": parquet_of(id=["1"])})


def test_an_empty_table_of_each_format(show: Show, lake: Lake) -> None:
    source = SourceSpec("nothing", columns(id="bigint", day="date"), file=FileFormat("parquet"))
    assert show(source, {}, "SELECT count(*), max(day) FROM RAW") == [["0", None]]
    assert lake.names


def test_many_small_files_are_read_as_few_are(show: Show, lake: Lake) -> None:
    """One request for many; bytes, rows and paths are those of the files."""
    source = SourceSpec("pings", columns(id="bigint", text="string"))
    file = 'id,text\r\n{0},"a ""b"", {0}"\r\n\r\n{0},,surplus\r\n'
    files = {f"batch={number:04d}/pings.csv": file.format(number).encode() for number in range(120)}
    files["batch=9999/pings.csv"] = b"id,text\n" + b"1,x\n" * 100_000
    rows = show(source, files, 'SELECT count(*), sum(CAST(id AS bigint)), count(DISTINCT "$path") FROM RAW')
    assert rows == [[str(240 + 100_000), str(119 * 120 + 100_000), "121"]]
    assert show(source, {}, "SELECT text FROM RAW WHERE id = '7'") == [['a "b", 7'], [""]]
    sql = f"SELECT max(id) FROM {lake.names.bronze_database}.pings_raw"
    assert query.run(lake, sql).scanned == sum(map(len, files.values()))
    assert query.run(lake, f"EXPLAIN {sql}").scanned == 0
