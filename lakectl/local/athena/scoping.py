"""Which table or WITH query a name in FROM means, by Trino's scoping rules.

Every name is replaced by one of ours, so that none that a person wrote is ever looked up by DuckDB, which would open
a file of that name.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from sqlglot import exp

from lakectl.local.athena.errors import QueryError

# Athena has Trino's default, and no session properties to raise it.
# https://trino.io/docs/current/sql/select.html#with-recursive-clause
MAX_RECURSION_DEPTH = 10
RECURSION_ENDED = "athena_recursion_ended"  # the macro that fails when it meets a row
CTE = "athena_cte_"


def bind(tree: exp.Expr) -> list[exp.Table]:
    """Rename the WITH queries of ``tree`` and what refers to them, in place; recursion is unrolled.

    Returns the tables that are left: those of the catalog.
    """
    return list(_bind(tree, {}, itertools.count()))


def _bind(node: exp.Expr, known: dict[str, str], numbers: Iterator[int]) -> Iterator[exp.Table]:
    """``known``: lower-case name of each WITH query in scope → our name for it."""
    clause = node.args.get("with_")
    if isinstance(clause, exp.With):
        known = dict(known)
        yield from _bind_with(clause, known, numbers)
    if isinstance(node, exp.Table):
        name = node.name.lower()
        if not node.db and name in known:
            _refer(node, known[name])
        else:
            yield node
    for child in list(node.iter_expressions()):
        if child is not clause:
            yield from _bind(child, known, numbers)


def _bind_with(clause: exp.With, known: dict[str, str], numbers: Iterator[int]) -> Iterator[exp.Table]:
    bound: list[exp.Expr] = []
    own: set[str] = set()
    for cte in clause.expressions:
        name = cte.alias.lower()
        if name in own:
            raise QueryError("DUPLICATE_NAMED_QUERY", f"WITH query name '{cte.alias}' specified more than once")
        own.add(name)
        ours = f"{CTE}{next(numbers)}"
        inner = {**known, name: ours} if clause.args.get("recursive") else known
        yield from _bind(cte.this, inner, numbers)
        cte.args["alias"].set("this", exp.to_identifier(ours, quoted=True))
        bound += _unrolled(cte, ours) if _references(cte.this, ours) else [cte]
        known[name] = ours
    clause.set("expressions", bound)
    clause.set("recursive", False)


def _refer(node: exp.Table, ours: str) -> None:
    if node.args.get("alias") is None:
        node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name.lower(), quoted=True)))
    node.set("this", exp.to_identifier(ours, quoted=True))


def _references(tree: exp.Expr, ours: str) -> list[exp.Table]:
    return [table for table in tree.find_all(exp.Table) if table.name == ours]


def _unrolled(cte: exp.CTE, ours: str) -> list[exp.Expr]:
    """The steps of a recursive query, and their union, as Trino plans them: after the tenth step none may be left.

    Steps do not remove duplicates: with UNION, only the whole result does.
    """
    body = cte.this
    _check_recursion(cte, body, ours)
    columns = cte.args["alias"].args["columns"]
    steps = [_step(f"{ours}_0", columns, body.this)]
    for depth in range(1, MAX_RECURSION_DEPTH + 2):
        step = body.expression.copy()
        _references(step, ours)[0].set("this", exp.to_identifier(f"{ours}_{depth - 1}", quoted=True))
        steps.append(_step(f"{ours}_{depth}", columns, step))
    parts = [exp.select("*").from_(exp.to_table(step.alias)) for step in steps]
    parts[-1] = parts[-1].where(exp.Anonymous(this=RECURSION_ENDED, expressions=[exp.column(columns[0].copy())]))
    union: exp.Query = parts[0]
    for part in parts[1:]:
        union = exp.Union(this=union, expression=part, distinct=bool(body.args.get("distinct")))
    cte.set("this", union)
    return [*steps, cte]


def _step(name: str, columns: list[exp.Expr], query: exp.Expr) -> exp.CTE:
    alias = exp.TableAlias(this=exp.to_identifier(name, quoted=True), columns=[column.copy() for column in columns])
    return exp.CTE(this=query.copy(), alias=alias, materialized=True)


def recursive_steps(tree: exp.Expr) -> Iterator[tuple[exp.Query, exp.Query]]:
    """(base, first step) of each recursive query that ``bind`` has unrolled."""
    queries = {cte.alias: cte.this for cte in tree.find_all(exp.CTE)}
    for name, base in queries.items():
        if name.startswith(CTE) and name.endswith("_0") and name.count("_") > CTE.count("_"):
            yield base, queries[name.removesuffix("_0") + "_1"]


def _check_recursion(cte: exp.CTE, body: exp.Expr, ours: str) -> None:
    """Trino's conditions on a recursive query."""
    if not isinstance(body, exp.Union):
        raise QueryError("INVALID_RECURSIVE_REFERENCE", "recursive reference outside of the step of a UNION")
    if not cte.args["alias"].args.get("columns"):
        raise QueryError("MISSING_COLUMN_ALIASES", "missing column aliases in recursive WITH query")
    for key, clause in (("order", "ORDER BY"), ("limit", "FETCH FIRST / LIMIT"), ("offset", "OFFSET")):
        if body.args.get(key) is not None:
            raise QueryError("NOT_SUPPORTED", f"immediate {clause} clause in recursive query")
    if _references(body.this, ours):
        message = "WITH table name is referenced in the base relation of recursion"
        raise QueryError("INVALID_RECURSIVE_REFERENCE", message)
    if len(_references(body.expression, ours)) > 1:
        message = "multiple recursive references in the step relation of recursion"
        raise QueryError("INVALID_RECURSIVE_REFERENCE", message)
