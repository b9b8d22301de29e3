"""Table and database names in statements, as Glue keeps them: lower case."""

from __future__ import annotations

from sqlglot import exp


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


def of_word(word: str | None, database: str) -> tuple[str, str]:
    """(database, table) of a dotted name kept as text."""
    owner, _, name = (word or "").rpartition(".")
    return (owner or database).lower(), name.lower()
