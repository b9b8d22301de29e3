"""Correlated subqueries that Trino plans no join for: "Given correlated subquery is not supported".

The rules of Trino 440's PlanNodeDecorrelator and of the Transform…Subquery rules beside it (core/trino-main,
io.trino.sql.planner), on the statement's tree. A column from outside may stand in WHERE of the subquery; what stands
between it and the outer query must keep the rows of different outer rows apart. An array from outside may be unnested,
and nothing may filter its rows. What these rules can't judge is taken: nested subqueries, joins of correlated
relations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from lakectl.local.athena.analysis import clauses
from lakectl.local.athena.analysis.grouping import has_aggregate
from lakectl.local.athena.analysis.scope import Field, Scope
from lakectl.local.athena.analysis.values import start_of
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import Type
from lakectl.local.athena.statements import position_of

_SELECT = re.compile(r"\b(?:SELECT|VALUES|TABLE)\b", re.I)


class _Unknown(Exception):
    """A shape that these rules don't judge."""


class _Refused(Exception):
    """Trino makes no join of it."""


@dataclass
class Names:
    """What the columns of a statement were found to be: (node, its field, the scope that has it)."""

    found: dict[int, tuple[exp.Expr, Field, Scope]] = field(default_factory=dict)
    derived: dict[int, str] = field(default_factory=dict)  # id of a subquery in FROM -> its name in the SQL

    def keep(self, node: exp.Expr, column: Field, owner: Scope) -> None:
        self.found[id(node)] = (node, column, owner)


@dataclass(frozen=True)
class _Plan:
    """Rows of a subquery without its correlated predicates.

    ``pulled``: columns that those name; ``constant``: those with one value for each outer row; ``single``: at most one
    row for each outer row, ``few``: in all. ``tainted``: a column from outside is left above the predicates.
    """

    correlated: bool = False
    pulled: frozenset[str] = frozenset()
    constant: frozenset[str] = frozenset()
    single: bool = False
    few: bool = False
    tainted: bool = False
    columns: tuple[str | None, ...] = ()


