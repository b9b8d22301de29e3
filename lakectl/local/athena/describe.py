"""DESCRIBE, in the layouts that Athena answers with: https://docs.aws.amazon.com/athena/latest/ug/describe-table.html"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lakectl.local.athena import names, views
from lakectl.local.athena.analysis.values import unsupported
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.results import Column, Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

_HEADS = [Column(name, "string") for name in ("col_name", "data_type", "comment")]
_EMPTY = ("", "", "")


def describe(run: Run) -> Result:
    how, name, partition, column = run.statement.words
    if partition:
        raise unsupported("DESCRIBE of a partition")
    database, table = names.of_text(str(name), run.database)
    entry = run.catalog.entry(database, table)
    iceberg = "metadata_location" in entry.get("Parameters", {})
    if column:
        return _result(_one(entry, column))
    if (how or "").upper() == "EXTENDED":
        raise unsupported("DESCRIBE EXTENDED")
    if (how or "").upper() == "FORMATTED":
        if iceberg or views.is_view(entry):
            raise unsupported("DESCRIBE FORMATTED of what is no external table")
        return _result(_formatted(entry))
    rows = [*map(_field, fields(entry))]
    if iceberg:
        rows += _iceberg_partitions(run, database, table)
    elif keys := entry.get("PartitionKeys"):
        rows += [_EMPTY, ("# Partition Information", "", ""), ("# col_name", "data_type", "comment")]
        rows += map(_field, keys)
    return _result(rows)


def fields(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The columns of a Glue entry, partition keys last, without those that an Iceberg table has no more."""
    columns: list[dict[str, Any]] = [
        *entry.get("StorageDescriptor", {}).get("Columns", []),
        *entry.get("PartitionKeys", []),
    ]
    return [column for column in columns if column.get("Parameters", {}).get("iceberg.field.current") != "false"]


def _field(field: dict[str, Any]) -> tuple[str, str, str]:
    return field["Name"], field["Type"], field.get("Comment", "")


def _one(entry: dict[str, Any], path: str) -> list[tuple[str, str, str]]:
    """One column, or a part within it: ``c.field``, ``c.'$elem$'``, ``c.'$key$'``, ``c.'$value$'``."""
    name, *inner = [part.strip("'`\"") for part in path.split(".")]
    if inner:
        raise unsupported("DESCRIBE of a part of a column")
    found = [field for field in fields(entry) if field["Name"].lower() == name.lower()]
    if not found:
        raise QueryError("COLUMN_NOT_FOUND", f"Column '{name.lower()}' cannot be resolved", (1, 1))
    return [_field(found[0])]


def _iceberg_partitions(run: Run, database: str, name: str) -> list[tuple[str, str, str]]:
    table = run.catalog.load(database, name)
    schema = table.schema()
    rows = [_EMPTY, ("# Partition spec:", "", ""), ("# field_name", "field_transform", "column_name")]
    return rows + [
        (field.name, str(field.transform), schema.find_column_name(field.source_id) or "")
        for field in table.spec().fields
    ]


def _formatted(entry: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Hive's layout, of what Glue knows."""
    storage, keys = entry.get("StorageDescriptor", {}), entry.get("PartitionKeys", [])
    serde = storage.get("SerdeInfo", {})
    created = entry.get("CreateTime")
    rows: list[tuple[str, str, str]] = [("# col_name", "data_type", "comment"), _EMPTY]
    rows += map(_field, storage.get("Columns", []))
    if keys:
        rows += [_EMPTY, ("# Partition Information", "", ""), ("# col_name", "data_type", "comment"), _EMPTY]
        rows += map(_field, keys)
    rows += [_EMPTY, ("# Detailed Table Information", "", "")]
    rows += [
        ("Database:", entry["DatabaseName"], ""),
        ("Owner:", entry.get("Owner", ""), ""),
        ("CreateTime:", created.strftime("%a %b %d %H:%M:%S UTC %Y") if created is not None else "", ""),
        ("LastAccessTime:", "UNKNOWN", ""),
        ("Protect Mode:", "None", ""),
        ("Retention:", str(entry.get("Retention", 0)), ""),
        ("Location:", storage.get("Location", ""), ""),
        ("Table Type:", entry.get("TableType", "EXTERNAL_TABLE"), ""),
        ("Table Parameters:", "", ""),
        *(("", key, value) for key, value in sorted(entry.get("Parameters", {}).items())),
        _EMPTY,
        ("# Storage Information", "", ""),
        ("SerDe Library:", serde.get("SerializationLibrary", ""), ""),
        ("InputFormat:", storage.get("InputFormat", ""), ""),
        ("OutputFormat:", storage.get("OutputFormat", ""), ""),
        ("Compressed:", "Yes" if storage.get("Compressed") else "No", ""),
        ("Num Buckets:", str(storage.get("NumberOfBuckets", 0)), ""),
        ("Bucket Columns:", str(storage.get("BucketColumns", [])).replace("'", ""), ""),
        ("Sort Columns:", _sorted(storage.get("SortColumns", [])), ""),
        ("Storage Desc Params:", "", ""),
        *(("", key, value) for key, value in sorted(serde.get("Parameters", {}).items())),
    ]
    return rows


def _sorted(columns: list[dict[str, Any]]) -> str:
    return "[" + ", ".join(f"{column.get('Column')}:{column.get('SortOrder')}" for column in columns) + "]"


def _result(rows: list[tuple[str, str, str]]) -> Result:
    return Result(_HEADS, [("\t".join(re.sub(r"[\t\n]", " ", cell).ljust(20) for cell in row),) for row in rows])
