"""DESCRIBE, in the layouts that Athena answers with.

https://docs.aws.amazon.com/athena/latest/ug/describe-table.html; rows as others have measured them on AWS
(docs/result-files.md of aoyagikouhei/athena-local).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lakectl.local.athena import names, types, views
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
    if views.is_view(entry):
        return replace(of_view(entry), subtype="DESC_VIEW")
    if (how or "").upper() == "EXTENDED":
        raise unsupported("DESCRIBE EXTENDED")
    if (how or "").upper() == "FORMATTED":
        if iceberg:
            raise unsupported("DESCRIBE FORMATTED of what is no external table")
        return _result(_formatted(entry))
    if iceberg:
        return _iceberg(run, database, table)
    rows = [_padded(*_field(field)) for field in fields(entry)]
    if keys := entry.get("PartitionKeys"):
        rows += ["\t \t ", "# Partition Information\t \t ", _padded("# col_name", "data_type", "comment"), "\t \t "]
        rows += [_padded(*_field(key)) for key in keys]
    return Result(_HEADS, [(row,) for row in rows])


def of_view(entry: dict[str, Any]) -> Result:
    """DESCRIBE and SHOW COLUMNS of a view, whose types are Trino's."""
    heads = [Column(name, "varchar", says_name=True) for name in ("column", "type")]
    return Result(heads, [(f"{name}\t{kind}",) for name, kind in views.read(entry).columns])


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


def _iceberg(run: Run, database: str, name: str) -> Result:
    """Nothing is padded, and types are spelled as Iceberg does: ``decimal(10, 2)``, ``struct<a: int>``."""
    table = run.catalog.load(database, name)
    schema = table.schema()
    rows = ["# Table schema:\t\t", "# col_name\tdata_type\tcomment"]
    for field in schema.fields:
        kind = types.hive_of_iceberg(field.field_type).replace(",", ", ").replace(":", ": ")
        rows.append(f"{field.name}\t{kind}\t{_plain(field.doc or '')}")
    rows += ["\t\t", "# Partition spec:\t\t", "# field_name\tfield_transform\tcolumn_name"]
    rows += [
        f"{field.name}\t{field.transform}\t{schema.find_column_name(field.source_id) or ''}"
        for field in table.spec().fields
    ]
    return Result(_HEADS, [(row,) for row in rows])


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
    return Result(_HEADS, [(_padded(*row),) for row in rows])


def _padded(*cells: str) -> str:
    return "\t".join(_plain(cell).ljust(20) for cell in cells)


def _plain(text: str) -> str:
    """A comment ends at its first tab, and has one line."""
    return re.sub(r"\n", " ", text.partition("\t")[0])
