"""What `land` looks at before a byte is sent."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from lakectl.config import Config
from lakectl.core.values import expected
from lakectl.errors import UsageError
from lakectl.ops.landing import land, landing_file, landing_paths

ORDERS = Config().sources["orders"]
HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel\n"
ROW = '1,24/07/2025,7,9,2,"147,43",web\n'


def check(tmp_path: Path, content: str | bytes, name: str = "orders.csv") -> landing_file.LandingFile:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return landing_file.check(path, "orders", ORDERS)


def test_a_good_file_is_measured(tmp_path: Path) -> None:
    file = check(tmp_path, HEADER + ROW)
    assert file.size == len(HEADER + ROW)
    assert file.label == str(tmp_path / "orders.csv")


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + HEADER + ROW,
        "Order_ID , CHANNEL,order_date,customer_id,product_id,qty,unit_price\n1,web,01/02/2025,1,1,1,3\n",
        HEADER + ROW.rstrip("\n"),
        HEADER + ROW + "\n\n",
        HEADER.replace("\n", "\r\n") + ROW.replace("\n", "\r\n"),
        HEADER + '1,24/07/2025,7,9,2,"1.234,56",web\n',
        HEADER + '1,24/07/2025,7,9,2,"1,234.56",web\n',
        (HEADER + ROW).replace("\n", "\r"),
        HEADER + ROW + "\t \n\x0b\n",
    ],
)
def test_columns_in_any_order_and_case_a_bom_and_both_decimal_signs_are_fine(tmp_path: Path, content: str) -> None:
    check(tmp_path, content)


def test_columns_that_the_config_does_not_name_are_refused_unless_schema_evolution_takes_them(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("coupon," + HEADER + "SAVE," + ROW)
    with pytest.raises(UsageError, match="wrong header: unknown coupon"):
        land.prepare(Config(), [tmp_path])
    for policy in ("add", "ignore"):
        (file,) = land.prepare(Config(schema_evolution=policy), [tmp_path], how="full")
        assert file.source == "orders"


def test_gzip_is_read_through(tmp_path: Path) -> None:
    assert check(tmp_path, gzip.compress((HEADER + ROW).encode()), "orders.csv.gz").compressed


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty: expected a header"),
        (HEADER, "only a header, no rows"),
        ("order_id,amount\n1,2\n", "wrong header: missing order_date, customer_id"),
        (HEADER.replace("qty", "qty,qty") + ROW, "twice qty"),
        (HEADER + "1,2025-07-24,7,9,2,1,web\n", ":2: order_date = '2025-07-24': expected a date dd/MM/yyyy"),
        (HEADER + "1,24/07/2025,7,9,two,1,web\n", ":2: qty = 'two': expected a whole number (int)"),
        (HEADER + "1,24/07/2025,7,9,3000000000,1,web\n", "expected a whole number (int)"),
        (HEADER + "1,24/07/2025,7,9,2,abc,web\n", "unit_price = 'abc': expected an amount such as 147.43"),
        (HEADER + '1,24/07/2025,7,9,2,"1,234",web\n', "unit_price = '1,234'"),
        (HEADER + ",24/07/2025,7,9,2,1,web\n", ":2: order_id = '': expected a whole number (bigint)"),
        (HEADER + ROW + "2,31/02/2025,7,9,2,1,web\n", ":3: order_date = '31/02/2025'"),
        (HEADER + "1,24/07/2025,7\n", ":2: 3 values, expected 7 as in the header: 1,24/07/2025,7"),
        (b"order_id\xff\n", ":1: byte 0xff at offset 8: expected UTF-8 text"),
        ((HEADER + ROW).encode() + b"2,24/07/2025,7,9,2,1,w\xe9b\n" + ROW.encode() * 90_000, ":3: byte 0xe9"),
        (HEADER + "\n" * 3 + "1,24/07/2025,7,9,two,1,web\n", ":5: qty"),
        (b"x" * 2_000_000, ":1: has more than 65,536 bytes: not a header"),
        (HEADER + ROW + "x" * 9_000_000 + "\n" + ROW, ":3: the line has more than 4,194,304 bytes"),
    ],
)
def test_what_is_wrong_is_one_line_with_place_and_value(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(tmp_path, content)
    assert says in caught.value.message
    assert caught.value.message.startswith(str(tmp_path / "orders.csv"))
    assert "\n" not in caught.value.message


def test_a_torn_gzip_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a whole gzip file"):
        check(tmp_path, gzip.compress((HEADER + ROW).encode())[:-9], "orders.csv.gz")


def test_a_missing_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file at"):
        landing_file.check(tmp_path / "orders.csv", "orders", ORDERS)
    with pytest.raises(UsageError, match="is not a file"):
        landing_file.check(tmp_path, "orders", ORDERS)


def test_the_source_is_what_the_name_says_or_an_error_that_lists_them(tmp_path: Path) -> None:
    sources = Config().sources
    assert landing_file.source_of(Path("x/orders.csv.gz"), sources) == "orders"
    (tmp_path / "test_orders.csv").touch()
    with pytest.raises(UsageError, match=r"no source is called 'test_orders'; known: customers, products, orders"):
        landing_file.source_of(tmp_path / "test_orders.csv", sources)
    with pytest.raises(UsageError, match=r"^no file at order\.csv$"):
        landing_file.source_of(Path("order.csv"), sources)


def test_dimensions_land_before_orders_and_two_files_of_one_source_are_refused(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(HEADER + ROW)
    customers = Config().sources["customers"]
    header = ",".join(customers.by_name)
    values = {"bigint": "1", "string": "x", "date": "01/02/2025", "double": "1.5", "int": "1"}
    row = ",".join(values[column.type] for column in customers.columns)
    (tmp_path / "customers.csv").write_text(f"{header}\n{row}\n")
    files = land.prepare(Config(), [tmp_path / "orders.csv", tmp_path / "customers.csv"])
    assert [file.source for file in files] == ["customers", "orders"]
    (tmp_path / "other.csv").write_text(HEADER + ROW)
    with pytest.raises(UsageError, match="both orders of one date"):
        land.prepare(Config(), [tmp_path / "orders.csv", tmp_path / "other.csv"], "orders")


def test_check_full_looks_at_every_row_and_names_each_place(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + ROW + "2,24/07/2025,7,9,2,x,web\n" + ROW + "3,24/07/2025,,9,q,1,web\n" + ROW)
    landing_file.check(path, "orders", ORDERS)  # first and last rows are fine
    with pytest.raises(UsageError) as caught:
        landing_file.check(path, "orders", ORDERS, "full")
    assert caught.value.message == f"{path}:3: unit_price = 'x': expected {expected(ORDERS.by_name['unit_price'])}"
    assert caught.value.hint == "correct these too: 5: customer_id = '': expected a whole number (bigint)"


def test_a_line_break_inside_quotes_is_refused_as_the_job_refuses_it(tmp_path: Path) -> None:
    """Item 1: the job reads by lines."""
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + ROW + '1,24/07/2025,7,9,2,1,"we\nb"\n' + ROW)
    with pytest.raises(UsageError, match=r":3: a quote has no partner on its line"):
        landing_file.check(path, "orders", ORDERS, "full")


def test_lines_are_counted_whatever_ends_them(tmp_path: Path) -> None:
    """Item 1: CR, LF and CR LF."""
    path = tmp_path / "orders.csv"
    for ends in ("\r", "\n", "\r\n"):
        path.write_bytes((HEADER + ROW * 3 + "2,24/07/2025,7,9,x,1,web\n").replace("\n", ends).encode())
        with pytest.raises(UsageError, match=r":5: qty = 'x'"):
            landing_file.check(path, "orders", ORDERS)


def test_a_gzip_under_any_name_is_known_by_its_content_and_its_last_row_is_looked_at(tmp_path: Path) -> None:
    assert check(tmp_path, gzip.compress((HEADER + ROW).encode()), "dump").compressed
    with pytest.raises(UsageError, match=r":3: qty = 'x'"):
        check(tmp_path, gzip.compress((HEADER + ROW + "2,24/07/2025,7,9,x,1,web\n").encode()), "dump.gz")
    with pytest.raises(UsageError, match=r"orders\.csv\.gz: not a whole gzip file"):
        check(tmp_path, HEADER + ROW, "orders.csv.gz")


@pytest.mark.parametrize("cut", range(4))
def test_characters_that_lie_across_two_reads_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    monkeypatch.setattr(landing_file, "CHUNK", 7)
    check(tmp_path, HEADER + f"1,24/07/2025,7,9,2,1,{'a' * cut}é€😀\n" + ROW)


def test_folders_and_patterns_name_their_csv_files_once(tmp_path: Path) -> None:
    for name in ("orders.csv", "customers.csv.gz", "notes.txt"):
        (tmp_path / name).write_text("x")
    names = lambda *paths: [path.name for path in landing_paths.expand(paths, [".csv", ".csv.gz"])]  # noqa: E731
    assert names(tmp_path, tmp_path / "orders.csv") == ["customers.csv.gz", "orders.csv"]
    assert names(tmp_path / "*.csv") == ["orders.csv"]
    for nothing in (tmp_path / "*.parquet", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match=r"no file matches|holds no file that ends with \.csv or \.csv\.gz"):
            names(nothing)


def test_standard_input_needs_a_source() -> None:
    with pytest.raises(UsageError, match="standard input has no name"):
        land.prepare(Config(), [Path("-")])
