"""Literals: DATE '…', TIMESTAMP '…', INTERVAL '…', DECIMAL '…' and their like, checked as Trino checks them.

https://trino.io/docs/current/language/types.html
"""

from __future__ import annotations

import datetime
import re
import uuid
import zoneinfo

from sqlglot import exp

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import casts
from lakectl.local.athena.analysis.values import Value, string, text, type_of, zoned
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.functions.addresses import plain_address
from lakectl.local.athena.functions.json_text import BadJson, canonical
from lakectl.local.athena.sqltypes import BIGINT, BOOLEAN, DATE, DOUBLE, INTEGER, MONTHS, SECONDS

Position = tuple[int, int] | None
TIMESTAMP = re.compile(
    r"\s*([+-]?\d{4,}-\d{1,2}-\d{1,2})(?: (\d{1,2}:\d{1,2}(?::\d{1,2})?)(?:\.(\d{1,12}))?)?"
    r"(?: ?([A-Za-z][\w/+:-]*)|\s*([+-]\d{1,2}(?::?\d{2}|(?(2)|(?!)))))?\s*"  # hours alone only after a time
)
_TIME = re.compile(r"\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,12}))?)?\s*(?:([+-])(\d{2}):(\d{2}))?\s*")
_UNITS = {"DAY": 86_400_000, "HOUR": 3_600_000, "MINUTE": 60_000, "SECOND": 1000, "WEEK": 604_800_000}
_FIELDS = ("DAY", "HOUR", "MINUTE", "SECOND")


def number(written: str) -> Value:
    """1 is integer, 3000000000 bigint, 1.25 and 1.25e0 double; ``DECIMAL '1.25'`` is decimal(3,2).

    Athena sets Trino's parse_decimal_literals_as_double: the own tests of PyAthena (0.33), awswrangler (1.2) and
    dbt-athena (1 / 0.0 is infinite), which run on AWS, and
    https://docs.aws.amazon.com/athena/latest/ug/data-types-considerations.html (DECIMAL).
    """
    if "e" in written.lower() or "." in written:
        return Value(f"CAST({text(written)} AS DOUBLE)", DOUBLE, constant=float(written), simple=True)
    value = int(written)
    if value >= 2**63:
        raise QueryError("INVALID_LITERAL", f"Invalid numeric literal: {written}")
    kind = INTEGER if value < 2**31 else BIGINT
    return Value(str(value) if kind == INTEGER else f"{value}::BIGINT", kind, constant=value, simple=True)


def typed(node: exp.Cast, sql: str, position: Position) -> Value:
    """``DATE '2025-01-01'`` and its like. Raises INVALID_LITERAL."""
    written = str(node.this.name)
    kind = node.args["to"]
    name = kind.this.name if isinstance(kind.this, exp.DType) else str(kind.this)
    if name in ("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPNTZ", "DATETIME"):
        return timestamp(written, position)
    if name in ("TIME", "TIMETZ"):
        return _time(written, position)
    if name == "DATE":
        return _date(written, position)
    if name == "DECIMAL" and not kind.expressions:
        return _decimal(written, position)
    wanted = type_of(kind, sql)
    if wanted.name == "json":
        try:
            return Value(text(canonical(written)), wanted, constant=written, simple=True)
        except BadJson:
            raise _invalid(f"'{written}' is not a valid JSON literal", position) from None
    if wanted.name == "uuid":
        try:
            return Value(text(str(uuid.UUID(written))), wanted, simple=True)
        except ValueError:
            raise _invalid(f"'{written}' is not a valid UUID literal", position) from None
    if wanted.name == "ipaddress":
        try:
            return Value(text(plain_address(written)), wanted, simple=True)
        except ValueError:
            raise _invalid(f"'{written}' is not a valid IPADDRESS literal", position) from None
    if wanted.name == "char":
        wanted = sqltypes.Type("char", (max(1, len(written)),))
    return casts.cast(string(written), wanted, position)


def _invalid(message: str, position: Position) -> QueryError:
    return QueryError("INVALID_LITERAL", message, position)


