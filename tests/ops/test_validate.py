"""``validate`` judges silver by the landings that are loaded and not rolled back."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from lakes import open_test_lake, plain_sources, tear_down
from program_process import run_program

from lakectl.errors import UsageError
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.checks import landed, validate
from lakectl.ops.checks.history import scans_are_pruned, snapshots_reproduced
from lakectl.ops.checks.junit import document
from lakectl.ops.checks.model import Subject, Verdict
from lakectl.ops.checks.rows import rows_as_landed
from lakectl.ops.checks.saved import judge
from lakectl.ops.checks.silver import derived_again, each_key_once, lookups_hold, own_checks
from lakectl.ops.lake import Lake
from lakectl.ops.runs import transform
from lakectl.ops.tables import query
from lakectl.saved_queries import VERDICT, SavedQuery
from lakectl.spec.model import Check, Column, Derived, Expression, LakeSpec, Lookup, PartitionField, SourceSpec

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
    table(lake, "orders_silver", "order_id bigint, line_no int")
    table(
        lake,
        "orders_rejected",
        "order_id string, line_no string, _lake_reasons string, _lake_line string, _lake_occurrences bigint, "
        "_lake_file string, _lake_version string",
    )
    yield lake
    tear_down(lake)


def table(lake: Lake, name: str, columns: str, rows: str = "", partitioned: str = "") -> None:
    where = f"LOCATION 's3://{lake.names.silver_bucket}/{name}/' TBLPROPERTIES ('table_type'='ICEBERG')"
    database = lake.names.silver_database
    query.run(lake, f"CREATE TABLE {database}.{name} ({columns}) {partitioned} {where}")
    if rows:
        query.run(lake, f"INSERT INTO {database}.{name} VALUES {rows}")


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
            "event_time": f"2025-09-01T00:00:00.{self.number:03d}Z",
            "ingest_date": "2025-09-01",
            "batch": "",
            "recorded_at": "2025-09-01T00:00:00Z",
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
            self.lake.client("s3").delete_object(
                Bucket=self.lake.names.raw_bucket,
                Key=f"retail/orders/ingest_date=2025-09-01/batch={run:04d}/orders.csv",
            )


@pytest.fixture
def landings(lake: Lake) -> Iterator[Landings]:
    landed = Landings(lake)
    yield landed
    landed.clear()
    for name, column in (("orders_silver", "order_id"), ("orders_rejected", "_lake_occurrences")):
        query.run(lake, f"DELETE FROM {lake.names.silver_database}.{name} WHERE {column} > 0")


def silver(lake: Lake, *keys: tuple[int, int]) -> None:
    query.run(lake, f"INSERT INTO {lake.names.silver_database}.orders_silver VALUES {', '.join(map(str, keys))}")


def subject(lake: Lake, **changes: Any) -> Subject:
    spec = lake.config.spec
    return Subject(lake, spec, replace(spec.sources["orders"], **changes))


def rows(lake: Lake, **changes: Any) -> Verdict:
    """The verdict on silver's rows."""
    return rows_as_landed(subject(lake, **changes))


def test_a_composite_key_and_keys_written_in_two_ways(lake: Lake, landings: Landings) -> None:
    """Two lines of one order are two rows, and `007` is `7`."""
    landings.add("LOADED", rest("7", 1), rest("7", 2))
    landings.add("LOADED", rest("007", "01"), rest(" 7 ", "+0"), rest("", 3))  # the last two have no key
    silver(lake, (7, 1), (7, 2))
    assert rows(lake) == Verdict(True, "2 rows, 2 keys in 2 loaded landings")
    assert each_key_once(subject(lake)) == Verdict(True, "2 rows, each key once")
    silver(lake, (7, 2))  # a row that is there twice must still be seen
    assert each_key_once(subject(lake)) == Verdict(False, "1 row too many")


