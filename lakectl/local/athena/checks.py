"""Type checks that Athena makes and DuckDB does not."""

from __future__ import annotations

import re

from sqlglot import exp

from lakectl.local.athena import types
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.statements import position_of

_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("number", ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")),
    ("text", ("varchar", "char", "text")),
    ("date", ("date",)),
    ("timestamp", ("timestamp", "timestamptz", "datetime")),
    ("boolean", ("boolean",)),
    ("interval", ("interval",)),
    ("array", ("array", "list")),
    ("map", ("map",)),
    ("row", ("struct",)),
    ("varbinary", ("varbinary", "binary")),
)
_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}
_NUMERIC_AGGREGATES = (exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop)


def check_types(tree: exp.Expr, sql: str) -> None:
    """Raise TYPE_MISMATCH where Athena would, as far as the types are known."""
    for node in tree.walk():
        if type(node) in _COMPARISONS:
            left, right = node.this, node.expression
            if _differ(left, right):
                raise _operator(node, _COMPARISONS[type(node)], left, right, sql)
        elif type(node) in _ARITHMETIC:
            _check_arithmetic(node, sql)
        elif isinstance(node, exp.Between):
            low, high = node.args["low"], node.args["high"]
            if _differ(node.this, low) or _differ(node.this, high):
                shown = f"{types.display(node.this)} is BETWEEN {types.display(low)} and {types.display(high)}"
                raise QueryError("TYPE_MISMATCH", f"Cannot check if {shown}", _start(node, sql))
        elif isinstance(node, exp.In):
            _check_in(node, sql)
        elif isinstance(node, exp.Where | exp.Having) and _family(node.this) not in (None, "boolean"):
            clause = "WHERE" if isinstance(node, exp.Where) else "HAVING"
            message = f"{clause} clause must evaluate to a boolean: actual type {types.display(node.this)}"
            raise QueryError("TYPE_MISMATCH", message, _start(node.this, sql))
        elif isinstance(node, _NUMERIC_AGGREGATES) and _family(node.this) not in (None, "number", "interval"):
            name = {exp.StddevSamp: "stddev_samp", exp.StddevPop: "stddev_pop"}.get(type(node), node.key)
            raise QueryError(
                "FUNCTION_NOT_FOUND",
                f"Unexpected parameters ({types.display(node.this)}) for function {name}. "
                f"Expected: {name}(bigint), {name}(decimal(p,s)), {name}(double), {name}(real)",
                _function_start(name, sql),
            )
        elif isinstance(node, exp.And | exp.Or):
            _check_logical(node, sql)
        elif isinstance(node, exp.DPipe | exp.Concat):
            _check_concat(node, sql)


def check_recursion(base: exp.Query, step: exp.Query) -> None:
    """Raise TYPE_MISMATCH where a recursive step gives another type than the base: Trino widens neither."""
    for index, (first, later) in enumerate(zip(base.selects, step.selects, strict=False), start=1):
        shown, wanted = types.display(later), types.display(first)
        if "unknown" in (shown, wanted) or _family(first) is None or _family(later) is None:
            continue
        if _family(first) != _family(later) or (_family(first) == "number" and not _fits(later, first)):
            raise QueryError(
                "TYPE_MISMATCH",
                f"recursion step relation output type ({shown}) is not coercible to recursion base relation output "
                f"type ({wanted}) at column {index}",
            )


def _fits(given: exp.Expr, wanted: exp.Expr) -> bool:
    """Whether a number's type can be widened to another's."""
    if types.is_float(wanted):
        return True
    first, second = types.decimal_of(given), types.decimal_of(wanted)
    if first is None or second is None:
        return False
    return first[0] - first[1] <= second[0] - second[1] and first[1] <= second[1]


def _check_arithmetic(node: exp.Expr, sql: str) -> None:
    left, right = node.this, node.expression
    families = {_family(left), _family(right)}
    if None in families or families == {"number"}:
        return
    allowed: list[set[str | None]] = []
    if isinstance(node, exp.Add | exp.Sub):
        allowed = [{"date", "interval"}, {"timestamp", "interval"}, {"interval"}]
        if isinstance(node, exp.Sub):
            allowed += [{"date"}, {"timestamp"}, {"date", "timestamp"}]
    elif isinstance(node, exp.Mul | exp.Div):
        allowed = [{"interval", "number"}]
    if families not in allowed:
        raise _operator(node, _ARITHMETIC[type(node)], left, right, sql)


def _check_logical(node: exp.And | exp.Or, sql: str) -> None:
    for term in (node.left, node.right):
        if _family(term) not in (None, "boolean"):
            message = f"Logical expression term must evaluate to a boolean (actual: {types.display(term)})"
            raise QueryError("TYPE_MISMATCH", message, _start(term, sql))


def _check_in(node: exp.In, sql: str) -> None:
    for item in node.expressions:
        if _differ(node.this, item):
            kinds = f"{types.display(node.this)} and {types.display(item)}"
            message = f"IN value and list items must be the same type or coercible to a common type: {kinds}"
            raise QueryError("TYPE_MISMATCH", message, _start(item, sql))


def _check_concat(node: exp.Expr, sql: str) -> None:
    parts = [node.this, node.expression] if isinstance(node, exp.DPipe) else node.expressions
    families = {_family(part) for part in parts}
    if None in families or families <= {"text"} or "array" in families or families <= {"varbinary"}:
        return
    shown = ", ".join(types.display(part) for part in parts)
    raise QueryError(
        "FUNCTION_NOT_FOUND",
        f"Unexpected parameters ({shown}) for function concat. Expected: concat(char(x), char(y)), "
        "concat(array(E), E) E, concat(E, array(E)) E, concat(array(E)) E, concat(varchar), concat(varbinary)",
        _start(node, sql),
    )


def _family(node: exp.Expr | None) -> str | None:
    kind = node.type if node is not None else None
    if kind is None or kind.is_type("unknown", "null"):
        return None
    if isinstance(node, exp.Null):
        return None
    return next((family for family, names in _FAMILIES if kind.is_type(*names)), None)


def _differ(left: exp.Expr, right: exp.Expr) -> bool:
    first, second = _family(left), _family(right)
    if first is None or second is None or first == second:
        return False
    return {first, second} != {"date", "timestamp"}


def _operator(node: exp.Expr, symbol: str, left: exp.Expr, right: exp.Expr, sql: str) -> QueryError:
    message = f"Cannot apply operator: {types.display(left)} {symbol} {types.display(right)}"
    ends = [int(part.meta["end"]) for part in left.find_all(exp.Identifier, exp.Literal) if "end" in part.meta]
    position = _start(node, sql)
    if ends:  # Trino names the place of the operator, not of its left side
        found = re.compile(re.escape(symbol) + ("|!=" if symbol == "<>" else "")).search(sql, max(ends) + 1)
        position = position_of(sql, found.start()) if found else position
    return QueryError("TYPE_MISMATCH", message, position)


def _start(node: exp.Expr, sql: str) -> tuple[int, int] | None:
    starts = [int(part.meta["start"]) for part in node.find_all(exp.Identifier, exp.Literal) if "start" in part.meta]
    return position_of(sql, min(starts)) if starts else None


def _function_start(name: str, sql: str) -> tuple[int, int] | None:
    found = re.search(rf"\b{name}\s*\(", sql, re.I)
    return position_of(sql, found.start()) if found else None
