"""CAST and coercion: a value of one Trino type as another, in DuckDB's SQL.

https://trino.io/docs/current/functions/conversion.html, https://trino.io/docs/current/language/types.html
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import json_casts, texts
from lakectl.local.athena.analysis.values import Value, text, zoned
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import DIGITS, Type

Position = tuple[int, int] | None
_NUMBER = ("tinyint", "smallint", "integer", "bigint", "decimal", "real", "double")
# What may be cast to what, beside a type to itself (Trino's CAST operators).
_CASTS: dict[str, tuple[str, ...]] = {
    "boolean": (*_NUMBER, "varchar", "char", "json"),
    **dict.fromkeys(_NUMBER, (*_NUMBER, "boolean", "varchar", "char", "json")),
    "varchar": (
        *_NUMBER,
        "boolean",
        "char",
        "json",
        "date",
        "time",
        "time with time zone",
        "timestamp",
        "timestamp with time zone",
        "varbinary",
        "uuid",
        "ipaddress",
        "interval day to second",
        "interval year to month",
    ),
    "char": ("varchar",),
    "date": ("varchar", "char", "timestamp", "timestamp with time zone", "json"),
    "time": ("varchar", "char", "time with time zone"),
    "time with time zone": ("varchar", "char", "time", "timestamp", "timestamp with time zone"),
    "timestamp": ("varchar", "char", "date", "time", "time with time zone", "timestamp with time zone", "json"),
    "timestamp with time zone": ("varchar", "char", "date", "time", "time with time zone", "timestamp"),
    "interval day to second": ("varchar", "char"),
    "interval year to month": ("varchar", "char"),
    "json": (*_NUMBER, "boolean", "varchar", "array", "map", "row"),
    "array": ("json",),
    "map": ("json",),
    "row": ("json",),
    "uuid": ("varchar", "char", "varbinary"),
    "ipaddress": ("varchar", "char", "varbinary"),
    "varbinary": ("uuid", "ipaddress"),
}
_counter = itertools.count()


def fresh() -> str:
    """A name for a lambda's argument."""
    return f"x{next(_counter)}"


def castable(given: Type, wanted: Type) -> bool:
    if given.name == "unknown" or given == wanted:
        return True
    if given.name == wanted.name and given.items:
        same = len(given.items) == len(wanted.items)
        return same and all(castable(*pair) for pair in zip(given.items, wanted.items, strict=True))
    if given.name in ("array", "map", "row") and wanted.name == "json":
        return json_casts.can_be_json(given)
    if given.name == "json" and wanted.name in ("array", "map", "row"):
        return json_casts.can_come_of_json(wanted)
    return given.name == wanted.name or wanted.name in _CASTS.get(given.name, ())


def cast(value: Value, wanted: Type, position: Position = None) -> Value:
    """CAST(value AS wanted). Raises TYPE_MISMATCH where Trino has no such cast."""
    if not castable(value.type, wanted):
        raise QueryError("TYPE_MISMATCH", f"Cannot cast {value.type} to {wanted}", position)
    return convert(value, wanted)


def coerce(value: Value, wanted: Type) -> Value:
    """The value as a type that its own coerces to."""
    return convert(value, wanted)


def convert(value: Value, wanted: Type) -> Value:
    given = value.type
    if given == wanted:
        return value
    if given.name == "unknown" or value.sql == "NULL":
        return Value(f"CAST(NULL AS {wanted.physical})", wanted)
    if given.name == wanted.name and not given.items and _widens_only(given, wanted):
        return value.named(wanted)
    if given.name == wanted.name and given.items:
        return Value(_nested(value.sql, given, wanted), wanted)
    if wanted.is_zoned:
        return _to_zoned(value, wanted)
    keeps = given.is_number and wanted.is_number
    return Value(_rule(value, wanted), wanted, constant=value.constant if keeps else None)


def _widens_only(given: Type, wanted: Type) -> bool:
    """Whether the physical value stays what it is: only the declared length or precision grows."""
    if given.name in ("varchar", "char"):
        return not wanted.numbers or (bool(given.numbers) and given.numbers[0] <= wanted.numbers[0])
    if given.name in ("timestamp", "time", "timestamp with time zone", "time with time zone"):
        return given.precision <= wanted.precision and given.physical == wanted.physical
    return given.name in ("json", "uuid", "varbinary", "date", "boolean", "ipaddress")


