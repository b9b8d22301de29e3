"""Would Athena accept this query? Names are resolved and types inferred, so that what Athena refuses is
refused here too, in Athena's words: DuckDB would run some of it (``GROUP BY alias``, a date compared with a
string) and the surprise would come in the account.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from lakectl.local.athena import allowed, scoping, types
from lakectl.local.athena.checks import check_recursion, check_types
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.statements import DIALECT, position_of
from lakectl.local.athena.tables import Catalog, Source

WRITTEN = "written"  # a name as the person wrote it: Athena folds case to compare, and shows it unfolded


@dataclass
class Analyzed:
    """A query whose every column is qualified and typed. ``sources`` are keyed by the stand-in table name."""

    tree: exp.Expr
    names: list[str]
    sources: dict[str, Source] = field(default_factory=dict)


def analyze(tree: exp.Expr, sql: str, database: str, catalog: Catalog, instant: Callable[[str], int]) -> Analyzed:
    """Resolve and type a query. ``instant`` turns a SQL timestamp expression (DuckDB's dialect) into
    milliseconds since 1970. Raises QueryError with the position that Athena would name."""
    tree = tree.copy()
    allowed.check(tree, sql)
    if isinstance(tree, exp.Values):
        tree = exp.select("*").from_(exp.alias_(exp.paren(tree, copy=False), "t", table=True, copy=False))
        tree = _values_query(tree)
    for identifier in tree.find_all(exp.Identifier):
        identifier.meta[WRITTEN] = identifier.name
    _align_decimals(tree)
    sources = _stand_ins(tree, sql, database, catalog, instant)
    seen: dict[str, object] = {
        name: [c for c in source.columns if c not in source.hidden] for name, source in sources.items()
    }
    schema = MappingSchema(visible=seen, dialect=DIALECT)
    for name, source in sources.items():
        schema.add_table(
            name, {column: types.parse(kind) for column, kind in source.columns.items()}, match_depth=False
        )
    tree = _qualify(tree, sql, schema)
    tree = annotate_types(tree, schema=schema, expression_metadata=types.ANNOTATIONS, dialect=DIALECT)
    check_types(tree, sql)
    for base, step in scoping.recursive_steps(tree):
        check_recursion(base, step)
    return Analyzed(tree, _output_names(tree), sources)


def _values_query(select: exp.Select) -> exp.Expr:
    values = select.find(exp.Values)
    width = len(values.expressions[0].expressions) if values is not None else 0
    source = select.args["from_"].this
    plain = exp.Values(
        expressions=values.expressions if values is not None else [],
        alias=exp.TableAlias(
            this=exp.to_identifier("t"), columns=[exp.to_identifier(f"_col{index}") for index in range(width)]
        ),
    )
    source.replace(plain)
    return select


def _align_decimals(tree: exp.Expr) -> None:
    """``VALUES 1.25, 2.5``: Trino gives the column one type that holds each row; sqlglot takes a single row's."""
    for values in tree.find_all(exp.Values):
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
        for column in zip(*rows, strict=False):
            texts = [item.name for item in column if isinstance(item, exp.Literal) and not item.is_string]
            plain = [text for text in texts if "e" not in text.lower()]
            scale = max((len(text.partition(".")[2]) for text in plain), default=0)
            if not scale or len(plain) != len(column):
                continue
            whole = max(len(text.partition(".")[0].lstrip("0")) for text in plain)
            for item in column:
                item.replace(exp.cast(item.copy(), f"decimal({whole + scale},{scale})", dialect=DIALECT))


def _stand_ins(
    tree: exp.Expr, sql: str, database: str, catalog: Catalog, instant: Callable[[str], int]
) -> dict[str, Source]:
    """Put a stand-in name in the place of each table, and drop the database from column references."""
    sources: dict[str, Source] = {}
    databases = set()
    for node in scoping.bind(tree):
        here = position_of(sql, _start(node))
        if node.catalog and node.catalog.lower() != "awsdatacatalog":
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{node.catalog.lower()}' does not exist", here)
        owner = (node.db or database).lower()
        databases.add(owner)
        version = _version(node, f"{owner}.{node.name.lower()}", instant)
        stand_in = f"athena_{len(sources)}"
        sources[stand_in] = catalog.resolve(owner, node.name.lower(), version, here)
        alias = node.args.get("alias")
        if alias is None:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name.lower(), quoted=True)))
        node.set("this", exp.to_identifier(stand_in))
        for part in ("db", "catalog", "version"):
            node.set(part, None)
    for column in tree.find_all(exp.Column):
        if column.args.get("db") and column.db.lower() in databases:
            column.set("db", None)
            column.set("catalog", None)
    return sources


def _version(node: exp.Table, name: str, instant: Callable[[str], int]) -> Callable[[Any], int] | None:
    clause = node.args.get("version")
    if clause is None:
        return None
    wanted = clause.expression

    def by_id(table: Any) -> int:
        if not isinstance(wanted, exp.Literal) or wanted.is_string:
            reference = table.metadata.refs.get(wanted.name)
            if reference is None:
                raise QueryError("INVALID_ARGUMENTS", f"Cannot find snapshot with reference name: {wanted.name}")
            return int(reference.snapshot_id)
        if table.snapshot_by_id(int(wanted.name)) is None:
            raise QueryError("INVALID_ARGUMENTS", f"Iceberg snapshot ID does not exists: {wanted.name}")
        return int(wanted.name)

    def by_time(table: Any) -> int:
        moment = instant(wanted.sql(dialect="duckdb"))
        snapshot = table.snapshot_as_of_timestamp(moment)
        if snapshot is None:
            database, _, short = name.partition(".")
            text = datetime.datetime.fromtimestamp(moment / 1000, datetime.UTC).isoformat().replace("+00:00", "Z")
            raise QueryError("INVALID_ARGUMENTS", f'No version history table {database}."{short}" at or before {text}')
        return int(snapshot.snapshot_id)

    return by_id if str(clause.this).upper() == "VERSION" else by_time


