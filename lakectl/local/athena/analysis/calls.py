"""Calls of functions: the signature is chosen from the table as Trino chooses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import casts, operators, texts
from lakectl.local.athena.analysis.scope import Field, Scope
from lakectl.local.athena.analysis.values import NULL, Value, text, unsupported
from lakectl.local.athena.dialect import START
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.functions import ALL_NAMES, TABLE, registry
from lakectl.local.athena.functions.registry import SCALAR, Function
from lakectl.local.athena.sqltypes import BOOLEAN, Type

if TYPE_CHECKING:
    from lakectl.local.athena.analysis.expressions import Expressions

VOLATILE = ("random", "rand", "uuid", "shuffle")


def anonymous(each: Expressions, node: exp.Anonymous) -> Value:
    name = node.name.lower()
    special = _SPECIAL.get(name)
    if special is not None:
        return special(each, node)
    rows = TABLE.get(name)
    if rows is not None and any(row.kind != SCALAR for row in rows):
        from lakectl.local.athena.analysis import windows

        return windows.aggregate(each, node)
    return call(each, node, name, node.expressions)


def call(each: Expressions, node: exp.Expr, name: str, arguments: list[Any]) -> Value:
    """A scalar function."""
    known(each, node, name)
    if name in VOLATILE:
        each.found.volatile += 1
    values = [each.value(argument) if not _is_lambda(argument) else None for argument in arguments]
    row, found, bound = choose(each, node, name, arguments, values, (SCALAR,))
    return finish(row, found, bound)


def apply(each: Expressions, node: exp.Expr, name: str, values: list[Value]) -> Value:
    row, found, bound = choose(each, node, name, [], list(values), (SCALAR,))
    return finish(row, found, bound)


def finish(row: Function, values: list[Value], bound: registry.Bound, over: str = "") -> Value:
    kind = row.result(*[value.type for value in values]) if row.result else registry.filled(row.returns, bound)
    if kind.name == "varchar" and row.returns == "varchar" and row.result is None:
        kind = sqltypes.VARCHAR
    made = row.render(values, over)
    return Value(made, kind, zone=_zone_kept(row.name, values) if kind.is_zoned else None)


def _zone_kept(name: str, values: list[Value]) -> str | None:
    """The one zone that all results have, if they have one."""
    if name in ("date_trunc", "date_add"):
        return values[-1].zone
    if name in ("at_timezone", "with_timezone") and isinstance(values[1].constant, str):
        return zone_of(values[1], None)
    in_utc = name in ("now", "current_timestamp", "parse_datetime", "from_unixtime_nanos")
    return "'UTC'" if in_utc or (name == "from_unixtime" and len(values) == 1) else None


def known(each: Expressions, node: exp.Expr, name: str) -> None:
    """Raise FUNCTION_NOT_FOUND, or NOT_SUPPORTED for a function that Trino has and the table has not."""
    if name in TABLE or name in _SPECIAL:
        return
    if name in ALL_NAMES:
        raise unsupported(f"function {name}", each.start(node))
    raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered", each.start(node))


def _is_lambda(node: Any) -> bool:
    return isinstance(node, exp.Lambda)


def choose(
    each: Expressions, node: exp.Expr, name: str, nodes: list[Any], values: list[Value | None], kinds: tuple[str, ...]
) -> tuple[Function, list[Value], registry.Bound]:
    """The row of the table, its arguments converted, and what its type variables stand for.

    ``values`` has None where a lambda stands. Raises FUNCTION_NOT_FOUND as Trino words it.
    """
    rows = [row for row in TABLE[name] if row.kind in kinds]
    for widening in (registry.EXACT, registry.NUMBERS, registry.ANY):
        for row in rows:
            patterns = _patterns(row, len(values))
            if patterns is None:
                continue
            bound: registry.Bound = {}
            if not _bind_plain(patterns, values, bound, widening):
                continue
            lambdas = _bind_lambdas(each, patterns, nodes, values, bound)
            if lambdas is None:
                continue
            return row, _converted(patterns, values, lambdas, bound), bound
    given = ", ".join("<function>" if value is None else str(value.type) for value in values)
    expected = ", ".join(row.shown for row in rows)
    raise QueryError(
        "FUNCTION_NOT_FOUND",
        f"Unexpected parameters ({given}) for function {name}. Expected: {expected}",
        each.start(node),
    )


def _patterns(row: Function, count: int) -> list[str] | None:
    patterns = list(row.arguments)
    if row.variadic and count >= len(patterns):
        patterns += [patterns[-1]] * (count - len(patterns))
    return patterns if len(patterns) == count else None


def _bind_plain(patterns: list[str], values: list[Value | None], bound: registry.Bound, widening: int) -> bool:
    for pattern, value in zip(patterns, values, strict=True):
        if registry.is_lambda(pattern) != (value is None):
            return False
        if value is not None and not registry.bind(pattern, value.type, bound, widening):
            return False
    return True


def _bind_lambdas(
    each: Expressions, patterns: list[str], nodes: list[Any], values: list[Value | None], bound: registry.Bound
) -> dict[int, Value] | None:
    found: dict[int, Value] = {}
    for at, (pattern, value) in enumerate(zip(patterns, values, strict=True)):
        if value is not None:
            continue
        takes, gives = registry.lambda_parts(pattern)
        if len(nodes[at].expressions) != len(takes):
            return None
        types = [registry.filled(part, bound) for part in takes]
        made = _lambda(each, nodes[at], types)
        if gives in bound:
            narrower = made[1].type.is_number and made[1].type != bound[gives]
            if narrower or not sqltypes.coerces(made[1].type, bound[gives]):
                wider = sqltypes.common(made[1].type, bound[gives])
                if wider is None or wider == bound[gives]:
                    return None
                bound[gives] = wider  # as the state of reduce(…, 0, (s, x) -> s + x, …) over numbers of bigint
                return _bind_lambdas(each, patterns, nodes, values, bound)
        elif not registry.bind(gives, made[1].type, bound, registry.ANY):
            return None
        result = casts.coerce(made[1], registry.filled(gives, bound))
        found[at] = Value(f"lambda {', '.join(made[0])}: {result.sql}", result.type, constant=(made[0], result.sql))
    return found


def _lambda(each: Expressions, node: exp.Lambda, types: list[Type]) -> tuple[list[str], Value]:
    names = [casts.fresh() for _ in types]
    fields = [
        Field(argument.name.lower(), argument.name, Value(name, kind, simple=True))
        for argument, name, kind in zip(node.expressions, names, types, strict=True)
    ]
    inner = each.beneath(Scope(fields, parent=each.scope))
    return names, inner.value(node.this)


def _converted(
    patterns: list[str], values: list[Value | None], lambdas: dict[int, Value], bound: registry.Bound
) -> list[Value]:
    made = []
    for at, (pattern, value) in enumerate(zip(patterns, values, strict=True)):
        if value is None:
            made.append(lambdas[at])
        elif pattern == "varchar" and value.type.name == "char":
            made.append(casts.coerce(value, sqltypes.VARCHAR))
        else:
            made.append(casts.coerce(value, registry.wanted(pattern, value.type, bound)))
    return made


def zone_of(zone: Value, position: tuple[int, int] | None) -> str:
    """The SQL of a time zone's name."""
    from lakectl.local.athena.analysis.literals import zone_name

    if isinstance(zone.constant, str):
        name = zone_name(zone.constant)
        if name is None:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{zone.constant}' is not a valid time zone", position)
        return text(name)
    return f"athena_zone_name({zone.sql})"


