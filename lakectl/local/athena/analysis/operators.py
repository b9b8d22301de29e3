"""Trino's operators: which types they take, what they give, and the same in DuckDB.

https://trino.io/docs/current/functions/comparison.html, https://trino.io/docs/current/functions/decimal.html
"""

from __future__ import annotations

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis.casts import coerce, fresh
from lakectl.local.athena.analysis.values import Value, instant_of, unsupported, zoned
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import BOOLEAN, DATE, DOUBLE, MONTHS, SECONDS, Type

Position = tuple[int, int] | None
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
_UNORDERED = ("map", "json", "row", "array")
# Types whose values DuckDB puts in order, or finds equal, otherwise than Trino.
_UNLIKE = ("timestamp with time zone",)
_KEYED = ("char", "ipaddress", "time with time zone")


def refused(symbol: str, left: Type, right: Type, position: Position) -> QueryError:
    return QueryError("TYPE_MISMATCH", f"Cannot apply operator: {left} {symbol} {right}", position)


def compare(symbol: str, left: Value, right: Value, position: Position) -> Value:
    kind = sqltypes.common(left.type, right.type)
    if kind is None or (symbol not in ("=", "<>") and kind.holds("json", "map")):
        raise refused(symbol, left.type, right.type, position)
    if kind.items and kind.holds("time with time zone"):
        raise unsupported(f"{symbol} of {kind}", position)
    one, other = coerce(left, kind), coerce(right, kind)
    if symbol in ("=", "<>"):
        same = equal(one.sql, other.sql, kind, one, other)
        return Value(same if symbol == "=" else f"(NOT {same})", BOOLEAN)
    if kind.name == "array" and kind.items[0].name not in (*_UNORDERED, *_UNLIKE) and not kind.items[0].is_float:
        return Value(f"(athena_comparable({one.sql}) {symbol} athena_comparable({other.sql}))", BOOLEAN)
    if kind.name in _UNORDERED:
        raise unsupported(f"{symbol} of {kind}", position)
    if kind.name in _KEYED:
        return Value(f"({ordered_by(one)} {symbol} {ordered_by(other)})", BOOLEAN)
    if kind.is_zoned:
        return Value(f"({zoned_key(one)} {symbol} {zoned_key(other)})", BOOLEAN)
    sql = f"({one.sql} {symbol} {other.sql})"
    if kind.is_float:  # nothing is greater or less than NaN, which DuckDB has as the greatest number
        greater = one if symbol[0] == ">" else other
        if greater.constant is None:
            sql = f"({sql} AND NOT isnan({greater.sql}))"
        less = other if symbol[0] == ">" else one
        if symbol in (">=", "<=") and less.constant is None and greater.constant is not None:
            sql = f"({sql} AND NOT isnan({less.sql}))"
    return Value(sql, BOOLEAN)


def ordered_by(value: Value) -> str:
    """What is in order as the values are: a char with the spaces at its end, an address as 16 bytes, a time in UTC."""
    if value.type.name == "time with time zone":
        return f"athena_utc_of_day({value.sql})"
    if value.type.name == "char":
        return f"rpad({value.sql}, {value.type.numbers[0]}, ' ')"
    return f"athena_address_bytes({value.sql})"


def zoned_key(value: Value) -> str:
    """What a timestamp with time zone is compared by: its instant."""
    if value.type.precision > 6:
        return f"struct_pack(t := ({value.sql}).t, p := ({value.sql}).p)"
    return value.moment


def equal(left: str, right: str, kind: Type, one: Value | None = None, other: Value | None = None) -> str:
    """``left = right`` with Trino's three values: a NULL within an array or a row makes it NULL."""
    if kind.is_zoned:
        return f"({zoned_key(one or Value(left, kind))} = {zoned_key(other or Value(right, kind))})"
    if kind.name == "time with time zone":
        return f"({ordered_by(Value(left, kind))} = {ordered_by(Value(right, kind))})"
    if kind.name == "row":
        pairs = [equal(f"({left}).f{at}", f"({right}).f{at}", item) for at, item in enumerate(kind.items)]
        return f"({' AND '.join(pairs)})"
    if kind.name == "array":
        at = fresh()
        each = equal(f"({left})[{at}]", f"({right})[{at}]", kind.items[0])
        return f"athena_all_equal({left}, {right}, list_transform(range(1, len({left}) + 1), lambda {at}: {each}))"
    if kind.name == "map":
        entry = fresh()
        other_value = f"list_extract(map_extract({right}, {entry}.key), 1)"
        same = equal(f"{entry}.value", other_value, kind.items[1])
        each = f"CASE WHEN len(map_extract({right}, {entry}.key)) = 0 THEN false ELSE {same} END"
        return (
            f"(CASE WHEN cardinality({left}) <> cardinality({right}) THEN false ELSE "
            f"athena_all(list_transform(map_entries({left}), lambda {entry}: {each})) END)"
        )
    sql = f"({left} = {right})"
    constant = any(side is not None and side.constant is not None for side in (one, other))
    if kind.is_float and not constant:
        return f"({sql} AND NOT isnan({left}))"
    return sql


