"""Views, kept in Glue as Athena keeps them: ``CREATE VIEW``, ``DROP VIEW``, ``SHOW CREATE VIEW``, ``SHOW VIEWS``.

A view is a Glue table of type VIRTUAL_VIEW. Its ``ViewOriginalText`` is a comment that holds JSON in base64: the
query, the catalog and the database that names in it are looked up in, and the columns with Trino's types. The form is
Trino's (``ViewReaderUtil`` and ``ConnectorViewDefinition`` in its Hive connector), so Athena on AWS reads it as well.
https://docs.aws.amazon.com/athena/latest/ug/create-view.html
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakectl.local.athena import grammar, names, sqltypes
from lakectl.local.athena.analysis.values import unsupported
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.patterns import matching
from lakectl.local.athena.results import Column, Result
from lakectl.local.athena.sqltypes import Type

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

_BEGIN, _END = "/* Presto View: ", " */"
_EXPANDED = "/* Presto View */"
_PARAMETERS = {"comment": "Presto View", "presto_view": "true"}
_HIVE = {"integer": "int", "real": "float", "varbinary": "binary"}


@dataclass(frozen=True)
class StoredView:
    """A view as the catalog has it. ``label`` is ``database.name``; ``database``: where names in its query are."""

    label: str
    sql: str
    database: str
    columns: tuple[tuple[str, Type], ...]


def is_view(entry: dict[str, Any]) -> bool:
    return entry.get("TableType") == "VIRTUAL_VIEW"


def read(entry: dict[str, Any]) -> StoredView:
    """The view in a Glue entry. Raises QueryError for one that Athena has not made."""
    label = f"{entry['DatabaseName']}.{entry['Name']}"
    text = entry.get("ViewOriginalText") or ""
    if entry.get("IsMultiDialectView") or not text.startswith(_BEGIN):
        raise unsupported(f"the view {label}, which is no view of Athena's own,")
    try:
        stored = json.loads(base64.b64decode(text.removeprefix(_BEGIN).removesuffix(_END), validate=True))
        columns = tuple((str(each["name"]).lower(), sqltypes.parse(each["type"])) for each in stored["columns"])
        return StoredView(label, str(stored["originalSql"]), str(stored.get("schema") or "default").lower(), columns)
    except (binascii.Error, ValueError, KeyError, TypeError, IndexError):
        raise QueryError("INVALID_VIEW", f"Invalid view JSON of '{label}'") from None


def create(run: Run) -> Result:
    """The query is analyzed, never run. Raises QueryError as Trino's CreateViewTask does."""
    name, replace, sql = run.statement.words
    database, view = names.of_text(str(name), run.database)
    run.catalog.require_database(database)
    existing = run.catalog.find(database, view)
    if existing is not None and not is_view(existing):
        raise QueryError("TABLE_ALREADY_EXISTS", f"Table already exists: 'awsdatacatalog.{database}.{view}'", (1, 1))
    if existing is not None and not replace:
        raise QueryError("TABLE_ALREADY_EXISTS", f"View already exists: 'awsdatacatalog.{database}.{view}'", (1, 1))
    assert run.statement.tree is not None  # noqa: S101 - CREATE VIEW has a query
    query = run.analyze(run.statement.tree, within=(f"{database}.{view}",))
    columns = _checked([column.shown for column in query.query.columns], query.types)
    entry = _entry(view, str(sql), run.database, columns)
    if existing is not None:
        run.catalog.glue.update_table(DatabaseName=database, TableInput=entry)
    else:
        run.catalog.glue.create_table(DatabaseName=database, TableInput=entry)
    return Result()


def _checked(shown: list[str | None], types: list[Type]) -> list[tuple[str, Type]]:
    columns: list[tuple[str, Type]] = []
    for position, (name, kind) in enumerate(zip(shown, types, strict=True), start=1):
        if name is None:
            raise QueryError("MISSING_COLUMN_NAME", f"Column name not specified at position {position}")
        if any(name.lower() == other for other, _ in columns):
            raise QueryError("DUPLICATE_COLUMN_NAME", f"Column name '{name}' specified more than once")
        if kind.holds("unknown"):
            raise QueryError("COLUMN_TYPE_UNKNOWN", f"Column type is unknown at position {position}")
        columns.append((name.lower(), kind))
    return columns


