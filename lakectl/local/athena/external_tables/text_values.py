"""Values of text files: what text is which value of a column, by Hive's rules as Trino has them.

Text that is no value of the type is NULL. Trino's ``lib/trino-hive-formats``: ``encodings/text``, ``HiveFormatUtils``.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from lakectl.local.athena.sqltypes import Type

_SIZES = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}
_INTEGER = re.compile(r"([+-]?\d+)(?:\.\d*)?")
_FLOAT = re.compile(r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DATE = re.compile(r"(-?\d{1,10})-(\d{1,2})-(\d{1,2})")
_TIMESTAMP = re.compile(r"(-?\d{1,10})-(\d{1,2})-(\d{1,2})(?:[ Tt](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?")
_WIDE = Context(prec=120)

Reader = Callable[[str], Any]


def reader(kind: Type) -> Reader:
    """From a text to the value of a type without parts; None is NULL. Raises KeyError for a nested type."""
    if kind.name in _SIZES:
        return _integers(_SIZES[kind.name])
    if kind.name == "decimal":
        return lambda text: decimal(text, *kind.numbers)
    if kind.name in ("varchar", "char"):
        return _texts(kind)
    return _READERS[kind.name]


def _integers(bits: int) -> Reader:
    most = 1 << (bits - 1)

    def read(text: str) -> int | None:
        found = _INTEGER.fullmatch(text)
        if found is None or not text.isascii():
            return None
        value = int(found[1])
        return value if -most <= value < most else None

    return read


def _texts(kind: Type) -> Reader:
    if kind.name == "char":
        return lambda text: text[: kind.numbers[0]].rstrip(" ")
    if kind.numbers:
        return lambda text: text[: kind.numbers[0]]
    return lambda text: text


def decimal(text: str, precision: int, scale: int) -> Decimal | None:
    """Rounded to the scale, half up; None for no number, and for one that is too large."""
    if not _DECIMAL.fullmatch(text) or not text.isascii():
        return None
    try:
        value = Decimal(text).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _WIDE)
    except InvalidOperation:
        return None
    return value if abs(value) < Decimal(10) ** (precision - scale) else None


def boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def double(text: str) -> float | None:
    text = text.strip()
    return float(text.rstrip("fFdD")) if _FLOAT.fullmatch(text) else None


def date(text: str) -> datetime.date | None:
    """Lenient, as Java's: the 30th of February is in March."""
    found = _DATE.fullmatch(text.strip().split(" ", 1)[0])
    return _day(*map(int, found.groups())) if found else None


def _day(year: int, month: int, day: int) -> datetime.date | None:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    try:
        return datetime.date(year, month, 1) + datetime.timedelta(days=day - 1)
    except (ValueError, OverflowError):
        return None


def timestamp(text: str) -> datetime.datetime | None:
    """To the millisecond, rounded half up."""
    found = _TIMESTAMP.fullmatch(text.strip())
    if (
        found is None
        or ("T" in text.upper() and found[4] is None)
        or (found[4] and not found[6] and " " in text.strip())
    ):
        return None
    day = _day(int(found[1]), int(found[2]), int(found[3]))
    if day is None:
        return None
    hour, minute, second = (int(found[at] or 0) for at in (4, 5, 6))
    milliseconds = (int((found[7] or "0").ljust(9, "0")) + 500_000) // 1_000_000
    start = datetime.datetime(day.year, day.month, day.day)
    return start + datetime.timedelta(hours=hour, minutes=minute, seconds=second, milliseconds=milliseconds)


def binary(text: str) -> bytes | None:
    """Base64; text that is none stands for itself (Hive's LazyBinary)."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode()


_READERS: dict[str, Reader] = {
    "boolean": boolean,
    "real": double,
    "double": double,
    "date": date,
    "timestamp": timestamp,
    "varbinary": binary,
}