@dataclass
class Judge:
    """``scope``: where the subquery stands; its columns and those of its parents are from outside."""

    names: Names
    scope: Scope
    aliases: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._outside: set[int] = set()
        scope: Scope | None = self.scope
        while scope is not None:
            self._outside.add(id(scope))
            scope = scope.parent

    def scalar(self, query: Any) -> None:
        self._single_or(query, grouped=False)

    def lateral(self, query: Any) -> None:
        self._single_or(query, grouped=True)

    def exists(self, query: Any) -> None:
        select = _plain(query)
        if not isinstance(select, exp.Select):
            return self._set_operation(query)
        if (clauses.is_global(select) and not select.args.get("having")) or not select.args.get("from_"):
            return None
        if any(select.find_all(exp.Window)):
            raise _Unknown
        self._kept(self._select(select, output=False))
        return None

    def membership(self, query: Any) -> None:
        """IN: rows may be filtered and projected, and nothing else (TransformCorrelatedInPredicateToJoin)."""
        select = _plain(query)
        if not isinstance(select, exp.Select):
            return self._set_operation(query)
        if any(self._outer(item) for item in select.expressions):
            raise _Refused
        if not self._outer(select):
            return None
        limited = any(select.args.get(clause) for clause in ("limit", "offset"))
        if limited or clauses.is_grouped(select) or select.args.get("distinct") or clauses.windows(select):
            raise _Refused
        relation = select.args["from_"].this if select.args.get("from_") else None
        if isinstance(relation, exp.Unnest) and self._outer(relation):
            raise _Refused
        inner = self._correlated_relation(select)
        if inner is not None:
            self.membership(inner.this)
        return None

    def compared(self, query: Any) -> None:
        """``< ALL``, ``> ANY`` …: the least and the greatest of the rows are compared."""
        select = _plain(query)
        if not isinstance(select, exp.Select):
            return self._set_operation(query)
        self._kept(self._select(select))
        return None

    def _single_or(self, query: Any, *, grouped: bool) -> None:
        select = _plain(query)
        if not isinstance(select, exp.Select):
            return self._set_operation(query)
        rows = select.args.get("from_")
        if rows is None and not select.args.get("where") and not clauses.is_grouped(select):
            return None  # one row, which a projection gives
        if clauses.windows(select) and any(map(self._outer, select.find_all(exp.Window))):
            raise _Unknown
        if clauses.is_global(select) and not select.args.get("having"):
            if any(self._outer(call) for item in select.expressions for call in clauses.aggregates(item)):
                raise _Refused
            return self._kept(self._filtered(select))
        if grouped and (
            select.args.get("distinct") or (clauses.is_grouped(select) and not clauses.several_sets(select))
        ):
            raise _Unknown  # aggregated above the join
        inner = self._correlated_relation(select)
        if inner is not None and clauses.only_projects(select) and not any(map(self._outer, select.expressions)):
            return self._single_or(inner.this, grouped=grouped)
        return self._kept(self._select(select))

    def _kept(self, plan: _Plan) -> None:
        if plan.tainted:
            raise _Refused

    def _set_operation(self, query: Any) -> None:
        if isinstance(query, exp.SetOperation) and self._outer(query):
            raise _Refused

    def _select(self, select: exp.Select, *, output: bool = True) -> _Plan:
        """What is left of a query when its correlated predicates are pulled up. Raises _Refused where that can't be."""
        plan = self._filtered(select)
        items = [clauses.unaliased(item) for item in select.expressions]
        if clauses.is_grouped(select):
            plan = self._aggregated(plan, self._keys(select), several=clauses.several_sets(select))
            if any(self._outer(call) for item in items for call in clauses.aggregates(item)):
                raise _Refused
            if select.args.get("having"):
                plan = self._filter(plan, select.args["having"].this)
        elif clauses.windows(select) and plan.correlated:
            raise _Refused
        if output and any(map(self._outer, items)):
            if plan.few and not plan.correlated:
                raise _Unknown
            plan = replace(plan, tainted=True)
        if select.args.get("distinct"):
            plan = self._aggregated(plan, [self._symbol(item) for item in items], several=False)
        plan = self._limited(plan, select, items)
        return replace(plan, columns=tuple(self._symbol(item) for item in items))

    def _limited(self, plan: _Plan, select: exp.Select, items: list[Any]) -> _Plan:
        limit = select.args.get("limit")
        if not plan.correlated:
            return plan
        if select.args.get("offset"):
            raise _Refused
        if limit is None:
            return plan
        count = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.expression
        options = limit.args.get("limit_options")
        if options is not None and options.args.get("with_ties"):
            raise _Refused
        number = 1 if count is None else int(count.name) if isinstance(count, exp.Literal) and count.is_int else 0
        if number == 0:
            raise _Unknown
        if plan.single or plan.few:
            return plan
        order = select.args.get("order")
        if order is not None:
            if any(map(self._outer, order.expressions)):
                raise _Refused
            if not plan.pulled <= plan.constant:
                raise _Refused
            return replace(plan, single=number == 1)
        if number > 1:
            if not plan.pulled <= plan.constant:
                raise _Refused
            return plan
        needed = {symbol for item in items for symbol in self._symbols(item)} | plan.pulled
        if any(has_aggregate(item) for item in items) or not plan.constant or not needed <= plan.constant:
            raise _Refused
        return replace(plan, single=True)

    def _filtered(self, select: exp.Select) -> _Plan:
        """FROM and WHERE."""
        plan = self._relation(select)
        for join in select.args.get("joins") or []:
            condition = join.args.get("on")
            if condition is None or not self._outer(condition):
                continue
            if str(join.args.get("side") or ""):
                raise _Unknown
            plan = self._filter(plan, condition)
        where = select.args.get("where")
        return plan if where is None else self._filter(plan, where.this)

    def _relation(self, select: exp.Select) -> _Plan:
        inner = self._correlated_relation(select)
        if inner is None:
            clause = select.args.get("from_")
            return _Plan(few=clause is None or (not select.args.get("joins") and clauses.one_row(clause.this)))
        query = _plain(inner.this)
        own = self.names.derived.get(id(inner))
        if not isinstance(query, exp.Select) or own is None or inner.args.get("alias") is None:
            raise _Unknown
        plan = self._select(query)
        for at, symbol in enumerate(plan.columns):
            if symbol is not None:
                self.aliases[f'{own}."c{at}"'] = symbol
        return plan

    def _correlated_relation(self, select: exp.Select) -> Any:
        """The subquery in FROM that names columns from outside; None: none does."""
        clause = select.args.get("from_")
        relations = [clause.this] if clause is not None else []
        relations += [join.this for join in select.args.get("joins") or []]
        found = [each for each in relations if self._outer(each)]
        if not found:
            return None
        if len(relations) == 1 and isinstance(found[0], exp.Unnest):
            self._unnested(select)
        if len(relations) > 1 or not isinstance(found[0], exp.Subquery) or found[0].args.get("joins"):
            raise _Unknown
        return found[0]

    def _unnested(self, select: exp.Select) -> None:
        """Rows of an array from outside: aggregated, projected, limited, but not filtered (DecorrelateUnnest)."""
        calls = [call for item in select.expressions for call in clauses.aggregates(item)]
        if select.args.get("where") or (calls and all(call.find(exp.Filter) is not None for call in calls)):
            raise _Refused

    def _filter(self, plan: _Plan, predicate: Any) -> _Plan:
        pulled, constant = set(plan.pulled), set(plan.constant)
        correlated = plan.correlated
        for conjunct in clauses.conjuncts(predicate):
            if not self._outer(conjunct):
                continue
            if any(conjunct.find_all(exp.Query)):
                raise _Unknown
            correlated = True
            pulled |= set(self._symbols(conjunct))
            constant |= set(self._constants(conjunct))
        return replace(plan, correlated=correlated, pulled=frozenset(pulled), constant=frozenset(constant))

    def _aggregated(self, plan: _Plan, keys: list[str | None], *, several: bool) -> _Plan:
        if not plan.correlated:
            return plan
        if several or not keys:
            raise _Refused
        if not plan.pulled - set(keys) <= plan.constant:
            raise _Refused
        return replace(plan, single=all(key in plan.constant for key in keys))

    def _keys(self, select: exp.Select) -> list[str | None]:
        group = select.args.get("group")
        keys = []
        for key in group.expressions if group is not None else []:
            while isinstance(key, exp.Paren) or (isinstance(key, exp.Tuple) and len(key.expressions) == 1):
                key = key.this if isinstance(key, exp.Paren) else key.expressions[0]
            if isinstance(key, exp.Literal) and key.is_int:
                key = clauses.unaliased(select.expressions[int(key.name) - 1])
            if self._outer(key):
                raise _Unknown
            keys.append(self._symbol(key))
        return keys

    def _constants(self, conjunct: Any) -> Iterator[str]:
        if not isinstance(conjunct, exp.EQ):
            return
        for one, other in ((conjunct.this, conjunct.expression), (conjunct.expression, conjunct.this)):
            inner = one
            while isinstance(inner, exp.Paren | exp.Cast):
                inner = inner.this
            symbol = self._symbol(inner)
            if symbol is None or self._outer(one) or list(self._symbols(other)) or not self._outer(other):
                continue
            if isinstance(other, exp.Column) and _loses(self._type(inner), self._type(other)):
                continue
            yield symbol

    def _type(self, node: exp.Expr) -> Type | None:
        found = self.names.found.get(id(node))
        return found[1].type if found else None

    def _symbol(self, node: Any) -> str | None:
        """A column of the subquery; None: it is no column alone."""
        found = self.names.found.get(id(node))
        if found is None or id(found[2]) in self._outside:
            return None
        return self.aliases.get(found[1].value.sql, found[1].value.sql)

    def _symbols(self, node: exp.Expr) -> Iterable[str]:
        return [symbol for part in node.walk() if (symbol := self._symbol(part)) is not None]

    def _outer(self, node: exp.Expr) -> bool:
        return any(
            found is not None and id(found[2]) in self._outside
            for found in (self.names.found.get(id(part)) for part in node.walk())
        )


