"""Whatever pattern a specification may give its dates, land, the job and Java read the same moments by it."""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from typing import Any

import pytest

from lakectl.core import values
from lakectl.spec import date_patterns
from lakectl.spec.model import Column

YEARS, MONTHS, DAYS = ("yyyy", "yy", "uuuu", "uu"), ("MM", "M", "MMM"), ("dd", "d")
MARKS = ("-", "/", ".", " ", "", "年", "' of '", "''", "'{'", ",", ", ", "8")
CLOCKS = ("HH", "H", "hh a", "h a", "hha", "HH:mm", "H:m", "HHmm", "HHm", "h:mma", "hh.m a")
CLOCKS += tuple(f"{hour}:mm:{second}" for hour in ("HH", "H", "a h") for second in ("ss", "s"))
CLOCKS += tuple("HHmmss" + mark + "S" * count for mark in (".", "") for count in range(1, 10)) + ("H:m:s.SSS",)
OFFSETS = ("", "X", " X", "XX", "XXX", "x", " xx", "xxx", "Z")
# Every letter beside every mark; 7 and 12 have no common factor, so neither do the orders repeat with the marks.
_RUNS = list(itertools.product(YEARS, MONTHS, DAYS)) * 2
DATES = [
    MARKS[at % 12].join(list(itertools.permutations(runs))[at % 7 % 6]) for at, runs in enumerate(_RUNS)
] + ["yyyyMd", "ddMMyy"]  # fmt: skip
MOMENTS = (
    datetime(2025, 1, 1), datetime(2024, 2, 29, 12, 0, 1, 7), datetime(2025, 11, 11, 11, 11, 11, 111111),
    datetime(2031, 12, 31, 23, 59, 59, 999999), datetime(2000, 9, 9, 0, 5, 9, 120000),
    datetime(1969, 7, 20, 20, 17, 40),
)  # fmt: skip
REFUSED = {
    "yyyyMd": "'M' and 'd' with nothing but digits between them can be read in two ways; write 'MM' and 'dd'",
    "d8Myyyy": "'d' and 'M' with nothing but digits",
    "yyyy-MM-dd'T": "a quote has no partner",
    "yyyy-MM-dd G": "'G' is not supported; allowed: yyyy yy uuuu uu M MM MMM d dd",
    "yyyy-MM-dd SSSSSSSSSS": "'SSSSSSSSSS' is not supported",
    "yyyy-MM-dd[ HH]": "'[' is not supported; put it in quotes: '['",
    "dd/dd/yyyy": "it has the day twice",
    "yyyy-MM-dd HH hh a": "it has the hour twice",
    "dd/MM": "it has no year; for example yyyy-MM-dd",
    "yyyy-MM-dd hh": "h (1 to 12) and a (AM or PM) belong together",
    "yyyy-MM-dd HH a": "h (1 to 12) and a (AM or PM) belong together",
    "yyyy-MM-dd mm": "it has the minute, but no hour",
    " yyyy-MM-dd": "spaces around a value are ignored; leave them out of its pattern",
    "yyyy-MM-dd'T '": "spaces around a value are ignored",
}


def accepted(kind: str, candidates: list[str]) -> list[str]:
    found = []
    for pattern in dict.fromkeys(candidates):
        try:
            date_patterns.check(pattern, kind)
        except ValueError as error:
            if "can be read in two ways" not in str(error):
                raise
        else:
            found.append(pattern)
    return found


def columns() -> list[Column]:
    dates = accepted("date", DATES)
    days = itertools.cycle(["yyyy-MM-dd'T'", "d.M.yyyy ", "MMM d, uu ", "yyMMdd", "dd/MM/yyyy 'at' "])
    offsets = itertools.cycle(OFFSETS)
    times = [next(days) + clock + next(offsets) for clock in CLOCKS * 2]
    moments = accepted("timestamp", times)
    assert len(dates) > 40, dates
    assert len(moments) > 60, moments
    bare = re.sub("'[^']*'", " ", " ".join(dates + moments))
    assert {match[0] for match in re.finditer(r"([A-Za-z])\1*", bare)} == set(date_patterns.LETTERS)
    return [Column(pattern, "date", formats=(pattern,)) for pattern in dates] + [
        Column(pattern, "timestamp", formats=(pattern,)) for pattern in moments
    ]


