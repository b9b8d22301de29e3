"""The checks: what is refused, and how it is named."""

from __future__ import annotations

import gzip
import re
from types import SimpleNamespace

import pytest

from lakectl.config import Config

HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
CUSTOMERS = "customer_id,customer_name,region,signup_date\n"
ORDERS = Config().spec.sources["orders"]
OPEN = "a quote has no partner on its line (a line break inside quotes is not read)"
GOOD = "1,24/11/2026,7,8,2,147.43,web\n"


def judge(spark, files, *items, **checks):
    from lake.arguments import Arguments
    from lake.checks import check_landings
    from lake.reading import read
    from lake.work import Work

    spec = Config.model_validate({"checks": checks}).spec
    arguments = Arguments("raw", "silver", "s3://silver/", "runs", "retail/", "job", "run", spec=spec)
    work = Work(spark, arguments, SimpleNamespace(s3=files), print, None)
    frames = {}
    for name in spec.sources:
        landed = [item for item in items if item.landing.source == name]
        if rows := read(spark, files, work.checks(name), landed):
            frames[name] = rows
    return frames, check_landings(work, frames, list(items))


def test_a_good_landing_passes_with_its_rows_counted(spark, files, landed) -> None:
    item = landed("orders", HEADER + GOOD + '2,23/11/2026,7,8,0,"1.234,56",\n')
    frames, totals = judge(spark, files, item)
    assert (item.problems, item.rows) == ([], 2)
    counted = totals["orders"]
    assert (counted.keys, counted.lowest, counted.highest, item.warned) == (2, 1, 2, 1)
    assert counted.checks == {"quantities": 1}
    assert counted.named == [f"{item.path}: line 3: qty is '0', expected qty > 0"]
    second = frames["orders"].typed.where("order_id = 2").first()
    assert (second["unit_price"], second["channel"], second["_lake_batch"]) == (1234.56, None, "0000")


def test_columns_in_any_order_and_case_with_a_byte_order_mark(spark, files, landed) -> None:
    header = "\ufeff Channel ,QTY,order_date,note,order_id,customer_id,product_id,unit_price\r\n"
    text = header + 'web,2,24/11/2026,"a, ""b""",1,7,8,"3,50"\r\n'
    item = landed("orders", text)
    frames, _ = judge(spark, files, item)
    assert item.problems == []
    row = frames["orders"].typed.first()
    assert (row["order_id"], row["qty"], row["unit_price"], row["channel"]) == (1, 2, 3.5, "web")


def test_each_bad_value_is_named_with_its_line(spark, files, landed) -> None:
    item = landed(
        "orders",
        HEADER
        + GOOD
        + "2,31/02/2026,7,8,1,5.00,web\n3,24/11/2026,x,8,1,5.00,web\n4,24/11/2026,7,8,1,1.234,web\n"
        + ",24/11/2026,7,8,1,5.00,web\n6,24/11/2026,7,8,,5.00,web\n7,24/11/2026\n",
    )
    judge(spark, files, item)
    assert [problem.split(",")[0] for problem in item.problems] == [
        "line 3: order_date is '31/02/2026'",
        "line 4: customer_id is 'x'",
        "line 5: unit_price is '1.234'",
        "line 6: order_id is empty",
        "line 7: qty is empty",
        "line 8: '7",
    ]


def test_only_the_first_ten_bad_rows_are_named(spark, files, landed) -> None:
    item = landed("orders", HEADER + "".join(f"{n},never,7,8,1,5.00,web\n" for n in range(25)))
    judge(spark, files, item)
    assert item.problems[0] == "25 bad rows"
    assert len(item.problems) == 11


def test_one_order_twice_with_other_content_is_named(spark, files, landed) -> None:
    item = landed("orders", HEADER + GOOD + "5,24/11/2026,7,8,1,5.00,web\n1,24/11/2026,7,8,3,147.43,web\n")
    judge(spark, files, item)
    assert item.problems == ["1 order_id occur more than once with different content: 1 (lines 2, 4)"]


def test_one_order_twice_with_equal_values_is_no_clash(spark, files, landed) -> None:
    item = landed("orders", HEADER + GOOD + '1,24/11/2026,7,8,2,"147,43",web\n')
    _, totals = judge(spark, files, item)
    assert (item.problems, item.rows, totals["orders"].keys) == ([], 2, 1)


def test_a_customer_twice_with_other_content_is_named(spark, files, landed) -> None:
    item = landed("customers", CUSTOMERS + "1,A,North,01/02/2024\n2,B,East,\n1,A,South,01/02/2024\n")
    judge(spark, files, item)
    assert item.problems == ["1 customer_id occur more than once with different content: 1 (lines 2, 4)"]


def test_a_wrong_header_an_empty_file_and_broken_gzip_are_refused_beside_a_good_one(spark, files, landed) -> None:
    good = landed("orders", gzip.compress((HEADER + GOOD).encode()), batch="0001", gz=True)
    header = landed("orders", "order_id,order_date\n1,24/11/2026\n", batch="0002")
    empty = landed("orders", HEADER, batch="0003")
    broken = landed("orders", b"\x1f\x8bnonsense", batch="0004", gz=True)
    judge(spark, files, good, header, empty, broken)
    assert (good.problems, good.rows) == ([], 1)
    assert header.problems == [
        "line 1: wrong header: missing customer_id, product_id, qty, unit_price, channel; it has order_id, order_date"
    ]
    assert empty.problems == ["no rows below the header"]
    assert broken.problems[0].startswith("not a whole gzip file")


