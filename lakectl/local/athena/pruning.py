"""What a WHERE clause says about a table's columns: as a PyIceberg filter, and as ranges for EXPLAIN."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from pyiceberg import expressions
from sqlglot import exp

ice: Any = expressions  # its classes take positional arguments that their annotations don't show

_SWAPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.NEQ: exp.NEQ,
}
_ICEBERG: dict[type[exp.Expr], Any] = {
    exp.EQ: ice.EqualTo,
    exp.NEQ: ice.NotEqualTo,
    exp.GT: ice.GreaterThan,
    exp.GTE: ice.GreaterThanOrEqual,
    exp.LT: ice.LessThan,
    exp.LTE: ice.LessThanOrEqual,
}


class Inexact(Exception):
    """This predicate has no Iceberg filter that means exactly the same."""


@dataclass(frozen=True)
class Span:
    """A range of values; None is open. Both ends the same and included is one value."""

    low: Any = None
    high: Any = None
    low_included: bool = True
    high_included: bool = True

    def text(self) -> str:
        if self.low is not None and self.low == self.high:
            return f"[{self.low}]"
        left = f"{'[' if self.low_included else '('}{self.low}" if self.low is not None else "(<min>"
        right = f"{self.high}{']' if self.high_included else ')'}" if self.high is not None else "<max>)"
        return f"{left}, {right}"


def conjuncts(select: exp.Select, alias: str) -> list[exp.Expr]:
    """The parts of a SELECT's WHERE that speak of the table ``alias`` alone and may be applied to its scan."""
    where = select.args.get("where")
    if where is None or not _safe(select, alias):
        return []
    parts = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    found = []
    for part in parts:
        columns = list(part.find_all(exp.Column))
        alone = all(column.table == alias for column in columns)
        if columns and alone and not part.find(exp.Query):
            found.append(part)
    return found


def _safe(select: exp.Select, alias: str) -> bool:
    """An outer join makes NULL rows after the scan: only the preserved side may be filtered before it."""
    outer = [join for join in select.args.get("joins") or [] if join.side]
    if not outer:
        return True
    source = select.args["from_"].this
    return source.alias_or_name == alias and all(join.side.upper() == "LEFT" for join in outer)


def filter_of(parts: list[exp.Expr], names: dict[str, str]) -> Any:
    """A PyIceberg filter that is implied by all ``parts`` (parts that have none are left out).

    ``names``: lower-case column name → the name in the table's schema.
    """
    found = ice.AlwaysTrue()
    for part in parts:
        try:
            found = ice.And(found, exact_filter(part, names))
        except Inexact:
            continue
    return found


def exact_filter(node: exp.Expr, names: dict[str, str]) -> Any:
    """The PyIceberg filter that means the same as ``node``. Raises Inexact if there is none."""
    if isinstance(node, exp.Paren):
        return exact_filter(node.this, names)
    if isinstance(node, exp.And):
        return ice.And(exact_filter(node.left, names), exact_filter(node.right, names))
    if isinstance(node, exp.Or):
        return ice.Or(exact_filter(node.left, names), exact_filter(node.right, names))
    if isinstance(node, exp.Not) and isinstance(node.this, exp.Is | exp.Paren):
        inner = node.this.this if isinstance(node.this, exp.Paren) else node.this
        if isinstance(inner, exp.Is):
            return ice.NotNull(_column(inner.this, names))
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return ice.IsNull(_column(node.this, names))
    if isinstance(node, exp.Between):
        name = _column(node.this, names)
        return ice.And(
            ice.GreaterThanOrEqual(name, value_of(node.args["low"])),
            ice.LessThanOrEqual(name, value_of(node.args["high"])),
        )
    if isinstance(node, exp.In) and node.expressions:
        return ice.In(_column(node.this, names), [value_of(item) for item in node.expressions])
    if type(node) in _ICEBERG:
        if isinstance(node.this, exp.Column):
            return _ICEBERG[type(node)](_column(node.this, names), value_of(node.expression))
        return _ICEBERG[_SWAPPED[type(node)]](_column(node.expression, names), value_of(node.this))
    raise Inexact(node.sql())


