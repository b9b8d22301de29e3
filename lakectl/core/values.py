"""What the text of a field may look like, and its value. What can't be read for certain has none: never a guess.

``jobs/lake/parsing.py`` builds Spark columns of these patterns and limits; a property test compares the two.
Digits are ASCII digits, and only spaces (U+0020) around a value are ignored: what Java and Python mean by ``\\d`` and
by white space differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

TRIMMED = " "
# Each pattern is for the whole text.
INTEGER = r"-?[0-9]+"
LIMITS = {"bigint": 2**63, "int": 2**31}
DATE = r"[0-9]{2}/[0-9]{2}/(?!0000)[0-9]{4}"
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
# An amount must be less than this: a double no longer tells the cents of larger ones apart.
TOO_LARGE = 1e15

EXPECTED = {
    "bigint": "a whole number (bigint)",
    "int": "a whole number (int)",
    "date": "a date DD/MM/YYYY",
    "double": "an amount such as 147.43, 147,43, 1.234,56 or 1,234.56 (1.234 is ambiguous)",
    "string": "text",
}


def clean(text: str) -> str | None:
    """``text`` without spaces around it; None when nothing is left."""
    return text.strip(TRIMMED) or None


def value_of(text: str, kind: str) -> Any:
    """The value of cleaned ``text`` as ``kind`` (a key of EXPECTED): int, float, date or str; None when it is none."""
    return _READERS[kind](text, kind)


def plain_amount(text: str) -> str | None:
    """``text`` with a decimal point and no grouping; None when it is no amount or could be two."""
    if _is(USUAL, text):
        return text.replace(",", ".")
    if _is(AMBIGUOUS, text):
        return None
    if _is(DECIMAL, text):
        return text.replace(",", ".")
    if _is(DOT_GROUPS, text):
        return text.replace(".", "").replace(",", ".")
    if _is(DOT_GROUPS_ONLY, text):
        return text.replace(".", "")
    return text.replace(",", "") if _is(COMMA_GROUPS, text) or _is(COMMA_GROUPS_ONLY, text) else None


def _is(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


def _integer(text: str, kind: str) -> int | None:
    limit = LIMITS[kind]
    # int() refuses thousands of digits.
    if not _is(INTEGER, text) or len(text.lstrip("-").lstrip("0")) > len(str(limit)):
        return None
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text)
    value = sign * int(digits.lstrip("0") or "0")
    return value if -limit <= value < limit else None


def _amount(text: str, kind: str) -> float | None:  # noqa: ARG001
    plain = plain_amount(text)
    value = None if plain is None else float(plain)
    return value if value is not None and abs(value) < TOO_LARGE else None


def _date(text: str, kind: str) -> date | None:  # noqa: ARG001
    if not _is(DATE, text):
        return None
    try:
        return date(int(text[6:]), int(text[3:5]), int(text[:2]))
    except ValueError:
        return None


def _text(text: str, kind: str) -> str:  # noqa: ARG001
    return text


_READERS: dict[str, Callable[[str, str], Any]] = {
    "bigint": _integer,
    "int": _integer,
    "double": _amount,
    "date": _date,
    "string": _text,
}