def wrong(text: str) -> list[str]:
    """Texts near to ``text``; some of them are other dates of the same pattern."""
    middle = len(text) // 2
    return [text[1:], text[:-1], "0" + text, text + "0", text[:middle] + "x" + text[middle + 1 :], text.swapcase(),
            text[:middle] + text[middle] + text[middle:], text.replace("1", "3"), text.replace("0", "9")]  # fmt: skip


class Java:
    """java.time on the session's machine, in English."""

    def __init__(self, spark: Any) -> None:
        self.time = spark._jvm.java.time
        self.english = spark._jvm.java.util.Locale.ENGLISH

    def write(self, moment: datetime, pattern: str) -> str:
        local = self.time.LocalDateTime.parse(moment.isoformat())
        zoned = local.atOffset(self.time.ZoneOffset.ofHoursMinutes(2, 0))
        return str(zoned.format(self.time.format.DateTimeFormatter.ofPattern(pattern, self.english)))


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def meant(moment: datetime, column: Column) -> Any:
    """What is left of ``moment`` in a text of the column's pattern."""
    pattern = date_patterns.compiled(column.formats[0])
    year = 2000 + moment.year % 100 if pattern.short_year else moment.year
    if column.type == "date":
        return moment.replace(year=year).date()
    fields = {name: getattr(moment, name) for name in ("hour", "minute", "second") if name in pattern.fields}
    digits = column.formats[0].count("S")
    micro = int(f"{moment.microsecond:06}"[:digits].ljust(6, "0")) if digits else 0
    local = datetime(year, moment.month, moment.day, **fields, microsecond=micro)
    return local - values.dates.minutes_of("+02:00") if "offset" in pattern.fields else local


@pytest.mark.long
def test_what_java_writes_by_an_accepted_pattern_is_read_by_land_and_by_the_job(spark: Any) -> None:
    """Texts that Java doesn't write are read alike, or by neither."""
    from lake.parsing import parse
    from pyspark.sql import functions as F

    java, rows, frames = Java(spark), set(), []
    for number, column in enumerate(columns()):
        for moment in MOMENTS:
            text = java.write(moment, column.formats[0])
            assert (column.name, text, values.value_of(text, column)) == (column.name, text, meant(moment, column))
            rows |= {(number, each) for each in (text, *wrong(text))}
        frames.append((number, column))
    different = []
    for at in range(0, len(frames), 8):
        by_number = dict(frames[at : at + 8])
        value = F.coalesce(*(
            F.when(F.col("number") == number, parse(F.col("text"), column).cast("timestamp_ntz"))
            for number, column in by_number.items()
        ))  # fmt: skip
        # Of rows that stand in the plan Spark computes the values while it plans: no code is compiled.
        listed = ", ".join(f"({number}, {quoted(text)})" for number, text in sorted(rows) if number in by_number)
        frame = spark.sql(f"SELECT number, text FROM VALUES {listed} AS t(number, text)")
        for row in frame.select("number", "text", value.alias("value")).collect():
            column = by_number[row["number"]]
            here = values.value_of(row["text"], column)
            if here is not None and column.type == "date":
                here = datetime(here.year, here.month, here.day)
            if here != row["value"]:
                different.append((column.name, row["text"], here, row["value"]))
    assert different == []


@pytest.mark.parametrize("pattern", REFUSED)
def test_a_pattern_that_cannot_be_read_for_certain_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(ValueError, match=re.escape(REFUSED[pattern])) as caught:
        date_patterns.check(pattern, "timestamp")
    assert str(caught.value).startswith(f"{pattern!r}: {REFUSED[pattern]}")