def _column(node: exp.Expr, names: dict[str, str]) -> str:
    if isinstance(node, exp.Column) and node.name.lower() in names:
        return names[node.name.lower()]
    raise Inexact(node.sql())


def value_of(node: exp.Expr) -> Any:
    """A literal's value, in the form that PyIceberg takes. Raises Inexact for anything else."""
    if isinstance(node, exp.Paren):
        return value_of(node.this)
    if isinstance(node, exp.Neg):
        return -value_of(node.this)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Literal):
        return node.this if node.is_string else int(node.this) if node.is_int else float(node.this)
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string:
        text = str(node.this.this)
        if node.to.is_type("date"):
            return text
        if node.to.is_type("timestamp"):
            return text.replace(" ", "T")
    raise Inexact(node.sql())


def spans(parts: list[exp.Expr]) -> dict[str, list[Span]]:
    """For each column that ``parts`` limit: the ranges left of it. Column names are lower-case."""
    found: dict[str, list[Span]] = {}
    for part in parts:
        domain = _domain(part)
        if domain is None:
            continue
        name, ranges = domain
        found[name] = ranges if name not in found else _intersect(found[name], ranges)
    return found


def _domain(node: exp.Expr) -> tuple[str, list[Span]] | None:
    """(column, ranges) of a predicate on one column; None if it limits no single column to ranges."""
    try:
        if isinstance(node, exp.Paren):
            return _domain(node.this)
        if isinstance(node, exp.Or | exp.And):
            left, right = _domain(node.left), _domain(node.right)
            if left is None or right is None or left[0] != right[0]:
                return None
            ranges = left[1] + right[1] if isinstance(node, exp.Or) else _intersect(left[1], right[1])
            return left[0], ranges
        if isinstance(node, exp.Between):
            return _name(node.this), [Span(value_of(node.args["low"]), value_of(node.args["high"]))]
        if isinstance(node, exp.In) and node.expressions:
            values = sorted(value_of(item) for item in node.expressions)
            return _name(node.this), [Span(value, value) for value in values]
        if type(node) in _ICEBERG and not isinstance(node, exp.NEQ):
            column, value, kind = node.this, node.expression, type(node)
            if not isinstance(column, exp.Column):
                column, value, kind = value, column, _SWAPPED[kind]
            return _name(column), [_compared(kind, value_of(value))]
    except (Inexact, TypeError):
        return None
    return None


def _name(node: exp.Expr) -> str:
    if not isinstance(node, exp.Column):
        raise Inexact(node.sql())
    return str(node.name).lower()


def _compared(kind: type[exp.Expr], value: Any) -> Span:
    if kind is exp.EQ:
        return Span(value, value)
    if kind in (exp.GT, exp.GTE):
        return Span(low=value, low_included=kind is exp.GTE)
    return Span(high=value, high_included=kind is exp.LTE)


def _intersect(first: list[Span], second: list[Span]) -> list[Span]:
    found = []
    for one in first:
        for other in second:
            low = max((one.low, other.low), key=functools.cmp_to_key(_by_low))
            high = min((one.high, other.high), key=functools.cmp_to_key(_by_high))
            if low is not None and high is not None and low > high:
                continue
            low_in = all(span.low_included for span in (one, other) if span.low == low)
            high_in = all(span.high_included for span in (one, other) if span.high == high)
            found.append(Span(low, high, low_in, high_in))
    return found


def _by_low(one: Any, other: Any) -> int:
    if one is None or other is None:
        return (one is not None) - (other is not None)
    return int(one > other) - int(one < other)


def _by_high(one: Any, other: Any) -> int:
    if one is None or other is None:
        return (one is None) - (other is None)
    return int(one > other) - int(one < other)
