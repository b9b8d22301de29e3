"""What the text of a field may look like, and its value. What can't be read for certain has none: never a guess.

``jobs/lake/parsing.py`` builds Spark columns of these patterns and limits; a property test compares the two.
Digits are ASCII digits, and only spaces (U+0020) around a value are ignored, except in texts: what Java and Python
mean by ``\\d`` and by white space differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from lakectl.core import dates
from lakectl.spec.model import Column

TRIMMED = " "
# Each pattern is for the whole text.
INTEGER = r"-?[0-9]+"
LIMITS = {"bigint": 2**63, "int": 2**31}
# Decimal mark -> a whole number in group 1, whose fraction, if it has one, is zero. With either mark, three zeros
# may be thousands.
WHOLE = {".": r"(-?[0-9]+)(?:\.0+)?", ",": r"(-?[0-9]+)(?:,0+)?", "any": r"(-?[0-9]+)(?:[.,](?:00?|0{4,}))?"}
# What nearly all amounts look like: one test and they are done.
USUAL = r"-?[0-9]+([.,][0-9]{1,2})?"
DECIMAL = r"-?[0-9]+[.,][0-9]+"
# 1.234 may be one thousand or one and a bit: three digits after one separator, and what stands
# before it could be the first group of a grouped number (not 0.125, not 1234.567).
AMBIGUOUS = r"-?[1-9][0-9]{0,2}[.,][0-9]{3}"
DOT_GROUPS = r"-?[1-9][0-9]{0,2}(\.[0-9]{3})+,[0-9]+"
COMMA_GROUPS = r"-?[1-9][0-9]{0,2}(,[0-9]{3})+\.[0-9]+"
DOT_GROUPS_ONLY = r"-?[1-9][0-9]{0,2}(\.[0-9]{3}){2,}"
COMMA_GROUPS_ONLY = r"-?[1-9][0-9]{0,2}(,[0-9]{3}){2,}"
EXPONENT = r"([eE][+-]?[0-9]{1,3})?"
# With either mark an amount must be less than this: a double no longer tells the cents of larger ones apart.
TOO_LARGE = 1e15
TRUE = ("true", "t", "yes", "y", "1")
FALSE = ("false", "f", "no", "n", "0")
_PARTS = re.compile(r"decimal\((\d+),(\d+)\)")


@dataclass(frozen=True)
class Form:
    """How a number may be written: what matches ``pattern`` becomes plain when ``dropped`` characters are left out and
    ``mark`` is a point. ``ambiguous``: it has no value."""

    pattern: str
    dropped: str = ""
    mark: str = ""
    ambiguous: bool = False


_EITHER = (
    Form(USUAL, mark=","),
    Form(AMBIGUOUS, ambiguous=True),
    Form(DECIMAL, mark=","),
    Form(DOT_GROUPS, ".", ","),
    Form(COMMA_GROUPS, ","),
    Form(DOT_GROUPS_ONLY, "."),
    Form(COMMA_GROUPS_ONLY, ","),
)


def forms(kind: str, mark: str) -> tuple[Form, ...]:
    """How a ``double`` or decimal with this decimal mark may be written; the first that matches counts."""
    if mark == "any":
        return _EITHER
    exponent = EXPONENT if kind == "double" else ""
    return (Form(rf"-?[0-9]+({re.escape(mark)}[0-9]+)?{exponent}", mark="" if mark == "." else mark),)


def decimal_of(kind: str) -> tuple[int, int] | None:
    """(digits in all, digits after the point) of ``decimal(p,s)``; None for another type."""
    match = _PARTS.fullmatch(kind)
    return (int(match[1]), int(match[2])) if match else None


def plain_decimal(kind: str) -> str:
    """The pattern of plain numbers that ``decimal(p,s)`` holds exactly."""
    precision, scale = decimal_of(kind) or (0, 0)
    before = precision - scale
    whole = f"0*[0-9]{{1,{before}}}" if before else "0+"
    return rf"-?{whole}" + (rf"(\.[0-9]{{1,{scale}}})?" if scale else "")


def check_of(kind: str) -> str:
    """The built-in check that an unreadable value of this type fails."""
    if kind in ("date", "timestamp"):
        return "dates"
    return {"boolean": "booleans", "string": "broken_rows"}.get(kind, "numbers")


def expected(column: Column) -> str:
    """What a value of the column must be, in words."""
    kind = column.type
    if kind in LIMITS:
        return f"a whole number ({kind})"
    if kind in ("date", "timestamp"):
        return f"a {kind} {' or '.join(column.formats) or ISO_EXAMPLE[kind]}"
    if kind == "boolean":
        return "true or false"
    if kind == "string":
        return "text"
    if column.decimal_mark == "any":
        return "an amount such as 147.43, 147,43, 1.234,56 or 1,234.56 (1.234 is ambiguous)"
    example = f"147{column.decimal_mark}43"
    return f"a number such as {example}" + ("" if kind == "double" else f", a {kind}")


ISO_EXAMPLE = {"date": "yyyy-MM-dd", "timestamp": "yyyy-MM-ddTHH:mm:ss, with a fraction and an offset or without"}


def clean(text: str | None, column: Column, nulls: Collection[str] = ()) -> str | None:
    """The text of a field of a CSV file as it is read: without spaces around it unless it is text. None for NULL: an
    empty field, and ``nulls``."""
    trimmed = (text or "").strip(TRIMMED)
    if column.type == "string":
        return None if not text or (nulls and trimmed in nulls) else text
    return None if not trimmed or trimmed in nulls else trimmed


def value_of(text: str, column: Column) -> Any:
    """The value of cleaned ``text``: int, float, Decimal, bool, date, datetime (UTC, without a zone) or str; None when
    it is none."""
    return reader(column)(text)


@lru_cache(maxsize=4096)
def reader(column: Column) -> Callable[[str], Any]:
    """``value_of`` of one column."""
    kind = column.type
    if kind in LIMITS:
        return lambda text: _integer(text, LIMITS[kind], re.compile(WHOLE[column.decimal_mark]))
    if kind == "date":
        return lambda text: dates.date_of(text, column.formats)
    if kind == "timestamp":
        return lambda text: dates.timestamp_of(text, column.formats, column.zone)
    if kind == "boolean":
        return _boolean
    if kind == "double":
        return lambda text: _double(text, column.decimal_mark)
    if kind == "string":
        return lambda text: text
    fits = re.compile(plain_decimal(kind))
    return lambda text: _decimal(text, kind, column.decimal_mark, fits)


def plain_number(text: str, kind: str, mark: str) -> str | None:
    """``text`` with a decimal point and no grouping; None when it is no number or could be two."""
    for form in forms(kind, mark):
        if re.fullmatch(form.pattern, text):
            if form.ambiguous:
                return None
            text = text.replace(form.dropped, "") if form.dropped else text
            return text.replace(form.mark, ".") if form.mark else text
    return None


def _integer(text: str, limit: int, whole: re.Pattern[str]) -> int | None:
    match = whole.fullmatch(text)
    if not match:
        return None
    # int() refuses thousands of digits.
    digits = match[1].lstrip("-").lstrip("0")
    if len(digits) > len(str(limit)):
        return None
    value = int(digits or "0") * (-1 if text[0] == "-" else 1)
    return value if -limit <= value < limit else None


def _double(text: str, mark: str) -> float | None:
    plain = plain_number(text, "double", mark)
    value = None if plain is None else float(plain)
    return value if value is not None and abs(value) < (TOO_LARGE if mark == "any" else float("inf")) else None


def _decimal(text: str, kind: str, mark: str, fits: re.Pattern[str]) -> Decimal | None:
    plain = plain_number(text, kind, mark)
    return Decimal(plain) if plain is not None and fits.fullmatch(plain) else None


def _boolean(text: str) -> bool | None:
    lower = text.lower()
    return True if lower in TRUE else False if lower in FALSE else None