def distinct(left: Value, right: Value, negated: bool, position: Position) -> Value:
    """IS [NOT] DISTINCT FROM."""
    kind = sqltypes.common(left.type, right.type)
    if kind is None:
        raise refused("IS DISTINCT FROM", left.type, right.type, position)
    one, other = group_key(coerce(left, kind), compared=True), group_key(coerce(right, kind), compared=True)
    return Value(f"({one} IS {'NOT ' if negated else ''}DISTINCT FROM {other})", BOOLEAN)


def group_key(value: Value, compared: bool = False) -> str:
    """The SQL by which equal values are found: for GROUP BY, DISTINCT, PARTITION BY and joins of sets."""
    if value.type.is_zoned:
        if compared:
            return zoned_key(value)
        if value.zone is None or not value.zone.startswith("'"):
            raise unsupported("grouping by a timestamp with time zone whose zone differs from row to row")
        return value.sql
    if value.type.name == "time with time zone" and compared:
        return ordered_by(value)
    if value.type.holds("timestamp with time zone", "time with time zone", "map"):
        raise unsupported(f"grouping by {value.type}")
    if value.sql.lstrip("-").isdigit():
        return f"CAST({value.sql} AS {value.type.physical})"  # DuckDB would take it for the number of a column
    return value.sql


def order_key(value: Value) -> str:
    if value.type.is_zoned:
        return zoned_key(value)
    if value.type.holds("map", "json"):
        raise QueryError(
            "TYPE_MISMATCH", f"Type {value.type} is not orderable, and therefore cannot be used in ORDER BY"
        )
    if value.type.items or value.type.name in _UNLIKE:
        raise unsupported(f"ORDER BY of {value.type}")
    if value.type.name in _KEYED:
        return ordered_by(value)
    return group_key(value)


def arithmetic(symbol: str, left: Value, right: Value, position: Position) -> Value:
    one, other = left.type, right.type
    if one.name == "unknown" and other.name == "unknown":
        raise QueryError("AMBIGUOUS_FUNCTION_CALL", f"Cannot apply operator: unknown {symbol} unknown", position)
    if one.name == "unknown" or other.name == "unknown":
        return _with_null(symbol, left, right, position)
    if one.is_number and other.is_number:
        return _numbers(symbol, left, right)
    found = _temporal(symbol, left, right)
    if found is None:
        fine = any(kind.name.startswith("time") and kind.precision > 6 for kind in (one, other))
        if symbol in "+-" and (fine or "time with time zone" in (one.name, other.name)):
            raise unsupported(f"{one} {symbol} {other}", position)
        raise refused(symbol, one, other, position)
    return found


def _with_null(symbol: str, left: Value, right: Value, position: Position) -> Value:
    known = right if left.type.name == "unknown" else left
    if not known.type.is_number:
        raise unsupported(f"{left.type} {symbol} {right.type}", position)
    null = Value(f"CAST(NULL AS {known.type.physical})", known.type)
    return _numbers(symbol, null, known) if known is right else _numbers(symbol, known, null)


def _numbers(symbol: str, left: Value, right: Value) -> Value:
    kind = sqltypes.common(left.type, right.type)
    if kind is None:
        raise ValueError("two numbers have a common type")
    if kind.name == "decimal":
        return _decimals(symbol, left, right)
    one, other = coerce(left, kind).sql, coerce(right, kind).sql
    if kind.is_integral:
        one, other = (
            side.sql if side.type == kind and side.constant is None else f"CAST({side.sql} AS {kind.physical})"
            for side in (left, right)
        )
        if symbol == "/":
            return Value(f"({one} // athena_divisor({other}))", kind)
        if symbol == "%":  # DuckDB fails for the least bigint by -1; by 1, the remainder is the same
            return Value(f"athena_remainder({one}, athena_divisor({other}))", kind)
        return Value(f"({one} {symbol} {other})", kind)
    if symbol == "/":
        return Value(f"athena_divide_{kind.name}({one}, {other})", kind)
    if symbol == "%":
        return Value(f"athena_modulo_{kind.name}({one}, {other})", kind)
    return Value(f"({one} {symbol} {other})", kind)


