"""GROUP BY: its keys and its sets.

https://trino.io/docs/current/sql/select.html#group-by-clause
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena.analysis import operators
from lakectl.local.athena.analysis.expressions import Expressions
from lakectl.local.athena.analysis.scope import Scope
from lakectl.local.athena.analysis.values import start_of, unsupported
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.functions import TABLE
from lakectl.local.athena.functions.registry import AGGREGATE

if TYPE_CHECKING:
    from lakectl.local.athena.analysis.queries import Queries

MOST_SETS = 2048  # of Trino's setting max_grouping_sets
Keys = tuple[str, ...]


@dataclass(frozen=True)
class Grouped:
    sql: str
    keys: frozenset[str]


def group_by(queries: Queries, select: exp.Select, scope: Scope) -> Grouped | None:
    """None if the query does not group."""
    group = select.args.get("group")
    if group is None:
        clauses = [*select.expressions, select.args.get("having"), select.args.get("order")]
        if select.args.get("having") is None and not any(
            has_aggregate(clause) for clause in clauses if clause is not None
        ):
            return None
        return Grouped("", frozenset())
    each = Expressions(queries, scope, "GROUP BY clause")
    reader = _Reader(select, each)
    elements = [reader.element(item) for item in group.expressions]
    for clause in ("rollup", "cube", "grouping_sets"):
        for item in group.args.get(clause) or []:
            elements.append(reader.element(item))
    sets = [tuple(dict.fromkeys(key for part in parts for key in part)) for parts in itertools.product(*elements)]
    if group.args.get("all") is False:
        sets = list({frozenset(each): each for each in sets}.values())
    if len(sets) > MOST_SETS:
        raise QueryError(
            "TOO_MANY_GROUPING_SETS", f"GROUP BY has {len(sets)} grouping sets but can contain at most {MOST_SETS}"
        )
    keys = frozenset(key for each in sets for key in each)
    if len(sets) == 1:
        return Grouped(f" GROUP BY {', '.join(sets[0])}" if sets[0] else " GROUP BY ()", keys)
    shown = ", ".join("(" + ", ".join(each) + ")" for each in sets)
    return Grouped(f" GROUP BY GROUPING SETS ({shown})", keys)


@dataclass
class _Reader:
    select: exp.Select
    each: Expressions

    def element(self, node: Any) -> list[Keys]:
        """The sets that one element of GROUP BY stands for."""
        if isinstance(node, exp.GroupingSets):
            return [each for item in node.expressions for each in self._in_sets(item)]
        if isinstance(node, exp.Cube | exp.Rollup):
            parts = [self._set(item) for item in node.expressions]
            if isinstance(node, exp.Rollup):
                return [_joined(parts[:count]) for count in range(len(parts), -1, -1)]
            masks = itertools.product((True, False), repeat=len(parts))
            return [_joined([part for part, kept in zip(parts, mask, strict=True) if kept]) for mask in masks]
        return [self._set(node)]

    def _in_sets(self, node: Any) -> list[Keys]:
        if isinstance(node, exp.GroupingSets | exp.Cube | exp.Rollup):
            return self.element(node)
        return [self._set(node)]

    def _set(self, node: Any) -> Keys:
        if isinstance(node, exp.Tuple):
            return tuple(self._key(item) for item in node.expressions)
        return (self._key(node.this if isinstance(node, exp.Paren) else node),)

    def _key(self, node: Any) -> str:
        if isinstance(node, exp.Literal) and node.is_int:
            at = int(node.name)
            if not 1 <= at <= len(self.select.expressions):
                raise QueryError(
                    "INVALID_COLUMN_REFERENCE",
                    f"GROUP BY position {at} is not in select list",
                    start_of(node, self.each.sql),
                )
            item = self.select.expressions[at - 1]
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                raise unsupported("GROUP BY position of *", start_of(node, self.each.sql))
            if has_aggregate(item):
                raise QueryError(
                    "EXPRESSION_NOT_SCALAR", f"GROUP BY position {at} is an aggregation", start_of(node, self.each.sql)
                )
            node = item.this if isinstance(item, exp.Alias) else item
        value = self.each.value(node)
        if value.constant is not None:
            return value.sql if not value.sql.lstrip("-").isdigit() else f"CAST({value.sql} AS {value.type.physical})"
        return operators.group_key(value)


def _joined(parts: list[Keys]) -> Keys:
    return tuple(key for part in parts for key in part)


def has_aggregate(node: exp.Expr) -> bool:
    """Whether an aggregate is called in an expression, outside subqueries and not as a window function."""
    if isinstance(node, exp.Query):
        return False
    if isinstance(node, exp.Window):
        inner = node.this
        while isinstance(inner, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
            inner = inner.this
        others = [child for child in node.iter_expressions() if child is not node.this]
        return any(has_aggregate(child) for child in (*inner.iter_expressions(), *others))
    if isinstance(node, exp.GroupConcat):
        return True
    if isinstance(node, exp.Anonymous):
        rows = TABLE.get(node.name.lower(), [])
        if any(row.kind == AGGREGATE for row in rows) or node.name.lower() == "grouping":
            return True
    return any(has_aggregate(child) for child in node.iter_expressions())
