"""Parquet: https://docs.aws.amazon.com/athena/latest/ug/parquet-serde.html

Columns are found by name, without case. A column must have the declared type in each file, or a narrower one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from lakectl.local.athena import sqltypes
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import hivetypes
from lakectl.local.athena.external_tables.files import PATH, Landed, quoted, sql_text, unread
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type

# Type -> DuckDB's types in a file that are read as it
_NARROWER = {
    "bigint": ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT"),
    "integer": ("INTEGER", "SMALLINT", "TINYINT", "USMALLINT", "UTINYINT"),
    "smallint": ("SMALLINT", "TINYINT", "UTINYINT"),
    "tinyint": ("TINYINT",),
    "double": ("DOUBLE", "FLOAT"),
    "real": ("FLOAT",),
    "boolean": ("BOOLEAN",),
    "date": ("DATE",),
    "timestamp": ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"),
    "varchar": ("VARCHAR",),
    "char": ("VARCHAR",),
    "varbinary": ("BLOB",),
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)", re.IGNORECASE)


class Parquet:
    """A table of Parquet files."""

    LIBRARY = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"

    def __init__(self, fields: Mapping[str, Type], settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:  # noqa: ARG002
        self._fields = fields

    @staticmethod
    def refusal(fields: Mapping[str, Type], settings: Mapping[str, str]) -> str:  # noqa: ARG004
        """Why such a table can't be read; empty if it can."""
        # parquet.compression and its like are of writing
        unknown = next((name for name in settings if not name.startswith("parquet.")), None)
        return f"the SerDe's {unknown} is not known" if unknown else ""

    def scan(self, session: Session, name: str, landed: Landed) -> str:  # noqa: ARG002
        """See ``source.Reader``."""
        session.files.expect(lambda: landed.files)
        files = f"[{', '.join(map(sql_text, landed.files))}]"
        options = f"{files}, union_by_name = true, hive_partitioning = false"
        described = session.connection.execute(f"DESCRIBE SELECT * FROM read_parquet({options})").fetchall()  # noqa: S608
        found = {str(row[0]).lower(): (str(row[0]), str(row[1])) for row in described}
        columns = [column(field, kind, found.get(field), landed.label) for field, kind in self._fields.items()]
        # A name of one's own for the path makes DuckDB 1.5.5 fail where it pushes a filter on it into the scan: then
        # nothing is pushed.
        path, barrier = "filename", ""
        if path in found:
            path, barrier = PATH, f" LIMIT {sys.maxsize}"
        scan = f"read_parquet({options}, filename = {sql_text(path)}){barrier}"
        return f"(SELECT {', '.join(columns)}, {quoted(path)} AS {quoted(PATH)} FROM {scan})"  # noqa: S608


def column(field: str, kind: Type, stored: tuple[str, str] | None, label: str, format_name: str = "parquet") -> str:
    """SQL of a table's column. ``stored``: its name and DuckDB's type in the files; None: they have none."""
    wanted = hivetypes.physical(kind)
    if stored is None:
        return f"CAST(NULL AS {wanted}) AS {quoted(field)}"
    name, actual = stored
    source = quoted(name)
    if kind.items:
        if _shape(actual) != _shape(wanted):
            raise unread(label, f"column {field} is {actual.lower()} in a file, and {kind} in the table")
        return f"CAST({source} AS {wanted}) AS {quoted(field)}"
    if not _fits(kind, actual):
        shown = _physical(actual) if format_name == "parquet" else actual.lower()
        raise QueryError(
            "HIVE_BAD_DATA",
            f"Field {field}'s type {shown} in {format_name} files of {label} is incompatible with type "
            f"{kind} defined in table schema",
        )
    if kind.name == "timestamp":
        return f"CAST(CAST({source} AS TIMESTAMP_MS) AS TIMESTAMP) AS {quoted(field)}"
    if kind.name == "char":
        source = f"rtrim(substr({source}, 1, {kind.numbers[0]}), ' ')"
    elif kind.name == "varchar" and kind.numbers:
        source = f"substr({source}, 1, {kind.numbers[0]})"
    return f"CAST({source} AS {wanted}) AS {quoted(field)}"


# How Parquet holds DuckDB's types: https://parquet.apache.org/docs/file-format/types/
_PHYSICAL = {
    **dict.fromkeys(("BIGINT", "UBIGINT", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "INT64"),
    **dict.fromkeys(("INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT", "DATE"), "INT32"),
    **dict.fromkeys(("VARCHAR", "BLOB"), "BINARY"),
    "TIMESTAMP WITH TIME ZONE": "INT64",
    "TIME": "INT64",
    "UUID": "FIXED_LEN_BYTE_ARRAY",
}


def _physical(actual: str) -> str:
    """The type in a file as Athena names it, with Parquet's own word."""
    found = _DECIMAL.fullmatch(actual)
    if found:
        digits = int(found[1])
        return "INT32" if digits < 10 else "INT64" if digits < 19 else "FIXED_LEN_BYTE_ARRAY"
    return _PHYSICAL.get(actual, actual)


def _shape(text: str) -> str:
    """A nested type without what a cast between equal shapes bridges: case, quotes, the unit of timestamps."""
    return re.sub(r"timestamp_(s|ms|ns)|timestamp with time zone", "timestamp", text.lower().replace('"', ""))


def _fits(kind: Type, actual: str) -> bool:
    if kind.name in _NARROWER:
        return actual in _NARROWER[kind.name]
    found = _DECIMAL.fullmatch(actual)
    if found is None:
        return False
    given = sqltypes.decimal(int(found[1]), int(found[2]))
    return given.numbers[1] <= kind.numbers[1] and given.numbers[0] <= kind.numbers[0]