def _date(written: str, position: Position) -> Value:
    far = re.fullmatch(r"\s*[+-]?0*(\d{4,})-\d{1,2}-\d{1,2}\s*", written)
    if far and int(far[1]) < 5881580 and ("-" in written[: far.start(1)] or int(far[1]) > 9999):
        raise QueryError(
            "NOT_SUPPORTED", "a year beyond 9999 is not supported by the local Athena; it works on AWS", position
        )
    found = re.fullmatch(r"\s*\+?0*(\d{4})-(\d{1,2})-(\d{1,2})\s*", written)
    try:
        if found is None:
            raise ValueError(written)
        shown = datetime.date(*map(int, found.groups())).isoformat()
    except ValueError:
        raise _invalid(f"'{written}' is not a valid DATE literal", position) from None
    return Value(f"DATE '{shown}'", DATE, constant=shown, simple=True)


def timestamp(written: str, position: Position) -> Value:
    found = TIMESTAMP.fullmatch(written)
    bad = _invalid(f"'{written}' is not a valid TIMESTAMP literal", position)
    if found is None:
        raise bad
    day, clock, fraction, zone, offset = found.groups()
    if not day[:4].isdigit() or day[4] != "-":
        raise QueryError(
            "NOT_SUPPORTED", "a year beyond 9999 is not supported by the local Athena; it works on AWS", position
        )
    clock = clock or "00:00:00"
    fraction = fraction or ""
    clock = clock if clock.count(":") == 2 else f"{clock}:00"
    try:
        moment = datetime.datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M:%S")
    except ValueError:
        raise bad from None
    shown = f"{moment:%Y-%m-%d %H:%M:%S}".rjust(19, "0") + (f".{fraction[:6]}" if fraction else "")
    local = f"TIMESTAMP '{shown}'"
    if zone is None and offset is None:
        if len(fraction) > 6:
            packed = f"struct_pack(t := {local}, p := CAST({fraction[6:].ljust(6, '0')} AS BIGINT))"
            return Value(packed, sqltypes.timestamp(len(fraction)))
        return Value(local, sqltypes.timestamp(len(fraction)), constant=shown, simple=True)
    name = zone_name(zone or offset or "")
    if name is None:
        raise bad
    micros = "." + fraction[:6] if fraction else ""
    instant = f"TIMESTAMPTZ '{utc_of(moment, name):%Y-%m-%d %H:%M:%S}{micros}+00'"
    if len(fraction) > 6:
        digits = f"CAST({fraction[6:].ljust(6, '0')} AS BIGINT)"
        packed = f"struct_pack(t := {instant}, p := {digits}, z := {text(name)})"
        return Value(packed, sqltypes.timestamp(len(fraction), zoned=True), zone=text(name))
    value = zoned(instant, text(name), len(fraction))
    return Value(f"struct_pack(t := {instant}, z := {text(name)})", value.type, "zoned", instant, text(name))


def zone_name(written: str) -> str | None:
    """A zone as Trino shows it: ``UTC``, ``+08:00``, ``America/New_York``; None if there is no such zone."""
    offset = re.fullmatch(r"([+-])(\d{1,2})(?::?(\d{2}))?", written)
    if offset:
        sign, hours, minutes = offset[1], int(offset[2]), int(offset[3] or 0)
        if hours > 14 or minutes > 59:
            return None
        return "UTC" if hours == minutes == 0 else f"{sign}{hours:02d}:{minutes:02d}"
    if written.upper() in ("UTC", "Z", "GMT", "UT", "ZULU"):
        return "UTC"
    known = {name.lower(): name for name in zoneinfo.available_timezones()}
    return known.get(written.lower())


def utc_of(local: datetime.datetime, zone: str) -> datetime.datetime:
    if zone[0] in "+-":
        minutes = int(zone[1:3]) * 60 + int(zone[4:6])
        return local - datetime.timedelta(minutes=minutes if zone[0] == "+" else -minutes)
    there = local.replace(tzinfo=zoneinfo.ZoneInfo(zone))
    return there.astimezone(datetime.UTC).replace(tzinfo=None)


