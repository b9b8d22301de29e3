"""``validate`` judges silver by the landings that are loaded and not rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lakes import open_test_lake, plain_sources, tear_down

from lakectl.local.control import Endpoint
from lakectl.ops import provision, query, transform, validate
from lakectl.ops.lake import Lake
from lakectl.ops.landed_keys import key_of, loaded_keys
from lakectl.spec.model import Column, SourceSpec

LINES = "order_id,line_no,order_date,customer_id,product_id,qty,unit_price,channel\n"
COLUMNS = {
    "order_id": "bigint",
    "line_no": "int",
    "order_date": {"type": "date", "format": "dd/MM/yyyy"},
    "customer_id": "bigint",
    "product_id": "bigint",
    "qty": "int",
    "unit_price": {"type": "double", "decimal_mark": "any"},
    "channel": "string",
}
CUSTOMERS = "customer_id,customer_name,region,signup_date\n1,A,n,01/01/2025\n"
PRODUCTS = "product_id,product_name,category,list_price\n1,P,c,10\n"


def composite(**settings: Any) -> dict[str, Any]:
    """A config whose orders have a key of two columns."""
    sources = plain_sources()
    sources["orders"].update(keys=["order_id", "line_no"], columns=COLUMNS)
    return {"sources": sources, **settings}


def rest(order: object, line: object = 1) -> str:
    """A line of an orders file."""
    return f"{order},{line},01/09/2025,1,1,1,10,web\n"


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    """Raw bucket, run log, workgroup, and an empty orders_silver made by Athena. No Spark."""
    lake = open_test_lake(endpoint, **composite())
    steps = ("create-buckets", "create-table", "create-databases", "create-workgroup")
    assert provision.up(lake, provision.plan(lake, steps), lambda _: None).ok
    names, database = lake.names, lake.names.silver_database
    for table, columns in (
        ("orders_silver", "order_id bigint, line_no int"),
        (
            "orders_rejected",
            "source string, reason string, source_file string, source_version string, row_text string, "
            "occurrences bigint",
        ),
    ):
        where = f"LOCATION 's3://{names.silver_bucket}/{table}/' TBLPROPERTIES ('table_type'='ICEBERG')"
        query.run(lake, f"CREATE TABLE {database}.{table} ({columns}) {where}")
    yield lake
    tear_down(lake)


class Landings:
    """Puts files and says in the run log what became of them, as the functions and the job do."""

    def __init__(self, lake: Lake) -> None:
        self.lake, self.number = lake, 0

    def add(
        self, state: str, *lines: str, key: str = "", header: str = LINES, encoding: str = "utf-8"
    ) -> dict[str, Any]:
        self.number += 1
        key = key or f"retail/orders/ingest_date=2025-09-01/batch={self.number:04d}/orders.csv"
        body = (header + "".join(lines)).encode(encoding)
        put = self.lake.client("s3").put_object(Bucket=self.lake.names.raw_bucket, Key=key, Body=body)
        item = {
            "pk": "SRC#orders",
            "sk": f"INGEST#2025-09-01T00:00:00Z#{self.number}",
            "source": "orders",
            "ingest_ts": "2025-09-01T00:00:00Z",
            "status": "LANDED",
            "load_status": state,
            "bucket": self.lake.names.raw_bucket,
            "key": key,
            "version_id": put["VersionId"],
            "etag": put["ETag"].strip('"'),
        }
        wire = {name: {"S": value} for name, value in item.items()} | {"size_bytes": {"N": str(len(body))}}
        self.lake.client("dynamodb").put_item(TableName=self.lake.names.run_log, Item=wire)
        return item

    def clear(self) -> None:
        for run in range(1, self.number + 1):
            key = {"pk": {"S": "SRC#orders"}, "sk": {"S": f"INGEST#2025-09-01T00:00:00Z#{run}"}}
            self.lake.client("dynamodb").delete_item(TableName=self.lake.names.run_log, Key=key)


@pytest.fixture
def landings(lake: Lake) -> Iterator[Landings]:
    landed = Landings(lake)
    yield landed
    landed.clear()
    for table, column in (("orders_silver", "order_id"), ("orders_rejected", "occurrences")):
        query.run(lake, f"DELETE FROM {lake.names.silver_database}.{table} WHERE {column} > 0")


def silver(lake: Lake, *keys: tuple[int, int]) -> None:
    query.run(lake, f"INSERT INTO {lake.names.silver_database}.orders_silver VALUES {', '.join(map(str, keys))}")


def row_count(lake: Lake) -> tuple[bool | None, str]:
    """The verdict on how many orders silver holds."""
    counted = query.run(lake, f"SELECT COUNT(*) FROM {lake.names.silver_database}.orders_silver")
    return validate.JUDGES["02_row_count"](lake, counted, validate._Facts())


def test_a_composite_key_and_keys_written_in_two_ways(lake: Lake, landings: Landings) -> None:
    """Item 7: two lines of one order are two rows, and `007` is `7`."""
    landings.add("LOADED", rest("7", 1), rest("7", 2))
    landings.add("LOADED", rest("007", "01"), rest(" 7 ", "+0"), rest("", 3))  # the last two have no key
    silver(lake, (7, 1), (7, 2))
    assert row_count(lake) == (True, "2 rows in silver, 2 distinct orders in 2 loaded landing(s)")
    assert validate._every_order_once(lake).passed is True
    silver(lake, (7, 2))  # a row that is there twice must still be seen
    assert row_count(lake)[0] is False
    assert validate._every_order_once(lake).detail == "1 duplicate rows"


@pytest.mark.parametrize("state", ["FAILED", "REVERTED", "SUPERSEDED", "DUPLICATE", "PENDING", "CLAIMED", "IGNORED"])
def test_a_landing_that_is_not_loaded_is_not_expected(lake: Lake, landings: Landings, state: str) -> None:
    """Item 7: one refused or reverted landing made `validate` red for ever."""
    landings.add("LOADED", rest(1))
    landings.add(state, rest(1), rest(2))
    silver(lake, (1, 1))
    assert row_count(lake)[0] is True, row_count(lake)


def test_the_version_that_was_loaded_is_read_and_not_what_overwrote_it(lake: Lake, landings: Landings) -> None:
    """Item 7: rows of a loaded version stay in silver when a later version of its key is refused."""
    key = "retail/orders/ingest_date=2025-09-02/orders.csv"
    landings.add("LOADED", rest(1), rest(2), key=key)
    landings.add("FAILED", rest(3), key=key)
    silver(lake, (1, 1), (2, 1))
    assert row_count(lake)[0] is True, row_count(lake)


def test_quarantined_rows_are_not_expected(lake: Lake, landings: Landings) -> None:
    """Item 7: a key is expected as long as one row of it was not set aside; broken rows have no key."""
    item = landings.add("LOADED", rest(1), rest(2), rest(3), rest(3), "4,1,too,short\n", rest("5").replace("web", "�"))
    file = f"s3://{item['bucket']}/{item['key']}"
    rejected = [
        ("dates", '{"order_id":"2","line_no":"1"}', 1),
        ("duplicate_keys, numbers", '{"order_id":"03","line_no":"1"}', 1),
        ("broken_rows", '{"order_id":"1","line_no":"1"}', 1),  # the text of a line, whatever it looks like
        ("null_keys", '{"order_id":"6"}', 1),
    ]
    values = ", ".join(
        f"('orders', '{reason}', '{file}', '{item['version_id']}', '{text}', {count})"
        for reason, text, count in rejected
    )
    query.run(lake, f"INSERT INTO {lake.names.silver_database}.orders_rejected VALUES {values}")
    silver(lake, (1, 1), (3, 1))
    assert row_count(lake)[0] is True, row_count(lake)
    silver(lake, (2, 1))  # loaded again under another policy: the quarantine still has the row
    passed, detail = row_count(lake)
    assert passed is None
    assert "1 more were quarantined once, and a later run may have loaded them" in detail
    silver(lake, (9, 9), (9, 10))
    assert row_count(lake)[0] is False


def test_a_loaded_version_that_was_deleted_is_named_and_not_judged(lake: Lake, landings: Landings) -> None:
    """Item 7: what can't be read back is neither right nor wrong."""
    item = landings.add("LOADED", rest(1))
    silver(lake, (1, 1))
    where = {"Bucket": item["bucket"], "Key": item["key"], "VersionId": item["version_id"]}
    lake.client("s3").delete_object(**where)
    passed, detail = row_count(lake)
    assert passed is None
    assert f"version {item['version_id']} has been deleted" in detail


