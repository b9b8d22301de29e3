"""Date and time functions."""

from __future__ import annotations

from collections.abc import Callable

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import casts
from lakectl.local.athena.analysis.values import Value, instant_of, local_of, unsupported, zoned
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.functions.registry import Family
from lakectl.local.athena.sqltypes import Type

times = Family("datetime")
_UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_MILLISECONDS = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000} | {
    "week": 604_800_000
}
_POINTS = ("date", "timestamp", "timestamp with time zone")


def _same(*kinds: Type) -> Type:
    return kinds[-1]


def unit_of(value: Value, kind: Type) -> str:
    """The unit that a literal names. Raises INVALID_FUNCTION_ARGUMENT."""
    if not isinstance(value.constant, str):
        raise unsupported("a unit that is no literal")
    unit = value.constant.lower()
    clock = ("millisecond", "second", "minute", "hour")
    known = _UNITS if kind.name != "date" else _UNITS[4:]
    if unit not in (clock if kind.name == "time" else known):
        name = {"date": "DATE", "time": "TIME"}.get(kind.name, "timestamp")
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{value.constant}' is not a valid {name} field")
    return unit


def _small(kind: Type) -> None:
    if kind.name != "date" and kind.precision > 6:
        raise unsupported(f"this function of {kind}")


def local(value: Value) -> str:
    """The local date or time of a point in time."""
    _small(value.type)
    return value.local if value.type.is_zoned else value.sql


def whole(value: Value) -> str:
    """The same, without the picoseconds within a microsecond."""
    if value.type.name in ("timestamp", "timestamp with time zone") and value.type.precision > 6:
        return value.local if value.type.is_zoned else f"({value.sql}).t"
    return local(value)


def like(value: Value, made: str) -> str:
    """A local time as the type of ``value``."""
    if value.type.is_zoned:
        return zoned(instant_of(made, value.zone_sql), value.zone_sql, value.type.precision).sql
    return f"CAST({made} AS DATE)" if value.type.name == "date" else made


def _trunc(unit: Value, value: Value) -> str:
    name = unit_of(unit, value.type)
    if value.type.name == "time":
        base = f"TIMESTAMP '2000-01-01 00:00:00' + to_microseconds(epoch_us({value.sql}))"
        return f"CAST(date_trunc('{name}', {base}) AS TIME)"
    if value.type.name != "date" and value.type.precision > 6:
        cut = f"date_trunc('{name}', {whole(value)})"
        zone = f", z := {value.zone_sql}" if value.type.is_zoned else ""
        moment = instant_of(cut, value.zone_sql) if value.type.is_zoned else cut
        packed = f"struct_pack(t := {moment}, p := CAST(0 AS BIGINT){zone})"
        return f"(CASE WHEN ({value.sql}) IS NOT NULL THEN {packed} END)"
    return like(value, f"date_trunc('{name}', {local(value)})")


def _add(unit: Value, count: Value, value: Value) -> str:
    name = unit_of(unit, value.type)
    if value.type.name == "time":
        moved = f"athena_time_plus({value.sql}, {count.sql} * {_MILLISECONDS[name]})"
        return f"CAST(athena_round_time({moved}, {10 ** (6 - value.type.precision)}) AS TIME)"
    if name in _MONTHS:
        return like(value, f"({local(value)} + to_months(CAST({count.sql} * {_MONTHS[name]} AS INTEGER)))")
    if value.type.name == "date":
        return f"({value.sql} + CAST({count.sql} * {7 if name == 'week' else 1} AS INTEGER))"
    by = f"to_milliseconds({count.sql} * {_MILLISECONDS[name]})"
    if value.type.is_zoned and name not in ("day", "week"):
        _small(value.type)
        return zoned(_fitting(f"({value.moment} + {by})", value.type), value.zone_sql, value.type.precision).sql
    return like(value, _fitting(f"({local(value)} + {by})", value.type))


def _fitting(sql: str, kind: Type) -> str:
    """Rounded to the digits of the type, which milliseconds may not fit."""
    return f"athena_round_time({sql}, {10 ** (6 - kind.precision)})" if kind.precision < 3 else sql


def _diff(unit: Value, first: Value, second: Value) -> str:
    """Whole units that have passed."""
    name = unit_of(unit, first.type)
    if first.type.name == "timestamp" and first.type.precision > 6:
        a, b = f"({first.sql})", f"({second.sql})"
        less = (
            f"CASE WHEN {b}.t >= {a}.t AND {b}.p < {a}.p THEN -1 WHEN {b}.t < {a}.t AND {b}.p > {a}.p THEN 1 ELSE 0 END"
        )
        return f"datesub('{name}', {a}.t, {b}.t + to_microseconds({less}))"
    if first.type.name == "time":
        return f"CAST((epoch_us({second.sql}) - epoch_us({first.sql})) // {_MILLISECONDS[name] * 1000} AS BIGINT)"
    if first.type.is_zoned:
        _small(first.type)
        if name in ("millisecond", "second", "minute", "hour"):
            return f"datesub('{name}', {first.moment}, {second.moment})"
        there = local_of(second.moment, first.zone_sql)
        return f"datesub('{name}', {local(first)}, {there})"
    if first.type.name == "date":
        a, b = (f"CAST({side.sql} AS TIMESTAMP)" for side in (first, second))
        return f"datesub('{name}', {a}, {b})"
    return f"datesub('{name}', {local(first)}, {local(second)})"


