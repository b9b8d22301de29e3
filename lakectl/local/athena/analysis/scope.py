"""Names: which column, row field or lambda argument an identifier means, by Trino's rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from lakectl.local.athena.analysis.values import Value, start_of
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import Type


@dataclass(frozen=True)
class Field:
    """A column of a relation. ``name`` is in lower case, ``shown`` as written; None: it has no name."""

    name: str | None
    shown: str | None
    value: Value
    relation: str | None = None  # its alias, in lower case
    database: str | None = None
    hidden: bool = False
    table: str | None = None  # the alias in the tree, for EXPLAIN

    @property
    def type(self) -> Type:
        return self.value.type


@dataclass
class Scope:
    """The columns that may be named. ``keys``: the grouping keys' SQL, once rows are grouped."""

    fields: list[Field]
    parent: Scope | None = None
    keys: frozenset[str] | None = None
    ungrouped: list[exp.Expr] = field(default_factory=list)
    barrier: bool = False  # a lambda's own: what it doesn't know belongs to the query around it

    def find(self, node: exp.Expr, sql: str) -> tuple[Field, list[str], Scope]:
        """(column, the names of row fields within it, its scope). Raises COLUMN_NOT_FOUND, AMBIGUOUS_NAME."""
        parts = names_of(node)
        scope: Scope | None = self
        while scope is not None:
            found = scope._match(parts, node, sql)
            if found is not None:
                return (*found, scope)
            scope = scope.parent
        shown = ".".join(part.lower() for part in parts)
        raise QueryError(
            "COLUMN_NOT_FOUND",
            f"Column '{shown}' cannot be resolved or requester is not authorized to access requested resources",
            start_of(node, sql),
        )

    def _match(self, parts: list[str], node: exp.Expr, sql: str) -> tuple[Field, list[str]] | None:
        lower = [part.lower() for part in parts]
        for qualifiers in (2, 1, 0):
            if len(lower) <= qualifiers:
                continue
            found = [each for each in self.fields if each.name == lower[qualifiers] and _owned(each, lower, qualifiers)]
            if len(found) > 1:
                raise QueryError("AMBIGUOUS_NAME", f"Column '{'.'.join(parts)}' is ambiguous", start_of(node, sql))
            if found:
                return found[0], parts[qualifiers + 1 :]
        return None


def _owned(each: Field, lower: list[str], qualifiers: int) -> bool:
    if qualifiers == 0:
        return True
    if each.relation != lower[qualifiers - 1]:
        return False
    return qualifiers == 1 or each.database == lower[0]


def names_of(node: exp.Expr) -> list[str]:
    """``a.b.c`` → ["a", "b", "c"], as written."""
    if isinstance(node, exp.Dot):
        return [*names_of(node.this), *names_of(node.expression)]
    if isinstance(node, exp.Column):
        return [part.name for part in node.parts]
    return [node.name]