def shown_key(key: Value) -> str:
    """A map's key in an error's text."""
    if key.type.holds("array", "map", "row", "varbinary"):
        return "''"
    return texts.plain(key)


def row(values: list[Value]) -> Value:
    packed = ", ".join(
        f"f{at} := {value.sql if value.sql != 'NULL' else 'CAST(NULL AS INTEGER)'}" for at, value in enumerate(values)
    )
    return Value(f"struct_pack({packed})", sqltypes.row(tuple(value.type for value in values)))


def _coalesce(each: Expressions, node: exp.Anonymous) -> Value:
    values = each.values(node.expressions)
    if len(values) < 2:
        raise QueryError(
            "INVALID_ARGUMENTS", "The 'coalesce' function must have at least two arguments", each.start(node)
        )
    kind = operators.conditional_type(values, "All COALESCE operands", each.start(node))
    return Value(f"coalesce({', '.join(casts.coerce(value, kind).sql for value in values)})", kind)


def _nullif(each: Expressions, node: exp.Anonymous) -> Value:
    if len(node.expressions) != 2:
        raise QueryError("INVALID_ARGUMENTS", "Invalid number of arguments for 'nullif' function", each.start(node))
    first, second = each.values(node.expressions)
    if sqltypes.common(first.type, second.type) is None:
        raise QueryError(
            "TYPE_MISMATCH", f"Types are not comparable with NULLIF: {first.type} vs {second.type}", each.start(node)
        )
    same = operators.compare("=", first, second, each.start(node))
    null = casts.coerce(NULL, first.type) if first.type.name != "unknown" else NULL
    return Value(f"(CASE WHEN {same.sql} THEN {null.sql} ELSE {first.sql} END)", first.type)


def tried(each: Expressions, node: exp.Expr, inner: Callable[[], Value]) -> Value:
    """NULL where ``inner`` fails. DuckDB's TRY takes no subqueries, aggregates, window functions and random values."""
    before = vars(each.found).copy()
    value = inner()
    sql = f"TRY({value.sql})"
    outside = each.scope.keys is not None and each.within is None and sql not in each.scope.keys
    if before != vars(each.found) or outside:
        raise unsupported(
            "TRY of a subquery, an aggregate, a window function, a random value or a grouped column", each.start(node)
        )
    return Value(sql, value.type)


def _try(each: Expressions, node: exp.Anonymous) -> Value:
    if len(node.expressions) != 1:
        raise QueryError("INVALID_ARGUMENTS", "The 'try' function must have exactly one argument", each.start(node))
    return tried(each, node, lambda: each.value(node.expressions[0]))


