"""Table and database names in statements, as Glue keeps them: lower case."""

from __future__ import annotations

from sqlglot import exp

from lakectl.local.athena import grammar
from lakectl.local.athena.errors import QueryError


def of_table(node: exp.Expr | None, database: str) -> tuple[str, str]:
    """(database, table) of the table that a tree names; ``database`` is the query's own."""
    table = node if isinstance(node, exp.Table) else node.find(exp.Table) if node is not None else None
    if table is None:
        raise ValueError("the statement names no table")
    return (table.db or database).lower(), table.name.lower()


def of_database(node: exp.Expr | None) -> str:
    table = node if isinstance(node, exp.Table) else node.find(exp.Table) if node is not None else None
    if table is None:
        raise ValueError("the statement names no database")
    return (table.name or table.db).lower()


def of_text(name: str, database: str) -> tuple[str, str]:
    """(database, table) of a name of up to three parts, as it is written. Raises QueryError CATALOG_NOT_FOUND."""
    parts = grammar.parts(name)
    if len(parts) == 3 and parts[0] != "awsdatacatalog":
        raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{parts[0]}' does not exist", (1, 1))
    return (parts[-2] if len(parts) > 1 else database.lower()), parts[-1]