def check(names: Names, kind: str, query: Any, scope: Scope, sql: str) -> None:
    """``kind``: the Judge's method for where ``query`` stands. Raises QueryError for what Trino refuses."""
    try:
        getattr(Judge(names, scope), kind)(query)
    except _Unknown:
        return
    except _Refused:
        message = "Given correlated subquery is not supported"
        raise QueryError("NOT_SUPPORTED", message, _place(query, sql)) from None


def _place(query: Any, sql: str) -> tuple[int, int] | None:
    """Where its SELECT stands, which is no node of the tree."""
    first = start_of(query, sql)
    if first is None:
        return None
    at = sum(len(line) + 1 for line in sql.split("\n")[: first[0] - 1]) + first[1] - 1
    words = [found.start() for found in _SELECT.finditer(sql, 0, at)]
    return position_of(sql, words[-1]) if words else first


def _plain(query: Any) -> Any:
    while isinstance(query, exp.Subquery | exp.Paren) and not any(
        query.args.get(clause) for clause in ("order", "limit", "offset", "joins")
    ):
        query = query.this
    if query.args.get("with_"):
        raise _Unknown
    return query


def _loses(given: Type | None, other: Type | None) -> bool:
    """Whether comparing the two makes another number of a different one, as DOUBLE does with BIGINT."""
    if given is None or other is None:
        return False
    if other.name == "double":
        return given.name in ("bigint", "decimal")
    return other.name == "real" and given.name in ("integer", "bigint", "decimal")
