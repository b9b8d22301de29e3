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
from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from lakectl.local.athena import functions, information_schema, scoping, sqltypes, view_source
from lakectl.local.athena.analysis import casts, syntax
from lakectl.local.athena.analysis.expressions import Expressions
from lakectl.local.athena.analysis.queries import Queries, Query
from lakectl.local.athena.analysis.scope import Scope
from lakectl.local.athena.analysis.storage import stored
from lakectl.local.athena.analysis.values import start_of, unsupported
from lakectl.local.athena.depth import deep
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables.source import ExternalSource
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type
from lakectl.local.athena.tables import POSITIONS, Catalog, IcebergSource, Position, Source
from lakectl.local.athena.views import StoredView

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
    query: Query
    sources: dict[str, Source] = field(default_factory=dict)


@dataclass(frozen=True)
class _Place:
    """Where names of a query are looked up; see ``analyze``."""

    database: str
    catalog: Catalog
    instant: Callable[[str], int]
    within: tuple[str, ...]
    prefix: str


def analyze(
    tree: exp.Expr,
    sql: str,
    database: str,
    catalog: Catalog,
    instant: Callable[[str], int],
    within: tuple[str, ...] = (),
    prefix: str = "athena_",
) -> Analyzed:
    """Resolve and type a query. ``instant`` turns DuckDB's SQL of a TIMESTAMPTZ into milliseconds since 1970.

    ``within``: the views around the query; ``prefix``: of the names that stand for its tables.

    Raises QueryError with the position that Athena would name.
    """
    return deep(lambda: _analyzed(tree, sql, _Place(database, catalog, instant, within, prefix)))


def _analyzed(tree: exp.Expr, sql: str, place: _Place) -> Analyzed:
    tree = tree.copy()
    token = f"\x02{uuid.uuid4().hex}\x02"
    _refuse_table_functions(tree, sql)
    syntax.check(tree, sql)
    _refuse_hidden_columns(tree, sql)
    queries = Queries(sql, {}, token)
    queries.sources = _stand_ins(tree, sql, place, _Moment(queries, place.instant))
    query = queries.query(tree, None)
    for stand_in, source in queries.sources.items():
        if isinstance(source, ExternalSource):
            source.narrow(tree, stand_in)
    names = [column.shown or f"_col{index}" for index, column in enumerate(query.columns)]
    return Analyzed(tree, names, [column.type for column in query.columns], query.sql, token, query, queries.sources)


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


def _refuse_hidden_columns(tree: exp.Expr, sql: str) -> None:
    """Those that Trino's tables have beside ``$path``: https://trino.io/docs/current/connector/iceberg.html"""
    for column in tree.find_all(exp.Column):
        if column.name.lower() in ("$partition", "$file_modified_time", "$file_size", "$bucket"):
            raise unsupported(f'the hidden column "{column.name}"', start_of(column, sql))


def _stand_ins(tree: exp.Expr, sql: str, place: _Place, moment: _Moment) -> dict[str, Source]:
    """Put a stand-in name in the place of each table."""
    sources: dict[str, Source] = {}
    for node in scoping.bind(tree):
        if not isinstance(node.this, exp.Identifier):
            continue  # a table function
        here = start_of(node, sql)
        if node.catalog and node.catalog.lower() != "awsdatacatalog":
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{node.catalog.lower()}' does not exist", here)
        owner = (node.db or place.database).lower()
        version = _version(node, f"{owner}.{node.name.lower()}", moment)
        stand_in = f"{place.prefix}{len(sources)}"
        if owner == information_schema.NAME:
            if place.within:
                raise QueryError("NOT_SUPPORTED", "Athena makes no views on information_schema", here)
            sources[stand_in] = information_schema.source(node.name.lower(), place.catalog, node, here)
            _stand_in(node, owner, stand_in)
            continue
        found = place.catalog.resolve(owner, node.name.lower(), version, here)
        if isinstance(found, StoredView):
            found = _view(found, place, stand_in, here)
        elif node.meta.get(POSITIONS) and isinstance(found, IcebergSource):
            found = replace(found, positions=True)
        sources[stand_in] = found
        _stand_in(node, owner, stand_in)
    return sources


def _stand_in(node: exp.Table, owner: str, name: str) -> None:
    if node.args.get("alias") is None:
        node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name.lower(), quoted=True)))
    node.meta["database"] = owner
    node.set("this", exp.to_identifier(name))
    for part in ("db", "catalog", "version"):
        node.set(part, None)


def _view(view: StoredView, place: _Place, stand_in: str, position: Position) -> Source:
    if view.label in place.within:
        word = "View is recursive" if len(place.within) > 1 else "Statement would create a recursive view"
        raise QueryError("VIEW_IS_RECURSIVE", word, position)

    def within(tree: exp.Expr, sql: str, database: str) -> Analyzed:
        views = (*place.within, view.label)
        return analyze(tree, sql, database, place.catalog, place.instant, views, f"{stand_in}_")

    return view_source.source(view, within, position)


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