@pytest.mark.parametrize("state", ["FAILED", "REVERTED", "SUPERSEDED", "DUPLICATE", "PENDING", "CLAIMED", "IGNORED"])
def test_a_landing_that_is_not_loaded_is_not_expected(lake: Lake, landings: Landings, state: str) -> None:
    """One refused or reverted landing must not make `validate` red for ever."""
    landings.add("LOADED", rest(1))
    landings.add(state, rest(1), rest(2))
    silver(lake, (1, 1))
    assert rows(lake).passed is True, rows(lake)
    silver(lake, (2, 1))
    assert rows(lake).detail.startswith("1 key in silver that no loaded landing has: (2, 1); 2 rows")


def test_the_version_that_was_loaded_is_read_and_not_what_overwrote_it(lake: Lake, landings: Landings) -> None:
    """Rows of a loaded version stay in silver when a later version of its key is refused."""
    key = "retail/orders/ingest_date=2025-09-02/orders.csv"
    landings.add("LOADED", rest(1), rest(2), key=key)
    landings.add("FAILED", rest(3), key=key)
    silver(lake, (1, 1), (2, 1))
    assert rows(lake).passed is True, rows(lake)


def test_quarantined_rows_are_not_expected(lake: Lake, landings: Landings) -> None:
    """A key is expected as long as one row of it was not set aside; broken rows have no key."""
    item = landings.add("LOADED", rest(1), rest(2), rest(3), rest(3), "4,1,too,short\n", rest("5").replace("web", "�"))
    file = f"s3://{item['bucket']}/{item['key']}"
    rejected = [
        ("'2'", "'1'", "dates", "NULL", 1),
        ("'03'", "'1'", "duplicate_keys, numbers", "NULL", 1),
        ("NULL", "NULL", "broken_rows", "'4,1,too,short'", 1),
        ("'6'", "NULL", "null_keys", "NULL", 1),
    ]
    values = ", ".join(
        f"({order}, {line}, '{reason}', {text}, {count}, '{file}', '{item['version_id']}')"
        for order, line, reason, text, count in rejected
    )
    query.run(lake, f"INSERT INTO {lake.names.silver_database}.orders_rejected VALUES {values}")
    silver(lake, (1, 1), (3, 1))
    assert rows(lake).passed is True, rows(lake)
    silver(lake, (2, 1))  # loaded again under another policy: the quarantine still has the row
    assert rows(lake).passed is True, rows(lake)
    silver(lake, (9, 9), (9, 10))
    assert rows(lake).passed is False


def test_a_loaded_version_that_was_deleted_is_named_and_not_judged(lake: Lake, landings: Landings) -> None:
    """What can't be read back is neither right nor wrong."""
    item = landings.add("LOADED", rest(1))
    silver(lake, (1, 1))
    where = {"Bucket": item["bucket"], "Key": item["key"], "VersionId": item["version_id"]}
    lake.client("s3").delete_object(**where)
    found = rows(lake)
    assert found.passed is None
    assert f"version {item['version_id']} has been deleted" in found.detail


def test_any_bytes_can_be_counted(lake: Lake, landings: Landings) -> None:
    """Latin-1, UTF-16 and bare CR line ends do not stop `validate`."""
    landings.add("LOADED", rest(1), rest(2, 1).replace("web", "Zürich"), encoding="latin-1")
    landings.add("FAILED", rest(3), encoding="utf-16")
    landings.add("LOADED", rest(4).replace("\n", "\r"), header=LINES.replace("\n", "\r"))
    silver(lake, (1, 1), (4, 1))  # row 2 is not UTF-8, and UTF-16 was refused
    assert rows(lake).passed is True, rows(lake)


def test_a_snapshot_source_is_what_its_newest_loaded_landing_says(lake: Lake, landings: Landings) -> None:
    landings.add("LOADED", rest(1), rest(2))
    landings.add("LOADED", rest(2), rest(3))
    landings.add("FAILED", rest(9))
    silver(lake, (2, 1), (3, 1))
    assert rows(lake, loading="snapshot") == Verdict(True, "2 rows, 2 keys in 1 loaded landing")
    assert "1 landed key not in silver: (1, 1)" in rows(lake).detail  # as upsert


