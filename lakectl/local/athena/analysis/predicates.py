"""IS NULL, BETWEEN, IN, LIKE, EXISTS, and comparisons with ALL, ANY and SOME.

https://trino.io/docs/current/functions/comparison.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import casts, operators
from lakectl.local.athena.analysis.values import Value, unsupported
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import BOOLEAN

if TYPE_CHECKING:
    from lakectl.local.athena.analysis.expressions import Expressions


def is_null(each: Expressions, node: exp.Is) -> Value:
    if not isinstance(node.expression, exp.Null):
        raise unsupported("IS with anything but NULL", each.start(node))
    value = each.value(node.this)
    return Value(f"({value.sql} IS NULL)", BOOLEAN)


def between(each: Expressions, node: exp.Between) -> Value:
    value, low, high = each.value(node.this), each.value(node.args["low"]), each.value(node.args["high"])
    if node.args.get("symmetric"):
        raise unsupported("BETWEEN SYMMETRIC", each.start(node))
    kind = sqltypes.common(value.type, low.type)
    if kind is None or sqltypes.common(kind, high.type) is None:
        raise QueryError(
            "TYPE_MISMATCH",
            f"Cannot check if {value.type} is BETWEEN {low.type} and {high.type}",
            each.start(node),
        )
    first = operators.compare(">=", value, low, each.start(node))
    second = operators.compare("<=", value, high, each.start(node))
    return Value(f"({first.sql} AND {second.sql})", BOOLEAN)


def membership(each: Expressions, node: exp.In) -> Value:
    query = node.args.get("query")
    if query is None and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Values | exp.Query):
        query = node.expressions[0]
    if query is not None:
        return _in_query(each, node, query)
    if not node.expressions:
        raise unsupported("IN without a list", each.start(node))
    value, items = each.value(node.this), each.values(node.expressions)
    kind = value.type
    for item, written in zip(items, node.expressions, strict=True):
        found = sqltypes.common(kind, item.type)
        if found is None:
            raise QueryError(
                "TYPE_MISMATCH",
                f"IN value and list items must be the same type or coercible to a common type: {kind} and {item.type}",
                each.start(written),
            )
        kind = found
    computed = any(not item.simple and item.constant is None for item in items)
    if kind.items or kind.is_float or (computed and node.find(exp.Column, exp.Query) is None):
        tests = [operators.compare("=", casts.coerce(value, kind), item, None).sql for item in items]
        if computed:  # of constants Trino computes all, so that one of them may fail: 3 IN (3, 5 / 0)
            return Value(f"athena_any([{', '.join(tests)}])", BOOLEAN)
        return Value(f"({' OR '.join(tests)})", BOOLEAN)
    keyed = [operators.group_key(casts.coerce(item, kind), compared=True) for item in (value, *items)]
    return Value(f"({keyed[0]} IN ({', '.join(keyed[1:])}))", BOOLEAN)


def _in_query(each: Expressions, node: exp.In, query: exp.Expr) -> Value:
    value = each.value(node.this)
    found = each.queries.nested(each, query, "membership")
    if len(found.columns) != 1:
        raise unsupported("IN with a subquery of several columns", each.start(node))
    kind = sqltypes.common(value.type, found.columns[0].type)
    if kind is None:
        raise QueryError(
            "TYPE_MISMATCH",
            f"Value expression and result of subquery must be of the same type: {value.type} vs "
            f"{found.columns[0].type}",
            each.start(node),
        )
    if kind.items or kind.is_zoned:
        raise unsupported(f"IN with a subquery of {kind}", each.start(node))
    left = casts.coerce(value, kind).sql
    right = casts.coerce(Value('"c0"', found.columns[0].type), kind).sql
    return Value(f'({left} IN (SELECT {right} FROM ({found.sql}) AS "s"))', BOOLEAN)  # noqa: S608


def exists(each: Expressions, node: exp.Exists) -> Value:
    found = each.queries.nested(each, node.this, "exists")
    return Value(f"EXISTS ({found.sql})", BOOLEAN)


def quantified(each: Expressions, node: exp.Binary, symbol: str) -> Value | None:
    """``x = ANY (SELECT …)``; None if the right side is no such thing."""
    right: Any = node.expression
    if isinstance(right, exp.Any | exp.All):
        word, query = type(right).__name__.upper(), right.this
    elif (
        isinstance(right, exp.Anonymous)
        and right.name.upper() in ("ALL", "SOME", "ANY")
        and len(right.expressions) == 1
    ):
        word, query = ("ALL" if right.name.upper() == "ALL" else "ANY"), right.expressions[0]
    else:
        return None
    alike = (symbol, word) in (("=", "ANY"), ("<>", "ALL"))  # IN, NOT IN
    value = each.value(node.this)
    found = each.queries.nested(each, query, "membership" if alike else "compared")
    position = each.operator(node, symbol)
    if len(found.columns) != 1:
        raise unsupported(f"{word} with a subquery of several columns", position)
    kind = sqltypes.common(value.type, found.columns[0].type)
    if kind is None or (symbol not in ("=", "<>") and kind.holds("json", "map")):
        raise operators.refused(symbol, value.type, found.columns[0].type, position)
    if kind.items or kind.is_zoned or kind.is_float:
        raise unsupported(f"{word} with a subquery of {kind}", position)
    left = casts.coerce(value, kind).sql
    inner = casts.coerce(Value('"c0"', found.columns[0].type), kind).sql
    return Value(f'({left} {symbol} {word} (SELECT {inner} FROM ({found.sql}) AS "s"))', BOOLEAN)  # noqa: S608


def like(each: Expressions, node: Any) -> Value:
    inner = node.this if isinstance(node, exp.Escape) else node
    if not isinstance(inner, exp.Like):
        raise unsupported("ESCAPE without LIKE", each.start(node))
    value, pattern = each.value(inner.this), each.value(inner.expression)
    parts = [value, pattern]
    if isinstance(node, exp.Escape):
        parts.append(each.value(node.expression))
    what = ("Left side of LIKE expression", "Pattern for LIKE expression", "Escape for LIKE expression")
    texts = []
    for part, name in zip(parts, what, strict=False):
        if part.type.name not in ("varchar", "char", "unknown"):
            raise QueryError(
                "TYPE_MISMATCH", f"{name} must evaluate to a varchar (actual: {part.type})", each.start(node)
            )
        texts.append(casts.coerce(part, sqltypes.VARCHAR).sql)
    if len(texts) == 3:
        sql = f"like_escape({texts[0]}, athena_like_pattern({texts[1]}, {texts[2]}), {texts[2]})"
    else:
        sql = f"({texts[0]} LIKE {texts[1]})"
    return Value(f"(NOT {sql})" if inner.args.get("negate") else sql, BOOLEAN)