def _typeof(each: Expressions, node: exp.Anonymous) -> Value:
    if len(node.expressions) != 1:
        return call(each, node, "typeof", node.expressions)
    return Value(text(str(each.value(node.expressions[0]).type)), sqltypes.VARCHAR)


def _row_call(each: Expressions, node: exp.Anonymous) -> Value:
    return row(each.values(node.expressions))


def _greatest(name: str) -> Callable[[Expressions, exp.Anonymous], Value]:
    def rule(each: Expressions, node: exp.Anonymous) -> Value:
        values = each.values(node.expressions)
        if not values:
            raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters () for function {name}", each.start(node))
        kind = operators.conditional_type(values, f"All {name.upper()} operands", each.start(node))
        if kind.holds("json", "map", "row", "array") or kind.is_zoned:
            raise unsupported(f"{name} of {kind}", each.start(node))
        made = [casts.coerce(value, kind).sql for value in values]
        if kind.is_float:
            return Value(_extreme_float(name, made), kind)
        missing = " OR ".join(f"{sql} IS NULL" for sql in made)  # one NULL makes the result NULL
        return Value(f"(CASE WHEN {missing} THEN NULL ELSE {name}({', '.join(made)}) END)", kind)

    return rule


def _extreme_float(name: str, made: list[str]) -> str:
    missing = " OR ".join(f"{sql} IS NULL" for sql in made)
    extreme = "max" if name == "greatest" else "min"
    return f"(CASE WHEN {missing} THEN NULL ELSE list_{extreme}(athena_without_nan([{', '.join(made)}])) END)"


def _format(each: Expressions, node: exp.Anonymous) -> Value:
    values = each.values(node.expressions)
    if len(values) < 2 or values[0].type.name not in ("varchar", "char"):
        raise unsupported("format with these arguments", each.start(node))
    given = []
    for value in values[1:]:
        if value.type.is_integral or value.type.name in ("decimal", "real", "double", "boolean", "date", "unknown"):
            shown = f"CAST({value.sql} AS VARCHAR)"
        else:
            shown = texts.plain(value)
        given.append(f"{shown}")
    kinds = ",".join(value.type.name for value in values[1:])
    return Value(f"athena_format({values[0].sql}, {text(kinds)}, [{', '.join(given)}])", sqltypes.VARCHAR)


def _concat(each: Expressions, node: exp.Anonymous) -> Value:
    if len(node.expressions) < 2:
        raise QueryError("INVALID_ARGUMENTS", "There must be two or more concatenation arguments", each.start(node))
    return call(each, node, "concat", node.expressions)


def _recursion_ended(each: Expressions, node: exp.Anonymous) -> Value:
    """The macro that scoping puts at the end of an unrolled recursion; what a person wrote has a position."""
    if START in node.meta:
        raise QueryError("FUNCTION_NOT_FOUND", f"Function '{node.name.lower()}' not registered", each.start(node))
    return Value(f"athena_recursion_ended({each.value(node.expressions[0]).sql})", BOOLEAN)


def _quantifier(each: Expressions, node: exp.Anonymous) -> Value:
    raise QueryError("FUNCTION_NOT_FOUND", f"Function '{node.name.lower()}' not registered", each.start(node))


def _now(zoned: bool) -> Callable[[Expressions, exp.Anonymous], Value]:
    def rule(each: Expressions, node: exp.Anonymous) -> Value:
        digits = each.value(node.expressions[0]).constant if len(node.expressions) == 1 else None
        if not isinstance(digits, int) or not 0 <= digits <= 6:
            raise unsupported(f"{node.name.lower()} of this precision", each.start(node))
        name = "current_timestamp" if zoned else "localtimestamp"
        kind = sqltypes.timestamp(6, zoned)
        value = Value(f"athena_{name}()", kind, zone="'UTC'" if zoned else None)
        return casts.coerce(value, sqltypes.timestamp(digits, zoned))

    return rule


def _grouping(each: Expressions, node: exp.Anonymous) -> Value:
    from lakectl.local.athena.analysis import windows

    return windows.aggregate(each, node)


def _json(each: Expressions, node: exp.Anonymous) -> Value:
    from lakectl.local.athena.analysis import json_calls

    return json_calls.call(each, node)


_SPECIAL: dict[str, Callable[[Any, Any], Value]] = {
    "coalesce": _coalesce,
    "nullif": _nullif,
    "try": _try,
    "typeof": _typeof,
    "row": _row_call,
    "greatest": _greatest("greatest"),
    "least": _greatest("least"),
    "format": _format,
    "concat": _concat,
    "grouping": _grouping,
    "athena_recursion_ended": _recursion_ended,
    "all": _quantifier,
    "some": _quantifier,
    "current_timestamp": _now(True),
    "localtimestamp": _now(False),
    **dict.fromkeys(("json_exists", "json_value", "json_query", "json_array", "json_object"), _json),
}
SPECIAL_NAMES = frozenset(_SPECIAL)