def test_what_makes_spark_fail_is_named(files, landed) -> None:
    from lake.lines import unreadable

    whole = gzip.compress((HEADER + GOOD * 5000).encode())
    torn = landed("orders", whole[: len(whole) // 2], batch="0001", gz=True)
    good = landed("orders", whole, batch="0002", gz=True)
    wide = landed("orders", HEADER + "1,2\r1" + ",1" * 30_000, batch="0003")
    assert unreadable(files, torn, ORDERS).startswith("not a whole gzip file")
    assert unreadable(files, good, ORDERS) == ""
    assert unreadable(files, wide, ORDERS) == "line 3 has 30,001 fields"


def test_rows_know_their_own_landing(spark, files, landed) -> None:
    one = landed("orders", HEADER + GOOD, batch="0001")
    two = landed("orders", HEADER + GOOD.replace("web", "store"), batch="0002", day="2026-11-23")
    frames, _ = judge(spark, files, one, two)
    rows = {row["_lake_batch"]: row for row in frames["orders"].typed.collect()}
    assert (rows["0001"]["channel"], rows["0001"]["_lake_version"]) == ("web", "v0001")
    assert (rows["0002"]["channel"], str(rows["0002"]["_lake_ingest_date"])) == ("store", "2026-11-23")
    single, _ = judge(spark, files, one)
    assert single["orders"].typed.first()["_lake_landed_at"] == rows["0001"]["_lake_landed_at"]


def test_a_line_break_inside_quotes_is_refused_under_every_policy(spark, files, landed) -> None:
    good = landed("orders", HEADER + '1,24/11/2026,7,8,2,147.43,"the ""web"""\n', batch="0001")
    torn = landed("orders", HEADER + '2,24/11/2026,7,8,2,147.43,"we\nb"\n3,24/11/2026,7,8,2,1.50,web\n', batch="0002")
    judge(spark, files, good, torn, broken_rows="quarantine")
    assert good.problems == []
    assert torn.problems == [f"line 2: {OPEN}"]


def test_a_line_break_inside_quotes_is_seen_where_each_line_looks_like_a_row(spark, files, landed) -> None:
    """Item 1: the number of fields is right on both lines."""
    header = "region,customer_id,signup_date,customer_name\n"
    item = landed("customers", header + 'North,1,01/02/2024,"Ann\nBo,2,01/02/2024,Cy"\n', batch="0001")
    inches = landed("customers", header + 'North,1,01/02/2024,"5"" nails"\n', batch="0002")
    judge(spark, files, item, inches)
    assert item.problems == [f"line 2: {OPEN}"]
    assert inches.problems == []


# A field at the end of a line -> why `land` and the job both refuse it; Spark alone reads something in each.
QUOTES = {
    '"a line': OPEN,
    '"': OPEN,
    '5" pipe': OPEN,
    '"the "best" pipe"': "not readable as CSV: ',' expected after '\"'",
    '"web" ': "not readable as CSV: ',' expected after '\"'",
    '""web"': OPEN,
    '"the ""best"" pipe"': "",
    'the "best" pipe': "",
    '""': "",
    ' "web"': "",
}


@pytest.mark.parametrize(
    ("rows_before", "packed"),
    [
        pytest.param(0, False, id="small-plain"),
        pytest.param(3000, True, id="large-gz"),
        pytest.param(0, True, id="small-gz", marks=pytest.mark.long),
        pytest.param(3000, False, id="large-plain", marks=pytest.mark.long),
    ],
)
def test_quotes_that_cannot_be_paired_refuse_the_landing_as_land_does(
    spark, files, landed, tmp_path, rows_before: int, packed: bool
) -> None:
    """The whole landing, whatever the policy of broken rows: what is before an open quote and after it may look whole
    and be parts of one value."""
    from lakectl.errors import UsageError
    from lakectl.ops.landing import landing_file

    items, expected = [], {}
    for number, (field, problem) in enumerate(QUOTES.items()):
        text = HEADER + GOOD * rows_before + f"2,24/11/2026,7,8,2,1.50,{field}\r\n" + GOOD
        path = tmp_path / f"{number}.csv"
        path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        if problem:
            with pytest.raises(UsageError, match=re.escape(f"{number}.csv:{rows_before + 2}: {problem}")):
                landing_file.check(path, "orders", ORDERS, "full")
        else:
            landing_file.check(path, "orders", ORDERS, "full")
        items.append(landed("orders", path.read_bytes(), batch=f"{number:04}", gz=packed))
        expected[field] = [f"line {rows_before + 2}: {problem}"] if problem else []
    judge(spark, files, *items, broken_rows="quarantine", duplicate_keys="ignore")
    assert {field: item.problems for field, item in zip(QUOTES, items, strict=True)} == expected


def test_an_open_quote_that_takes_in_what_follows_is_seen_though_the_line_has_two(spark, files, landed) -> None:
    text = "region,customer_id,signup_date,customer_name\n" + 'a"b,1,01/02/2024,"Ann\n'
    item = landed("customers", text, batch="0001")
    judge(spark, files, item)
    assert item.problems == ["line 2: not readable as CSV: unexpected end of data"]
