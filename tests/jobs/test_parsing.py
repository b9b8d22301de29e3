"""Numbers, dates, moments and booleans: read for certain or not at all."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from lakectl.core import values
from lakectl.spec.model import Column

EITHER = {
    "147.43": 147.43, "147,43": 147.43, "1.234,56": 1234.56, "1,234.56": 1234.56, "147": 147.0, "-3,5": -3.5,
    "0.125": 0.125, "0,125": 0.125, "1234.567": 1234.567, "1.234.567": 1234567.0, "1,234,567": 1234567.0,
    "1.234.567,8": 1234567.8, "12,345,678.90": 12345678.9,
    "1.234": None, "1,234": None, "12.345": None, "12.34,56": None, "1,23.456": None, "1.2.3": None,
    "1,234,56": None, "abc": None, "1e5": None, "NaN": None, "€5": None, "5 000,00": None, ".5": None, "5.": None,
    "--5": None, "+5": None,
}  # fmt: skip
POINT = {
    "147.43": 147.43, "1.234": 1.234, "1e5": 1e5, "-1.5E-3": -0.0015, "1e400": None, "147,43": None, "1,234.56": None,
    "Infinity": None, "nan": None, "1e": None, "1e-999": 0.0,
}  # fmt: skip
COMMA = {"147,43": 147.43, "1,5e3": 1500.0, "147.43": None, "1.234,56": None}
DATES = {
    "24/07/2025": date(2025, 7, 24), "29/02/2024": date(2024, 2, 29), "29/02/2025": None, "31/02/2025": None,
    "2025-07-24": None, "7/24/2025": None, "1/2/2025": None, "00/01/2025": None, "24/07/25": None, "24/13/2025": None,
}  # fmt: skip
SEVERAL = {
    "24 Jul 2025": date(2025, 7, 24), "4 JUL 2025": date(2025, 7, 4), "07/04/25": date(2025, 7, 4),
    "31 Feb 2025": None, "24 Juli 2025": None, "2025-07-24": None,
}  # fmt: skip
NUMBERS = {
    "7": 7, "-7": -7, "007": 7, "7.0": 7, "7.00": 7, "7,0": None, "7.5": None, "1.234": None, "x": None,
    "2147483648": None, "-2147483648": -(2**31), "99999999999": None, "0x1F": None, "1e2": None, "9" * 400: None,
}  # fmt: skip
DECIMALS = {
    "1.5": Decimal("1.5"), "12345.67": Decimal("12345.67"), "123456.7": None, "1.234": None, "-0.01": Decimal("-0.01"),
    "0" * 50 + "7": Decimal(7), "1e2": None, "1,5": None, "12,345.67": None,
}  # fmt: skip
BOOLEANS = {
    "true": True, "T": True, "Yes": True, "y": True, "1": True, "FALSE": False, "f": False, "no": False, "N": False,
    "0": False, "on": None, "2": None, "wahr": None,
}  # fmt: skip
ISO = {
    "2025-10-04": datetime(2025, 10, 4), "2025-10-04T12:30:00": datetime(2025, 10, 4, 12, 30),
    "2025-10-04 12:30": datetime(2025, 10, 4, 12, 30),
    "2025-10-04T12:30:00.5Z": datetime(2025, 10, 4, 12, 30, 0, 500000),
    "2025-10-04T12:30:00.123456000": datetime(2025, 10, 4, 12, 30, 0, 123456), "2025-10-04T12:30:00.1234567": None,
    "2025-10-04T12:30:00+02:00": datetime(2025, 10, 4, 10, 30),
    "2025-10-04T12:30:00-18:00": datetime(2025, 10, 5, 6, 30),
    "2025-10-04T12:30:00+18:30": None, "2025-10-04T24:00:00": None, "2025-02-29T00:00:00": None,
    "0001-01-01T00:00:00+01:00": None, "9999-12-31T23:59:59-01:00": None, "04/10/2025": None,
}  # fmt: skip
# Clocks go from 2:00 to 3:00 on 30 March, and from 3:00 to 2:00 on 26 October.
BERLIN = {
    "30.03.2025 01:59:59": datetime(2025, 3, 30, 0, 59, 59), "30.03.2025 02:30:00": None,
    "30.03.2025 03:00:00": datetime(2025, 3, 30, 1), "26.10.2025 02:30:00": datetime(2025, 10, 26, 0, 30),
    "1.07.2025 00:00:00": datetime(2025, 6, 30, 22), "01.07.1900 00:00:00": datetime(1900, 6, 30, 23),
}  # fmt: skip
TWELVE = {
    "10/04/2025 12:05:00 AM": datetime(2025, 10, 4, 0, 5), "10/04/2025 12:05:00 pm": datetime(2025, 10, 4, 12, 5),
    "10/04/2025 1:05:00 PM": datetime(2025, 10, 4, 13, 5), "10/04/2025 13:05:00 PM": None,
}  # fmt: skip
OFFSETS = {
    "20251004T123000+0200": datetime(2025, 10, 4, 10, 30), "20251004T123000Z": datetime(2025, 10, 4, 12, 30),
    "20251004T123000": None,
}  # fmt: skip
CASES: list[tuple[Column, dict[str, Any]]] = [
    (Column("either", "double", decimal_mark="any"), EITHER),
    (Column("point", "double"), POINT),
    (Column("comma", "double", decimal_mark=","), COMMA),
    (Column("date", "date", formats=("dd/MM/yyyy",)), DATES),
    (Column("several", "date", formats=("d MMM yyyy", "MM/dd/yy")), SEVERAL),
    (Column("int", "int"), NUMBERS),
    (Column("bigint", "bigint", decimal_mark="any"), {"7,0": 7, "7.000": None, "1,000": None, "12.0000": 12}),
    (Column("decimal", "decimal(7,2)"), DECIMALS),
    (Column("fraction", "decimal(2,2)", decimal_mark=","), {"0,25": Decimal("0.25"), "1,25": None, "0": Decimal(0)}),
    (Column("boolean", "boolean"), BOOLEANS),
    (Column("iso", "timestamp"), ISO),
    (Column("berlin", "timestamp", formats=("d.MM.yyyy HH:mm:ss",), zone="Europe/Berlin"), BERLIN),
    (Column("twelve", "timestamp", formats=("MM/dd/yyyy h:mm:ss a",)), TWELVE),
    (Column("offset", "timestamp", formats=("yyyyMMdd'T'HHmmssXX",)), OFFSETS),
]


def test_each_text_has_one_value_or_none_for_land_and_for_the_job(spark: Any) -> None:
    """One query for all: rows are the texts of all columns."""
    from lake.parsing import parse
    from pyspark.sql import functions as F

    rows = [(column.name, text) for column, cases in CASES for text in cases]
    frame = spark.createDataFrame(rows, "name string, text string")
    found = frame.select("name", "text", *(parse(F.col("text"), column).alias(column.name) for column, _ in CASES))
    by_place = {(row["name"], row["text"]): row[row["name"]] for row in found.collect()}
    for column, cases in CASES:
        for text, value in cases.items():
            assert (column.name, text, values.value_of(text, column)) == (column.name, text, value)
            assert (column.name, text, by_place[column.name, text]) == (column.name, text, value)


def test_blanks_and_texts_for_nothing_are_nothing(spark: Any) -> None:
    from lake.parsing import clean
    from pyspark.sql import functions as F

    texts = ["  a ", "   ", "", " NA ", "-"]
    expected = {"string": ["  a ", "   ", None, None, None], "int": ["a", None, None, None, None]}
    frame = spark.createDataFrame([(text,) for text in texts], "text string")
    for kind, wanted in expected.items():
        column, nulls = Column("x", kind), ("NA", "-")
        assert [row[0] for row in frame.select(clean(F.col("text"), column, nulls)).collect()] == wanted
        assert [values.clean(text, column, nulls) for text in texts] == wanted