def decimal_result(symbol: str, one: Type, other: Type) -> tuple[int, int]:
    """(precision, scale), the precision not yet limited to 38.

    https://trino.io/docs/current/functions/decimal.html#binary-arithmetic-decimal-operators
    """
    (p1, s1), (p2, s2) = one.numbers, other.numbers
    scale = max(s1, s2)
    if symbol == "*":
        return p1 + p2, s1 + s2
    if symbol == "/":
        return p1 + s2 + max(s2 - s1, 0), scale  # of Trino's DecimalOperators; the page leaves too few digits
    if symbol == "%":
        return min(p2 - s2, p1 - s1) + scale, scale
    return max(p1 - s1, p2 - s2) + scale + 1, scale


def _decimals(symbol: str, left: Value, right: Value) -> Value:
    one, other = sqltypes.as_decimal(left.type), sqltypes.as_decimal(right.type)
    if one is None or other is None:
        raise ValueError("decimals or integers")
    precision, scale = decimal_result(symbol, one, other)
    if scale > 38:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"DECIMAL scale must be in range [0, precision (38)]: {scale}")
    kind = sqltypes.decimal(precision, scale)
    a, b = coerce(left, one).sql, coerce(right, other).sql
    if symbol in "+-":
        a, b = (f"CAST({side} AS {kind.physical})" for side in (a, b))
        return Value(f"CAST(({a} {symbol} {b}) AS {kind.physical})", kind)
    if symbol == "*":
        wide = f"CAST({a} AS DECIMAL({min(38, precision)}, {one.numbers[1]}))"
        return Value(f"CAST(({wide} * {b}) AS {kind.physical})", kind)
    if symbol == "%":
        width = max(one.numbers[0] - one.numbers[1], other.numbers[0] - other.numbers[1]) + scale
        if width > 38:
            raise unsupported(f"{one} % {other}")
        a, b = (f"CAST({side} AS DECIMAL({width}, {scale}))" for side in (a, b))
        return Value(f"CAST(({a} % athena_divisor({b})) AS {kind.physical})", kind)
    return Value(_quotient(a, b, one, other, kind), kind)


def _quotient(a: str, b: str, one: Type, other: Type, kind: Type) -> str:
    """Half up, of the unscaled whole numbers."""
    (p1, s1), (p2, s2), scale = one.numbers, other.numbers, kind.numbers[1]
    if p1 + scale - s1 + s2 > 37 or p2 > 37:
        raise unsupported(f"{one} / {other}, whose dividend has more than 37 digits,")
    dividend = f"athena_unscaled({a}, {s1}) * {10 ** (scale - s1 + s2)}::HUGEINT"
    return (
        f"CAST(athena_scaled(athena_half_up_quotient({dividend}, athena_divisor(athena_unscaled({b}, {s2}))), {scale}) "
        f"AS {kind.physical})"
    )


def negate(value: Value, position: Position) -> Value:
    if not (value.type.is_number or value.type in (MONTHS, SECONDS)):
        raise QueryError("TYPE_MISMATCH", f"Cannot negate {value.type}", position)
    constant = -value.constant if isinstance(value.constant, int) and not isinstance(value.constant, bool) else None
    return Value(f"(-{value.sql})", value.type, constant=constant)


def _temporal(symbol: str, left: Value, right: Value) -> Value | None:
    one, other = left.type, right.type
    intervals = ("interval year to month", "interval day to second")
    if one.name in intervals and other.name == one.name and symbol in "+-":
        return Value(f"({left.sql} {symbol} {right.sql})", one)
    if symbol in "*/" and one.name in intervals and other.is_number:
        return _scaled_interval(symbol, left, right)
    if symbol == "*" and other.name in intervals and one.is_number:
        return _scaled_interval(symbol, right, left)
    if other.name in intervals and symbol in "+-":
        return _shifted(left, right, symbol)
    if one.name in intervals and symbol == "+":
        return _shifted(right, left, symbol)
    if symbol == "-" and one == other == DATE:
        return Value(f"(CAST({left.sql} - {right.sql} AS BIGINT) * 86400000)", SECONDS)
    names = {one.name, other.name}
    if symbol == "-" and names == {"time"}:
        return Value(f"athena_milliseconds_between({right.sql}, {left.sql})", SECONDS)
    if symbol == "-" and names == {"time with time zone"}:
        first, second = ordered_by(left), ordered_by(right)
        return Value(f"CAST(round(({first} - {second}) / 1000) AS BIGINT)", SECONDS)
    if symbol == "-" and names <= {"date", "timestamp", "timestamp with time zone"}:
        kind = sqltypes.common(one, other)
        if kind is None or kind.precision > 6:
            return None
        a, b = (side.moment if kind.is_zoned else side.sql for side in (coerce(left, kind), coerce(right, kind)))
        return Value(f"athena_milliseconds_between({b}, {a})", SECONDS)
    return None


