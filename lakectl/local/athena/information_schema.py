"""``information_schema``: the Glue catalog as tables.

https://docs.aws.amazon.com/athena/latest/ug/querying-glue-catalog.html; columns and rows are those of Trino's
``InformationSchemaTable``. What a WHERE says of database and table is asked of Glue, so that one table of a large
catalog costs two requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlglot import exp

from lakectl.local.athena import hive_types, views
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.session import Session

if TYPE_CHECKING:
    from lakectl.local.athena.tables import Catalog, Position

NAME, CATALOG = "information_schema", "awsdatacatalog"
_TEXT = "varchar"
TABLES: dict[str, dict[str, str]] = {
    "schemata": {"catalog_name": _TEXT, "schema_name": _TEXT},
    "tables": {"table_catalog": _TEXT, "table_schema": _TEXT, "table_name": _TEXT, "table_type": _TEXT},
    "columns": {
        "table_catalog": _TEXT,
        "table_schema": _TEXT,
        "table_name": _TEXT,
        "column_name": _TEXT,
        "ordinal_position": "bigint",
        "column_default": _TEXT,
        "is_nullable": _TEXT,
        "data_type": _TEXT,
    },
    "views": {"table_catalog": _TEXT, "table_schema": _TEXT, "table_name": _TEXT, "view_definition": _TEXT},
}
Row = tuple[Any, ...]


@dataclass
class InformationSource:
    """A Source. ``limits``: column → the values that it may have, for those that a WHERE limits."""

    kind: str
    catalog: Catalog
    limits: dict[str, frozenset[str]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        return f"{NAME}.{self.kind}"

    @property
    def columns(self) -> dict[str, str]:
        return TABLES[self.kind]

    def relation(self, session: Session, name: str) -> str:
        types = {_TEXT: pa.string(), "bigint": pa.int64()}
        schema = pa.schema([(column, types[kind]) for column, kind in self.columns.items()])
        rows = list(self._rows())
        arrays = [pa.array([row[at] for row in rows], schema.field(at).type) for at in range(len(schema))]
        session.register(name, pa.Table.from_arrays(arrays, schema=schema))
        return f'"{name}"'

    def _rows(self) -> Iterator[Row]:
        if any(value != CATALOG for value in self.limits.get("table_catalog", ())):
            return
        if self.kind == "schemata":
            for database in self._databases():
                yield CATALOG, database
            return
        for database in self._databases():
            for entry in self._entries(database):
                yield from self._of(database, entry)

    def _of(self, database: str, entry: dict[str, Any]) -> Iterator[Row]:
        name, is_view = entry["Name"], views.is_view(entry)
        if self.kind == "tables":
            yield CATALOG, database, name, "VIEW" if is_view else "BASE TABLE"
        elif self.kind == "views" and is_view:
            yield CATALOG, database, name, _definition(entry)
        elif self.kind == "columns":
            for at, (column, kind) in enumerate(columns_of(entry), start=1):
                yield CATALOG, database, name, column, at, None, "YES", kind

    def _databases(self) -> list[str]:
        wanted = self.limits.get("schema_name" if self.kind == "schemata" else "table_schema")
        if wanted is not None:
            return sorted(name for name in wanted if name == NAME or self.catalog.has_database(name))
        pages = self.catalog.glue.get_paginator("get_databases").paginate()
        return sorted([NAME, *(database["Name"] for page in pages for database in page["DatabaseList"])])

    def _entries(self, database: str) -> list[dict[str, Any]]:
        wanted = self.limits.get("table_name")
        if database == NAME:
            own = [_own(name) for name in TABLES]
            return [entry for entry in own if wanted is None or entry["Name"] in wanted]
        if wanted is not None and len(wanted) <= 20:
            found = [self.catalog.find(database, name) for name in sorted(wanted) if name]
            return [entry for entry in found if entry is not None]
        return sorted(self.catalog.tables(database), key=lambda entry: str(entry["Name"]))


def _own(name: str) -> dict[str, Any]:
    columns = [{"Name": column, "Type": "string" if kind == _TEXT else kind} for column, kind in TABLES[name].items()]
    return {"Name": name, "DatabaseName": NAME, "StorageDescriptor": {"Columns": columns}}


def _definition(entry: dict[str, Any]) -> str | None:
    try:
        return views.read(entry).sql
    except QueryError:
        return None


def columns_of(entry: dict[str, Any]) -> list[tuple[str, str]]:
    """(name, Trino's type) of the columns of a Glue entry, partition keys last."""
    if views.is_view(entry):
        try:
            return [(name, str(kind)) for name, kind in views.read(entry).columns]
        except QueryError:  # not of Athena's making: as Glue has it
            pass
    iceberg = "metadata_location" in entry.get("Parameters", {})
    listed = [*entry.get("StorageDescriptor", {}).get("Columns", []), *entry.get("PartitionKeys", [])]
    current = [column for column in listed if column.get("Parameters", {}).get("iceberg.field.current") != "false"]
    return [(column["Name"].lower(), hive_types.to_trino(column.get("Type", "string"), iceberg)) for column in current]


def source(name: str, catalog: Catalog, node: exp.Table, position: Position) -> InformationSource:
    """Raises QueryError TABLE_NOT_FOUND, or NOT_SUPPORTED for a table of Trino's that says nothing in Athena."""
    if name not in TABLES:
        message = f"Table '{CATALOG}.{NAME}.{name}' does not exist"
        raise QueryError("TABLE_NOT_FOUND", message, position)
    return InformationSource(name, catalog, limits_of(node))


def limits_of(node: exp.Table) -> dict[str, frozenset[str]]:
    """What the WHERE around a table demands of its columns: ``column = 'x'`` and ``column IN ('x', 'y')``.

    A row without such a value is dropped in the end, whatever the table is joined with.
    """
    alias = (node.alias or node.name).lower()
    select = node.find_ancestor(exp.Select)
    where = select.args.get("where") if select is not None and _is_direct(node, select) else None
    found: dict[str, frozenset[str]] = {}
    parts = list(where.this.flatten()) if where is not None and isinstance(where.this, exp.And) else []
    for part in parts or ([where.this] if where is not None else []):
        column, values = _demand(part.unnest())
        if column is not None and column.table.lower() in ("", alias) and not column.db:
            known = found.get(column.name.lower())
            found[column.name.lower()] = values if known is None else known & values
    return found


def _is_direct(node: exp.Table, select: exp.Select) -> bool:
    """Whether the table stands in FROM or a JOIN of this SELECT itself."""
    parent = node.parent
    while parent is not None and isinstance(parent, exp.Join | exp.From):
        parent = parent.parent
    return parent is select


def _demand(part: exp.Expr) -> tuple[exp.Column | None, frozenset[str]]:
    if isinstance(part, exp.EQ):
        sides = (part.this, part.expression)
        for one, other in (sides, sides[::-1]):
            if isinstance(one, exp.Column) and isinstance(other, exp.Literal) and other.is_string:
                return one, frozenset((other.name,))
    if isinstance(part, exp.In) and isinstance(part.this, exp.Column) and not part.args.get("query"):
        listed = part.expressions
        if listed and all(isinstance(each, exp.Literal) and each.is_string for each in listed):
            return part.this, frozenset(each.name for each in listed)
    return None, frozenset()
