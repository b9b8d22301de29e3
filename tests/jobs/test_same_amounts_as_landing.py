"""What `land` takes for a value, the job takes for the same value: of every kind, text by text."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lake.parsing import clean, parse

from lakectl.core import values

KINDS = ("bigint", "int", "double", "date", "string")
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
texts = st.one_of(near, dates, grouped, whole, st.text(st.characters(exclude_categories=["Cs"]), max_size=6))


def compare(spark: Any, given_texts: list[str]) -> None:
    """One query for all."""
    frame = spark.createDataFrame(list(enumerate(given_texts)), "place int, text string")
    cleaned = clean(frame["text"])
    read = frame.select("place", cleaned.alias("cleaned"), *(parse(cleaned, kind).alias(kind) for kind in KINDS))
    for row in read.collect():
        text = values.clean(given_texts[row["place"]])
        assert row["cleaned"] == text
        for kind in KINDS:
            ours, jobs = None if text is None else values.value_of(text, kind), row[kind]
            assert ours == jobs, (kind, text)
            assert type(ours) is type(jobs)
            assert not isinstance(ours, float) or (math.copysign(1, ours), math.isfinite(ours)) == (
                math.copysign(1, jobs), True,
            )  # fmt: skip
            assert not isinstance(ours, date) or ours.year >= 1


COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


@settings(max_examples=3, derandomize=True, **COMMON)  # the first is the simplest one
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
