"""How Athena reads each source's landed files, so that raw can be queried too. Used by :mod:`lakectl.lake.catalog`.

What Athena reads the files with: https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
"""

from __future__ import annotations

import re
from dataclasses import replace

from lakectl.resources.glue_table import Layout
from lakectl.spec.model import Column, SourceSpec

_TEXT = ("org.apache.hadoop.mapred.TextInputFormat", "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat")
_PARQUET = (
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
)
# A name that Athena takes for a column: letters, digits and underscores.
_COLUMN = re.compile(r"[a-z0-9_]{1,255}")


def layout_of(source: SourceSpec) -> Layout:
    """How Athena reads the files of ``source``.

    Columns of text files are all text: a field that can't be read as its type must still be seen. Athena reads it as
    UTF-8, so what is beyond ASCII in another encoding is shown as U+FFFD. Parquet has types of its own, and a table
    must declare them as they are in the file: they are taken from the specification.
    """
    found = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[source.file.format](source)
    said = {_name(column, source): column.description for column in source.columns if column.description}
    return replace(
        found,
        description=source.description or found.description,
        comments={name: text for name, text in said.items() if name in found.columns},
    )


def columns_of(source: SourceSpec) -> dict[str, tuple[str, str]]:
    """Column -> (its name in the bronze table, its Hive type there); those alone that the table has."""
    types = layout_of(source).columns
    names = {column.name: _name(column, source) for column in source.columns}
    return {name: (own, types[own]) for name, own in names.items() if own in types}


def _name(column: Column, source: SourceSpec) -> str:
    """What the column is called in the bronze table: Parquet is read by the file's own names."""
    return (column.header or column.name).strip().lower() if source.file.format == "parquet" else column.name


def _csv(source: SourceSpec) -> Layout:
    """By place: OpenCSVSerDe is the one that reads quoted fields, and it does not look at the header."""
    return Layout(
        "csv",
        {column.name: "string" for column in source.columns},
        "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        {"separatorChar": source.file.delimiter, "quoteChar": source.file.quote},
        *_TEXT,
        properties={"skip.header.line.count": "1"},
        description="Landed files as they came; every column is text",
    )


def _jsonl(source: SourceSpec) -> Layout:
    """By name, without case. A line that is no JSON is a row of NULLs: one bad file must not hide the others."""
    renamed = {f"mapping.{c.name}": c.header for c in source.columns if c.header and c.header.lower() != c.name}
    return Layout(
        "json",
        {column.name: "string" for column in source.columns},
        "org.openx.data.jsonserde.JsonSerDe",
        {"ignore.malformed.json": "TRUE", **renamed},
        *_TEXT,
        description="Landed files as they came; every column is text",
    )


def _parquet(source: SourceSpec) -> Layout:
    """By name, without case. A column that the file calls otherwise has that name here."""
    columns = {_name(column, source): _type_in_file(column) for column in source.columns}
    return Layout(
        "parquet",
        {name: kind for name, kind in columns.items() if _COLUMN.fullmatch(name)},
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        {"serialization.format": "1"},
        *_PARQUET,
        description="Landed files as they came; types as the sources' specification has them",
    )


def _type_in_file(column: Column) -> str:
    """A column with a format, or a decimal mark, is text in the file."""
    return "string" if column.formats or column.decimal_mark != "." else column.type
