"""Patterns of dates and timestamps in Java's letters: which there are, what they read, and what one must hold.

https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/time/format/DateTimeFormatter.html

A pattern becomes a regular expression of which Python and Java read the same, so that the command line and the job
take the same texts for the same moments. Names of months are English. A year of two letters is 2000 to 2099, as Java
has it. Fractions of a second beyond microseconds must be zeros: nothing is rounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MICROSECONDS = 6  # digits of a fraction that are kept
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES = "|".join("".join(f"[{letter.upper()}{letter}]" for letter in name) for name in MONTHS)


def _offset(separator: str, *, minutes_too: bool = True) -> str:
    # Java knows offsets up to 18:00.
    minutes = f"{separator}[0-5][0-9]" if minutes_too else f"(?:{separator}[0-5][0-9])?"
    last = f"{separator}00" if minutes_too else f"(?:{separator}00)?"
    return f"[+-](?:(?:0[0-9]|1[0-7]){minutes}|18{last})"


# Letters -> (what they are, the expression, its width; 0: it varies).
LETTERS: dict[str, tuple[str, str, int]] = {
    "yyyy": ("year", "(?!0000)[0-9]{4}", 4),
    "yy": ("year", "[0-9]{2}", 2),
    "uuuu": ("year", "(?!0000)[0-9]{4}", 4),
    "uu": ("year", "[0-9]{2}", 2),
    "M": ("month", "0?[1-9]|1[0-2]", 0),
    "MM": ("month", "0[1-9]|1[0-2]", 2),
    "MMM": ("month", _MONTH_NAMES, 3),
    "d": ("day", "0?[1-9]|[12][0-9]|3[01]", 0),
    "dd": ("day", "0[1-9]|[12][0-9]|3[01]", 2),
    "H": ("hour", "[01]?[0-9]|2[0-3]", 0),
    "HH": ("hour", "[01][0-9]|2[0-3]", 2),
    "h": ("hour", "0?[1-9]|1[0-2]", 0),
    "hh": ("hour", "0[1-9]|1[0-2]", 2),
    "a": ("half", "[AaPp][Mm]", 2),
    "m": ("minute", "[0-5]?[0-9]", 0),
    "mm": ("minute", "[0-5][0-9]", 2),
    "s": ("second", "[0-5]?[0-9]", 0),
    "ss": ("second", "[0-5][0-9]", 2),
    **{
        "S" * count: ("fraction", f"[0-9]{{{min(count, MICROSECONDS)}}}", min(count, MICROSECONDS))
        for count in range(1, 10)
    },
    "X": ("offset", f"Z|{_offset('', minutes_too=False)}", 0),
    "XX": ("offset", f"Z|{_offset('')}", 0),
    "XXX": ("offset", f"Z|{_offset(':')}", 0),
    "x": ("offset", _offset("", minutes_too=False), 0),
    "xx": ("offset", _offset(""), 0),
    "xxx": ("offset", _offset(":"), 0),
    "Z": ("offset", _offset(""), 0),
}
ALLOWED = "yyyy yy uuuu uu M MM MMM d dd H HH h hh a m mm s ss S… X XX XXX x xx xxx Z, and text in '…'"
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z'])")
# Java keeps them for itself.
_KEPT = "[]{}#"
# These begin with no digit.
_NO_DIGITS = ("half", "offset")
# These end after one digit more or less.
_VARYING = ("M", "d", "H", "h", "m", "s", "X", "x")


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


def _tokens(pattern: str) -> Iterator[tuple[str, bool]]:
    """(a run of one letter, True) or (a text that stands for itself, False), in order."""
    at = 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if not match:
            raise ValueError(f"{pattern!r}: a quote has no partner")
        at = match.end()
        if match[2] is not None:
            yield match[0], True
        elif match[3] is None:
            yield match[1].replace("''", "'") or "'", False
        elif match[3] in _KEPT:
            raise ValueError(f"{pattern!r}: {match[3]!r} is not supported; put it in quotes: '{match[3]}'")
        else:
            yield match[3], False


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Pattern:
    """What ``pattern`` reads.

    Raises ValueError in one line for letters that are not allowed, a quote without a partner, a field that is there
    twice, and digits that could be cut in two ways.
    """
    regex = ""
    fields: dict[str, int] = {}
    places: dict[str, tuple[int, int]] = {}
    letters_of: dict[str, str] = {}
    varying = ""  # letters of a varying width since the last mark between digits
    end = 1
    for run, is_field in _tokens(pattern):
        if not is_field:
            regex += re.escape(run)
            end += len(run) if end else 0
            varying = varying if run.isdigit() else ""
            continue
        if run not in LETTERS:
            raise ValueError(f"{pattern!r}: {run!r} is not supported; allowed: {ALLOWED}")
        field, expression, width = LETTERS[run]
        if field in fields:
            raise ValueError(f"{pattern!r}: it has the {field} twice")
        fields[field] = len(fields) + 1
        letters_of[field] = run
        if run == "MMM" or field in _NO_DIGITS:
            varying = ""
        if run in _VARYING:
            if varying:
                raise ValueError(
                    f"{pattern!r}: {varying!r} and {run!r} with nothing but digits between them can be read in two "
                    f"ways; write {varying * 2!r} and {run * 2!r}"
                )
            varying = run
        regex += f"({expression})" + (f"0{{{len(run) - MICROSECONDS}}}" if len(run) > MICROSECONDS else "")
        if end and width:
            places[field] = (end, width)
            end += len(run) if field == "fraction" else width
        else:
            end = 0
    return Pattern(
        pattern,
        regex,
        fields,
        places,
        short_year=len(letters_of.get("year", "")) == 2,
        named_month=letters_of.get("month") == "MMM",
    )


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


def check(pattern: str, kind: str) -> None:
    """Raises ValueError with one line when ``pattern`` can't be one of ``kind``, ``date`` or ``timestamp``."""
    fields = compiled(pattern).fields
    missing = [field for field in ("year", "month", "day") if field not in fields]
    if missing:
        raise ValueError(f"{pattern!r}: it has no {' and no '.join(missing)}; for example yyyy-MM-dd")
    extra = [field for field in fields if field not in ("year", "month", "day")]
    if kind == "date" and extra:
        raise ValueError(f"{pattern!r}: a date has no {extra[0]}; make the column a timestamp")
    if ("half" in fields) != any(run[0] == "h" for run, is_field in _tokens(pattern) if is_field):
        raise ValueError(f"{pattern!r}: h (1 to 12) and a (AM or PM) belong together; H counts from 0 to 23")
    for field, needs in (("minute", "hour"), ("second", "minute"), ("fraction", "second")):
        if field in fields and needs not in fields:
            raise ValueError(f"{pattern!r}: it has the {field}, but no {needs}")
    runs = [run for run, _ in _tokens(pattern)]
    if runs[0].startswith(" ") or runs[-1].endswith(" "):
        raise ValueError(f"{pattern!r}: spaces around a value are ignored; leave them out of its pattern")


def has_zone(pattern: str) -> bool:
    """Whether a timestamp of this pattern names its own offset."""
    return "offset" in compiled(pattern).fields