def test_many_landings_are_read_by_one_query_and_the_others_one_by_one(
    lake: Lake, landings: Landings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An overwritten key and a file whose columns stand in another order are not what the bronze table shows."""
    monkeypatch.setattr(landed, "READ_ONE_BY_ONE", 2)
    read: list[str] = []
    monkeypatch.setattr(landed, "_read", lambda *each: (read.append(each[1].run.key), original(*each)))
    for number in range(1, 5):
        landings.add("LOADED", rest(number))
    silver(lake, *((number, 1) for number in range(1, 5)))
    assert rows(lake) == Verdict(True, "4 rows, 4 keys in 4 loaded landings")
    assert read == []
    turned = "line_no,order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
    other = landings.add("LOADED", "2,5,01/09/2025,1,1,1,10,web\n", header=turned)
    over = landings.add("LOADED", rest(6), key="retail/orders/ingest_date=2025-09-03/orders.csv")
    landings.add("FAILED", rest(7), key=over["key"])
    silver(lake, (5, 2), (6, 1))
    assert rows(lake) == Verdict(True, "6 rows, 6 keys in 6 loaded landings")
    assert sorted(read) == [other["key"], over["key"]]
    query.run(lake, f"DELETE FROM {lake.names.silver_database}.orders_silver WHERE order_id = 3")
    assert rows(lake).detail.startswith("1 landed key not in silver: (3, 1)")


original = landed._read


# ---- tables made for the purpose


def expression(sql: str, *columns: str) -> Expression:
    return Expression(sql, sql, sql, columns)


ZONES = SourceSpec("zones", (Column("zone_id", "bigint"), Column("name", "string")), ("zone_id",))
RIDES = SourceSpec(
    "rides",
    (Column("ride_id", "bigint"), Column("day", "date"), Column("zone_id", "bigint"), Column("fare", "double")),
    ("ride_id",),
    lookups=(Lookup("zones", "zones", ("zone_id",), (("name", "zone_name"),), "warn"),),
    derive=(Derived("cents", "double", expression("fare * 100", "fare")),),
    checks=(
        Check("fares", expression("fare > 0", "fare"), "quarantine"),
        Check("named", expression("zone_name <> 'x'", "zone_name")),
    ),
    partition_by=(PartitionField("identity", "day"),),
)
SPEC = LakeSpec({"zones": ZONES, "rides": RIDES})
GOOD = (
    "(1, DATE '2025-09-01', 1, 1.1, 'one', 110.00000000000001), (2, DATE '2025-09-02', 9, 2, NULL, 200), "
    "(3, DATE '2025-09-02', NULL, CAST(NULL AS double), NULL, CAST(NULL AS double))"
)


@pytest.fixture(scope="module")
def rides(lake: Lake) -> Subject:
    table(lake, "zones_silver", "zone_id bigint, name string", "(1, 'one'), (2, 'two')")
    columns = "ride_id bigint, day date, zone_id bigint, fare double, zone_name string, cents double"
    table(lake, "rides_silver", columns, GOOD, "PARTITIONED BY (day)")
    return Subject(lake, SPEC, RIDES)


def test_what_holds_passes_and_says_what_was_seen(rides: Subject) -> None:
    assert lookups_hold(rides) == Verdict(True, "1 row without a row of zones (warn)")
    assert derived_again(rides) == Verdict(True, "the same: cents")
    assert own_checks(rides) == Verdict(True, "all hold: fares, named")
    assert snapshots_reproduced(rides) == Verdict(True, "1 counted again")
    assert scans_are_pruned(rides) == Verdict(True, "the scan is limited by 1 column: day")


def test_what_does_not_hold_is_counted(rides: Subject) -> None:
    """Each wrong row stays for this test alone."""
    name = rides.silver
    query.run(rides.lake, f"INSERT INTO {name} VALUES (4, DATE '2025-09-03', 2, -1, 'x', -1)")
    assert lookups_hold(rides) == Verdict(
        False, "1 row with other values than zones; 1 row without a row of zones (warn)"
    )
    assert derived_again(rides) == Verdict(False, "1 row with another cents")
    # What was looked up may have changed since the row was judged; its own columns not.
    assert own_checks(rides) == Verdict(False, "fares: 1 row (quarantine); named: 1 row (fail)")
    fails = replace(RIDES, lookups=(replace(RIDES.lookups[0], missing="fail"),))
    assert lookups_hold(replace(rides, source=fails)).passed is False
    assert snapshots_reproduced(rides) == Verdict(True, "2 counted again")
    wrong = replace(RIDES, partition_by=(PartitionField("day", "ride_id"),))
    assert scans_are_pruned(replace(rides, source=wrong)).passed is True  # the plan limits any column
    query.run(rides.lake, f"DELETE FROM {name} WHERE ride_id = 4")


def test_a_source_that_was_never_loaded_is_not_judged(lake: Lake) -> None:
    nothing = Subject(lake, SPEC, SourceSpec("pings", (Column("at", "timestamp"),), ("at",)))
    assert rows_as_landed(nothing) == Verdict(None, "there is no pings_silver; 0 landings of pings loaded")
    assert each_key_once(nothing).passed is None
    assert snapshots_reproduced(nothing).passed is None


def saved(**parts: Any) -> SavedQuery:
    return SavedQuery("q", "Q", **{"sql": "SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y' ORDER BY 1", **parts})


@pytest.mark.parametrize(
    ("expectations", "passed", "detail"),
    [
        ({}, True, "2 rows"),
        ({"asserts": ("a > 0", "b <> 'z' -- a comment")}, True, "2 rows"),
        ({"asserts": ("a = 1",)}, False, "not a = 1 in 1 row, such as a = 2, b = y"),
        ({"asserts": ("nullif(a, 2) > 0",)}, False, "not nullif(a, 2) > 0 in 1 row, such as a = 2, b = y"),
        ({"asserts": ("sum(a) OVER () = 3 AND count(*) OVER () = 2",)}, True, "2 rows"),
        ({"rows": ("> 1", "= 2")}, True, "2 rows"),
        ({"rows": ("> 2",)}, False, "2 rows, not > 2"),
        ({"sql": "SELECT 1 AS a WHERE 1 = 0", "asserts": ("a = 2",), "rows": ("= 0",)}, True, "0 rows"),
        ({"sql": "SELECT :n AS a", "given": {"n": "7"}, "asserts": ("a = :n",)}, True, "a = 7"),
        ({"sql": "SELECT :n AS a", "given": {"n": "SELECT 7 AS x"}, "asserts": ("a = 7",)}, True, "a = 7"),
        ({"sql": "EXPLAIN SELECT 1", "plan": ("Values",)}, True, "the plan has Values"),
        ({"sql": "EXPLAIN SELECT 1", "plan": ("no such",)}, False, "the plan lacks 'no such'"),
    ],
)
def test_a_saved_query_and_what_it_expects(lake: Lake, expectations: dict[str, Any], passed: bool, detail: str) -> None:
    verdict = judge(lake, saved(**expectations))
    assert verdict == Verdict(passed, detail)
    assert verdict.result is not None
    assert not any(name.startswith(VERDICT) for name in verdict.result.columns)
    assert all(len(row) == len(verdict.result.columns) for row in verdict.result.rows)


def test_a_column_that_an_assertion_names_and_nobody_has_is_athenas_refusal(lake: Lake) -> None:
    with pytest.raises(query.QueryFailed, match="COLUMN_NOT_FOUND"):
        judge(lake, saved(asserts=("c = 1",)))
    with pytest.raises(UsageError, match="q needs :n"):
        judge(lake, saved(sql="SELECT :n AS a"))


def test_checks_are_chosen_by_name(lake: Lake, landings: Landings) -> None:
    landings.add("LOADED", rest(1))
    silver(lake, (1, 1))
    names = [check.full_name for check in validate.validate(lake, sources=["orders"])]
    assert names == [f"orders.{check.name}" for check in validate.SOURCE_CHECKS]
    chosen = list(validate.validate(lake, only=["keys", "02"]))
    assert [(check.full_name, check.passed) for check in chosen] == [
        ("customers.keys", None),
        ("products.keys", None),
        ("orders.keys", True),
        ("02_row_count", True),
    ]
    for unknown, says in (({"sources": ["order"]}, "no source 'order'"), ({"only": ["key"]}, "no check 'key'")):
        with pytest.raises(UsageError, match=says) as caught:
            list(validate.validate(lake, **unknown))  # type: ignore[arg-type]
        assert str(caught.value.hint).startswith("known: ")


def test_fail_fast_stops_at_the_first_failure(lake: Lake, landings: Landings) -> None:
    landings.add("LOADED", rest(1), rest(2))
    silver(lake, (1, 1))
    found = list(validate.validate(lake, fail_fast=True))
    assert [check.passed for check in found][-1] is False
    assert found[-1].full_name == "orders.rows"


def test_junit_has_a_suite_for_each_source() -> None:
    checks = [
        validate.Check("rows", "orders: rows", False, "2 < 3 & \x01", "orders", 0.5),
        validate.Check("keys", "orders: keys", None, "nothing yet", "orders"),
        validate.Check("01_peek", "Ten orders", True, "10 rows"),
    ]
    root = ElementTree.fromstring(document(checks))  # noqa: S314 - our own
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("3", "1", "1")
    assert [suite.get("name") for suite in root] == ["orders", "queries"]
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == "2 < 3 & \ufffd"


def test_the_command_line(lake: Lake, landings: Landings, tmp_path: Path) -> None:
    """Exit codes, JSON, JUnit, and in a pipe one line a check, with its duration."""
    landings.add("LOADED", rest(1), *(rest(number) for number in range(100_000_000, 100_000_020)))
    silver(lake, (1, 1))
    config = tmp_path / "config" / "lake.yaml"
    config.parent.mkdir()
    settings = {"name": lake.config.name, "suffix_names": True, "sources": composite()["sources"]}
    config.write_text(json.dumps(settings))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_program("validate", "-c", str(config), *arguments)

    junit = tmp_path / "validate.xml"
    failed = run("--junit", str(junit))
    assert failed.returncode == 1, failed.stderr
    assert "lakectl validate --source orders --only rows" in failed.stderr
    checks = [line for line in failed.stdout.splitlines() if line.startswith(("  ✓ ", "  ✗ ", "  - "))]
    assert len(checks) == junit.read_text().count("<testcase")
    assert all(re.search(r"  [0-9.]+ s$", line) for line in checks)
    assert 'name="queries"' not in junit.read_text()  # they are the tutorial's
    good = run("--source", "orders", "--only", "keys", "--json")
    assert good.returncode == 0, good.stderr
    assert [(check["name"], check["passed"]) for check in json.loads(good.stdout)] == [("orders.keys", True)]
    unknown = run("--only", "kyes")
    assert unknown.returncode == 64
    assert "known: rows, keys, lookups, derived, checks, snapshots, pruning, queries" in unknown.stderr


@pytest.mark.long  # tests/e2e/test_tutorial.py has the short one
def test_after_real_runs_every_check_passes(endpoint: Endpoint) -> None:
    """A composite key in two spellings, a quarantined row and a refused landing, by the job itself."""
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
    assert (
        next(check for check in checks if check.full_name == "orders.rows").detail
        == "3 rows, 3 keys in 2 loaded landings, 2 more quarantined"
    )
    tear_down(lake)
