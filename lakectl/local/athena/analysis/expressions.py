"""Expressions: every node of the tree is looked up here; one that is not here is refused."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import calls, casts, constructs, literals, operators, predicates, windows
from lakectl.local.athena.analysis.scope import Scope, names_of
from lakectl.local.athena.analysis.values import (
    NULL,
    Value,
    end_of,
    start_of,
    string,
    type_of,
    unsupported,
)
from lakectl.local.athena.dialect import LITERAL
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import BOOLEAN
from lakectl.local.athena.statements import position_of

if TYPE_CHECKING:
    from lakectl.local.athena.analysis.queries import Queries


@dataclass
class Found:
    """What has been met so far in a clause."""

    aggregates: int = 0
    windows: int = 0
    subqueries: int = 0
    volatile: int = 0


class Expressions:
    """Types the expressions of one clause. ``clause``: its name, where it may hold no aggregates."""

    def __init__(self, queries: Queries, scope: Scope, clause: str | None = None) -> None:
        self.queries = queries
        self.sql = queries.sql
        self.scope = scope
        self.clause = clause
        self.found = Found()
        self.within: str | None = None  # the aggregate whose argument is read
        self.in_lambda = False
        self.named_windows: dict[str, exp.Window] = {}

    def beneath(self, scope: Scope) -> Expressions:
        """The same clause, within a lambda."""
        other = copy.copy(self)
        other.scope, other.in_lambda = scope, True
        return other

    def value(self, node: exp.Expr) -> Value:
        rule = _RULES.get(type(node))
        if rule is None:
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).upper()
            raise unsupported(f"{words} in a query", self.start(node))
        if self.scope.keys is None:
            return rule(self, node)
        mark = len(self.scope.ungrouped)
        value = rule(self, node)
        if value.sql in self.scope.keys:
            del self.scope.ungrouped[mark:]
        return value

    def values(self, nodes: list[exp.Expr]) -> list[Value]:
        return [self.value(node) for node in nodes]

    def boolean(self, node: exp.Expr, message: str) -> Value:
        """``message`` is for a value of another type, with ``{}`` in its place."""
        value = self.value(node)
        if value.type.name == "unknown":
            return casts.coerce(value, BOOLEAN)
        if value.type != BOOLEAN:
            raise QueryError("TYPE_MISMATCH", message.format(value.type), self.start(node))
        return value

    def start(self, node: exp.Expr) -> tuple[int, int] | None:
        return start_of(node, self.sql)

    def operator(self, node: exp.Expr, symbol: str) -> tuple[int, int] | None:
        """The place of an operator, behind its left side: Trino names that."""
        end = end_of(node.this)
        if end < 0:
            return self.start(node)
        found = re.compile(re.escape(symbol) + ("|!=" if symbol == "<>" else "")).search(self.sql, end + 1)
        return position_of(self.sql, found.start()) if found else self.start(node)


def _column(each: Expressions, node: exp.Column) -> Value:
    if isinstance(node.this, exp.Star):
        raise QueryError("SYNTAX_ERROR", "'*' is not allowed here", each.start(node))
    field, rest, owner = each.scope.find(node, each.sql)
    each.queries.names.keep(node, field, owner)
    value = field.value
    if owner.keys is not None and each.within is None and value.sql not in owner.keys:
        owner.ungrouped.append(node)
    if field.table is not None and not rest:
        node.this.set("this", field.name)
        node.set("table", exp.to_identifier(field.table, quoted=True))
        node.set("db", None)
    for name in rest:
        value = dereference(value, name, node, each)
    return value


def dereference(value: Value, name: str, node: exp.Expr, each: Expressions) -> Value:
    """The field ``name`` of a row."""
    shown = ".".join(names_of(node)).lower()
    if value.type.name != "row" and value.type.items:
        raise QueryError("TYPE_MISMATCH", f"Expression {shown} is not of type ROW", each.start(node))
    fields = [field.lower() if field else None for field in value.type.fields]
    if fields.count(name.lower()) > 1:
        raise QueryError("AMBIGUOUS_NAME", f"Ambiguous row field reference: {name}", each.start(node))
    if name.lower() not in fields:
        raise QueryError(
            "COLUMN_NOT_FOUND",
            f"Column '{shown}' cannot be resolved or requester is not authorized to access requested resources",
            each.start(node),
        )
    at = fields.index(name.lower())
    return Value(f"({value.sql}).f{at}", value.type.items[at])


def _dot(each: Expressions, node: exp.Dot) -> Value:
    inner = node
    while isinstance(inner, exp.Dot):
        inner = inner.this
    if isinstance(inner, exp.Column | exp.Identifier):
        field, rest, owner = each.scope.find(node, each.sql)
        each.queries.names.keep(node, field, owner)
        value = _column_of(each, node, field.value)
        for name in rest:
            value = dereference(value, name, node, each)
        return value
    if not isinstance(node.expression, exp.Identifier):
        raise unsupported("this kind of field access", each.start(node))
    return dereference(each.value(node.this), node.expression.name, node.expression, each)


def _column_of(each: Expressions, node: exp.Expr, value: Value) -> Value:
    if each.scope.keys is not None and each.within is None and value.sql not in each.scope.keys:
        each.scope.ungrouped.append(node)
    return value


def _identifier(each: Expressions, node: exp.Identifier) -> Value:
    """In a lambda's body, sqlglot leaves the lambda's own arguments bare."""
    field, _, owner = each.scope.find(node, each.sql)
    if owner.keys is not None and each.within is None and field.value.sql not in owner.keys:
        owner.ungrouped.append(node)
    return field.value


def _literal(_: Expressions, node: exp.Literal) -> Value:
    return string(str(node.this)) if node.is_string else literals.number(str(node.this))


def _cast(each: Expressions, node: exp.Cast) -> Value:
    if node.meta.get(LITERAL):
        return literals.typed(node, each.sql, each.start(node))
    kind = type_of(node.args["to"], each.sql)
    if isinstance(node, exp.TryCast):
        return calls.tried(each, node, lambda: casts.cast(each.value(node.this), kind, each.start(node)))
    return casts.cast(each.value(node.this), kind, each.start(node))


def _negative(each: Expressions, node: exp.Neg) -> Value:
    if isinstance(node.this, exp.Literal) and node.this.name == "9223372036854775808":
        return Value("(-9223372036854775807::BIGINT - 1)", sqltypes.BIGINT, constant=-(2**63))
    return operators.negate(each.value(node.this), each.start(node))


def _arithmetic(symbol: str) -> Callable[[Expressions, Any], Value]:
    def rule(each: Expressions, node: exp.Binary) -> Value:
        left, right = each.value(node.this), each.value(node.expression)
        return operators.arithmetic(symbol, left, right, each.operator(node, symbol))

    return rule


def _comparison(symbol: str) -> Callable[[Expressions, Any], Value]:
    def rule(each: Expressions, node: exp.Binary) -> Value:
        quantified = predicates.quantified(each, node, symbol)
        if quantified is not None:
            return quantified
        left, right = each.value(node.this), each.value(node.expression)
        return operators.compare(symbol, left, right, each.operator(node, symbol))

    return rule


def _logical(word: str) -> Callable[[Expressions, Any], Value]:
    def rule(each: Expressions, node: exp.Binary) -> Value:
        message = "Logical expression term must evaluate to a boolean (actual: {})"
        left, right = (each.boolean(side, message) for side in (node.this, node.expression))
        # A chain stays flat: DuckDB takes a thousand levels.
        before = left.sql[1:-1] if type(node.this) is type(node) and left.sql.startswith("(") else left.sql
        return Value(f"({before} {word} {right.sql})", BOOLEAN)

    return rule


def _not(each: Expressions, node: exp.Not) -> Value:
    value = each.boolean(node.this, "Value of logical NOT expression must evaluate to a boolean (actual: {})")
    return Value(f"(NOT {value.sql})", BOOLEAN)


def _is_distinct(negated: bool) -> Callable[[Expressions, Any], Value]:
    def rule(each: Expressions, node: exp.Binary) -> Value:
        left, right = each.value(node.this), each.value(node.expression)
        return operators.distinct(left, right, negated, each.start(node))

    return rule


_RULES: dict[type[exp.Expr], Callable[[Expressions, Any], Value]] = {
    exp.Column: _column,
    exp.Dot: _dot,
    exp.Identifier: _identifier,
    exp.Literal: _literal,
    exp.Boolean: lambda _, node: literals.boolean(bool(node.this)),
    exp.Null: lambda *_: NULL,
    exp.Paren: constructs.paren,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Neg: _negative,
    **{node: _arithmetic(sign) for node, sign in ((exp.Add, "+"), (exp.Sub, "-"), (exp.Mul, "*"), (exp.Div, "/"))},
    exp.Mod: _arithmetic("%"),
    **{
        node: _comparison(sign)
        for node, sign in (
            (exp.EQ, "="),
            (exp.NEQ, "<>"),
            (exp.LT, "<"),
            (exp.LTE, "<="),
            (exp.GT, ">"),
            (exp.GTE, ">="),
        )
    },
    exp.And: _logical("AND"),
    exp.Or: _logical("OR"),
    exp.Not: _not,
    exp.NullSafeEQ: _is_distinct(True),
    exp.NullSafeNEQ: _is_distinct(False),
    exp.Is: predicates.is_null,
    exp.Between: predicates.between,
    exp.In: predicates.membership,
    exp.Like: predicates.like,
    exp.Escape: predicates.like,
    exp.Exists: predicates.exists,
    exp.Case: constructs.case,
    exp.If: constructs.if_,
    exp.Array: constructs.array,
    exp.Tuple: constructs.row,
    exp.Bracket: constructs.subscript,
    exp.DPipe: constructs.concat,
    exp.AtTimeZone: constructs.at_time_zone,
    exp.Subquery: constructs.subquery,
    exp.Select: constructs.subquery,
    exp.HexString: constructs.hex_,
    exp.UnicodeString: constructs.unicode_,
    exp.Interval: constructs.interval,
    exp.Extract: constructs.extract,
    exp.Trim: constructs.trim,
    exp.Normalize: constructs.normalize,
    exp.Substring: constructs.named("substring", "this", "start", "length"),
    exp.StrPosition: constructs.named("strpos", "this", "substr"),
    exp.CurrentDate: constructs.named("current_date"),
    exp.CurrentTimestamp: constructs.named("current_timestamp"),
    exp.CurrentTime: constructs.named("current_time"),
    exp.Localtime: constructs.named("localtime"),
    exp.Localtimestamp: constructs.named("localtimestamp"),
    exp.CurrentUser: constructs.named("current_user"),
    exp.CurrentCatalog: constructs.named("current_catalog"),
    exp.Anonymous: calls.anonymous,
    exp.Filter: windows.aggregate,
    exp.IgnoreNulls: windows.aggregate,
    exp.RespectNulls: windows.aggregate,
    exp.Window: windows.aggregate,
    exp.GroupConcat: windows.aggregate,
}