def _time(written: str, position: Position) -> Value:
    found = _TIME.fullmatch(written)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59 or int(found[3] or 0) > 59:
        raise _invalid(f"'{written}' is not a valid TIME literal", position)
    fraction = found[4] or ""
    if len(fraction) > 6:
        raise QueryError(
            "NOT_SUPPORTED", "a time of more than 6 fractional digits is not supported by the local Athena"
        )
    shown = f"{int(found[1]):02d}:{found[2]}:{found[3] or '00'}" + (f".{fraction}" if fraction else "")
    if found[5] is None:
        return Value(f"TIME '{shown}'", sqltypes.Type("time", (len(fraction),)), constant=shown, simple=True)
    minutes = (int(found[6]) * 60 + int(found[7])) * (1 if found[5] == "+" else -1)
    if int(found[7]) > 59 or abs(minutes) > 14 * 60:
        raise _invalid(f"'{written}' is not a valid TIME literal", position)
    kind = sqltypes.Type("time with time zone", (len(fraction),))
    return Value(f"struct_pack(t := TIME '{shown}', z := CAST({minutes} AS INTEGER))", kind)


def _decimal(written: str, position: Position) -> Value:
    found = re.fullmatch(r"\s*([+-]?)(\d*)\.?(\d*)\s*", written)
    if found is None or not (found[2] or found[3]):
        raise _invalid(f"'{written}' is not a valid DECIMAL literal", position)
    digits = len(found[2].lstrip("0")) + len(found[3])
    if digits > 38:
        raise _invalid(f"'{written}' is not a valid DECIMAL literal", position)
    kind = sqltypes.decimal(max(1, digits), len(found[3]))
    return Value(f"CAST({text(written.strip())} AS {kind.physical})", kind, constant=written.strip(), simple=True)


def boolean(value: bool) -> Value:
    return Value("true" if value else "false", BOOLEAN, constant=value, simple=True)


def interval(node: exp.Interval, position: Position) -> Value:
    """Months, or milliseconds."""
    this = node.this
    sign = 1
    while isinstance(this, exp.Neg | exp.Paren):
        sign, this = (-sign if isinstance(this, exp.Neg) else sign), this.this
    written, unit = str(this.name if this is not None else ""), node.args.get("unit")
    bad = _invalid(f"'{written}' is not a valid INTERVAL literal", position)
    if not isinstance(this, exp.Literal) or unit is None:
        raise bad
    if written.startswith(("-", "+")):
        sign, written = (-sign if written[0] == "-" else sign), written[1:]
    first = (unit.this.name if isinstance(unit, exp.IntervalSpan) else unit.name).upper()
    last = unit.expression.name.upper() if isinstance(unit, exp.IntervalSpan) else first
    if first in ("YEAR", "MONTH"):
        months = _months(written, first, last)
        if months is None:
            raise bad
        return Value(str(sign * months), MONTHS, constant=sign * months, simple=True)
    milliseconds = _milliseconds(written, first, last)
    if milliseconds is None:
        raise bad
    return Value(
        f"{sign * milliseconds}::BIGINT" if sign > 0 else f"(-{milliseconds}::BIGINT)",
        SECONDS,
        constant=sign * milliseconds,
        simple=True,
    )


def _months(written: str, first: str, last: str) -> int | None:
    if first != last:
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", written)
        return int(found[1]) * 12 + int(found[2] or 0) if found else None
    return int(written) * (12 if first == "YEAR" else 1) if written.isdigit() else None


def _milliseconds(written: str, first: str, last: str) -> int | None:
    if first == last:
        pattern = r"\d+(\.\d{1,3})?" if first == "SECOND" else r"\d+"
        if first not in _UNITS or not re.fullmatch(pattern, written):
            return None
        whole, _, fraction = written.partition(".")
        return int(whole) * _UNITS[first] + (int(fraction.ljust(3, "0")) if fraction else 0)
    if first not in _FIELDS or last not in _FIELDS:
        return None
    parts = re.fullmatch(r"(\d+)(?:[ :](\d+))?(?::(\d+))?(?::(\d+))?(?:\.(\d{1,3}))?", written)
    names = _FIELDS[_FIELDS.index(first) : _FIELDS.index(last) + 1]
    if parts is None:
        return None
    numbers = [int(part) for part in parts.groups()[:4] if part is not None]
    if len(numbers) > len(names) or (parts[5] and (len(numbers) < len(names) or last != "SECOND")):
        return None  # the last fields may be left out
    rest = int((parts[5] or "0").ljust(3, "0"))
    return sum(number * _UNITS[name] for number, name in zip(numbers, names, strict=False)) + rest
