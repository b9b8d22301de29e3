"""Dates and times as texts: patterns in Java's letters, and ISO 8601 where a column names none.

A pattern becomes a regular expression of which Python and Java read the same, so that the command line and the job
take the same texts for the same moments. Names of months are English. A year of two letters is 2000 to 2099, as Java
has it. Fractions of a second beyond microseconds must be zeros: nothing is rounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES = "|".join("".join(f"[{letter.upper()}{letter}]" for letter in name) for name in MONTHS)


def _offset(separator: str, *, minutes_too: bool = True) -> str:
    # Java knows offsets up to 18:00.
    minutes = f"{separator}[0-5][0-9]" if minutes_too else f"(?:{separator}[0-5][0-9])?"
    last = f"{separator}00" if minutes_too else f"(?:{separator}00)?"
    return f"[+-](?:(?:0[0-9]|1[0-7]){minutes}|18{last})"


# Letters -> (what they are, the expression, its width; 0: it varies).
_LETTERS: dict[str, tuple[str, str, int]] = {
    "yyyy": ("year", "(?!0000)[0-9]{4}", 4),
    "yy": ("year", "[0-9]{2}", 2),
    "MMM": ("month", _MONTH_NAMES, 3),
    "MM": ("month", "0[1-9]|1[0-2]", 2),
    "M": ("month", "0?[1-9]|1[0-2]", 0),
    "dd": ("day", "0[1-9]|[12][0-9]|3[01]", 2),
    "d": ("day", "0?[1-9]|[12][0-9]|3[01]", 0),
    "HH": ("hour", "[01][0-9]|2[0-3]", 2),
    "H": ("hour", "[01]?[0-9]|2[0-3]", 0),
    "hh": ("hour", "0[1-9]|1[0-2]", 2),
    "h": ("hour", "0?[1-9]|1[0-2]", 0),
    "a": ("half", "[AaPp][Mm]", 2),
    "mm": ("minute", "[0-5][0-9]", 2),
    "m": ("minute", "[0-5]?[0-9]", 0),
    "ss": ("second", "[0-5][0-9]", 2),
    "s": ("second", "[0-5]?[0-9]", 0),
    "XXX": ("offset", f"Z|{_offset(':')}", 0),
    "XX": ("offset", f"Z|{_offset('')}", 0),
    "X": ("offset", f"Z|{_offset('', minutes_too=False)}", 0),
    "xxx": ("offset", _offset(":"), 0),
    "xx": ("offset", _offset(""), 0),
    "x": ("offset", _offset("", minutes_too=False), 0),
    "Z": ("offset", _offset(""), 0),
}
_LETTERS |= {"uuuu": _LETTERS["yyyy"], "uu": _LETTERS["yy"]}
_MICROSECONDS = 6
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z'])")
ALLOWED = "yyyy yy MMM MM M dd d HH H hh h a mm m ss s S XXX XX X, and text in '…'"


@dataclass(frozen=True)
class Pattern:
    """``regex``: of the whole text, a group for each field; ``fields``: field -> number of its group; ``places``: field
    -> (first character from 1, how many), where all before it has one width."""

    text: str
    regex: str
    fields: dict[str, int]
    places: dict[str, tuple[int, int]]
    short_year: bool = False
    named_month: bool = False


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Pattern:
    """Raises ValueError in one line when the pattern has letters that are not allowed, or a quote without a partner."""
    regex = ""
    fields: dict[str, int] = {}
    places: dict[str, tuple[int, int]] = {}
    short_year = named_month = False
    at, end = 0, 1
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if not match:
            raise ValueError(f"{pattern!r}: a quote has no partner")
        at = match.end()
        text, letter, mark = match[1], match[2], match[3]
        if letter is None:
            literal = mark if mark is not None else (text.replace("''", "'") or "'")
            regex += re.escape(literal)
            end += len(literal) if end else 0
            continue
        field, expression, width = _field(pattern, match[0])
        if field in fields:
            raise ValueError(f"{pattern!r}: it has the {field} twice")
        fields[field] = len(fields) + 1
        short_year |= match[0] in ("yy", "uu")
        named_month |= match[0] == "MMM"
        tail = f"0{{{len(match[0]) - _MICROSECONDS}}}" if letter == "S" and len(match[0]) > _MICROSECONDS else ""
        regex += f"({expression}){tail}"
        if end and width:
            places[field] = (end, width)
            end += len(match[0]) if letter == "S" else width
        else:
            end = 0
    return Pattern(pattern, regex, fields, places, short_year, named_month)


def _field(pattern: str, letters: str) -> tuple[str, str, int]:
    if letters[0] == "S" and len(letters) <= 9:
        digits = min(len(letters), _MICROSECONDS)
        return "fraction", f"[0-9]{{{digits}}}", digits
    if letters not in _LETTERS:
        raise ValueError(f"{pattern!r}: {letters!r} is not supported; allowed: {ALLOWED}")
    return _LETTERS[letters]


ISO_DATE = compiled("yyyy-MM-dd")
# A day alone is its midnight; a space may stand for the T; seconds, their fraction and the offset may be left out.
ISO_TIMESTAMP = Pattern(
    "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "((?!0000)[0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    "(?:[T ]([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\\.([0-9]{1,6})0*)?)?"
    f"(Z|{_offset(':')})?)?",
    {name: place for place, name in enumerate(("year", "month", "day", "hour", "minute", "second"), 1)}
    | {"fraction": 7, "offset": 8},
    {},
)


def patterns(kind: str, formats: tuple[str, ...]) -> tuple[Pattern, ...]:
    """Those of a ``date`` or ``timestamp`` column, in the order in which they are tried."""
    if formats:
        return tuple(map(compiled, formats))
    return (ISO_DATE,) if kind == "date" else (ISO_TIMESTAMP,)


def date_of(text: str, formats: tuple[str, ...]) -> date | None:
    """The date that ``text`` is, by the first pattern that reads it."""
    for pattern in patterns("date", formats):
        moment = _local(text, pattern)
        if moment:
            return moment[0].date()
    return None


def timestamp_of(text: str, formats: tuple[str, ...], zone: str) -> datetime | None:
    """The moment that ``text`` is, in UTC and without a zone. ``zone``: of texts that have no offset.

    A local time that a clock change skips is none; of one that occurs twice the earlier is meant.
    """
    for pattern in patterns("timestamp", formats):
        found = _local(text, pattern)
        moment = found and in_utc(*found, zone)
        if moment:
            return moment
    return None


def in_utc(local: datetime, offset: str, zone: str) -> datetime | None:
    try:
        if offset:
            return local - minutes_of(offset)
        if zone == "UTC":
            return local
        utc = ZoneInfo("UTC")
        moment = local.replace(tzinfo=ZoneInfo(zone)).astimezone(utc)
        skipped = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) != local
        return None if skipped else moment.replace(tzinfo=None)
    except OverflowError:
        return None


def minutes_of(offset: str) -> timedelta:
    """``+02:00``, ``+0200``, ``+02`` or ``Z``."""
    if offset == "Z":
        return timedelta()
    digits = offset[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or "0"))
    return -size if offset[0] == "-" else size


def _local(text: str, pattern: Pattern) -> tuple[datetime, str] | None:
    """The local time that ``text`` tells, and its offset, ``""`` without one."""
    match = re.fullmatch(pattern.regex, text)
    if not match:
        return None
    told = {field: match[group] or "" for field, group in pattern.fields.items()}
    year = told["year"] if len(told["year"]) == 4 else "20" + told["year"]
    month = told["month"]
    number = MONTHS.index(month.lower()) + 1 if len(month) == 3 else int(month)
    hour = int(told.get("hour") or "0")
    if told.get("half"):
        hour = hour % 12 + (12 if told["half"].lower() == "pm" else 0)
    try:
        moment = datetime(
            int(year),
            number,
            int(told["day"]),
            hour,
            int(told.get("minute") or "0"),
            int(told.get("second") or "0"),
            int((told.get("fraction") or "0").ljust(_MICROSECONDS, "0")),
        )
    except ValueError:
        return None
    return moment, told.get("offset", "")
