"""What a query gives: the SELECT list, HAVING, ORDER BY, LIMIT, OFFSET and FETCH FIRST.

https://trino.io/docs/current/sql/select.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from lakectl.local.athena.analysis import operators, windows
from lakectl.local.athena.analysis.expressions import Expressions
from lakectl.local.athena.analysis.scope import Field, Scope
from lakectl.local.athena.analysis.values import Value, start_of, unsupported
from lakectl.local.athena.errors import QueryError


@dataclass(frozen=True)
class Item:
    """A column of the SELECT list. ``shown``: its name as written; None: it has none."""

    name: str | None
    shown: str | None
    value: Value


def items(select: exp.Select, each: Expressions) -> list[Item]:
    found: list[Item] = []
    for node in select.expressions:
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
            found += _star(node, each)
        elif _row_star(node) is not None:
            found += _fields(node, each)
        else:
            found.append(_item(node, each))
    if not found:
        raise QueryError("SYNTAX_ERROR", "SELECT list is empty", start_of(select, each.sql))
    return found


def _item(node: exp.Expr, each: Expressions) -> Item:
    inner = node.this if isinstance(node, exp.Alias) else node
    written = _written(inner)
    value = checked(inner, each)
    if isinstance(node, exp.Alias):
        alias = node.args["alias"]
        if not alias.name:
            raise QueryError("SYNTAX_ERROR", "Zero-length delimited identifier not allowed", start_of(alias, each.sql))
        return Item(alias.name.lower(), alias.name, value)
    return Item(written.lower() if written else None, written, value)


def _written(node: exp.Expr) -> str | None:
    """The name that an expression gives its column: a column's or a row field's own."""
    if isinstance(node, exp.Column):
        return str(node.name)
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        return str(node.expression.name)
    return None


def checked(node: exp.Expr, each: Expressions) -> Value:
    """The value of an expression that must be grouped, if the query groups."""
    shown = node.sql(dialect="trino").lower()
    each.scope.ungrouped.clear()
    value = each.value(node)
    if each.scope.ungrouped:
        raise QueryError(
            "EXPRESSION_NOT_AGGREGATE",
            f"'{shown}' must be an aggregate expression or appear in GROUP BY clause",
            start_of(node, each.sql),
        )
    return value


def _star(node: Any, each: Expressions) -> list[Item]:
    if isinstance(node, exp.Star) and any(node.args.get(part) for part in ("except_", "replace", "rename")):
        raise unsupported("* with EXCEPT, REPLACE or RENAME", start_of(node, each.sql))
    owner = node.table.lower() if isinstance(node, exp.Column) else None
    fields = [field for field in each.scope.fields if not field.hidden and (owner is None or field.relation == owner)]
    if owner and not fields:
        held = (each for each in each.scope.fields if each.name == owner and each.type.name == "row")
        field = next((each for each in held if not node.args.get("db") or each.relation == node.db.lower()), None)
        if field is not None and (each.scope.keys is None or field.value.sql in each.scope.keys):
            return [
                Item(name.lower() if name else None, name, Value(f"({field.value.sql}).f{at}", kind))
                for at, (name, kind) in enumerate(zip(field.type.fields, field.type.items, strict=True))
            ]
        outer, depth = each.scope.parent, 0
        while outer is not None and not fields:  # of a query around this one
            fields = [field for field in outer.fields if not field.hidden and field.relation == owner]
            outer, depth = outer.parent, depth + 1
        if fields:
            select = node.find_ancestor(exp.Select)
            clauses = select is None or any(select.args.get(part) for part in ("from_", "where", "limit", "offset"))
            if depth > 1 or clauses or node.find_ancestor(exp.In) is not None:
                raise unsupported(
                    f"{owner}.* of a query around this one, with other clauses,", start_of(node, each.sql)
                )
            return [Item(field.name, field.shown, field.value) for field in fields]
    if not fields:
        message = f"Table '{owner}' not found" if owner else "SELECT * not allowed in queries without FROM clause"
        raise QueryError("TABLE_NOT_FOUND" if owner else "COLUMN_NOT_FOUND", message, start_of(node, each.sql))
    for field in fields:
        if each.scope.keys is not None and field.value.sql not in each.scope.keys:
            raise QueryError(
                "EXPRESSION_NOT_AGGREGATE",
                f"'{field.name}' must be an aggregate expression or appear in GROUP BY clause",
                start_of(node, each.sql),
            )
    return [Item(field.name, field.shown, field.value) for field in fields]


def _row_star(node: exp.Expr) -> exp.Dot | None:
    inner = node.this if isinstance(node, exp.Aliases) else node
    return inner if isinstance(inner, exp.Dot) and isinstance(inner.expression, exp.Star) else None


def _fields(node: exp.Expr, each: Expressions) -> list[Item]:
    """``row.*``, with or without ``AS (a, b)``."""
    dot = _row_star(node)
    value = checked(dot.this, each) if dot is not None else None
    if value is None or value.type.name != "row":
        raise QueryError("TYPE_MISMATCH", "expected expression of type Row", start_of(node, each.sql))
    names = list(value.type.fields)
    if isinstance(node, exp.Aliases):
        names = [alias.name for alias in node.expressions]
        if len(names) != len(value.type.items):
            raise QueryError(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(names)} entries but relation has {len(value.type.items)} columns",
            )
    return [
        Item(name.lower() if name else None, name, Value(f"({value.sql}).f{at}", kind))
        for at, (name, kind) in enumerate(zip(names, value.type.items, strict=True))
    ]


def having(node: exp.Having, each: Expressions) -> str:
    shown = node.this.sql(dialect="trino").lower()
    each.scope.ungrouped.clear()
    value = each.boolean(node.this, "HAVING clause must evaluate to a boolean: actual type {}")
    if each.scope.ungrouped:
        raise QueryError(
            "EXPRESSION_NOT_AGGREGATE",
            f"'{shown}' must be an aggregate expression or appear in GROUP BY clause",
            start_of(node.this, each.sql),
        )
    return value.sql


def order_by(node: Any, each: Expressions, found: list[Item], distinct: bool) -> list[str]:
    """The keys, each with its direction."""
    order = node.args.get("order")
    if order is None:
        return []
    named: dict[str, Item] = {}
    for item in found:
        if item.name is not None:
            before = named.setdefault(item.name, item)
            if before.value.sql != item.value.sql:
                named[item.name] = Item(item.name, None, item.value)  # ambiguous
    fields = [Field(name, item.shown, item.value) for name, item in named.items()]
    scope = each.scope
    keys = None if scope.keys is None else scope.keys | {item.value.sql for item in found}
    inner = each.beneath(Scope(fields, scope, keys, scope.ungrouped))
    inner.in_lambda = each.in_lambda
    made = []
    for item in order.expressions:
        written = item.this if isinstance(item, exp.Ordered) else item
        value = _by_position(written, found, each)
        if value is None:
            value = checked(written, inner)
        same = [at for at, each_item in enumerate(found) if each_item.value.sql == value.sql]
        plain = isinstance(written, exp.Column | exp.Literal)
        # Within an expression, a name means a column of the SELECT list, which is in none of its expressions.
        renamed = not plain and any(
            not each.table and each.name.lower() in named for each in written.find_all(exp.Column)
        )
        if distinct and (not same or renamed):
            raise QueryError(
                "EXPRESSION_NOT_IN_DISTINCT",
                "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                start_of(written, each.sql),
            )
        key = operators.order_key(value)
        made.append(windows.ordered(str(same[0] + 1) if same and key == value.sql else key, item))
    return made


def _by_position(node: exp.Expr, found: list[Item], each: Expressions) -> Value | None:
    if not (isinstance(node, exp.Literal) and node.is_int):
        return None
    at = int(node.name)
    if not 1 <= at <= len(found):
        raise QueryError(
            "INVALID_COLUMN_REFERENCE", f"ORDER BY position {at} is not in select list", start_of(node, each.sql)
        )
    return found[at - 1].value


def limited(node: Any, found: list[Item], body: str, order: list[str], distinct: str, each: Expressions) -> str:
    """The whole query, with LIMIT and OFFSET."""
    columns = [f'{_fixed(item.value)} AS "c{at}"' for at, item in enumerate(found)]
    select = f"SELECT {distinct}{', '.join(columns)} {body}"
    limit, offset = node.args.get("limit"), node.args.get("offset")
    count = _limit(limit, each)
    if (
        isinstance(limit, exp.Fetch)
        and limit.args.get("limit_options")
        and limit.args["limit_options"].args.get("with_ties")
    ):
        return _with_ties(found, body, order, distinct, count, offset)
    ordered = f" ORDER BY {', '.join(order)}" if order else ""
    tail = "" if count is None else f" LIMIT {count}"
    if offset is not None:
        tail += f" OFFSET {_whole(offset.expression, 'OFFSET', each)}"
    return f"{select}{ordered}{tail}"


def _fixed(value: Value) -> str:
    """The expression, of exactly the type that was inferred."""
    if value.simple and value.sql != "NULL" and value.constant is None:
        return value.sql
    return f"CAST({value.sql} AS {value.type.physical})"


def _limit(limit: Any, each: Expressions) -> int | None:
    if limit is None:
        return None
    if isinstance(limit, exp.Fetch):
        count = limit.args.get("count")
        return 1 if count is None else _whole(count, "FETCH FIRST", each)
    if isinstance(limit.expression, exp.Var) and limit.expression.name.upper() == "ALL":
        return None
    return _whole(limit.expression, "LIMIT", each)


def _whole(node: exp.Expr, what: str, each: Expressions) -> int:
    if not (isinstance(node, exp.Literal) and node.is_int):
        raise QueryError("TYPE_MISMATCH", f"Non constant parameter value for {what}", start_of(node, each.sql))
    return int(node.name)


def _with_ties(found: list[Item], body: str, order: list[str], distinct: str, count: int | None, offset: Any) -> str:
    if not order:
        raise QueryError("MISSING_ORDER_BY", "FETCH FIRST WITH TIES clause requires ORDER BY")
    if offset is not None:
        raise unsupported("FETCH FIRST WITH TIES with OFFSET")
    columns = [f'{_fixed(item.value)} AS "c{at}"' for at, item in enumerate(found)]
    keys, outer = [], []
    for at, key in enumerate(order):
        sql, _, direction = key.rpartition(" NULLS ")
        sql, _, way = sql.rpartition(" ")
        name = f'"c{int(sql) - 1}"' if sql.isdigit() else f'"k{at}"'
        if not sql.isdigit():
            if distinct:
                raise unsupported("FETCH FIRST WITH TIES with DISTINCT and this ORDER BY")
            keys.append(f'{sql} AS "k{at}"')
        outer.append(f"{name} {way} NULLS {direction}")
    inner = f"SELECT {distinct}{', '.join([*columns, *keys])} {body}"
    shown = ", ".join(f'"c{at}"' for at in range(len(found)))
    ranked = f"SELECT *, rank() OVER (ORDER BY {', '.join(outer)}) AS ties FROM ({inner})"  # noqa: S608
    return f"SELECT {shown} FROM ({ranked}) WHERE ties <= {count or 1} ORDER BY {', '.join(outer)}"  # noqa: S608
