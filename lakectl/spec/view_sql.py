"""What a view's query reads, and its form that is the same however it is written."""

from __future__ import annotations

from functools import lru_cache

from lakectl.spec import parsed_sql


def tables(sql: str) -> set[str]:
    """The names of the tables and views that a query reads, in lower case, without their databases.

    Of SQL that can't be parsed here: none. Athena says what is wrong with it.
    """
    return set(parsed_sql.kept("tables", sql, lambda: _tables(sql)))


def _tables(sql: str) -> list[str]:
    from sqlglot import exp, parse
    from sqlglot.errors import SqlglotError

    try:
        trees = [tree for tree in parse(sql, read="athena") if tree is not None]
    except SqlglotError:
        return []
    return sorted({table.name.lower() for tree in trees for table in tree.find_all(exp.Table)})


@lru_cache(maxsize=256)
def canonical(sql: str | None) -> str | None:
    """The query in a form that is the same for what Athena on AWS makes of it: Trino formats the text of a view anew
    (``SqlFormatter``), with parentheses, quotes, INNER and ASC of its own. A text that does not parse stays as it is.
    """
    return None if sql is None else str(parsed_sql.kept("canonical", sql, lambda: _canonical(sql)))


def _canonical(sql: str) -> str:
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    def _unwrap(select: exp.Expr) -> None:
        """``FROM (a JOIN b ON …)`` is ``FROM a JOIN b ON …``."""
        clause = select.args.get("from_")
        while clause is not None and isinstance(clause.this, exp.Subquery | exp.Paren) and not clause.this.alias:
            inner = clause.this.this
            if not isinstance(inner, exp.Table):
                return
            select.set("joins", [*(inner.args.get("joins") or []), *(select.args.get("joins") or [])])
            inner.set("joins", None)
            clause.set("this", inner)

    try:
        tree = parse_one(sql, read="athena")
    except SqlglotError:
        return sql.strip()
    for node in reversed(list(tree.walk())):  # what is within comes first
        if isinstance(node, exp.Identifier):
            node.replace(exp.to_identifier(node.name.lower(), quoted=False))
        elif isinstance(node, exp.Ordered):
            node.set("desc", bool(node.args.get("desc")))
        elif isinstance(node, exp.Join) and str(node.args.get("kind") or "").upper() == "INNER":
            node.set("kind", None)
        elif isinstance(node, exp.Select):
            _unwrap(node)
        elif isinstance(node, exp.Paren) and not isinstance(node.this, exp.Table):
            node.replace(node.this)
    for node in reversed(list(tree.find_all(exp.Binary, exp.Not, exp.Neg, exp.Between, exp.In))):
        if node.parent is not None and not isinstance(node, exp.Dot):
            node.replace(exp.Paren(this=node.copy()))
    return tree.sql(dialect="trino", comments=False)
