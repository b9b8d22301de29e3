"""SHOW, in the layouts that Athena answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakectl.local.athena import describe, grammar, names, types, views
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.patterns import matching
from lakectl.local.athena.results import Column, Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run


def _one_column(name: str, rows: list[str]) -> Result:
    return Result([Column(name, "string")], [(row,) for row in rows])


def tables(run: Run) -> Result:
    owner, pattern = run.statement.words
    database = grammar.parts(owner)[-1] if owner else run.database
    run.catalog.require_database(database)
    found = sorted(table["Name"] for table in run.catalog.tables(database))
    return _one_column("tab_name", matching(found, pattern))


def databases(run: Run) -> Result:
    (pattern,) = run.statement.words
    pages = run.catalog.glue.get_paginator("get_databases").paginate()
    found = sorted(database["Name"] for page in pages for database in page["DatabaseList"])
    return _one_column("database_name", matching(found, pattern))


def _entry(run: Run, name: str | None) -> tuple[str, str, dict[str, Any]]:
    database, table = names.of_text(str(name), run.database)
    return database, table, run.catalog.entry(database, table)


def columns(run: Run) -> Result:
    name, owner = run.statement.words
    database, table = names.of_text(str(name), grammar.parts(owner)[-1] if owner else run.database)
    entry = run.catalog.entry(database, table)
    if views.is_view(entry):
        return describe.of_view(entry)
    width = 0 if "metadata_location" in entry.get("Parameters", {}) else 20
    return _one_column("field", [field["Name"].ljust(width) for field in describe.fields(entry)])


def partitions(run: Run) -> Result:
    """Those that are in the catalog: https://docs.aws.amazon.com/athena/latest/ug/show-partitions.html"""
    database, name, entry = _entry(run, run.statement.words[0])
    keys = [key["Name"] for key in entry.get("PartitionKeys", [])]
    if views.is_view(entry) or "metadata_location" in entry.get("Parameters", {}):
        kind = "a view" if views.is_view(entry) else "an Iceberg table"
        raise QueryError(
            "NOT_SUPPORTED", f"SHOW PARTITIONS: {database}.{name} is {kind}, which has none in the catalog"
        )
    if not keys:
        raise QueryError("GENERIC_USER_ERROR", f"Table {name} is not a partitioned table")
    pages = run.catalog.glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=name)
    values = [found["Values"] for page in pages for found in page["Partitions"]]
    return _one_column("partition", ["/".join(map("=".join, zip(keys, each, strict=True))) for each in values])


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
        written = grammar.parts(str(run.statement.words[0]))[-2:]  # the database only if it was named
        return _one_column("createtab_stmt", _create_external(".".join(written), entry))
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
    if storage.get("BucketColumns"):
        names = [f"`{name}`" for name in storage["BucketColumns"]]
        lines += ["CLUSTERED BY (", *listed(names), f"INTO {storage['NumberOfBuckets']} BUCKETS"]
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
