"""Which clauses a query has, for the rules of correlated subqueries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from lakectl.local.athena.analysis.grouping import has_aggregate


def unaliased(item: Any) -> Any:
    return item.this if isinstance(item, exp.Alias) else item


def conjuncts(predicate: Any) -> list[Any]:
    while isinstance(predicate, exp.Paren):
        predicate = predicate.this
    if isinstance(predicate, exp.And):
        return [*conjuncts(predicate.this), *conjuncts(predicate.expression)]
    return [predicate]


def is_grouped(select: exp.Select) -> bool:
    return bool(select.args.get("group") or select.args.get("having")) or any(map(has_aggregate, select.expressions))


def is_global(select: exp.Select) -> bool:
    return is_grouped(select) and not select.args.get("group")


def several_sets(select: exp.Select) -> bool:
    group = select.args.get("group")
    return group is not None and group.find(exp.GroupingSets, exp.Rollup, exp.Cube) is not None


def windows(select: exp.Select) -> bool:
    return any(item.find(exp.Window) is not None for item in select.expressions)


def only_projects(select: exp.Select) -> bool:
    clauses = ("where", "group", "having", "order", "limit", "offset", "distinct")
    return not any(select.args.get(clause) for clause in clauses) and not windows(select)


def aggregates(item: exp.Expr) -> Iterator[exp.Expr]:
    """The outermost parts of an item in which an aggregate is called with all that it is given."""
    if isinstance(item, exp.Query) or not has_aggregate(item):
        return
    inner = [child for child in item.iter_expressions() if has_aggregate(child)]
    if not inner or isinstance(item, exp.Filter):
        yield item
        return
    for child in inner:
        yield from aggregates(child)


def one_row(relation: Any) -> bool:
    while isinstance(relation, exp.Subquery):
        relation = relation.this
    return isinstance(relation, exp.Values) and len(relation.expressions) == 1