def _qualify(tree: exp.Expr, sql: str, schema: MappingSchema) -> exp.Expr:
    columns = [column.copy() for column in tree.find_all(exp.Column)]  # qualify changes the tree before it raises
    try:
        tree = qualify(tree, schema=schema, dialect=DIALECT, expand_alias_refs=False, validate_qualify_columns=False)
        _qualify_having(tree, schema)
        _validate_columns(tree, sql)
    except OptimizeError as error:
        raise _optimize_error(str(error), sql, columns) from None
    return tree


def _qualify_having(tree: exp.Expr, schema: MappingSchema) -> None:
    """sqlglot leaves HAVING's columns bare; DuckDB would then prefer an alias, which Athena doesn't know there."""
    for scope in traverse_scope(tree):
        having = scope.expression.args.get("having") if isinstance(scope.expression, exp.Select) else None
        if having is None:
            continue
        for column in having.find_all(exp.Column):
            owners = (
                []
                if column.table
                else [name for name in scope.sources if column.name in _columns(scope.sources[name], schema)]
            )
            if len(owners) == 1:
                column.set("table", exp.to_identifier(owners[0], quoted=True))


def _columns(source: Any, schema: MappingSchema) -> list[str]:
    if isinstance(source, Scope):
        query: Any = source.expression
        return list(query.named_selects)
    return [str(name) for name in schema.column_names(source)]


def _validate_columns(tree: exp.Expr, sql: str) -> None:
    for scope in traverse_scope(tree):
        if not isinstance(scope.expression, exp.Select):
            continue
        bad = list(scope.unqualified_columns)
        if scope.external_columns and not scope.is_correlated_subquery and not scope.pivots:
            bad = [*scope.external_columns, *bad]
        for column in bad:
            raise _no_column(column, sql)


def _no_column(column: exp.Column, sql: str) -> QueryError:
    name = ".".join(part.meta.get(WRITTEN, part.name) for part in column.parts)
    return QueryError(
        "COLUMN_NOT_FOUND",
        f"Column '{name.lower()}' cannot be resolved or requester is not authorized to access requested resources",
        locate(sql, column),
    )


def _optimize_error(message: str, sql: str, columns: list[exp.Column]) -> QueryError:
    first = message.splitlines()[0]
    unknown = re.fullmatch(r"Unknown column: (.+)", first)
    for column in columns:
        if unknown and column.table and column.name.lower() == unknown.group(1).lower():
            return _no_column(column, sql)
    ambiguous = re.search(r"[Aa]mbiguous[^'\"]*['\"]?([\w$]+)", first)
    where = re.search(r"Line: (\d+), Col: (\d+)", message)
    if ambiguous:
        name = ambiguous.group(1)
        found = re.search(rf"\b{re.escape(name)}\b", sql, re.I)
        return QueryError(
            "AMBIGUOUS_NAME", f"Column '{name}' is ambiguous", position_of(sql, found.start()) if found else None
        )
    position = (int(where.group(1)), int(where.group(2))) if where else None
    return QueryError("SYNTAX_ERROR", first.split(" Line:")[0], position)


def _output_names(tree: exp.Expr) -> list[str]:
    """The result's column names: what was written, and ``_colN`` for an expression without a name."""
    query = tree
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    names = []
    for index, item in enumerate(query.selects if isinstance(query, exp.Query) else []):
        alias = item.args.get("alias") if isinstance(item, exp.Alias) else None
        inner = item.this if isinstance(item, exp.Alias) else item
        if isinstance(alias, exp.Identifier) and WRITTEN in alias.meta:
            names.append(str(alias.meta[WRITTEN]))
        elif isinstance(inner, exp.Column):
            names.append(str(inner.this.meta.get(WRITTEN, inner.name)))
        elif alias is not None and _is_shared(inner, alias.name):
            names.append(alias.name)
        else:
            names.append(f"_col{index}")
    return names


def _is_shared(node: exp.Expr, name: str) -> bool:
    """The one column that sqlglot makes of the two that JOIN ... USING names."""
    parts = [node.this, *node.expressions] if isinstance(node, exp.Coalesce) else []
    return bool(parts) and all(isinstance(part, exp.Column) and part.name == name for part in parts)


def _start(node: exp.Expr) -> int:
    return min((int(part.meta["start"]) for part in node.find_all(exp.Identifier) if "start" in part.meta), default=0)


def locate(sql: str, node: exp.Expr) -> tuple[int, int] | None:
    """Where an expression begins in the text; None if the tree kept no position for it."""
    starts = [int(part.meta["start"]) for part in node.find_all(exp.Identifier, exp.Literal) if "start" in part.meta]
    return position_of(sql, min(starts)) if starts else None
