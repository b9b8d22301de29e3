"""A query, checked as Athena checks it, and the same in DuckDB's SQL.

Names are resolved and types inferred by Trino's rules; each function, operator, type and clause is looked up in a table
of what it means (``functions``, ``analysis``). What is not there is refused: in Athena's words where Athena refuses it
too, else as not supported by the local Athena. No name that a person wrote reaches DuckDB.
"""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from lakectl.local.athena import functions, scoping, sqltypes
from lakectl.local.athena.analysis import casts, syntax
from lakectl.local.athena.analysis.expressions import Expressions
from lakectl.local.athena.analysis.queries import Queries
from lakectl.local.athena.analysis.scope import Scope
from lakectl.local.athena.analysis.storage import stored
from lakectl.local.athena.analysis.values import start_of, unsupported
from lakectl.local.athena.depth import deep
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type
from lakectl.local.athena.tables import Catalog, Source

functions.load()


@dataclass
class Analyzed:
    """A query whose every column is qualified and typed. ``sources`` are keyed by the stand-in table name.

    ``tree`` is the statement with its tables and columns qualified, for EXPLAIN and for filters of Iceberg's.
    """

    tree: exp.Expr
    names: list[str]
    types: list[Type]
    sql: str
    token: str
    sources: dict[str, Source] = field(default_factory=dict)


def analyze(tree: exp.Expr, sql: str, database: str, catalog: Catalog, instant: Callable[[str], int]) -> Analyzed:
    """Resolve and type a query. ``instant`` turns DuckDB's SQL of a TIMESTAMPTZ into milliseconds since 1970.

    Raises QueryError with the position that Athena would name.
    """
    return deep(lambda: _analyzed(tree, sql, database, catalog, instant))


def _analyzed(tree: exp.Expr, sql: str, database: str, catalog: Catalog, instant: Callable[[str], int]) -> Analyzed:
    tree = tree.copy()
    token = f"\x02{uuid.uuid4().hex}\x02"
    _refuse_table_functions(tree, sql)
    syntax.check(tree, sql)
    queries = Queries(sql, {}, token)
    queries.sources = _stand_ins(tree, sql, database, catalog, _Moment(queries, instant))
    query = queries.query(tree, None)
    names = [column.shown or f"_col{index}" for index, column in enumerate(query.columns)]
    return Analyzed(tree, names, [column.type for column in query.columns], query.sql, token, queries.sources)


def to_duckdb(query: Analyzed, session: Session, as_stored: bool = False) -> str:
    """DuckDB's SQL for an analyzed query; ``as_stored``: of columns as a table takes them.

    Registers what its sources need in ``session``.
    """
    relations = {name: source.relation(session, name) for name, source in query.sources.items()}
    sql = re.sub(f"{query.token}(.*?){query.token}", lambda found: relations[found[1]], query.sql)
    if not as_stored:
        return sql
    columns = [f"{stored(f'q.c{at}', kind)} AS c{at}" for at, kind in enumerate(query.types)]
    return f"SELECT {', '.join(columns)} FROM ({sql}) AS q"  # noqa: S608


def _refuse_table_functions(tree: exp.Expr, sql: str) -> None:
    for node in tree.walk():
        function: Any = None
        named = isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier)
        lateral = isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Unnest | exp.Subquery)
        if (isinstance(node, exp.Table) and not named) or lateral:
            function = node.this
        if function is None:
            continue
        if isinstance(function, exp.Anonymous) and function.name.upper() == "TABLE" and len(function.expressions) == 1:
            function = function.expressions[0]
        name = str(function.name).lower()
        if name == "sequence" and isinstance(node, exp.Table) and node.this.name.upper() == "TABLE":
            continue
        if name == "exclude_columns":
            raise unsupported(f"the table function {name}", start_of(function, sql))
        raise QueryError("FUNCTION_NOT_FOUND", f"Table function '{name}' not registered", start_of(function, sql))


def _stand_ins(tree: exp.Expr, sql: str, database: str, catalog: Catalog, moment: _Moment) -> dict[str, Source]:
    """Put a stand-in name in the place of each table."""
    sources: dict[str, Source] = {}
    for node in scoping.bind(tree):
        if not isinstance(node.this, exp.Identifier):
            continue  # a table function
        here = start_of(node, sql)
        if node.catalog and node.catalog.lower() != "awsdatacatalog":
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{node.catalog.lower()}' does not exist", here)
        owner = (node.db or database).lower()
        version = _version(node, f"{owner}.{node.name.lower()}", moment)
        stand_in = f"athena_{len(sources)}"
        sources[stand_in] = catalog.resolve(owner, node.name.lower(), version, here)
        alias = node.args.get("alias")
        if alias is None:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name.lower(), quoted=True)))
        node.meta["database"] = owner
        node.set("this", exp.to_identifier(stand_in))
        for part in ("db", "catalog", "version"):
            node.set(part, None)
    return sources


@dataclass
class _Moment:
    """Evaluates the expression of FOR TIMESTAMP AS OF."""

    queries: Queries
    instant: Callable[[str], int]

    def milliseconds(self, node: exp.Expr) -> int:
        value = Expressions(self.queries, Scope([]), "FOR TIMESTAMP AS OF").value(node)
        if not sqltypes.coerces(value.type, sqltypes.timestamp(3, zoned=True)) and not value.type.is_zoned:
            raise QueryError("TYPE_MISMATCH", f"Type {value.type} invalid. Temporal pointers must be of type timestamp")
        if value.type.is_zoned:
            return self.instant(value.moment)
        return self.instant(casts.coerce(value, sqltypes.timestamp(value.type.precision, zoned=True)).moment)


def _version(node: exp.Table, name: str, moment: _Moment) -> Callable[[Any], int] | None:
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
        milliseconds = moment.milliseconds(wanted)
        snapshot = table.snapshot_as_of_timestamp(milliseconds)
        if snapshot is None:
            database, _, short = name.partition(".")
            text = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).isoformat().replace("+00:00", "Z")
            raise QueryError("INVALID_ARGUMENTS", f'No version history table {database}."{short}" at or before {text}')
        return int(snapshot.snapshot_id)

    return by_id if str(clause.this).upper() == "VERSION" else by_time