def _scaled_interval(symbol: str, interval: Value, number: Value) -> Value:
    if number.type.is_integral and symbol == "*":
        return Value(f"CAST({interval.sql} * {number.sql} AS {interval.type.physical})", interval.type)
    factor = coerce(number, DOUBLE).sql
    sql = f"trunc(CAST({interval.sql} AS DOUBLE) {symbol} {factor})"
    return Value(f"CAST({sql} AS {interval.type.physical})", interval.type)


def _shifted(value: Value, interval: Value, symbol: str) -> Value | None:
    kind = value.type
    amount = interval.sql if symbol == "+" else f"(-{interval.sql})"
    if kind.name == "time" and interval.type == SECONDS:
        return Value(f"athena_time_plus({value.sql}, {amount})", Type("time", (max(kind.precision, 3),)))
    if kind.name == "time with time zone" and interval.type == SECONDS:
        moved = f"struct_pack(t := athena_time_plus(({value.sql}).t, {amount}), z := ({value.sql}).z)"
        precise = Type(kind.name, (max(kind.precision, 3),))
        return Value(f"(CASE WHEN {value.sql} IS NOT NULL AND {amount} IS NOT NULL THEN {moved} END)", precise)
    by = f"to_months(CAST({amount} AS INTEGER))" if interval.type == MONTHS else f"to_milliseconds({amount})"
    if kind.name == "date":
        if interval.type == SECONDS:
            if isinstance(interval.constant, int) and interval.constant % 86_400_000 == 0:
                days = interval.constant // 86_400_000
                return Value(f"({value.sql} {symbol} {days})", DATE)
            return Value(f"({value.sql} + athena_whole_days({amount}))", DATE)
        return Value(f"CAST({value.sql} + {by} AS DATE)", DATE)
    if kind.name == "timestamp" and kind.precision <= 6:
        precision = max(kind.precision, 3) if interval.type == SECONDS else kind.precision
        return Value(f"({value.sql} + {by})", sqltypes.timestamp(precision))
    if kind.name == "timestamp" or (kind.is_zoned and kind.precision > 6):
        moment = f"(({value.sql}).t + {by})"
        if kind.is_zoned and interval.type == MONTHS and value.zone != "'UTC'":
            moment = instant_of(f"({value.local} + {by})", value.zone_sql)
        zone = f", z := {value.zone_sql}" if kind.is_zoned else ""
        moved = f"struct_pack(t := {moment}, p := ({value.sql}).p{zone})"
        made = f"(CASE WHEN {value.sql} IS NOT NULL AND {amount} IS NOT NULL THEN {moved} END)"
        return Value(made, kind, zone=value.zone)
    if kind.is_zoned and kind.precision <= 6:
        precision = max(kind.precision, 3) if interval.type == SECONDS else kind.precision
        if interval.type == SECONDS or value.zone == "'UTC'":
            return zoned(f"({value.moment} + {by})", value.zone_sql, precision)
        return zoned(instant_of(f"({value.local} + {by})", value.zone_sql), value.zone_sql, precision)
    return None


def conditional_type(values: list[Value], what: str, position: Position) -> Type:
    """The type that all branches of CASE, IF, COALESCE … coerce to."""
    kind = values[0].type
    for value in values[1:]:
        found = sqltypes.common(kind, value.type)
        if found is None:
            raise QueryError(
                "TYPE_MISMATCH",
                f"{what} must be the same type or coercible to a common type. Cannot find common type "
                f"between {kind} and {value.type}, all types (without duplicates): ["
                f"{', '.join(dict.fromkeys(str(each.type) for each in values))}]",
                position,
            )
        kind = found
    return kind