def _diff_types(*_: Type) -> Type:
    return sqltypes.BIGINT


for kind in (*_POINTS, "time"):
    times.add(f"date_trunc(varchar, {kind}) -> {kind}", _trunc, _same)
    times.add(f"date_add(varchar, bigint, {kind}) -> {kind}", _add, _same)
    times.add(f"date_diff(varchar, {kind}, {kind}) -> bigint", _diff, _diff_types)


def _part(sql: str) -> Callable[[Value], str]:
    return lambda value: f"CAST({sql.format(whole(value))} AS BIGINT)"


def _clock(sql: str) -> Callable[[Value], str]:
    """Of a TIME, too."""
    return lambda value: f"CAST({sql.format(value.sql if value.type.name == 'time' else whole(value))} AS BIGINT)"


_PARTS = {
    "year": "year({})", "quarter": "quarter({})", "month": "month({})", "week": "week({})", "day": "day({})",
    "day_of_week": "isodow({})", "day_of_year": "dayofyear({})", "year_of_week": "isoyear({})",
}  # fmt: skip
_ALIASES = {
    "week": "week_of_year",
    "day": "day_of_month",
    "day_of_week": "dow",
    "day_of_year": "doy",
    "year_of_week": "yow",
}
for name, sql in _PARTS.items():
    for kind in _POINTS:
        times.add(f"{name}({kind}) -> bigint", _part(sql), names=_ALIASES.get(name, ""))
for name, sql in (
    ("hour", "hour({})"),
    ("minute", "minute({})"),
    ("second", "second({})"),
    ("millisecond", "millisecond({}) % 1000"),
):
    for kind in ("timestamp", "timestamp with time zone", "time"):
        times.add(f"{name}({kind}) -> bigint", _clock(sql))
for name, sql in (("day", "{0} // 86400000"), ("hour", "{0} // 3600000 % 24"), ("minute", "{0} // 60000 % 60"),
                  ("second", "{0} // 1000 % 60"), ("millisecond", "{0} % 1000")):  # fmt: skip
    times.add(f"{name}(interval day to second) -> bigint", sql)
times.add("year(interval year to month) -> bigint", "CAST({0} // 12 AS BIGINT)")
times.add("month(interval year to month) -> bigint", "CAST({0} % 12 AS BIGINT)")
times.add(
    "timezone_hour(timestamp with time zone) -> bigint",
    lambda value: f"(athena_minutes_of({value.moment}, {value.zone_sql}) // 60)",
)
times.add(
    "timezone_minute(timestamp with time zone) -> bigint",
    lambda value: f"(athena_minutes_of({value.moment}, {value.zone_sql}) % 60)",
)
for kind in _POINTS:
    times.add(f"last_day_of_month({kind}) -> date", lambda value: f"last_day({whole(value)})")
for kind in ("date", "timestamp", "timestamp with time zone", "varchar"):
    times.add(f"date({kind}) -> date", lambda value: casts.convert(value, sqltypes.DATE).sql)

for name, sql in (("hour", "hour({})"), ("minute", "minute({})"), ("second", "second({})"),
                  ("millisecond", "millisecond({}) % 1000")):  # fmt: skip
    times.add(f"{name}(time with time zone) -> bigint", f"CAST({sql.format('({0}).t')} AS BIGINT)")
times.add("timezone_hour(time with time zone) -> bigint", "CAST(({0}).z // 60 AS BIGINT)")
times.add("timezone_minute(time with time zone) -> bigint", "CAST(({0}).z % 60 AS BIGINT)")
times.refuse("date_add(varchar, bigint, time with time zone)")
times.refuse("date_diff(varchar, time with time zone, time with time zone)")
times.refuse("date_trunc(varchar, time with time zone)")
times.refuse("at_timezone(time with time zone, varchar)")
times.refuse("from_unixtime(double, bigint, bigint)")
times.add("current_date() -> date", "CAST(timezone('UTC', current_timestamp) AS DATE)")
times.add(
    "now() -> timestamp(3) with time zone",
    "struct_pack(t := date_trunc('milliseconds', current_timestamp), z := 'UTC')",
    names="current_timestamp",
)
times.add("localtimestamp() -> timestamp(3)", "date_trunc('milliseconds', timezone('UTC', current_timestamp))")
times.add("localtime() -> time(3)", "CAST(date_trunc('milliseconds', timezone('UTC', current_timestamp)) AS TIME)")
times.add("current_timezone() -> varchar", "'UTC'")


def _from_unixtime(seconds: Value) -> str:
    return zoned(f"make_timestamptz(CAST(round({seconds.sql} * 1000) AS BIGINT) * 1000)", "'UTC'", 3).sql


