"""What `land` lets through, the job reads; what the job refuses, `land` refuses before a byte is sent."""

from __future__ import annotations

from typing import Any

from retail.parsing import parse

from lakectl.ops.landing_file import PARSERS

AMOUNTS = (
    ("147.43", "147,43", "1.234,56", "1,234.56", "1.234", "1,234", "0.125", "0,125", "1234.567", "1.234.567")
    + ("1,234,567", "12.34,5", "1,2,3", "abc", "1e5", "-3", "-3,5", "+3", "1.", ".5", "1 000", "€5", "1.2345")
    + ("1.234.567,8", "1,234,567.89", "0,123,456.7", "00.5", "-1.234", "--1", "1,23.4")
)
INTEGERS = ("1", "-1", "+1", "1.0", "9223372036854775807", "9223372036854775808", "x", "01")
DATES = ("24/07/2025", "31/02/2025", "2025-07-24", "1/7/2025", "24/7/2025", "00/01/2025", "29/02/2024", "29/02/2025")


def test_landing_and_job_agree_on_every_value(spark: Any) -> None:
    for kind, values in (("double", AMOUNTS), ("bigint", INTEGERS), ("date", DATES)):
        frame = spark.createDataFrame([(value,) for value in values], "text string")
        read = {
            row["text"]: row["value"]
            for row in frame.select("text", parse(frame["text"], kind).alias("value")).collect()
        }
        for value in values:
            refused = PARSERS[kind](value, kind) is not None
            assert refused == (read[value] is None), (kind, value, read[value])