def same_physical(given: Type, wanted: Type) -> bool:
    """Whether no value has to be computed anew, in nested types."""
    if given.items and given.name == wanted.name:
        return all(same_physical(*pair) for pair in zip(given.items, wanted.items, strict=True))
    return given == wanted or (given.name == wanted.name and _widens_only(given, wanted))


def _nested(sql: str, given: Type, wanted: Type) -> str:
    """Arrays, maps and rows: each part by itself."""
    if same_physical(given, wanted):
        return sql
    if any(item.name == "unknown" for item in given.items) and given.name != "row":
        return f"CAST({sql} AS {wanted.physical})"
    if given.name == "array":
        item = fresh()
        inner = convert(Value(item, given.items[0]), wanted.items[0]).sql
        return f"list_transform({sql}, lambda {item}: {inner})"
    if given.name == "map":
        entry = fresh()
        parts = [
            convert(Value(f"{entry}.{part}", before), after).sql
            for part, before, after in zip(("key", "value"), given.items, wanted.items, strict=True)
        ]
        entries = (
            f"list_transform(map_entries({sql}), lambda {entry}: struct_pack(key := {parts[0]}, value := {parts[1]}))"
        )
        return f"map_from_entries({entries})"
    parts = [
        f"f{at} := " + convert(Value(f"({sql}).f{at}", before), after).sql
        for at, (before, after) in enumerate(zip(given.items, wanted.items, strict=True))
    ]
    return f"CASE WHEN ({sql}) IS NOT NULL THEN struct_pack({', '.join(parts)}) END"


def _to_zoned(value: Value, wanted: Type) -> Value:
    given = value.type
    if given.name.startswith("time "):
        _unsupported(value, wanted)
    if wanted.precision > 6 and not given.is_zoned:
        if given.name == "varchar":
            packed = (
                f"struct_pack(t := timezone('UTC', athena_zoned_floor({value.sql})), "
                f"p := athena_picoseconds({value.sql}), z := athena_zoned_zone({value.sql}))"
            )
            exact = Value(_unless_null(value.sql, packed), sqltypes.timestamp(12, zoned=True))
            return convert(exact, wanted)
        moment = convert(value, sqltypes.timestamp(wanted.precision)).sql
        packed = f"struct_pack(t := timezone('UTC', ({moment}).t), p := ({moment}).p, z := 'UTC')"
        return Value(_unless_null(value.sql, packed), wanted, zone="'UTC'")
    if given.precision > 6 and given.name == "timestamp":
        moment = convert(value, sqltypes.timestamp(wanted.precision)).sql
        return zoned(f"timezone('UTC', {moment})", "'UTC'", wanted.precision)
    if given.name == "varchar":
        instant = f"timezone('UTC', athena_zoned_instant({value.sql}, {wanted.precision}))"
        return zoned(instant, f"athena_zoned_zone({value.sql})", wanted.precision)
    if given.is_zoned:
        if given.precision > 6 or wanted.precision > 6:
            return Value(_picoseconds(value, wanted), wanted)
        return zoned(_rounded(value.moment, given.precision, wanted.precision), value.zone_sql, wanted.precision)
    if given.name == "date":
        return zoned(f"timezone('UTC', CAST({value.sql} AS TIMESTAMP))", "'UTC'", wanted.precision)
    local = _rounded(value.sql, given.precision, wanted.precision)
    return zoned(f"timezone('UTC', {local})", "'UTC'", wanted.precision)


def _unless_null(sql: str, made: str) -> str:
    return f"(CASE WHEN {sql} IS NOT NULL THEN {made} END)"


def local_picoseconds(value: Value) -> Value:
    """A timestamp with time zone of more than six digits as its local timestamp."""
    packed = f"struct_pack(t := {value.local}, p := ({value.sql}).p)"
    return Value(_unless_null(value.sql, packed), sqltypes.timestamp(value.type.precision))


