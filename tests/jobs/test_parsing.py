"""Amounts, dates and numbers: read for certain or not at all."""

from __future__ import annotations

from datetime import date

import pytest

AMOUNTS = {
    "147.43": 147.43, "147,43": 147.43, "1.234,56": 1234.56, "1,234.56": 1234.56, "147": 147.0, "-3,5": -3.5,
    "0.125": 0.125, "0,125": 0.125, "1234.567": 1234.567, "1.234.567": 1234567.0, "1,234,567": 1234567.0,
    "1.234.567,8": 1234567.8, "12,345,678.90": 12345678.9,
    "1.234": None, "1,234": None, "12.345": None, "12.34,56": None, "1,23.456": None, "1.2.3": None,
    "1,234,56": None, "abc": None, "1e5": None, "NaN": None, "€5": None, "5 000,00": None, ".5": None, "5.": None,
    "--5": None, "+5": None,
}  # fmt: skip
DATES = {
    "24/07/2025": date(2025, 7, 24), "29/02/2024": date(2024, 2, 29), "29/02/2025": None, "31/02/2025": None,
    "2025-07-24": None, "7/24/2025": None, "1/2/2025": None, "00/01/2025": None, "24/07/25": None, "24/13/2025": None,
}  # fmt: skip
NUMBERS = {"7": 7, "-7": -7, "007": 7, "7.0": None, "7,0": None, "x": None, "99999999999": None, "0x1F": None}


@pytest.mark.parametrize(("kind", "cases"), [("double", AMOUNTS), ("date", DATES), ("int", NUMBERS)])
def test_each_text_has_one_value_or_none(spark, kind, cases) -> None:
    from lake.parsing import parse
    from pyspark.sql import functions as F

    frame = spark.createDataFrame([(text,) for text in cases], "text string")
    values = frame.select("text", parse(F.col("text"), kind).alias("value")).collect()
    assert {row["text"]: row["value"] for row in values} == cases


def test_blanks_are_nothing(spark) -> None:
    from lake.parsing import clean
    from pyspark.sql import functions as F

    frame = spark.createDataFrame([("  a ",), ("   ",), ("",)], "text string")
    assert [row[0] for row in frame.select(clean(F.col("text"))).collect()] == ["a", None, None]
