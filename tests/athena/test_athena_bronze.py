"""Landed CSV files as external tables: what `up` makes of them, and what SQL says about them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from lakes import open_test_lake, tear_down

from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.tables import query

HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\r\n"
DAY_1 = "\ufeff" + HEADER + '1,01/09/2025,7,3,2,"1.234,56",web\r\n2,01/09/2025,7,,1,9,"say ""hi"", twice"\r\n'
DAY_2 = HEADER + "3,02/09/2025,7,3,2,5,store\r\n"
BATCH = HEADER + "4,02/09/2025,8,3,2,5\r\n5,02/09/2025,8,3,2,5,web,surplus\r\n"


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    """Databases, tables and workgroup of a lake, and four landed files."""
    lake = open_test_lake(endpoint)
    plan = provision.plan(lake, ("create-databases", "create-workgroup", "create-buckets"))
    assert provision.up(lake, plan, lambda _: None).ok
    land(lake, "ingest_date=2025-09-01/orders.csv", DAY_1.encode())
    land(lake, "ingest_date=2025-09-02/orders.csv", DAY_2.encode())
    land(lake, "ingest_date=2025-09-02/batch=0001/orders.csv.gz", gzip.compress(BATCH.encode()))
    land(lake, "ingest_date=1999-12-31/orders.csv", DAY_2.encode())  # before the projected range
    land(lake, "ingest_date=2025-09-02/_unfinished.csv", b"x\nx\n")
    land(lake, "notes.csv", b"x\nx\n")
    yield lake
    tear_down(lake)


def land(lake: Lake, key: str, body: bytes) -> None:
    lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=f"retail/orders/{key}", Body=body)


def ask(lake: Lake, sql: str) -> list[list[str | None]]:
    return query.run(lake, sql.replace("RAW", f"{lake.names.bronze_database}.orders_raw")).rows


def test_every_landed_row_is_counted_under_its_date(lake: Lake) -> None:
    saved = query.run(lake, query.resolve(lake, "15"))
    assert saved.rows == [["2025-09-02", "2", "3"], ["2025-09-01", "1", "2"]]
    assert set(saved.types) == {"varchar", "bigint"}


def test_fields_are_the_text_of_the_file(lake: Lake) -> None:
    rows = ask(lake, "SELECT * FROM RAW ORDER BY order_id")
    assert rows[0] == ["1", "01/09/2025", "7", "3", "2", "1.234,56", "web", "2025-09-01"]
    assert rows[1] == ["2", "01/09/2025", "7", "", "1", "9", 'say "hi", twice', "2025-09-01"]
    assert rows[3][6:] == [None, "2025-09-02"]  # the line ends early
    assert rows[4][6:] == ["web", "2025-09-02"]  # and this one goes on


def test_a_date_reads_its_own_files_only(lake: Lake) -> None:
    one = query.run(
        lake, f"SELECT COUNT(*) FROM {lake.names.bronze_database}.orders_raw WHERE ingest_date = '2025-09-01'"
    )
    assert one.value == "2"
    assert one.scanned == len(DAY_1.encode())


def test_the_path_names_the_file(lake: Lake) -> None:
    rows = ask(lake, """SELECT DISTINCT "$path" FROM RAW WHERE "$path" LIKE '%batch=%'""")
    where = f"s3://{lake.names.raw_bucket}/retail/orders"
    assert rows == [[f"{where}/ingest_date=2025-09-02/batch=0001/orders.csv.gz"]]


def test_raw_joins_silver_types_by_cast(lake: Lake) -> None:
    assert ask(lake, "SELECT SUM(CAST(qty AS integer)) FROM RAW") == [["9"]]
    with pytest.raises(query.QueryFailed, match="TYPE_MISMATCH"):
        ask(lake, "SELECT * FROM RAW WHERE order_id = 1")


def test_show_and_describe(lake: Lake) -> None:
    tables = query.run(lake, f"SHOW TABLES IN {lake.names.bronze_database}").rows
    assert tables == [["customers_raw"], ["orders_raw"], ["products_raw"]]
    described = [row[:2] for row in ask(lake, "DESCRIBE RAW")]
    assert ["order_id", "string"] in described
    assert described[-1] == ["ingest_date", "string"]
    statement = "\n".join(row[0] or "" for row in ask(lake, "SHOW CREATE TABLE RAW"))
    assert "CREATE EXTERNAL TABLE" in statement
    assert "'storage.location.template'" in statement
    assert any("TableScan" in (row[0] or "") for row in ask(lake, "EXPLAIN SELECT qty FROM RAW"))


def test_an_empty_table_has_no_rows(lake: Lake) -> None:
    assert query.run(lake, f"SELECT COUNT(*) FROM {lake.names.bronze_database}.customers_raw").value == "0"


def test_raw_can_not_be_changed_or_travelled(lake: Lake) -> None:
    for sql, why in (
        ("DELETE FROM RAW WHERE qty = '1'", "not an Iceberg table"),
        ("SELECT * FROM RAW FOR VERSION AS OF 1", "does not support versioned tables"),
    ):
        with pytest.raises(query.QueryFailed, match=why):
            ask(lake, sql)


def test_files_of_any_encoding_and_line_ends_are_read_as_hadoop_reads_them(endpoint: Endpoint) -> None:
    """Item 5: bytes that are not UTF-8 become U+FFFD, and no file makes the query fail."""
    lake = open_test_lake(endpoint)
    plan = provision.plan(lake, ("create-databases", "create-workgroup", "create-buckets"))
    assert provision.up(lake, plan, lambda _: None).ok
    row = "6,03/09/2025,7,3,2,5,caf\xe9\r\n"
    files = {
        "0001": (HEADER + row).encode(),
        "0002": (HEADER + row).encode("latin-1"),
        "0003": (HEADER + row).encode("utf-16"),
        "0004": (HEADER + row).encode().replace(b"\r\n", b"\r"),
        "0005": (HEADER + row.strip() + "\r" + row.strip() + "\n" + row).encode(),
    }
    for batch, body in files.items():
        land(lake, f"ingest_date=2025-09-03/batch={batch}/orders.csv", body)
    rows = ask(lake, """SELECT "$path", channel FROM RAW WHERE order_id = '6' """)
    found = {batch: [row[1] for row in rows if row[0] and f"batch={batch}" in row[0]] for batch in files}
    assert found == {
        "0001": ["caf\xe9"],
        "0002": ["caf\ufffd"],
        "0003": [],
        "0004": ["caf\xe9"],
        "0005": ["caf\xe9"] * 3,
    }
    assert len(query.run(lake, query.resolve(lake, "15")).rows) == 1
    land(lake, "ingest_date=2025-09-03/batch=0006/orders.csv.gz", gzip.compress(files["0001"] * 99)[:-9])
    with pytest.raises(query.QueryFailed, match=r"HIVE_CURSOR_ERROR: .*batch=0006/orders\.csv\.gz"):
        ask(lake, "SELECT * FROM RAW")
    tear_down(lake)
