"""What a value in a landed file may look like: the same rules as the job's (``jobs/retail/parsing.py``)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

DATE_FORMAT = "%d/%m/%Y"
INTEGER_LIMITS = {"bigint": 2**63, "int": 2**31}
# 147.43  147,43  1.234,56  1,234.56. A lone separator before exactly three digits could be either kind, so
# 1.234 is not guessed.
AMOUNT = re.compile(r"-?\d+([.,]\d+)?|-?[1-9]\d{0,2}(\.\d{3})+,\d+|-?[1-9]\d{0,2}(,\d{3})+\.\d+")
GROUPS_ONLY = re.compile(r"-?[1-9]\d{0,2}((\.\d{3}){2,}|(,\d{3}){2,})")
AMBIGUOUS_AMOUNT = re.compile(r"-?[1-9]\d{0,2}[.,]\d{3}")
INTEGER = re.compile(r"-?\d+")
DATE = re.compile(r"\d{2}/\d{2}/\d{4}")


def _integer(value: str, kind: str) -> str | None:
    limit = INTEGER_LIMITS[kind]
    fits = INTEGER.fullmatch(value) is not None and -limit <= int(value) < limit
    return None if fits else f"a whole number ({kind})"


def _number(value: str, kind: str) -> str | None:  # noqa: ARG001
    if AMBIGUOUS_AMOUNT.fullmatch(value):
        return "an amount that can be read in one way only (1.234 or 1,234 could be two numbers)"
    fits = AMOUNT.fullmatch(value) or GROUPS_ONLY.fullmatch(value)
    return None if fits else "a number such as 147.43, 147,43 or 1.234,56"


def _date(value: str, kind: str) -> str | None:  # noqa: ARG001
    expected = "a date DD/MM/YYYY"
    if not DATE.fullmatch(value):  # strptime would take 1/7/2025 too; the job doesn't
        return expected
    try:
        datetime.strptime(value, DATE_FORMAT)
    except ValueError:
        return expected
    return None


def _any(value: str, kind: str) -> str | None:  # noqa: ARG001
    return None


# Column type → a check: None when the value (trimmed, not empty) fits, else what was expected.
PARSERS: dict[str, Callable[[str, str], str | None]] = {
    "bigint": _integer,
    "int": _integer,
    "double": _number,
    "date": _date,
    "string": _any,
}
