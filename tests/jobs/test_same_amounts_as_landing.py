"""What `land` takes for a value, the job takes for the same value: of every type and format, text by text."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lake.parsing import clean, parse

from lakectl.core import values
from lakectl.spec.model import Column

COLUMNS = (
    *(Column(f"whole_{mark}", "bigint", decimal_mark=mark) for mark in (".", ",", "any")),
    Column("int", "int"),
    *(Column(f"double_{mark}", "double", decimal_mark=mark) for mark in (".", ",", "any")),
    *(Column(f"decimal_{mark}", "decimal(12,3)", decimal_mark=mark) for mark in (".", ",", "any")),
    Column("fraction", "decimal(4,4)"),
    Column("large", "decimal(38,0)"),
    Column("iso", "date"),
    Column("european", "date", formats=("dd/MM/yyyy",)),
    Column("several", "date", formats=("d.M.yy", "yyyyMMdd", "MMM d, yyyy")),
    Column("moment", "timestamp"),
    Column("berlin", "timestamp", zone="Europe/Berlin"),
    Column("american", "timestamp", formats=("M/d/yyyy h:mm a", "MM/dd/yyyy HH:mm:ss"), zone="America/New_York"),
    Column("offset", "timestamp", formats=("yyyy-MM-dd HH:mm:ss.SSSX",)),
    Column("boolean", "boolean"),
    Column("string", "string"),
)
NULLS = ("NA", "-")
KNOWN = (
    ("147.43", "147,43", "1.234,56", "1,234.56", "1.234", "1,234", "0.125", "0,125", "1234.567", "1.234.567")
    + ("1,234,567", "12.34,5", "1,2,3", "abc", "1e5", "-3", "-3,5", "+3", "1.", ".5", "1 000", "€5", "1.2345")
    + ("1.234.567,8", "1,234,567.89", "0,123,456.7", "00.5", "-1.234", "--1", "1,23.4", "-0", "-0.0", "1d", "1f")
    + ("1", "01", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "2147483648", "-2147483648")
    + ("24/07/2025", "31/02/2025", "2025-07-24", "1/7/2025", "00/01/2025", "29/02/2024", "29/02/2025", "29/02/1900")
    + (
        "01/01/0000",
        "01/01/0001",
        "31/12/9999",
        "15/10/1582",
        "10/10/1582",
        "\u0660\u0661/\u0660\u0661/\u0662\u0660\u0662\u0665",
    )
    + ("9" * 400, "0" * 400 + "7", "0." + "0" * 400 + "1", "9" * 15, "9" * 16, "999999999999999.99", "1" + "0" * 15)
    + (
        "9" * 5000,
        "\u0663",
        "\uff11",
        "\u00a01",
        "1\u00a0",
        "\t1",
        "1\t",
        " 1 ",
        "\u30001",
        "1\u2028",
        "1\u0085",
        "1\0",
        "\0",
    )
    + ("Infinity", "NaN", "-Infinity", "inf", "1_000", "0x1F", "", "   ", "-", "1-", "\ufeff1", "1\x1f", "\x0b1")
)
# Mostly what could nearly be a value.
pieces = st.sampled_from(
    ["-", "0", "1", "9", "00", "123", "999", ".", ",", "/", " ", "\u00a0", "\t", "\u0663", "\u2028"]
)
near = st.lists(pieces, max_size=9).map("".join)
days = st.tuples(st.integers(0, 33), st.integers(0, 14), st.integers(0, 9999))
dates = days.map(lambda parts: "{:02}/{:02}/{:04}".format(*parts))
grouped = st.tuples(st.integers(-(10**20), 10**20), st.sampled_from([",", "."]), st.integers(0, 9999)).map(
    lambda parts: f"{parts[0]:,}".replace(",", "." if parts[1] == "," else ",") + f"{parts[1]}{parts[2]}"
)
whole = st.integers(-(2**65), 2**65).map(str)
moments = st.builds(
    "{}{}{:02}:{:02}{}{}".format,
    st.dates().map(str) | st.sampled_from(["2025-03-30", "2025-10-26", "2025-03-09", "2025-11-02", "1900-01-01"]),
    st.sampled_from("T _"),
    st.integers(0, 25),
    st.integers(0, 61),
    st.sampled_from(["", ":00", ":59.5", ":30.123456", ":30.1234567", ":30.123000000", ":61"]),
    st.sampled_from(["", "Z", "+02:00", "-18:00", "+0200", "+02", "z"]),
)
other_days = st.builds(
    lambda pattern, day, more: day.strftime(pattern) + more,
    st.sampled_from(
        ["%d.%m.%y", "%Y%m%d", "%b %d, %Y", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S.123"]
    ),
    st.datetimes(min_value=datetime(1000, 1, 1)),
    st.sampled_from(["", "Z", "+01", "-0330", " "]),
)
words = st.sampled_from(["true", "False", "T", "no", "Y", "1", "0", "on", "NA", "-", " - ", "1e5", "1.5E-3", "-2e+10"])
texts = st.one_of(
    near,
    dates,
    moments,
    other_days,
    words,
    grouped,
    whole,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)


def compare(spark: Any, given_texts: list[str]) -> None:
    """One query for all."""
    frame = spark.createDataFrame(list(enumerate(given_texts)), "place int, text string")
    read = frame.select(
        "place",
        *(clean(frame["text"], column, NULLS).alias(f"text_{place}") for place, column in enumerate(COLUMNS)),
        *(
            parse(clean(frame["text"], column, NULLS), column).alias(f"_{place}")
            for place, column in enumerate(COLUMNS)
        ),
    )
    for row in read.collect():
        for place, column in enumerate(COLUMNS):
            text = values.clean(given_texts[row["place"]], column, NULLS)
            assert row[f"text_{place}"] == text
            ours, jobs = None if text is None else values.value_of(text, column), row[f"_{place}"]
            assert ours == jobs, (column, text)
            assert type(ours) is type(jobs)
            assert not isinstance(ours, float) or (math.copysign(1, ours), math.isfinite(ours)) == (
                math.copysign(1, jobs), True,
            )  # fmt: skip


COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


@settings(max_examples=2, derandomize=True, **COMMON)  # the first is the simplest one
@given(drawn=st.lists(texts, min_size=400, max_size=400))
def test_land_and_the_job_read_the_same_value_in_every_text(spark: Any, drawn: list[str]) -> None:
    """Item 5: dates of the year 0, amounts of 400 digits, digits and spaces that are not ASCII, and random ones."""
    compare(spark, [*KNOWN, *drawn])


@pytest.mark.long
@settings(max_examples=10, **COMMON)
@given(drawn=st.lists(texts, min_size=400, max_size=400))
def test_land_and_the_job_read_the_same_value_in_very_many_texts(spark: Any, drawn: list[str]) -> None:
    """Item 5."""
    compare(spark, drawn)