def _from_unixtime_in(seconds: Value, zone: Value) -> str:
    from lakectl.local.athena.analysis.calls import zone_of

    return zoned(f"make_timestamptz(CAST(round({seconds.sql} * 1000) AS BIGINT) * 1000)", zone_of(zone, None), 3).sql


times.add("from_unixtime(double) -> timestamp(3) with time zone", _from_unixtime)
times.add("from_unixtime(double, varchar) -> timestamp(3) with time zone", _from_unixtime_in)


def _nanos(value: Value) -> str:
    whole = f"CAST(round({value.sql}) AS BIGINT)" if value.type.name == "decimal" else value.sql
    micros = f"CASE WHEN {whole} < 0 THEN -((999 - {whole}) // 1000) ELSE {whole} // 1000 END"
    return (
        f"(CASE WHEN {whole} IS NOT NULL THEN struct_pack(t := make_timestamptz({micros}), "
        f"p := ((({whole} % 1000) + 1000) % 1000) * 1000, z := 'UTC') END)"
    )


for kind in ("bigint", "decimal"):
    times.add(f"from_unixtime_nanos({kind}) -> timestamp(9) with time zone", _nanos)
times.add("to_unixtime(timestamp) -> double", lambda value: f"epoch({local(value)})")
times.add("to_unixtime(timestamp with time zone) -> double", lambda value: f"epoch({value.moment})")
times.add("to_milliseconds(interval day to second) -> bigint", "{0}")
times.add("human_readable_seconds(double) -> varchar", "athena_human_readable_seconds({0})")
times.add("parse_duration(varchar) -> interval day to second", "athena_parse_duration({0})")


def _at_timezone(value: Value, zone: Value) -> str:
    from lakectl.local.athena.analysis.calls import zone_of

    _small(value.type)
    return zoned(value.moment, zone_of(zone, None), value.type.precision).sql


def _at_offset(value: Value, interval: Value) -> str:
    from lakectl.local.athena.analysis.constructs import offset_zone

    _small(value.type)
    return zoned(value.moment, offset_zone(interval), value.type.precision).sql


def _with_timezone(value: Value, zone: Value) -> str:
    from lakectl.local.athena.analysis.calls import zone_of

    _small(value.type)
    name = zone_of(zone, None)
    return zoned(instant_of(value.sql, name), name, value.type.precision).sql


times.add(
    "at_timezone(timestamp with time zone, varchar) -> timestamp with time zone", _at_timezone, lambda kind, _: kind
)
times.add(
    "at_timezone(timestamp with time zone, interval day to second) -> timestamp with time zone",
    _at_offset,
    lambda kind, _: kind,
)
times.add(
    "with_timezone(timestamp, varchar) -> timestamp with time zone",
    _with_timezone,
    lambda kind, _: sqltypes.timestamp(kind.precision, zoned=True),
)


def _iso(value: Value) -> str:
    shown = casts.convert(value, sqltypes.VARCHAR).sql if not value.type.is_zoned else None
    if value.type.name == "date":
        return f"{shown}"
    if shown is not None:
        return f"replace({shown}, ' ', 'T')"
    day = casts.convert(Value(local(value), sqltypes.timestamp(value.type.precision)), sqltypes.VARCHAR).sql
    minutes = f"athena_minutes_of({value.moment}, {value.zone_sql})"
    return f"(replace({day}, ' ', 'T') || CASE WHEN {minutes} = 0 THEN 'Z' ELSE athena_offset_text({minutes}) END)"


def _iso_type(kind: Type) -> Type:
    if kind.name == "date":
        return sqltypes.varchar(16)
    fraction = kind.precision + 1 if kind.precision else 0
    return sqltypes.varchar((28 if kind.is_zoned else 22) + fraction)


for kind in _POINTS:
    times.add(f"to_iso8601({kind}) -> varchar", _iso, _iso_type)
times.add("from_iso8601_date(varchar) -> date", "CAST(athena_iso_date({0}) AS DATE)")


def _from_iso(value: Value) -> str:
    local_time, zone = f"CAST(athena_iso_local({value.sql}) AS TIMESTAMP)", f"athena_iso_zone({value.sql})"
    return zoned(f"athena_instant(athena_round_time({local_time}, 1000), {zone})", zone, 3).sql


def _from_iso_nanos(value: Value) -> str:
    local_time, zone = f"CAST(athena_iso_local({value.sql}) AS TIMESTAMP)", f"athena_iso_zone({value.sql})"
    nanos = f"athena_iso_nanos({value.sql})"
    return (
        f"(CASE WHEN {value.sql} IS NOT NULL THEN struct_pack(t := athena_instant({local_time}, {zone}), "
        f"p := {nanos} * 1000, z := {zone}) END)"
    )


times.add("from_iso8601_timestamp(varchar) -> timestamp(3) with time zone", _from_iso)
times.add("from_iso8601_timestamp_nanos(varchar) -> timestamp(9) with time zone", _from_iso_nanos)
