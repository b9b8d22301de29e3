"""CASE, arrays, rows, subscripts, and calls with a syntax of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import calls, casts, literals, operators
from lakectl.local.athena.analysis.values import NULL, Value, string, unsupported, zoned
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import SECONDS, VARBINARY

if TYPE_CHECKING:
    from lakectl.local.athena.analysis.expressions import Expressions


def case(each: Expressions, node: exp.Case) -> Value:
    base = each.value(node.this) if node.this is not None else None
    conditions, results = [], []
    for branch in node.args["ifs"]:
        if base is None:
            condition = each.boolean(branch.this, "CASE WHEN clause must evaluate to a boolean (actual: {})")
        else:
            condition = operators.compare("=", base, each.value(branch.this), each.start(branch.this))
        conditions.append(condition.sql)
        results.append(each.value(branch.args["true"]))
    default = node.args.get("default")
    results.append(each.value(default) if default is not None else NULL)
    return _chosen(each, node, conditions, results, "All CASE results")


def if_(each: Expressions, node: exp.If) -> Value:
    condition = each.boolean(node.this, "IF condition must evaluate to a boolean (actual: {})")
    otherwise = node.args.get("false")
    results = [each.value(node.args["true"]), each.value(otherwise) if otherwise is not None else NULL]
    return _chosen(each, node, [condition.sql], results, "Result types for IF")


def _chosen(each: Expressions, node: exp.Expr, conditions: list[str], results: list[Value], what: str) -> Value:
    kind = operators.conditional_type(results, what, each.start(node))
    branches = [casts.coerce(result, kind).sql for result in results]
    whens = " ".join(f"WHEN {test} THEN {then}" for test, then in zip(conditions, branches, strict=False))
    return Value(f"(CASE {whens} ELSE {branches[-1]} END)", kind)


def array(each: Expressions, node: exp.Array) -> Value:
    if len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Query):
        raise unsupported("ARRAY of a query", each.start(node))
    items = each.values(node.expressions)
    if not items:
        return Value("CAST([] AS INTEGER[])", sqltypes.array(sqltypes.UNKNOWN))
    kind = operators.conditional_type(items, "All ARRAY elements", each.start(node))
    inner = ", ".join(casts.coerce(item, kind).sql for item in items)
    return Value(f"CAST([{inner}] AS {kind.physical}[])", sqltypes.array(kind))


def row(each: Expressions, node: exp.Expr) -> Value:
    return calls.row(each.values(node.expressions))


def subscript(each: Expressions, node: exp.Bracket) -> Value:
    base, index = each.value(node.this), each.value(node.expressions[0])
    if len(node.expressions) != 1:
        raise unsupported("more than one subscript", each.start(node))
    kind, position = base.type, each.start(node)
    if kind.name == "row":
        if not isinstance(index.constant, int) or not 1 <= index.constant <= len(kind.items):
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"ROW index out of bounds: {index.constant}", position)
        return Value(f"({base.sql}).f{index.constant - 1}", kind.items[index.constant - 1])
    if kind.name == "array" and sqltypes.coerces(index.type, sqltypes.BIGINT):
        return Value(f"athena_subscript({base.sql}, {casts.coerce(index, sqltypes.BIGINT).sql})", kind.items[0])
    if kind.name == "map" and sqltypes.coerces(index.type, kind.items[0]):
        key = casts.coerce(index, kind.items[0])
        if key.type.holds("timestamp with time zone", "time with time zone", "map"):
            raise unsupported(f"a subscript of {kind}", position)
        shown = calls.shown_key(key)
        return Value(f"athena_map_subscript({base.sql}, {key.sql}, {shown})", kind.items[1])
    raise QueryError("TYPE_MISMATCH", f"Cannot apply operator: {kind}[{index.type}]", position)


def paren(each: Expressions, node: exp.Paren) -> Value:
    return each.value(node.this)


def at_time_zone(each: Expressions, node: exp.AtTimeZone) -> Value:
    value, zone = each.value(node.this), each.value(node.args["zone"])
    return at_zone(value, zone, each.start(node))


def at_zone(value: Value, zone: Value, position: tuple[int, int] | None) -> Value:
    by_offset = zone.type == SECONDS
    if not (zone.type.name == "varchar" or by_offset) or value.type.name not in (
        "timestamp",
        "timestamp with time zone",
    ):
        raise QueryError(
            "TYPE_MISMATCH",
            f"Type of value must be a time or timestamp with or without time zone (actual {value.type})",
            position,
        )
    if value.type.precision > 6:
        raise unsupported(f"AT TIME ZONE of {value.type}", position)
    moment = casts.coerce(value, sqltypes.timestamp(value.type.precision, zoned=True))
    name = offset_zone(zone) if by_offset else calls.zone_of(zone, position)
    return zoned(moment.moment, name, value.type.precision)


def offset_zone(interval: Value) -> str:
    """The name of the zone that is an interval from UTC."""
    minutes = f"CAST({interval.sql} // 60000 AS INTEGER)"
    return f"(CASE WHEN {minutes} = 0 THEN 'UTC' ELSE athena_offset_text({minutes}) END)"


def subquery(each: Expressions, node: exp.Expr) -> Value:
    """A scalar subquery."""
    query = each.queries.nested(each, node, "scalar")
    if len(query.columns) != 1:
        raise unsupported("a scalar subquery of several columns", each.start(node))
    column = query.columns[0]
    return Value(f"({query.sql})", column.type, zone=None)


def concat(each: Expressions, node: exp.DPipe) -> Value:
    return calls.call(each, node, "concat", [node.this, node.expression])


def hex_(each: Expressions, node: exp.HexString) -> Value:
    digits = str(node.this)
    if len(digits) % 2:
        raise QueryError("INVALID_LITERAL", "binary literal must contain an even number of digits", each.start(node))
    return Value(f"from_hex('{digits}')", VARBINARY, simple=True)


def unicode_(_: Expressions, node: exp.UnicodeString) -> Value:
    escape = re.escape(str(node.args["escape"].name)) if node.args.get("escape") else r"\\"
    written = re.sub(
        rf"{escape}(?:\+([0-9a-fA-F]{{6}})|([0-9a-fA-F]{{4}})|({escape}))",
        lambda found: found[3] or chr(int(found[1] or found[2], 16)),
        str(node.name),
    )
    return string(written)


def interval(each: Expressions, node: exp.Interval) -> Value:
    return literals.interval(node, each.start(node))


def named(name: str, *arguments: str) -> Callable[[Expressions, Any], Value]:
    """Syntax that is a call of a function."""

    def rule(each: Expressions, node: exp.Expr) -> Value:
        nodes = [node.args[argument] for argument in arguments if node.args.get(argument) is not None]
        return calls.call(each, node, name, nodes)

    return rule


_DAYS = ("date", "timestamp", "timestamp with time zone")
_CLOCKS = ("timestamp", "timestamp with time zone", "time", "time with time zone", "interval day to second")
# Of what a field may be extracted (Trino's ExpressionAnalyzer.visitExtract).
_EXTRACTED = {
    **dict.fromkeys(("year", "month"), (*_DAYS, "interval year to month")),
    "day": (*_DAYS, "interval day to second"),
    **dict.fromkeys(("quarter", "week", "day_of_month", "day_of_week", "day_of_year", "year_of_week"), _DAYS),
    **dict.fromkeys(("hour", "minute", "second"), _CLOCKS),
    **dict.fromkeys(("timezone_hour", "timezone_minute"), ("timestamp with time zone", "time with time zone")),
}


def extract(each: Expressions, node: exp.Extract) -> Value:
    field = node.this.name.lower()
    names = {"dow": "day_of_week", "doy": "day_of_year", "yow": "year_of_week"}
    known = (
        "year",
        "quarter",
        "month",
        "week",
        "day",
        "day_of_month",
        "day_of_week",
        "day_of_year",
        "year_of_week",
    ) + ("hour", "minute", "second", "timezone_hour", "timezone_minute")
    name = names.get(field, field)
    if name not in known:
        raise QueryError("SYNTAX_ERROR", f"Invalid EXTRACT field: {field.upper()}", each.start(node))
    value = each.value(node.expression)
    if value.type.name not in _EXTRACTED[name]:
        message = f"Cannot extract {field.upper()} from {value.type}"
        raise QueryError("TYPE_MISMATCH", message, each.start(node.expression))
    return calls.apply(each, node, name, [value])


def trim(each: Expressions, node: exp.Trim) -> Value:
    side = str(node.args.get("position") or "BOTH").upper()
    name = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[side]
    return calls.call(each, node, name, [part for part in (node.this, node.expression) if part is not None])


def normalize(each: Expressions, node: exp.Normalize) -> Value:
    form = node.args.get("form")
    name = form.name.upper() if isinstance(form, exp.Expr) else "NFC"
    value = each.value(node.this)
    return calls.apply(each, node, "normalize", [value, string(name)])
