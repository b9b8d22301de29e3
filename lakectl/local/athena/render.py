"""Values as Athena writes them: in its result files and in GetQueryResults."""

from __future__ import annotations

import datetime
import decimal
import math
import struct
import zoneinfo
from collections.abc import Callable
from typing import Any

from lakectl.local.athena.sqltypes import Type

Writer = Callable[[Any], str | None]


def writer_of(kind: Type) -> Writer:
    """A function that turns a Python value, as Arrow gives it, into Athena's text; None stays None (SQL NULL)."""
    plain = _plain_writer(kind)
    if plain is None:
        return lambda value: value
    write: Callable[[Any], str] = plain
    return lambda value: None if value is None else write(value)


def _plain_writer(kind: Type) -> Callable[[Any], str] | None:
    """Of values that are not None; None: the value is its own text."""
    name = kind.name
    if name in ("varchar", "json", "uuid", "ipaddress"):
        return None
    if name in _SIMPLE:
        return _SIMPLE[name]
    if name == "char":
        return lambda value: str(value).ljust(kind.numbers[0])
    if name == "time":
        return lambda value: clock(value, kind.precision)
    if name == "time with time zone":
        return lambda value: clock(value["t"], kind.precision) + offset(value["z"])
    if name in ("timestamp", "timestamp with time zone"):
        return lambda value: moment(value, kind)
    if name == "array":
        item = _inner_writer(kind.items[0])
        return lambda value: "[" + ", ".join(map(item, value)) + "]"
    if name == "map":
        key, item = map(_inner_writer, kind.items)
        return lambda value: "{" + ", ".join(f"{key(name)}={item(each)}" for name, each in value) + "}"
    names = [name or f"field{at}" for at, name in enumerate(kind.fields)]
    writers = [_inner_writer(item) for item in kind.items]
    return lambda value: (
        "{"
        + ", ".join(
            f"{name}={write(value[f'f{at}'])}" for at, (name, write) in enumerate(zip(names, writers, strict=True))
        )
        + "}"
    )


def _inner_writer(kind: Type) -> Callable[[Any], str]:
    write = writer_of(kind)
    return lambda value: "null" if value is None else str(write(value))


def moment(value: Any, kind: Type) -> str:
    """``2025-09-15 10:00:00.000``, and `` UTC`` or another zone. A timestamp(0) shows three digits, too."""
    picoseconds, zone = 0, ""
    if isinstance(value, dict):
        picoseconds, zone, value = value.get("p", 0), value.get("z", ""), value["t"]
    if zone:
        value, zone = _in_zone(value, zone), f" {zone}"
    digits = kind.precision or 3
    fraction = f"{value.microsecond:06d}{picoseconds:06d}"[:digits]
    return f"{value:%Y-%m-%d %H:%M:%S}.{fraction}{zone}"


def _in_zone(value: datetime.datetime, zone: str) -> datetime.datetime:
    if zone == "UTC":
        return value
    if zone[0] in "+-":
        minutes = int(zone[1:3]) * 60 + int(zone[4:6])
        return value + datetime.timedelta(minutes=minutes if zone[0] == "+" else -minutes)
    return value.astimezone(zoneinfo.ZoneInfo(zone))


def clock(value: datetime.time, precision: int) -> str:
    """``13:24:11`` of a time(0), as awswrangler's tests have it of AWS; ``13:24:11.000`` of a time(3)."""
    return f"{value:%H:%M:%S}.{value.microsecond:06d}"[: 9 + precision if precision else 8]


def offset(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def double(value: float, narrow: bool = False) -> str:
    """Java's Double.toString: plain from 1e-3 up to 1e7, else ``3.33E9``. ``narrow``: a 32-bit float."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    shortest = repr(value)
    if abs(value) < 1e-322:  # Java shows two digits, if they name the same value
        shortest = f"{value:.1e}"
    if narrow:
        shortest = next(found for places in range(1, 10) if _is_float32(found := f"{value:.{places}g}", value))
    number = decimal.Decimal(shortest)
    if 1e-3 <= abs(value) < 1e7:
        plain = format(number, "f")
        return plain if "." in plain else plain + ".0"
    sign, digits, exponent = number.normalize().as_tuple()
    mantissa = "".join(map(str, digits))
    return f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}E{len(mantissa) - 1 + int(exponent)}"


def scientific(value: float) -> str:
    """A double as CAST to varchar writes it: ``3.77E1``; Trino's DoubleOperators.castToVarchar."""
    if value == 0:
        return "-0E0" if math.copysign(1, value) < 0 else "0E0"
    if not math.isfinite(value):
        return double(value)
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    mantissa = "".join(map(str, digits))
    return f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}E{len(mantissa) - 1 + int(exponent)}"


def _is_float32(shortest: str, value: float) -> bool:
    return bool(struct.unpack("f", struct.pack("f", float(shortest)))[0] == value)


def seconds(value: int) -> str:
    """Trino's interval day to second, of milliseconds: ``7 00:00:00.000``."""
    days, rest = divmod(abs(value), 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{'-' if value < 0 else ''}{days} {hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def months(value: int) -> str:
    """Trino's interval year to month: ``3-5``."""
    return f"{'-' if value < 0 else ''}{abs(value) // 12}-{abs(value) % 12}"


_SIMPLE: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint", "unknown"), str),
    "boolean": lambda value: "true" if value else "false",
    "double": double,
    "real": lambda value: double(value, narrow=True),
    "decimal": lambda value: format(value, "f"),
    "date": str,
    "varbinary": lambda value: " ".join(f"{byte:02x}" for byte in value),
    "interval day to second": seconds,
    "interval year to month": months,
}