def test_any_bytes_can_be_counted(lake: Lake, landings: Landings) -> None:
    """Item 7: Latin-1, UTF-16 and bare CR line ends do not stop `validate`."""
    landings.add("LOADED", rest(1), rest(2, 1).replace("web", "Zürich"), encoding="latin-1")
    landings.add("FAILED", rest(3), encoding="utf-16")
    landings.add("LOADED", rest(4).replace("\n", "\r"), header=LINES.replace("\n", "\r"))
    found = loaded_keys(lake, "orders")
    assert (found.least, found.most, found.problem) == (2, 2, "")  # 1 and 4: row 2 is not UTF-8, and UTF-16 was refused


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [("bigint", "007", "7"), ("int", "-01", "-1"), ("double", "1.234,50", "1,234.5"), ("double", "7", "7,0")],
)
def test_keys_are_compared_as_typed_values(kind: str, one: str, other: str) -> None:
    """Item 7: texts that the job reads as one value are one key."""
    source = SourceSpec("s", (Column("k", kind),), ("k",))
    assert key_of({"k": one}, source) == key_of({"k": other}, source) is not None


@pytest.mark.long  # tests/e2e/test_tutorial.py has the short one
def test_after_real_runs_every_check_passes(endpoint: Endpoint) -> None:
    """Item 7: a composite key in two spellings, a quarantined row and a refused landing, by the job itself."""
    settings = composite(checks={"dates": "quarantine", "duplicate_keys": "quarantine"})
    lake = open_test_lake(endpoint, **settings)
    steps = ("create-glue-job", "create-databases", "create-workgroup")
    assert provision.up(lake, provision.plan(lake, steps), lambda _: None).ok

    def land(source: str, text: str, batch: int = 1) -> None:
        key = f"retail/{source}/ingest_date=2025-09-01/batch={batch:04d}/{source}.csv"
        lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=key, Body=text.encode())

    land("customers", CUSTOMERS)
    land("products", PRODUCTS)
    bad_date = rest(8).replace("01/09/2025", "31/02/2025")
    clash = rest(9) + rest(9).replace("web", "store")
    land("orders", LINES + rest("007", 1) + rest(7, 2) + bad_date + clash)
    land("orders", LINES + rest(7, "01") + rest(10), 2)
    land("orders", LINES + rest(11).replace(",10,", ",many,"), 3)
    arguments = transform.arguments(lake, path=f"s3://{lake.names.raw_bucket}/retail/")
    ran = transform.follow(lake, transform.start(lake, arguments))
    assert (ran.state, len(ran.result["landings_failed"])) == ("FAILED", 1)
    assert ran.result["rows_quarantined"] == 3
    checks = list(validate.validate(lake))
    assert [check for check in checks if check.passed is not True] == []
    assert "3 rows in silver, 3 distinct orders in 2 loaded landing(s)" in checks[1].detail
    tear_down(lake)
