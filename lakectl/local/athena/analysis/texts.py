"""Values as Trino's text, in DuckDB's SQL: CAST(x AS varchar)."""

from __future__ import annotations

from lakectl.local.athena.analysis.values import Value, text
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import Type


def to_text(value: Value, wanted: Type) -> str:
    """The value as varchar or char of the wanted length."""
    given = value.type
    sql = plain(value)
    if given.name in ("varchar", "char"):
        cut = f"left({sql}, {wanted.numbers[0]})" if wanted.numbers else sql
    elif wanted.numbers:
        cut = f"athena_fits({sql}, {wanted.numbers[0]}, {text(str(wanted))})"
    else:
        cut = sql
    return f"rtrim({cut}, ' ')" if wanted.name == "char" else cut


def plain(value: Value) -> str:
    """The value as varchar of any length."""
    given, sql = value.type, value.sql
    if given.name in ("varchar", "uuid", "ipaddress", "json"):
        return sql
    if given.name == "char":
        return f"rpad({sql}, {given.numbers[0]}, ' ')"
    if given.is_float:
        return f"athena_scientific({seven_digits(sql) if given.name == 'real' else sql})"
    if given.name == "timestamp":
        return moment(sql, given.precision)
    if given.is_zoned and given.precision <= 6:
        return f"({moment(value.local, given.precision)} || ' ' || {value.zone_sql})"
    if given.is_zoned:
        packed = f"struct_pack(t := {value.local}, p := ({sql}).p)"
        return f"({moment(packed, given.precision)} || ' ' || {value.zone_sql})"
    if given.name == "time with time zone":
        return f"(athena_time_shown(({sql}).t, {given.precision}) || athena_offset_text(({sql}).z))"
    if given.name == "time":
        return f"athena_time_shown({sql}, {given.precision})"
    if given.name == "interval day to second":
        return f"athena_seconds_shown({sql})"
    if given.name == "interval year to month":
        return f"athena_months_shown({sql})"
    if given.name == "decimal" and given.numbers[0] == given.numbers[1]:
        return f"athena_decimal_shown({sql})"
    if given.name in ("boolean", "date", "decimal") or given.is_integral:
        return f"CAST({sql} AS VARCHAR)"
    raise QueryError("NOT_SUPPORTED", f"CAST of {given} to varchar is not supported by the local Athena")


def seven_digits(sql: str) -> str:
    """A real as the double of its first seven digits, which is what Trino casts to text."""
    return f"CAST(format('{{:.6e}}', CAST({sql} AS DOUBLE)) AS DOUBLE)"


def moment(sql: str, precision: int) -> str:
    """A timestamp without zone."""
    if precision > 6:
        digits = f"lpad(CAST(({sql}).p AS VARCHAR), 6, '0')"
        return f"(strftime(({sql}).t, '%Y-%m-%d %H:%M:%S.%f') || left({digits}, {precision - 6}))"
    if precision == 6:
        return f"strftime({sql}, '%Y-%m-%d %H:%M:%S.%f')"
    if precision == 3:
        return f"strftime({sql}, '%Y-%m-%d %H:%M:%S.%g')"
    if precision == 0:
        return f"strftime({sql}, '%Y-%m-%d %H:%M:%S')"
    return f"left(strftime({sql}, '%Y-%m-%d %H:%M:%S.%f'), {20 + precision})"