def _picoseconds(value: Value, wanted: Type) -> str:
    """To or from more than six fractional digits."""
    given, sql = value.type, value.sql
    zone = f", z := ({sql}).z" if wanted.is_zoned else ""
    if given.precision <= 6:
        moment = value.moment if wanted.is_zoned else sql
        packed = f"struct_pack(t := {moment}, p := CAST(0 AS BIGINT){zone})"
    elif wanted.precision <= 6:
        moment = f"CASE WHEN ({sql}).p >= 500000 THEN to_microseconds(1) ELSE to_microseconds(0) END + ({sql}).t"
        if wanted.precision < 6:
            moment = _rounded(f"({sql}).t", 6, wanted.precision)
        packed = f"struct_pack(t := {moment}{zone})" if wanted.is_zoned else moment
    else:
        unit = 10 ** (12 - wanted.precision)
        rounded = f"CAST((({sql}).p + {unit // 2}) // {unit} * {unit} AS BIGINT)"
        packed = (
            f"struct_pack(t := ({sql}).t + CASE WHEN {rounded} >= 1000000 THEN to_microseconds(1) ELSE "
            f"to_microseconds(0) END, p := {rounded} % 1000000{zone})"
        )
    return f"CASE WHEN ({sql}) IS NULL THEN NULL ELSE {packed} END"


def _rounded(sql: str, given: int, wanted: int) -> str:
    """A TIMESTAMP, TIMESTAMPTZ or TIME of at most ``wanted`` fractional digits, rounded half up."""
    if given <= wanted or wanted >= 6:
        return sql
    return f"athena_round_time({sql}, {10 ** (6 - wanted)})"


def _rule(value: Value, wanted: Type) -> str:
    given, sql, name = value.type, value.sql, wanted.name
    if given.name == "json":
        return json_casts.of_json(sql, wanted)
    if name == "json":
        return json_casts.to_json(sql, given)
    if name in ("varchar", "char"):
        return texts.to_text(value, wanted)
    rule: Callable[[Value, Type], str] = _RULES[name]
    return rule(value, wanted)


def _shown(kind: Type) -> str:
    return str(kind).upper()


def _to_boolean(value: Value, _: Type) -> str:
    if value.type.name == "varchar":
        return f"athena_to_boolean({value.sql})"
    return f"(({value.sql}) <> 0)"


def _to_integer(value: Value, wanted: Type) -> str:
    given, sql = value.type, value.sql
    if given.name == "varchar":
        return f"CAST(athena_integer_text({sql}, {text(wanted.name.upper())}) AS {wanted.physical})"
    if given.name == "boolean" or given.is_integral:
        return f"CAST({sql} AS {wanted.physical})"
    if given.is_float:
        return f"CAST(round(CAST({sql} AS DOUBLE)) AS {wanted.physical})"
    return f"CAST({f'athena_half_up({sql}, 0)' if given.numbers[1] else sql} AS {wanted.physical})"


def _to_float(value: Value, wanted: Type) -> str:
    if value.type.name == "varchar":
        return f"CAST(athena_number_text({value.sql}, {text(wanted.name.upper())}) AS {wanted.physical})"
    if value.type.name == "double":
        return f"athena_to_real({value.sql})"
    return f"CAST({value.sql} AS {wanted.physical})"


def _to_decimal(value: Value, wanted: Type) -> str:
    given, sql = value.type, value.sql
    if given.name == "varchar":
        return f"CAST(athena_decimal_text({sql}, {text(_shown(wanted))}) AS {wanted.physical})"
    if given.is_float:
        precision, scale = wanted.numbers
        if given.name == "real":
            sql = f"CAST(athena_real_text(CAST({sql} AS DOUBLE)) AS DOUBLE)"  # of Java's Float.toString
        target = text(f"{given.name.upper()} ' to {_spaced(wanted)}")
        checked = f"athena_below({sql}, 1e{precision - scale}::DOUBLE, {target})"
        return f"CAST(athena_finite_text({checked}, {text(_shown(wanted))}) AS {wanted.physical})"
    digits, scale = (DIGITS[given.name], 0) if given.name in DIGITS else given.numbers or (1, 0)
    if digits - scale <= wanted.numbers[0] - wanted.numbers[1] and scale <= wanted.numbers[1]:
        return f"CAST({sql} AS {wanted.physical})"
    rounded = f"athena_half_up({sql}, {wanted.numbers[1]})" if scale > wanted.numbers[1] else sql
    return f"CAST({rounded} AS {wanted.physical})"


def _spaced(kind: Type) -> str:
    return f"DECIMAL({kind.numbers[0]}, {kind.numbers[1]})"


def _to_date(value: Value, _: Type) -> str:
    if value.type.name == "varchar":
        return f"CAST(athena_date_text({value.sql}) AS DATE)"
    local = value.local if value.type.is_zoned else value.sql
    local = f"({value.sql}).t" if value.type.name == "timestamp" and value.type.precision > 6 else local
    return f"CAST({local} AS DATE)"


