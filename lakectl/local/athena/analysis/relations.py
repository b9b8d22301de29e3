"""What stands in FROM: tables, subqueries, UNNEST, LATERAL and joins of them.

https://trino.io/docs/current/sql/select.html#from-clause
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import casts, correlation, operators, storage
from lakectl.local.athena.analysis.expressions import Expressions
from lakectl.local.athena.analysis.scope import Field, Scope
from lakectl.local.athena.analysis.storage import quoted
from lakectl.local.athena.analysis.values import Value, start_of, unsupported
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.scoping import CTE
from lakectl.local.athena.sqltypes import BIGINT, Type

if TYPE_CHECKING:
    from lakectl.local.athena.analysis.queries import Queries


@dataclass(frozen=True)
class Relation:
    """SQL that stands in FROM, and the columns that may be named."""

    sql: str
    fields: list[Field]
    lateral: bool = False


class Relations:
    def __init__(self, queries: Queries) -> None:
        self.queries = queries
        self.sql = queries.sql
        self._count = 0

    def fresh(self) -> str:
        self._count += 1
        return f"r{self._count}"

    def from_clause(self, select: exp.Select, parent: Scope | None) -> Relation:
        clause = select.args.get("from_")
        if select.args.get("laterals"):
            raise unsupported("LATERAL VIEW")
        if clause is None:
            return Relation("", [])
        return self._joined(self.item(clause.this, [], parent), select.args.get("joins") or [], parent)

    def _joined(self, relation: Relation, joins: list[Any], parent: Scope | None) -> Relation:
        for join in joins:
            relation = self._join(relation, join, parent)
        return relation

    def item(self, node: Any, left: list[Field], parent: Scope | None) -> Relation:
        """One item; ``left``: the columns that LATERAL and UNNEST may name."""
        if isinstance(node, exp.Table):
            relation = self._table(node)
        elif isinstance(node, exp.Subquery):
            if isinstance(node.this, exp.Table | exp.Subquery) and not isinstance(node.this, exp.Query):
                relation = self.item(node.this, left, parent)
            else:
                relation = self._subquery(node, node, parent)
        elif isinstance(node, exp.Lateral):
            scope = Scope(left, parent)
            if isinstance(node.this, exp.Unnest):
                relation = self._unnest(node.this, node.args.get("alias"), scope)
            else:
                relation = replace(self._subquery(node.this, node, scope), lateral=True)
                correlation.check(self.queries.names, "lateral", node.this, scope, self.sql)
        elif isinstance(node, exp.Unnest):
            relation = self._unnest(node, node.args.get("alias"), Scope(left, parent))
        elif isinstance(node, exp.Values):
            relation = self._subquery(node, node, parent)
        elif isinstance(node, exp.Paren):
            relation = self.item(node.this, left, parent)
        else:
            raise unsupported(f"{type(node).__name__.upper()} in FROM", start_of(node, self.sql))
        joins = node.args.get("joins") or []
        if joins:
            inner = self._joined(relation, joins, parent)
            return Relation(f"({inner.sql})", inner.fields)
        return relation

    def _sequence(self, node: exp.Table) -> Relation:
        """TABLE(sequence(start => 0, stop => 10, step => 2))."""
        each = Expressions(self.queries, Scope([]), "TABLE")
        call = node.this.expressions[0]
        given: dict[str, str | None] = {"start": "0", "stop": None, "step": "1"}
        for at, argument in enumerate(call.expressions):
            named = isinstance(argument, exp.Kwarg)
            name = argument.this.name.lower() if named else ("start", "stop", "step")[at]
            value = each.value(argument.expression if named else argument)
            if name not in given or not value.type.is_integral or value.constant is None:
                raise unsupported("the table function sequence with these arguments", start_of(node, self.sql))
            given[name] = str(value.constant)
        own, step = self.fresh(), int(given["step"] or 1)
        if given["stop"] is None or step == 0:
            raise unsupported("the table function sequence with these arguments", start_of(node, self.sql))
        alias = node.args["alias"].name.lower() if node.args.get("alias") else None
        stop = int(given["stop"]) + (1 if step > 0 else -1)
        sql = f"(SELECT range AS c0 FROM range({given['start']}, {stop}, {step})) AS {own}"  # noqa: S608
        column = Field("sequential_number", "sequential_number", Value(f"{own}.c0", BIGINT, simple=True), alias)
        columns = _alias_columns(node)
        return Relation(sql, _renamed([column], columns, alias or "") if columns else [column])

    def _table(self, node: exp.Table) -> Relation:
        if not isinstance(node.this, exp.Identifier):
            return self._sequence(node)
        alias = node.args["alias"].name if node.args.get("alias") else node.name
        sample = _sample(node.args.get("sample"))
        for clause in ("pivots", "hints", "ordinality", "match_recognize", "rows_from"):
            if node.args.get(clause):
                raise unsupported(f"{clause.upper().rstrip('S')} in FROM", start_of(node, self.sql))
        if node.name.startswith(CTE) and node.name in self.queries.ctes:
            return self._alias(node, f"{quoted(node.name)}", self.queries.ctes[node.name], alias, sample)
        source = self.queries.sources[node.name]
        own = self.fresh()
        fields = [
            Field(name, name, value, alias.lower(), node.meta.get("database"), name in source.hidden, alias)
            for name, value in _values(source, own)
        ]
        columns = _alias_columns(node)
        if columns:
            fields = _renamed(fields, columns, alias)
        return Relation(f"{self.queries.token}{node.name}{self.queries.token} AS {own}{sample}", fields)

    def _alias(self, node: exp.Expr, relation: str, columns: list[Any], alias: str | None, sample: str) -> Relation:
        own = self.fresh()
        self.queries.names.derived[id(node)] = own
        fields = [
            Field(
                column.name,
                column.shown,
                Value(f'{own}."c{at}"', column.type, zone=column.zone, simple=True),
                alias.lower() if alias else None,
            )
            for at, column in enumerate(columns)
        ]
        renamed = _alias_columns(node)
        if renamed:
            fields = _renamed(fields, renamed, alias or "")
        return Relation(f"{relation} AS {own}{sample}", fields)

    def _subquery(self, node: Any, named: exp.Expr, parent: Scope | None) -> Relation:
        query = self.queries.query(node, parent)
        alias = named.args.get("alias")
        name = alias.name if alias is not None and alias.this is not None else None
        lateral = "LATERAL " if isinstance(named, exp.Lateral) else ""
        return self._alias(named, f"{lateral}({query.sql})", query.columns, name, _sample(named.args.get("sample")))

    def _unnest(self, node: exp.Unnest, alias: Any, scope: Scope) -> Relation:
        each = Expressions(self.queries, scope, "UNNEST")
        values = [self._unnestable(each, argument) for argument in node.expressions]
        columns = _unnest_columns(node, alias)
        widths = [len(_parts("u", value.type, True)) for value in values]
        ordinal = bool(node.args.get("offset"))
        # AWS's guide gives the rows of an array one name: UNNEST(users) AS t(person), then person.name.
        expand = not columns or len(columns) == sum(widths) + ordinal
        arrays: list[str] = []
        outer: list[tuple[str, Type]] = []
        lengths: list[str] = []
        for value in values:
            lists = (
                [value.sql]
                if value.type.name == "array"
                else [f"map_{part}({value.sql})" for part in ("keys", "values")]
            )
            own_name = f"u{len(arrays)}"
            if len(lists) == 1:
                outer += _parts(own_name, value.type, expand)
            else:
                outer += [(f"u{len(arrays) + at}", item) for at, item in enumerate(value.type.items)]
            for sql in lists:
                arrays.append(f"unnest({sql}) AS u{len(arrays)}")
            lengths.append(f"coalesce(len({lists[0]}), 0)")
        if ordinal:
            longest = lengths[0] if len(lengths) == 1 else f"greatest({', '.join(lengths)})"
            arrays.append(f"unnest(range(1, CAST({longest} AS BIGINT) + 1)) AS u{len(arrays)}")
            outer.append((f"u{len(arrays) - 1}", BIGINT))
        shown = ", ".join(f'{sql} AS "c{at}"' for at, (sql, _) in enumerate(outer))
        own = self.fresh()
        relation = f"LATERAL (SELECT {shown} FROM (SELECT {', '.join(arrays)})) AS {own}"  # noqa: S608
        name = alias.name.lower() if alias is not None and alias.this is not None else None
        named = [each for value in values for each in _names(value.type, expand)] + [None] * ordinal
        fields = [
            Field(each and each.lower(), each, Value(f'{own}."c{at}"', kind, simple=True), name)
            for at, ((_, kind), each) in enumerate(zip(outer, named, strict=True))
        ]
        if columns:
            fields = _renamed(fields, columns, name or "")
        return Relation(relation, fields, lateral=True)

    def _unnestable(self, each: Expressions, argument: exp.Expr) -> Value:
        value = each.value(argument)
        if value.type.name not in ("array", "map"):
            raise QueryError("TYPE_MISMATCH", f"Cannot unnest type: {value.type}", start_of(argument, self.sql))
        return value

    def _join(self, left: Relation, join: exp.Join, parent: Scope | None) -> Relation:
        right = self.item(join.this, left.fields, parent)
        side, kind = str(join.args.get("side") or "").upper(), str(join.args.get("kind") or "").upper()
        if kind not in ("", "CROSS", "INNER", "OUTER") or join.args.get("match_condition") is not None:
            raise unsupported(f"{kind} JOIN", start_of(join, self.sql))
        names = [name.name.lower() for name in join.args.get("using") or []]
        if str(join.args.get("method") or "").upper() == "NATURAL":
            raise QueryError("NOT_SUPPORTED", "Natural join not supported", start_of(join, self.sql))
        if join.args.get("method"):
            raise unsupported(f"{join.args['method']} JOIN", start_of(join, self.sql))
        if names:
            return self._using(left, right, names, side, join)
        condition = join.args.get("on")
        if condition is None:
            return Relation(f"{left.sql} CROSS JOIN {right.sql}", [*left.fields, *right.fields])
        scope = Scope([*left.fields, *right.fields], parent)
        message = "JOIN ON clause must evaluate to a boolean: actual type {}"
        test = Expressions(self.queries, scope, "JOIN clause").boolean(condition, message)
        if right.lateral:
            side = self._lateral_side(join, condition, side, test.sql == "true")
        sql = f"{left.sql} {side or 'INNER'} JOIN {right.sql} ON {test.sql}"
        return Relation(sql, [*left.fields, *right.fields])

    def _lateral_side(self, join: exp.Join, condition: exp.Expr, side: str, always: bool) -> str:
        """The side of a join with UNNEST or LATERAL: without rows on the left, there are none on the right."""
        unnest = isinstance(join.this, exp.Unnest) or isinstance(join.this.this, exp.Unnest)
        position = start_of(condition, self.sql)
        if not always and (unnest or side == "FULL"):
            what = "UNNEST" if unnest else "LATERAL relation"
            raise QueryError(
                "NOT_SUPPORTED",
                f"{side or 'INNER'} JOIN involving {what} is only supported with condition ON TRUE",
                position,
            )
        if not always and side == "RIGHT":
            raise unsupported("RIGHT JOIN LATERAL with a condition", position)
        return {"RIGHT": "", "FULL": "LEFT"}.get(side, side)

    def _using(self, left: Relation, right: Relation, names: list[str], side: str, join: exp.Join) -> Relation:
        tests, shared = [], []
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise QueryError(
                "DUPLICATE_COLUMN_NAME",
                f"Column '{twice}' appears multiple times in USING clause",
                start_of(join, self.sql),
            )
        for name in names:
            one, other = (self._only(relation.fields, name, join) for relation in (left, right))
            kind = sqltypes.common(one.type, other.type)
            if kind is None:
                raise QueryError(
                    "TYPE_MISMATCH", f"Column types in JOIN USING do not match: {name}: {one.type} vs {other.type}"
                )
            tests.append(operators.compare("=", one.value, other.value, None).sql)
            pair = [casts.coerce(each.value, kind) for each in (one, other)]
            value = {"RIGHT": pair[1], "FULL": Value(f"coalesce({pair[0].sql}, {pair[1].sql})", kind)}.get(
                side, pair[0]
            )
            shared.append(Field(name, one.shown, value))
        rest = [each for each in (*left.fields, *right.fields) if each.name not in names]
        sql = f"{left.sql} {side or 'INNER'} JOIN {right.sql} ON {' AND '.join(tests)}"
        return Relation(sql, [*shared, *rest])

    def _only(self, fields: list[Field], name: str, join: exp.Join) -> Field:
        found = [each for each in fields if each.name == name]
        if len(found) > 1:
            raise QueryError("AMBIGUOUS_NAME", f"Column '{name}' is ambiguous", start_of(join, self.sql))
        if not found:
            raise QueryError(
                "COLUMN_NOT_FOUND", f"Column '{name}' is missing from one side of join", start_of(join, self.sql)
            )
        return found[0]


def _values(source: Any, own: str) -> list[tuple[str, Value]]:
    """The columns of a table; or of a view, which are as a query gives them."""
    held = getattr(source, "held", None)
    if held is not None:
        return [
            (column.name, Value(f'{own}."c{at}"', column.type, zone=column.zone, simple=True))
            for at, column in enumerate(held)
        ]
    return [
        (name, storage.column(f"{own}.{quoted(name)}", sqltypes.parse(kind))) for name, kind in source.columns.items()
    ]


def _parts(name: str, kind: Type, expand: bool) -> list[tuple[str, Type]]:
    """The columns that an array or a map is unnested to."""
    if kind.name == "map":
        return [(name, item) for item in kind.items]
    item = kind.items[0]
    if item.name == "row" and expand:
        return [(f"({name}).f{at}", part) for at, part in enumerate(item.items)]
    return [(name, item)]


def _names(kind: Type, expand: bool) -> list[str | None]:
    """What these columns are called: as the fields of the rows, if they have names."""
    item = kind.items[0]
    if kind.name == "array" and item.name == "row" and expand:
        return list(item.fields)
    return [None] * len(kind.items)


def _alias_columns(node: exp.Expr) -> list[Any]:
    alias = node.args.get("alias")
    return list(alias.args.get("columns") or []) if isinstance(alias, exp.TableAlias) else []


def _unnest_columns(node: exp.Unnest, alias: Any) -> list[Any]:
    """sqlglot takes the name of the ordinality from the list of names."""
    columns = list(alias.args.get("columns") or []) if alias is not None else []
    offset = node.args.get("offset")
    if isinstance(offset, exp.Identifier) and columns:
        columns.append(offset)
    return columns


def _renamed(fields: list[Field], columns: list[Any], alias: str) -> list[Field]:
    visible = [each for each in fields if not each.hidden]
    if len(columns) != len(visible):
        raise QueryError(
            "MISMATCHED_COLUMN_ALIASES",
            f"Column alias list has {len(columns)} entries but '{alias.lower()}' has {len(visible)} columns available",
        )
    return [
        replace(each, name=column.name.lower(), shown=column.name, table=None)
        for each, column in zip(visible, columns, strict=True)
    ]


def _sample(node: Any) -> str:
    if node is None:
        return ""
    method, percent = str(node.args.get("method") or "").upper(), node.args.get("percent")
    if method not in ("BERNOULLI", "SYSTEM") or not isinstance(percent, exp.Literal):
        raise unsupported("this kind of TABLESAMPLE")
    return f" TABLESAMPLE BERNOULLI({percent.name} PERCENT)"
