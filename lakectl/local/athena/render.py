"""Values as Athena writes them: in its result files and in GetQueryResults."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import struct
import uuid
from collections.abc import Callable
from typing import Any

import pyarrow as pa

Writer = Callable[[Any], str | None]


def writer_for(kind: Any, digits: int | None = None) -> Writer:
    """A function that turns a Python value of an Arrow type into Athena's text; None stays None (SQL NULL).

    ``digits``: how many fractional digits a timestamp shows (6 for timestamp(6), else 3); None: as many as it has.
    """
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return lambda value: value
    if pa.types.is_integer(kind):
        return lambda value: None if value is None else str(value)
    if pa.types.is_floating(kind):
        narrow = pa.types.is_float32(kind)
        return lambda value: None if value is None else double(value, narrow)
    if pa.types.is_timestamp(kind):
        return lambda value: None if value is None else timestamp(value, digits)
    return text


def text(value: Any) -> str | None:
    """Any value; inside arrays, maps and rows too."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return double(value)
    if isinstance(value, datetime.datetime):
        return timestamp(value)
    if isinstance(value, datetime.timedelta):
        return interval(value)
    if isinstance(value, pa.MonthDayNano):
        if value.months:
            return f"{value.months // 12}-{value.months % 12}"
        return interval(datetime.timedelta(days=value.days, microseconds=value.nanoseconds // 1000))
    if isinstance(value, list):
        if value and isinstance(value[0], tuple):  # Arrow gives maps as lists of pairs
            return "{" + ", ".join(f"{inner(key)}={inner(item)}" for key, item in value) + "}"
        return "[" + ", ".join(inner(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={inner(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bytes):
        return " ".join(f"{byte:02x}" for byte in value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, uuid.UUID | datetime.date | datetime.time | int | str):
        return str(value)
    return json.dumps(value, default=str)


def inner(value: Any) -> str:
    return "null" if value is None else str(text(value))


def double(value: float, narrow: bool = False) -> str:
    """Java's Double.toString: plain from 1e-3 up to 1e7, else ``3.33E9``. ``narrow``: a 32-bit float."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    shortest = repr(value)
    if narrow:
        shortest = next(found for places in range(1, 10) if _is_float32(found := f"{value:.{places}g}", value))
    number = decimal.Decimal(shortest)
    if 1e-3 <= abs(value) < 1e7:
        plain = format(number, "f")
        return plain if "." in plain else plain + ".0"
    sign, digits, exponent = number.normalize().as_tuple()
    mantissa = "".join(map(str, digits))
    return f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}E{len(mantissa) - 1 + int(exponent)}"


def _is_float32(shortest: str, value: float) -> bool:
    return bool(struct.unpack("f", struct.pack("f", float(shortest)))[0] == value)


def timestamp(value: datetime.datetime, digits: int | None = None) -> str:
    """``2025-09-15 10:00:00.000``, with `` UTC`` after it if it has a zone."""
    fraction = f"{value.microsecond:06d}"
    if digits == 3 or (digits is None and fraction.endswith("000")):
        fraction = fraction[:3]
    shown = f"{value:%Y-%m-%d %H:%M:%S}.{fraction}"
    return f"{shown} UTC" if value.tzinfo else shown


def interval(value: datetime.timedelta) -> str:
    """Trino's interval day to second: ``7 00:00:00.000``."""
    sign = "-" if value < datetime.timedelta(0) else ""
    value = abs(value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{sign}{value.days} {hours:02d}:{minutes:02d}:{seconds:02d}.{value.microseconds // 1000:03d}"
