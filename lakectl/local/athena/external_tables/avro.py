"""Avro: https://docs.aws.amazon.com/athena/latest/ug/avro-serde.html

Columns are found by name, without case, in the schema that each file has in it.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables.files import PATH, Landed, quoted, sql_text
from lakectl.local.athena.external_tables.parquet import column
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type


class Avro:
    """A table of Avro files. DuckDB reads them one by one: their schemas may differ."""

    LIBRARY = "org.apache.hadoop.hive.serde2.avro.AvroSerDe"

    def __init__(self, fields: Mapping[str, Type], settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:  # noqa: ARG002
        self._fields = fields

    @staticmethod
    def refusal(fields: Mapping[str, Type], settings: Mapping[str, str]) -> str:  # noqa: ARG004
        """Why such a table can't be read; empty if it can."""
        unknown = next((name for name in settings if name not in ("avro.schema.literal", "serialization.format")), None)
        return f"the SerDe's {unknown} is not known; known is avro.schema.literal" if unknown else ""

    def scan(self, session: Session, name: str, landed: Landed) -> str:  # noqa: ARG002
        """See ``source.Reader``."""
        session.files.expect(lambda: landed.files)
        parts = []
        for path in landed.files:
            scan = f"read_avro({sql_text(path)})"
            try:
                described = session.connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()  # noqa: S608
            except duckdb.InvalidInputException:
                raise QueryError("HIVE_BAD_DATA", f"Error reading Avro file {path}: it is broken") from None
            found = {str(row[0]).lower(): (str(row[0]), str(row[1])) for row in described}
            columns = [
                self._column(field, kind, found.get(field), landed.label) for field, kind in self._fields.items()
            ]
            parts.append(f"SELECT {', '.join(columns)}, {sql_text(path)} AS {quoted(PATH)} FROM {scan}")  # noqa: S608
        return f"({' UNION ALL '.join(parts)})"

    def _column(self, field: str, kind: Type, stored: tuple[str, str] | None, label: str) -> str:
        if stored is not None and kind.name in ("tinyint", "smallint") and stored[1] == "INTEGER":
            return f"CAST({quoted(stored[0])} AS {kind.physical}) AS {quoted(field)}"  # Avro has no smaller integers
        return column(field, kind, stored, label, "avro")
