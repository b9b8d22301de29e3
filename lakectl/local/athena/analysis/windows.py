"""Aggregates and window functions, with FILTER, ORDER BY, OVER and the treatment of nulls.

https://trino.io/docs/current/functions/aggregate.html, https://trino.io/docs/current/functions/window.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import calls, casts, operators
from lakectl.local.athena.analysis.values import Value, unsupported
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.functions import TABLE
from lakectl.local.athena.functions.registry import AGGREGATE, WINDOW

if TYPE_CHECKING:
    from lakectl.local.athena.analysis.expressions import Expressions

ORDERED = ("array_agg", "listagg", "array_agg_of_rows", "multimap_agg", "map_agg", "first_value", "last_value")
_NULLS = ("lag", "lead", "first_value", "last_value", "nth_value")
_NO_FRAME = ("rank", "dense_rank", "row_number", "ntile", "percent_rank", "cume_dist", "lag", "lead")


@dataclass
class Call:
    """An aggregate or window function, with what stands around it."""

    node: Any
    name: str
    arguments: list[Any]
    condition: exp.Expr | None = None
    window: exp.Window | None = None
    nulls: str | None = None
    order: list[exp.Ordered] | None = None
    distinct: bool = False


def aggregate(each: Expressions, node: exp.Expr) -> Value:
    call = _taken_apart(node)
    if call.name == "grouping":
        return _grouping(each, call)
    rows = TABLE.get(call.name)
    if rows is None:
        calls.known(each, call.node, call.name)
        raise unsupported(f"function {call.name} with OVER, FILTER or a treatment of nulls", each.start(node))
    kinds = (AGGREGATE, WINDOW) if call.window is not None else (AGGREGATE,)
    if not any(row.kind in kinds for row in rows):
        if all(row.kind == WINDOW for row in rows):
            raise QueryError("MISSING_OVER", f"Window function {call.name} requires an OVER clause", each.start(node))
        if call.window is None and call.condition is None and call.nulls is None:
            return calls.call(each, call.node, call.name, call.arguments)
        raise QueryError(
            "FUNCTION_NOT_AGGREGATE", f"Function is not an aggregation function: {call.name}", each.start(node)
        )
    _check(each, call)
    return _rendered(each, call, kinds)


def _check(each: Expressions, call: Call) -> None:
    position = each.start(call.node)
    if each.within is not None and call.window is None:
        raise QueryError(
            "NESTED_AGGREGATION",
            f"Cannot nest aggregations inside aggregation '{each.within}': [{call.name}]",
            position,
        )
    if each.clause is not None:
        raise QueryError(
            "EXPRESSION_NOT_SCALAR",
            f"{each.clause} cannot contain aggregations, window functions or grouping operations: [{call.name}]",
            position,
        )
    if each.in_lambda:
        raise unsupported("an aggregate in a lambda", position)
    if call.nulls is not None and call.name not in _NULLS:
        raise QueryError(
            "NULL_TREATMENT_NOT_ALLOWED", f"Cannot specify null treatment clause for {call.name} function", position
        )
    if call.window is not None and (call.distinct or call.order):
        raise QueryError("NOT_SUPPORTED", "DISTINCT in window function parameters not yet supported", position)
    if call.order and call.name not in ORDERED:
        raise unsupported(f"{call.name} with ORDER BY", position)


def _taken_apart(node: Any) -> Call:
    condition, window, nulls = None, None, None
    while isinstance(node, exp.Window | exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        if isinstance(node, exp.Window):
            window = node
        elif isinstance(node, exp.Filter):
            condition = node.expression.this
        else:
            nulls = "IGNORE NULLS" if isinstance(node, exp.IgnoreNulls) else "RESPECT NULLS"
        node = node.this
    if isinstance(node, exp.GroupConcat):
        return _listagg(node, condition, window, nulls)
    call = Call(node, node.name.lower(), list(node.expressions), condition, window, nulls)
    if call.arguments and isinstance(call.arguments[-1], exp.Order):
        call.order, call.arguments[-1] = call.arguments[-1].expressions, call.arguments[-1].this
    if call.arguments and isinstance(call.arguments[0], exp.Distinct):
        call.distinct, call.arguments = True, [*call.arguments[0].expressions, *call.arguments[1:]]
    return call


def _listagg(node: exp.GroupConcat, condition: Any, window: Any, nulls: str | None) -> Call:
    this, order = node.this, None
    if isinstance(this, exp.Order):
        order, this = this.expressions, this.this
    distinct = isinstance(this, exp.Distinct)
    if isinstance(this, exp.Distinct):
        this = this.expressions[0]
    if order is None:
        raise QueryError("SYNTAX_ERROR", "LISTAGG must be followed by WITHIN GROUP (ORDER BY …)")
    separator = node.args.get("separator") or exp.Literal.string("")
    return Call(node, "listagg", [this, separator], condition, window, nulls, order, distinct)


def _rendered(each: Expressions, call: Call, kinds: tuple[str, ...]) -> Value:
    position = each.start(call.node)
    scope, mark = each.scope, len(each.scope.ungrouped)
    if call.window is None:
        each.within = call.name
        each.found.aggregates += 1
    try:
        values, condition, order = _parts(each, call)
    finally:
        if call.window is None:
            each.within = None
    if call.window is None:
        del scope.ungrouped[mark:]
    row, found, bound = calls.choose(each, call.node, call.name, call.arguments, values, kinds)
    if call.distinct:
        for value in found:
            operators.group_key(value)
        found = [Value(f"DISTINCT {found[0].sql}", found[0].type), *found[1:]]
    if order:
        last = found[-1]
        found = [*found[:-1], Value(f"{last.sql} ORDER BY {order}", last.type, constant=last.constant)]
    over = f" FILTER (WHERE {condition})" if condition else ""
    if call.window is not None:
        each.found.windows += 1
        if call.nulls == "IGNORE NULLS":
            if call.condition is not None:
                raise unsupported("FILTER with IGNORE NULLS", position)
            found = [*found[:-1], Value(f"{found[-1].sql} IGNORE NULLS", found[-1].type)]
        over += f" OVER ({_window(each, call, position)})"
    return calls.finish(row, found, bound, over)


def _parts(each: Expressions, call: Call) -> tuple[list[Value | None], str, str]:
    values: list[Value | None] = []
    for argument in call.arguments:
        if isinstance(argument, exp.Lambda):
            values.append(None)
        elif isinstance(argument, exp.Star):
            if call.name != "count" or call.distinct:
                raise QueryError("SYNTAX_ERROR", f"'*' is not an argument of {call.name}", each.start(call.node))
            continue
        else:
            values.append(each.value(argument))
    condition = ""
    if call.condition is not None:
        condition = each.boolean(call.condition, "FILTER clause must evaluate to a boolean: actual type {}").sql
    order = ", ".join(ordering(each, item) for item in call.order or [])
    if call.distinct and call.order:
        keys = {operators.group_key(value) for value in values if value is not None}
        if any(operators.order_key(each.value(item.this)) not in keys for item in call.order):
            raise QueryError(
                "EXPRESSION_NOT_IN_DISTINCT",
                "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments",
                each.start(call.node),
            )
    if call.name == "count" and not values and call.arguments:
        call.arguments = []
    return values, condition, order


def ordering(each: Expressions, item: exp.Expr) -> str:
    """One key of ORDER BY. Nulls come last, unless the statement says otherwise."""
    node = item.this if isinstance(item, exp.Ordered) else item
    return ordered(operators.order_key(each.value(node)), item)


def ordered(sql: str, item: exp.Expr) -> str:
    descending = isinstance(item, exp.Ordered) and bool(item.args.get("desc"))
    first = isinstance(item, exp.Ordered) and bool(item.args.get("nulls_first"))
    return f"{sql} {'DESC' if descending else 'ASC'} NULLS {'FIRST' if first else 'LAST'}"


def _window(each: Expressions, call: Call, position: tuple[int, int] | None) -> str:
    window = _named(each, call.window, position)
    parts = []
    partition = window.args.get("partition_by") or []
    if partition:
        parts.append("PARTITION BY " + ", ".join(operators.group_key(each.value(item)) for item in partition))
    order = window.args.get("order")
    if order is not None:
        parts.append("ORDER BY " + ", ".join(ordering(each, item) for item in order.expressions))
    spec = window.args.get("spec")
    if spec is not None:
        if call.name in _NO_FRAME:
            if call.name in ("lag", "lead"):
                raise QueryError(
                    "INVALID_WINDOW_FRAME", f"Cannot specify window frame for {call.name} function", position
                )
        else:
            parts.append(_frame(each, spec, order, position))
    elif call.name in ("lag", "lead") and order is None:
        raise QueryError("MISSING_ORDER_BY", f"{call.name} function requires an ORDER BY window clause", position)
    return " ".join(parts)


def _named(each: Expressions, window: Any, position: tuple[int, int] | None) -> exp.Window:
    name = window.args.get("alias")
    if name is None:
        return window if isinstance(window, exp.Window) else exp.Window()
    base = each.named_windows.get(name.name.lower())
    if base is None:
        raise QueryError("INVALID_WINDOW_REFERENCE", f"Cannot resolve WINDOW name {name.name}", position)
    merged = _named(each, base, position).copy()
    for key in ("order", "spec"):
        if window.args.get(key) is not None:
            merged.set(key, window.args[key])
    return merged


def _frame(each: Expressions, spec: Any, order: Any, position: tuple[int, int] | None) -> str:
    kind = str(spec.args.get("kind") or "ROWS").upper()
    ends = []
    for side in ("start", "end"):
        bound = spec.args.get(side)
        if bound is None:
            ends.append("CURRENT ROW")
            continue
        way = str(spec.args.get(f"{side}_side") or "")
        if isinstance(bound, str):
            ends.append(f"{bound} {way}".strip())
            continue
        value = each.value(bound)
        ends.append(f"{_offset(each, kind, value, order, position)} {way}")
    if spec.args.get("exclude"):
        raise unsupported("EXCLUDE of a window frame", position)
    return f"{kind} BETWEEN {ends[0]} AND {ends[1]}"


def _offset(each: Expressions, kind: str, value: Value, order: Any, position: tuple[int, int] | None) -> str:
    if kind != "RANGE":
        if value.type.name == "decimal" and not value.type.numbers[1]:
            if not isinstance(value.constant, str) or float(value.constant) >= 2**31:
                raise unsupported("a window frame of this decimal", position)
            return _not_negative(f"CAST({value.sql} AS BIGINT)", value, position)
        if not value.type.is_integral:
            raise QueryError(
                "TYPE_MISMATCH",
                f"Window frame offset value type must be exact numeric type with scale 0: actual {value.type}",
                position,
            )
        offset = value.sql if value.constant is not None else casts.coerce(value, sqltypes.BIGINT).sql
        return _not_negative(offset, value, position)
    keys = order.expressions if order is not None else []
    if len(keys) != 1:
        raise QueryError(
            "MISSING_ORDER_BY",
            "Window frame of type RANGE PRECEDING or FOLLOWING requires single sort item in ORDER BY",
            position,
        )
    sort = each.value(keys[0].this).type
    if sort.name == "date" or sort.name == "timestamp":
        if value.type == sqltypes.MONTHS:
            return f"to_months({value.sql})"
        if value.type == sqltypes.SECONDS:
            return f"to_milliseconds({value.sql})"
    if sort.is_number and value.type.is_number:
        return _not_negative(value.sql, value, position)
    raise unsupported(f"RANGE of {value.type} over {sort}", position)


_NEGATIVE = "Window frame offset value must not be negative or null"


def _not_negative(sql: str, value: Value, position: tuple[int, int] | None) -> str:
    if isinstance(value.constant, int) and value.constant < 0:
        raise QueryError("INVALID_WINDOW_FRAME", _NEGATIVE, position)
    if value.constant is not None:
        return sql
    return (
        f"CASE WHEN {sql} < 0 OR {sql} IS NULL THEN CAST('INVALID_WINDOW_FRAME: {_NEGATIVE}' AS TINYINT) ELSE {sql} END"
    )


def _grouping(each: Expressions, call: Call) -> Value:
    if each.scope.keys is None:
        raise QueryError(
            "MISSING_GROUP_BY",
            "A GROUPING() operation can only be used with a corresponding GROUPING SET/CUBE/ROLLUP/GROUP BY clause",
            each.start(call.node),
        )
    values = each.values(call.arguments)
    for value in values:
        if value.sql not in each.scope.keys:
            raise QueryError(
                "INVALID_ARGUMENTS",
                "The arguments to GROUPING() must be expressions referenced by the GROUP BY at the corresponding query "
                "level",
                each.start(call.node),
            )
    kind = sqltypes.INTEGER if len(values) <= 31 else sqltypes.BIGINT
    return Value(f"CAST(grouping({', '.join(value.sql for value in values)}) AS {kind.physical})", kind)