def _entry(name: str, sql: str, database: str, columns: list[tuple[str, Type]]) -> dict[str, Any]:
    """The TableInput of a view."""
    definition = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": database.lower(),
        "columns": [{"name": column, "type": signature(kind)} for column, kind in columns],
    }
    encoded = base64.b64encode(json.dumps(definition, separators=(",", ":"), ensure_ascii=False).encode()).decode()
    return {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": _PARAMETERS,
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [{"Name": column, "Type": hive(kind)} for column, kind in columns],
            "Location": "",
            "SerdeInfo": {},
        },
        "ViewOriginalText": f"{_BEGIN}{encoded}{_END}",
        "ViewExpandedText": _EXPANDED,
    }


def signature(kind: Type) -> str:
    """A type as Trino's TypeSignature writes it: ``row("a" bigint,"b" array(varchar))``."""
    if kind.name == "row":
        inner = [
            f'"{name.replace(chr(34), chr(34) * 2)}" {signature(item)}' if name is not None else signature(item)
            for name, item in zip(kind.fields, kind.items, strict=True)
        ]
        return f"row({','.join(inner)})"
    if kind.items:
        return f"{kind.name}({','.join(map(signature, kind.items))})"
    return str(kind)


def hive(kind: Type) -> str:
    """A type as Glue's columns name it."""
    if kind.name == "array":
        return f"array<{hive(kind.items[0])}>"
    if kind.name == "map":
        return f"map<{hive(kind.items[0])},{hive(kind.items[1])}>"
    if kind.name == "row":
        fields = [f"{name or f'field{at}'}:{hive(item)}" for at, (name, item) in enumerate(_fields(kind))]
        return f"struct<{','.join(fields)}>"
    if kind.name.startswith(("timestamp", "time")):
        return kind.name
    if kind.name == "varchar" and not kind.numbers:
        return "string"
    return _HIVE.get(kind.name, str(kind))


def _fields(kind: Type) -> list[tuple[str | None, Type]]:
    return list(zip(kind.fields, kind.items, strict=True))


def drop(run: Run) -> Result:
    exists_ok, name = run.statement.words
    database, view = names.of_text(str(name), run.database)
    entry = run.catalog.find(database, view)
    if entry is None:
        if exists_ok:
            return Result()
        run.catalog.require_database(database)
        raise QueryError("TABLE_NOT_FOUND", f"View 'awsdatacatalog.{database}.{view}' does not exist", (1, 1))
    if not is_view(entry):
        raise QueryError(
            "GENERIC_USER_ERROR",
            f"View 'awsdatacatalog.{database}.{view}' does not exist, but a table with that name exists. "
            f"Did you mean DROP TABLE awsdatacatalog.{database}.{view}?",
            (1, 1),
        )
    run.catalog.glue.delete_table(DatabaseName=database, Name=view)
    return Result()


def show_create(run: Run) -> Result:
    database, view = names.of_text(str(run.statement.words[0]), run.database)
    entry = run.catalog.entry(database, view, (1, 1))
    if not is_view(entry):
        message = f"Relation 'awsdatacatalog.{database}.{view}' is a table, not a view"
        raise QueryError("NOT_SUPPORTED", message, (1, 1))
    shown = ".".join('"' + part.replace('"', '""') + '"' for part in (database, view))
    lines = f"CREATE VIEW {shown} AS \n{read(entry).sql}".split("\n")
    return Result([Column("create view", "varchar", says_name=True)], [(line,) for line in lines])


def show(run: Run) -> Result:
    owner, pattern = run.statement.words
    database = grammar.parts(owner)[-1] if owner else run.database
    run.catalog.require_database(database)
    found = sorted(entry["Name"] for entry in run.catalog.tables(database) if is_view(entry))
    return Result([Column("views", "string")], [(name,) for name in matching(found, pattern)])