def _to_timestamp(value: Value, wanted: Type) -> str:
    given = value.type
    if given.name.startswith("time "):
        return _unsupported(value, wanted)
    if given.name == "timestamp" and (given.precision > 6 or wanted.precision > 6):
        return _picoseconds(value, wanted)
    if given.is_zoned and given.precision > 6:
        return convert(local_picoseconds(value), wanted).sql
    if wanted.precision > 6:
        if given.name == "varchar":
            moment = f"CAST(athena_six_digits(athena_timestamp_text({value.sql})) AS TIMESTAMP)"
            packed = f"struct_pack(t := {moment}, p := athena_picoseconds({value.sql}))"
            exact = Value(_unless_null(value.sql, packed), sqltypes.timestamp(12))
            return convert(exact, wanted).sql
        return _picoseconds(convert(value, sqltypes.timestamp(6)), wanted)
    if given.name == "varchar":
        read = _rounded(
            f"CAST(athena_six_digits(athena_timestamp_text({value.sql})) AS TIMESTAMP)", 6, wanted.precision
        )
        return f"({read} + to_microseconds(athena_seventh({value.sql})))" if wanted.precision == 6 else read
    if given.name == "date":
        return f"CAST({value.sql} AS TIMESTAMP)"
    local = value.local if given.is_zoned else value.sql
    return _rounded(local, given.precision, wanted.precision)


def _to_time(value: Value, wanted: Type) -> str:
    given = value.type
    if given.name == "varchar":
        read = f"CAST(athena_six_digits(athena_time_text({value.sql})) AS TIME)"
        if wanted.precision == 6:
            return f"({read} + to_microseconds(athena_seventh({value.sql})))"
        return _rounded(read, 6, wanted.precision)
    if given.name == "time":
        return _rounded(value.sql, given.precision, wanted.precision)
    if given.name == "time with time zone":  # the zone is left out
        return _rounded(f"({value.sql}).t", given.precision, wanted.precision)
    if given.precision > 6:
        return f"CAST({convert(value, sqltypes.timestamp(wanted.precision)).sql} AS TIME)"
    local = value.local if given.is_zoned else value.sql
    return f"CAST({_rounded(local, given.precision, wanted.precision)} AS TIME)"


def _to_zoned_time(value: Value, wanted: Type) -> str:
    """Local time, and minutes from UTC, which is the zone of what has none."""
    given, sql = value.type, value.sql
    plain = Type("time", (wanted.precision,))
    if given.name == "varchar":
        sql = f"athena_zoned_time_text({value.sql})"
        local = convert(Value(f"regexp_replace({sql}, ' ?[+-][0-9:]+$', '')", Type("varchar")), plain).sql
        minutes = f"athena_offset(regexp_extract({sql}, '[+-][0-9:]+$'))"
    elif given.name == "time with time zone":
        local = convert(Value(f"({sql}).t", Type("time", given.numbers)), plain).sql
        minutes = f"({sql}).z"
    else:
        local = convert(value, plain).sql
        minutes = f"athena_minutes_of({value.moment}, {value.zone_sql})" if given.is_zoned else "0"
    return _unless_null(value.sql, f"struct_pack(t := {local}, z := CAST({minutes} AS INTEGER))")


def _unsupported(value: Value, wanted: Type) -> str:
    raise QueryError(
        "NOT_SUPPORTED", f"CAST of {value.type} to {wanted} is not supported by the local Athena; it works on AWS"
    )


_RULES: dict[str, Callable[[Value, Type], str]] = {
    "boolean": _to_boolean,
    **dict.fromkeys(DIGITS, _to_integer),
    "real": _to_float,
    "double": _to_float,
    "decimal": _to_decimal,
    "date": _to_date,
    "timestamp": _to_timestamp,
    "time": _to_time,
    "varbinary": lambda value, _: {
        "uuid": f"from_hex(replace({value.sql}, '-', ''))",
        "ipaddress": f"athena_address_bytes({value.sql})",
    }.get(value.type.name, f"encode({value.sql})"),
    "uuid": lambda value, _: f"athena_uuid_{'of' if value.type.name == 'varbinary' else 'text'}({value.sql})",
    "ipaddress": lambda value, _: (
        f"athena_address_of({value.sql})" if value.type.name == "varbinary" else f"athena_ipaddress({value.sql})"
    ),
    "time with time zone": _to_zoned_time,
    "interval day to second": _unsupported,
    "interval year to month": _unsupported,
}
