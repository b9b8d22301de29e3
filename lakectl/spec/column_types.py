"""Types of columns: which there are, how they are written, and which can become which in place."""

from __future__ import annotations

import re

from lakectl.spec.model import SIMPLE_TYPES

EXPECTED = f"{', '.join(SIMPLE_TYPES)} or decimal(p,s)"
MAX_PRECISION = 38
_DECIMAL = re.compile(r"decimal\s*\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")


def parse(text: str) -> str:
    """A type in its one spelling: ``Decimal(10, 2)`` is ``decimal(10,2)``. Raises ValueError with one line."""
    lower = text.strip().lower()
    if lower in SIMPLE_TYPES:
        return lower
    match = _DECIMAL.fullmatch(lower)
    if not match:
        raise ValueError(f"{text!r} is not a type; expected {EXPECTED}")
    precision, scale = int(match[1]), int(match[2])
    if not 1 <= precision <= MAX_PRECISION or scale > precision:
        raise ValueError(
            f"{text!r} is not a type; decimal(p,s) has 1 to {MAX_PRECISION} digits, s of them behind the mark"
        )
    return f"decimal({precision},{scale})"


def decimal_of(kind: str) -> tuple[int, int] | None:
    """(precision, scale) of a decimal type; None for another."""
    match = _DECIMAL.fullmatch(kind)
    return (int(match[1]), int(match[2])) if match else None


def widens(old: str, new: str) -> bool:
    """Whether Iceberg can make a column of ``old`` one of ``new`` in place: int to bigint, more digits before the mark.

    https://iceberg.apache.org/spec/#schema-evolution
    """
    if (old, new) == ("int", "bigint"):
        return True
    before, after = decimal_of(old), decimal_of(new)
    return before is not None and after is not None and before[1] == after[1] and before[0] < after[0]
