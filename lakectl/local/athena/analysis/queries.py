"""SELECT, VALUES, set operations and WITH: a query's columns, and the SQL that computes them.

Every query gives its columns the names c0, c1 …: no name that a person wrote reaches DuckDB.
https://trino.io/docs/current/sql/select.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import casts, correlation, grouping, operators, output
from lakectl.local.athena.analysis.expressions import Expressions
from lakectl.local.athena.analysis.relations import Relations
from lakectl.local.athena.analysis.scope import Scope
from lakectl.local.athena.analysis.storage import quoted
from lakectl.local.athena.analysis.values import Value, start_of, unsupported
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.scoping import CTE
from lakectl.local.athena.sqltypes import Type

_STEP = re.compile(re.escape(CTE) + r"\d+_(\d+)")


@dataclass(frozen=True)
class Column:
    """``name`` in lower case and ``shown`` as written; None: the column has no name."""

    name: str | None
    shown: str | None
    type: Type
    zone: str | None = None  # of a timestamp with time zone that has one zone in all rows


@dataclass(frozen=True)
class Query:
    sql: str
    columns: list[Column]


@dataclass
class Queries:
    """Analyzes the queries of one statement. ``sources``: the tables, by the names that stand for them."""

    sql: str
    sources: dict[str, Any]
    token: str = ""  # stands around the name of a source in the SQL
    ctes: dict[str, list[Column]] = field(default_factory=dict)
    names: correlation.Names = field(default_factory=correlation.Names)

    def __post_init__(self) -> None:
        self.relations = Relations(self)

    def nested(self, each: Expressions, node: exp.Expr, kind: str) -> Query:
        """A subquery within an expression; ``kind``: how its rows are used, a method of ``correlation.Judge``."""
        if each.in_lambda:
            raise QueryError("NOT_SUPPORTED", "Lambda expression cannot contain subqueries", each.start(node))
        each.found.subqueries += 1
        query = node.this if isinstance(node, exp.Subquery) and not _modified(node) else node
        found = self.query(query, each.scope)
        correlation.check(self.names, kind, query, each.scope, self.sql)
        return found

    def query(self, node: Any, parent: Scope | None) -> Query:
        clause = node.args.get("with_")
        prefix = self._with(clause, parent) if clause is not None else ""
        if isinstance(node, exp.Select):
            query = self._select(node, parent)
        elif isinstance(node, exp.SetOperation):
            query = self._modified(node, self._set_operation(node, parent), parent)
        elif isinstance(node, exp.Values):
            query = self._modified(node, self._values(node, parent), parent)
        elif isinstance(node, exp.Subquery):
            query = self._modified(node, self.query(node.this, parent), parent)
        else:
            raise unsupported(f"{type(node).__name__.upper()} as a query", start_of(node, self.sql))
        return Query(prefix + query.sql, query.columns)

    def _with(self, clause: exp.With, parent: Scope | None) -> str:
        parts = []
        for cte in clause.expressions:
            if not isinstance(cte, exp.CTE) or not isinstance(cte.this, exp.Query | exp.Values):
                raise unsupported("WITH of anything but a query", start_of(cte, self.sql))
            query = self.query(cte.this, parent)
            name, columns = cte.alias, query.columns
            listed = cte.args["alias"].args.get("columns") or []
            if listed and len(listed) != len(columns):
                raise QueryError(
                    "MISMATCHED_COLUMN_ALIASES",
                    f"WITH column alias list has {len(listed)} entries but WITH query has {len(columns)} columns",
                )
            if listed:
                columns = [
                    Column(written.name.lower(), written.name, column.type, column.zone)
                    for written, column in zip(listed, columns, strict=True)
                ]
            step = _STEP.fullmatch(name)
            if step and step[1] != "0":
                query, columns = self._step(query, columns, name)
            self.ctes[name] = columns
            materialized = "MATERIALIZED " if cte.args.get("materialized") else ""
            parts.append(f"{quoted(name)} AS {materialized}({query.sql})")
        return f"WITH {', '.join(parts)} "

    def _step(self, query: Query, columns: list[Column], name: str) -> tuple[Query, list[Column]]:
        """A step of a recursion gives the types of its base."""
        base = self.ctes[f"{name.rpartition('_')[0]}_0"]
        for index, (given, wanted) in enumerate(zip(columns, base, strict=False), start=1):
            if not sqltypes.coerces(given.type, wanted.type):
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"recursion step relation output type ({given.type}) is not coercible to recursion base relation "
                    f"output type ({wanted.type}) at column {index}",
                )
        types = [column.type for column in base]
        return Query(converted(query, types), columns), base

    def _values(self, node: exp.Values, parent: Scope | None) -> Query:
        each = Expressions(self, Scope([], parent), "VALUES")
        rows = []
        for item in node.expressions:
            parts = each.values(item.expressions if isinstance(item, exp.Tuple) else [item])
            if len(parts) == 1 and parts[0].type.name == "row":  # its fields are the columns
                fields = parts[0].type.items
                parts = [Value(f"({parts[0].sql}).f{at}", kind) for at, kind in enumerate(fields)]
            rows.append(parts)
        if len({len(row) for row in rows}) != 1:
            raise QueryError("TYPE_MISMATCH", "Values rows have mismatched sizes", start_of(node, self.sql))
        kinds = [_common(list(column), "Values", start_of(node, self.sql)) for column in zip(*rows, strict=True)]
        lines = [
            "(" + ", ".join(casts.coerce(value, kind).sql for value, kind in zip(row, kinds, strict=True)) + ")"
            for row in rows
        ]
        names = ", ".join(f'"c{at}"' for at in range(len(kinds)))
        zones = [_one_zone(list(column)) for column in zip(*rows, strict=True)]
        first = [f'CAST(v.c{at} AS {kind.physical}) AS "c{at}"' for at, kind in enumerate(kinds)]
        sql = f"SELECT {', '.join(first)} FROM (VALUES {', '.join(lines)}) AS v({names})"  # noqa: S608
        return Query(sql, [Column(None, None, kind, zone) for kind, zone in zip(kinds, zones, strict=True)])

    def _set_operation(self, node: exp.SetOperation, parent: Scope | None) -> Query:
        left, right = self.query(node.this, parent), self.query(node.expression, parent)
        word = type(node).__name__.upper()
        if len(left.columns) != len(right.columns):
            raise QueryError(
                "TYPE_MISMATCH",
                f"{word} query has different number of fields: {len(left.columns)}, {len(right.columns)}",
                start_of(node.expression, self.sql),
            )
        kinds, columns = [], []
        for index, (one, other) in enumerate(zip(left.columns, right.columns, strict=True), start=1):
            kind = sqltypes.common(one.type, other.type)
            if kind is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"column {index} in {word} query has incompatible types: {one.type}, {other.type}",
                    start_of(node.expression, self.sql),
                )
            kinds.append(kind)
            columns.append(Column(one.name, one.shown, kind, one.zone if one.zone == other.zone else None))
        distinct = node.args.get("distinct") is not False
        if distinct or word != "UNION":
            for column in columns:
                operators.group_key(Value('"c"', column.type, zone=column.zone))
        everything = "" if distinct else " ALL"
        sql = f"({converted(left, kinds)}) {word}{everything} ({converted(right, kinds)})"
        return Query(f"SELECT * FROM ({sql})", columns)  # noqa: S608

    def _modified(self, node: Any, query: Query, parent: Scope | None) -> Query:
        """ORDER BY, LIMIT and OFFSET behind a set operation, VALUES or parentheses: they see its columns only."""
        if not _modified(node):
            return query
        own = self.relations.fresh()
        items = [
            output.Item(column.name, column.shown, Value(f'{own}."c{at}"', column.type, zone=column.zone, simple=True))
            for at, column in enumerate(query.columns)
        ]
        each = Expressions(self, Scope([], parent))
        order = output.order_by(node, each, items, distinct=False)
        body = f"FROM ({query.sql}) AS {own}"
        return Query(output.limited(node, items, body, order, "", each), query.columns)

    def _select(self, node: exp.Select, parent: Scope | None) -> Query:
        relation = self.relations.from_clause(node, parent)
        scope = Scope(relation.fields, parent)
        body = f"FROM {relation.sql}" if relation.sql else ""
        where = node.args.get("where")
        if where is not None:
            message = "WHERE clause must evaluate to a boolean: actual type {}"
            body += f" WHERE {Expressions(self, scope, 'WHERE clause').boolean(where.this, message).sql}"
        each = Expressions(self, scope)
        each.named_windows = {
            window.this.name.lower(): window for window in node.args.get("windows") or [] if window.this is not None
        }
        grouped = grouping.group_by(self, node, scope)
        if grouped is not None:
            each.scope = Scope(relation.fields, parent, keys=grouped.keys)
            body += grouped.sql
        items = output.items(node, each)
        having = node.args.get("having")
        if having is not None:
            body += " HAVING " + output.having(having, each)
        distinct = node.args.get("distinct")
        if distinct is not None:
            if distinct.args.get("on") is not None:
                raise unsupported("DISTINCT ON", start_of(node, self.sql))
            for item in items:
                operators.group_key(item.value)
        order = output.order_by(node, each, items, distinct=distinct is not None)
        sql = output.limited(node, items, body, order, "DISTINCT " if distinct is not None else "", each)
        columns = [Column(item.name, item.shown, item.value.type, _zone_of(item.value)) for item in items]
        return Query(sql, columns)


def converted(query: Query, kinds: list[Type]) -> str:
    """The query with its columns as ``kinds``."""
    if all(casts.same_physical(column.type, kind) for column, kind in zip(query.columns, kinds, strict=True)):
        return query.sql
    parts = [
        f"{casts.coerce(Value(f's.c{at}', column.type), kind).sql} AS c{at}"
        for at, (column, kind) in enumerate(zip(query.columns, kinds, strict=True))
    ]
    return f"SELECT {', '.join(parts)} FROM ({query.sql}) AS s"  # noqa: S608


def _modified(node: exp.Expr) -> bool:
    return any(node.args.get(clause) for clause in ("order", "limit", "offset"))


def _common(values: list[Value], what: str, position: Any) -> Type:
    return operators.conditional_type(values, f"{what} rows", position)


def _zone_of(value: Value) -> str | None:
    return value.zone if value.zone is not None and value.zone.startswith("'") else None


def _one_zone(values: list[Value]) -> str | None:
    zones = {_zone_of(value) for value in values}
    return zones.pop() if len(zones) == 1 else None
