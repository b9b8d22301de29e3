"""A view within a query: its own query, analyzed where it was made, with the columns that it was made with.

Trino's ``StatementAnalyzer.createScopeForView``: a view whose query no longer gives those columns is stale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena import sqltypes, statements
from lakectl.local.athena.analysis.queries import Column, converted
from lakectl.local.athena.errors import QueryError, RequestError
from lakectl.local.athena.session import Session
from lakectl.local.athena.views import StoredView

if TYPE_CHECKING:
    from lakectl.local.athena.analyze import Analyzed
    from lakectl.local.athena.tables import Position

Analyze = Callable[[exp.Expr, str, str], "Analyzed"]  # (tree, its text, database)


@dataclass
class ViewSource:
    """A Source. ``held``: its columns, which are as a query gives them (c0, c1 …), not as a table holds them."""

    label: str
    query: Analyzed
    held: list[Column]
    hidden: frozenset[str] = frozenset()

    @property
    def columns(self) -> dict[str, str]:
        return {str(column.name): str(column.type) for column in self.held}

    def relation(self, session: Session, name: str) -> str:  # noqa: ARG002 - a Source's signature
        from lakectl.local.athena.analyze import to_duckdb

        return f"({to_duckdb(self.query, session)})"


def source(view: StoredView, analyze: Analyze, position: Position) -> ViewSource:
    """Raises QueryError INVALID_VIEW or VIEW_IS_STALE, at the place in the query that names the view."""
    try:
        statement = statements.parse(view.sql)
    except (RequestError, QueryError) as error:
        reason = error.message if isinstance(error, RequestError) else error.reason
        message = f"Failed parsing stored view 'awsdatacatalog.{view.label}': {reason}"
        raise QueryError("INVALID_VIEW", message, position) from None
    if statement.tree is None or not statement.is_query:
        raise QueryError("INVALID_VIEW", f"Failed parsing stored view 'awsdatacatalog.{view.label}'", position)
    try:
        query = analyze(statement.tree, statement.sql, view.database)
    except QueryError as error:
        raise _within(error, view, position) from None
    problem = _staleness(view, query.query.columns)
    if problem:
        message = f"View 'awsdatacatalog.{view.label}' is stale or in invalid state: {problem}"
        raise QueryError("VIEW_IS_STALE", message, position)
    kinds = [kind for _, kind in view.columns]
    same = [column.type for column in query.query.columns] == kinds
    query.sql = query.sql if same else converted(query.query, kinds)
    held = [
        Column(name, name, kind, column.zone)
        for (name, kind), column in zip(view.columns, query.query.columns, strict=True)
    ]
    return ViewSource(view.label, query, held)


def _within(error: QueryError, view: StoredView, position: Position) -> QueryError:
    """What is not supported here, or not permitted, is not the view's fault."""
    where = f"line {error.position[0]}:{error.position[1]}: " if error.position else ""
    if error.code == "NOT_SUPPORTED":
        return QueryError(error.code, f"in the view {view.label}: {error.message}", position)
    if error.code == "PERMISSION_DENIED":
        return error
    message = f"Failed analyzing stored view 'awsdatacatalog.{view.label}': {where}{error.message}"
    return QueryError("INVALID_VIEW", message, position)


def _staleness(view: StoredView, given: list[Any]) -> str | None:
    if len(view.columns) != len(given):
        return (
            f"stored view column count ({len(view.columns)}) does not match column count derived from the view query "
            f"analysis ({len(given)})"
        )
    for at, ((name, kind), column) in enumerate(zip(view.columns, given, strict=True)):
        if column.name is None:
            return f"a column of type {column.type} projected from query view at position {at} has no name"
        projected = f"column [{column.name}] of type {column.type} projected from query view at position {at}"
        if column.name != name:
            return f"{projected} has a different name from column [{name}] of type {kind} stored in view definition"
        if not sqltypes.coerces(column.type, kind):
            return f"{projected} cannot be coerced to column [{name}] of type {kind} stored in view definition"
    return None
