"""SHOW and DESCRIBE, in the layouts that Athena answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakectl.local.athena import names, types, views
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.patterns import matching
from lakectl.local.athena.results import Column, Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run


def _one_column(name: str, rows: list[str]) -> Result:
    return Result([Column(name, "string")], [(row,) for row in rows])


def tables(run: Run) -> Result:
    owner, pattern = run.statement.words
    database = (owner or run.database).lower()
    run.catalog.require_database(database)
    pages = run.catalog.glue.get_paginator("get_tables").paginate(DatabaseName=database)
    found = sorted(table["Name"] for page in pages for table in page["TableList"])
    return _one_column("tab_name", matching(found, pattern))


def databases(run: Run) -> Result:
    (pattern,) = run.statement.words
    pages = run.catalog.glue.get_paginator("get_databases").paginate()
    found = sorted(database["Name"] for page in pages for database in page["DatabaseList"])
    return _one_column("database_name", matching(found, pattern))


def _entry(run: Run, word: str | None) -> tuple[str, str, dict[str, Any]]:
    database, name = names.of_word(word, run.database)
    return database, name, run.catalog.entry(database, name)


def _fields(entry: dict[str, Any]) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = [
        *entry.get("StorageDescriptor", {}).get("Columns", []),
        *entry.get("PartitionKeys", []),
    ]
    return [column for column in columns if column.get("Parameters", {}).get("iceberg.field.current") != "false"]


def columns(run: Run) -> Result:
    word, owner = run.statement.words
    database, name = names.of_word(word, owner or run.database)
    fields = _fields(run.catalog.entry(database, name))
    return _one_column("field", [field["Name"].ljust(20) for field in fields])


def describe(run: Run) -> Result:
    database, name, entry = _entry(run, run.statement.words[0])
    heads = [Column("col_name", "string"), Column("data_type", "string"), Column("comment", "string")]
    rows = [_described(field["Name"], field["Type"], field.get("Comment", "")) for field in _fields(entry)]
    if "metadata_location" in entry.get("Parameters", {}):
        table = run.catalog.load(database, name)
        schema = table.schema()
        rows += [_described("", "", ""), _described("# Partition spec:", "", "")]
        rows += [
            _described("# field_name", "field_transform", "column_name"),
            *(
                _described(field.name, str(field.transform), schema.find_column_name(field.source_id) or "")
                for field in table.spec().fields
            ),
        ]
    elif keys := entry.get("PartitionKeys"):
        rows += [_described("", "", ""), _described("# Partition Information", "", "")]
        rows += [_described("# col_name", "data_type", "comment")]
        rows += [_described(key["Name"], key["Type"], key.get("Comment", "")) for key in keys]
    return Result(heads, [(row,) for row in rows])


def _described(*cells: str) -> str:
    return "\t".join(cell.ljust(20) for cell in cells)


def properties(run: Run) -> Result:
    word, key = run.statement.words
    _, _, entry = _entry(run, word)
    found = {name: value for name, value in entry.get("Parameters", {}).items() if name != "metadata_location"}
    found = {**entry.get("Parameters", {}), **found}
    if key is not None:
        if key not in found:
            raise QueryError("INVALID_TABLE_PROPERTY", f"Table {word} does not have property: {key}")
        found = {key: found[key]}
    return _one_column("prpt_name", [f"{name}\t{value}" for name, value in sorted(found.items())])


def create_table(run: Run) -> Result:
    database, name, entry = _entry(run, run.statement.words[0])
    if views.is_view(entry):
        raise QueryError("NOT_SUPPORTED", f"Relation 'awsdatacatalog.{database}.{name}' is a view, not a table", (1, 1))
    if "metadata_location" not in entry.get("Parameters", {}):
        return _one_column("createtab_stmt", _create_external(f"{database}.{name}", entry))
    table = run.catalog.load(database, name)
    schema = table.schema()
    width = len(schema.fields) - 1
    lines = [f"CREATE TABLE {database}.{name} ("]
    lines += [
        f"  {field.name} {types.hive_of_iceberg(field.field_type)}{',' if index < width else ')'}"
        for index, field in enumerate(schema.fields)
    ]
    partitions = [_transform(field, schema) for field in table.spec().fields]
    if partitions:
        lines.append(f"PARTITIONED BY ({', '.join(partitions)})")
    lines += [f"LOCATION '{table.location()}'", "TBLPROPERTIES ("]
    shown = {"table_type": "iceberg", **table.properties}
    lines += [
        f"  '{key}'='{value}'{',' if index < len(shown) - 1 else ''}"
        for index, (key, value) in enumerate(shown.items())
    ]
    return _one_column("createtab_stmt", [*lines, ")"])


def _create_external(name: str, entry: dict[str, Any]) -> list[str]:
    storage = entry.get("StorageDescriptor", {})
    serde = storage.get("SerdeInfo", {})

    def listed(pairs: list[str]) -> list[str]:
        return [f"  {pair}{',' if index < len(pairs) - 1 else ')'}" for index, pair in enumerate(pairs)]

    def fields(columns: list[dict[str, Any]]) -> list[str]:
        return listed([f"`{column['Name']}` {column['Type']}" for column in columns])

    def settings(values: dict[str, str]) -> list[str]:
        return listed([f"'{key}'='{value}'" for key, value in sorted(values.items())])

    lines = [f"CREATE EXTERNAL TABLE `{name}`(", *fields(storage.get("Columns", []))]
    if entry.get("PartitionKeys"):
        lines += ["PARTITIONED BY (", *fields(entry["PartitionKeys"])]
    lines += ["ROW FORMAT SERDE", f"  '{serde.get('SerializationLibrary', '')}'"]
    if serde.get("Parameters"):
        lines += ["WITH SERDEPROPERTIES (", *settings(serde["Parameters"])]
    lines += ["STORED AS INPUTFORMAT", f"  '{storage.get('InputFormat', '')}'"]
    lines += [
        "OUTPUTFORMAT",
        f"  '{storage.get('OutputFormat', '')}'",
        "LOCATION",
        f"  '{storage.get('Location', '')}'",
    ]
    return [*lines, "TBLPROPERTIES (", *settings(entry.get("Parameters", {}))]


def _transform(field: Any, schema: Any) -> str:
    column, transform = schema.find_column_name(field.source_id), str(field.transform)
    if transform == "identity":
        return f"`{column}`"
    kind, _, width = transform.partition("[")
    return f"{kind}({width.rstrip(']')}, `{column}`)" if width else f"{kind}(`{column}`)"
