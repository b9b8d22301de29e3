"""The patterns in which a column's dates or timestamps are written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from lakectl.core import dates
from lakectl.spec.date_patterns import ISO_DATE, ISO_TIMESTAMP

# The first that fits is taken: four digits of a year before two, fixed widths before others.
DATES = (
    "yyyy-MM-dd", "yyyy/MM/dd", "yyyy.MM.dd", "dd/MM/yyyy", "MM/dd/yyyy", "d/M/yyyy", "M/d/yyyy", "dd.MM.yyyy",
    "d.M.yyyy", "dd-MM-yyyy", "MM-dd-yyyy", "d-M-yyyy", "M-d-yyyy", "yyyy-M-d", "yyyy/M/d", "dd-MMM-yyyy",
    "d-MMM-yyyy", "dd/MMM/yyyy", "yyyy-MMM-dd", "dd MMM yyyy", "d MMM yyyy", "MMM d yyyy", "MMM d, yyyy",
    "dd/MM/yy", "MM/dd/yy", "d/M/yy", "M/d/yy", "dd.MM.yy", "d.M.yy", "dd-MM-yy", "dd-MMM-yy", "d-MMM-yy",
    "dd MMM yy",
)  # fmt: skip
TIMES = (
    "HH:mm", "HH:mm:ss", "HH:mm:ss.SSS", "HH:mm:ss.SSSSSS", "HH:mm:ss.SSSSSSSSS", "H:mm", "H:mm:ss", "HHmm",
    "HHmmss", "HH.mm", "HH.mm.ss", "hh:mm a", "h:mm a", "hh:mm:ss a", "h:mm:ss a", "h:mma", "h:mm:ssa",
)  # fmt: skip
OFFSETS = ("", "XXX", "XX", "X", " XXX", " XX", " xxx")
_PARTS = re.compile(
    r"(?P<date>[A-Za-z]{3} \d{1,2},? \d{4}|\d{1,2} [A-Za-z]{3} \d{2,4}|[^\sT,]+)(?:(?P<mark>T| |, | - )(?P<time>\d.*))?"
)
MAX_FORMATS = 3
SAMPLE = 1000
# One reading is meant where its rows jump back at most, and those of the other at least, this often (a share of all).
_IN_ORDER, _OUT_OF_ORDER = 0.01, 0.03
_ROWS_IN_ORDER = 20


@dataclass(frozen=True)
class Dates:
    """``kind``: ``date`` or ``timestamp``; ``formats``: none for ISO 8601; ``other``: the formats with day and month
    exchanged, when they read every value too."""

    kind: str
    formats: tuple[str, ...]
    other: tuple[str, ...] = ()


def infer(texts: Sequence[str]) -> Dates | None:
    """How ``texts`` are written; None when no formats read all of them for certain."""
    if not texts:
        return None
    for kind, iso in (("date", ISO_DATE), ("timestamp", ISO_TIMESTAMP)):
        if all(re.fullmatch(iso.regex, text) for text in texts[:SAMPLE]) and all(map(_reader(kind, ()), texts)):
            return Dates(kind, ())
    for kind in ("date", "timestamp"):
        formats = _formats(kind, texts)
        if formats and _plausible(kind, formats, texts):
            other = tuple(map(_exchanged, formats))
            twins = other != formats and all(map(_reader(kind, other), texts))
            return Dates(kind, formats, other if twins else ())
    return None


def ordered(found: Dates, in_file_order: Sequence[str]) -> Dates | None:
    """``found``, or its other reading, when the rows of the file are in the order of one of them alone."""
    if len(in_file_order) < _ROWS_IN_ORDER:
        return None
    first, second = (_jumps_back(found.kind, formats, in_file_order) for formats in (found.formats, found.other))
    if first <= _IN_ORDER and second >= _OUT_OF_ORDER:
        return Dates(found.kind, found.formats)
    if second <= _IN_ORDER and first >= _OUT_OF_ORDER:
        return Dates(found.kind, found.other)
    return None


def is_day_first(formats: Sequence[str]) -> bool | None:
    """Whether the first of ``formats`` that has day and month in numbers before the year names the day first."""
    for pattern in formats:
        match = re.match(r"'?(d{1,2}|M{1,2})\W(d{1,2}|M{1,2})\Wy", pattern)
        if match:
            return match[1].startswith("d")
    return None


def _formats(kind: str, texts: Sequence[str]) -> tuple[str, ...]:
    """The fewest formats that read all ``texts``; none when there are more than MAX_FORMATS of them."""
    chosen: list[str] = []
    rest = list(texts[:SAMPLE])
    while rest and len(chosen) < MAX_FORMATS:
        counts: Counter[str] = Counter()
        for text in rest[:50]:
            counts.update(_candidates(kind, text))
        if not counts:
            return ()
        reads = {pattern: sum(map(bool, map(_reader(kind, (pattern,)), rest))) for pattern in counts}
        order = {pattern: place for place, pattern in enumerate(counts)}
        best = max(reads, key=lambda pattern: (reads[pattern], -order[pattern]))
        if _exchanged(best) != best and _exchanged(best) in chosen:
            return ()  # the day first in some, the month in others: which one is nowhere said
        chosen.append(best)
        rest = [text for text in rest if not _reader(kind, (best,))(text)]
        if not rest:
            readable = _reader(kind, tuple(chosen))
            rest = [text for text in texts if not readable(text)][:SAMPLE]
    return () if rest else tuple(chosen)


def _candidates(kind: str, text: str) -> list[str]:
    match = _PARTS.fullmatch(text)
    if not match or (match["time"] is None) != (kind == "date"):
        return []
    days = [pattern for pattern in DATES if dates.date_of(match["date"], (pattern,))]
    if kind == "date" or not days:
        return days
    mark = {"T": "'T'"}.get(match["mark"], match["mark"])
    times = [
        time + offset
        for time in TIMES
        for offset in OFFSETS
        if dates.timestamp_of(f"2000-01-01 {match['time']}", (f"yyyy-MM-dd {time}{offset}",), "UTC")
    ]
    return [f"{day}{mark}{time}" for day in days for time in times]


def _exchanged(pattern: str) -> str:
    """The pattern with day and month in numbers exchanged; itself when the year stands first or a name the month."""
    match = re.match(r"(d{1,2}|M{1,2})(\W)(d{1,2}|M{1,2})(\Wy.*)", pattern)
    if not match or match[1][0] == match[3][0]:
        return pattern
    return match[3] + match[2] + match[1] + match[4]


def _plausible(kind: str, formats: tuple[str, ...], texts: Sequence[str]) -> bool:
    """A year of two digits is of this century: where that gives a time to come, it may be of the last one."""
    if not any(re.search(r"(?<!y)yy(?!y)", pattern) for pattern in formats):
        return True
    latest = datetime.now(UTC).year + 1
    return all(value.year <= latest for value in map(_reader(kind, formats), texts) if value)


def _jumps_back(kind: str, formats: tuple[str, ...], texts: Sequence[str]) -> float:
    values = [value for value in map(_reader(kind, formats), texts) if value]
    jumps = sum(later < earlier for earlier, later in pairwise(values))
    return jumps / max(1, len(values) - 1)


def _reader(kind: str, formats: tuple[str, ...]) -> Callable[[str], datetime | None]:
    """The value of a text; a date is its midnight."""
    if kind == "timestamp":
        return lambda text: dates.timestamp_of(text, formats, "UTC")

    def read(text: str) -> datetime | None:
        day = dates.date_of(text, formats)
        return None if day is None else datetime(day.year, day.month, day.day)

    return read
