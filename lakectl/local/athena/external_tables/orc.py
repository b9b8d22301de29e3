"""ORC: https://docs.aws.amazon.com/athena/latest/ug/orc-serde.html

Athena finds the columns of ORC files by their place, unless ``orc.column.index.access`` is false
(https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pyarrow import orc

from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import hivetypes
from lakectl.local.athena.external_tables.files import Landed
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type


class Orc:
    """A table of ORC files, read by Arrow."""

    LIBRARY = "org.apache.hadoop.hive.ql.io.orc.OrcSerde"

    def __init__(self, fields: Mapping[str, Type], settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:  # noqa: ARG002
        self._fields = fields
        self._by_place = settings.get("orc.column.index.access", "true").lower() != "false"

    @staticmethod
    def refusal(fields: Mapping[str, Type], settings: Mapping[str, str]) -> str:  # noqa: ARG004
        """Why such a table can't be read; empty if it can."""
        unknown = next((name for name in settings if not name.startswith("orc.")), None)
        return f"the SerDe's {unknown} is not known" if unknown else ""

    def scan(self, session: Session, name: str, landed: Landed) -> str:
        """See ``source.Reader``."""
        tables = []
        for path, stream in landed.packed(session, list(landed.files)):
            try:
                table = orc.ORCFile(io.BytesIO(stream.read())).read()
            except (pa.ArrowException, OSError):
                raise QueryError("HIVE_BAD_DATA", f"Malformed ORC file [{path}]") from None
            tables.append(landed.with_paths(self._columns(table, path), {path: table.num_rows}))
        session.register(name, pa.concat_tables(tables))
        return f'"{name}"'

    def _columns(self, table: pa.Table, path: str) -> list[Any]:
        by_name = {field.lower(): at for at, field in enumerate(table.column_names)}
        columns = []
        for place, (field, kind) in enumerate(self._fields.items()):
            at = place if self._by_place else by_name.get(field, -1)
            wanted = hivetypes.arrow(kind)
            if not 0 <= at < table.num_columns:
                columns.append(pa.nulls(table.num_rows, wanted))
                continue
            given = table.column(at)
            if not _fits(given.type, wanted):
                raise QueryError(
                    "HIVE_BAD_DATA",
                    f"Error opening Hive split {path}: column {field} of ORC type {given.type} can't be read as {kind}",
                )
            columns.append(_cut(given.cast(wanted, safe=not pa.types.is_timestamp(wanted)), kind))
        return columns


def _fits(given: Any, wanted: Any) -> bool:
    """Whether a value of the file is a value of the column: the same type, or a narrower one."""
    if given == wanted:
        return True
    if pa.types.is_integer(given) and pa.types.is_integer(wanted):
        return bool(given.bit_width <= wanted.bit_width)
    if pa.types.is_floating(given) and pa.types.is_floating(wanted):
        return bool(given.bit_width <= wanted.bit_width)
    if pa.types.is_timestamp(given) and pa.types.is_timestamp(wanted):
        return True
    if pa.types.is_decimal(given) and pa.types.is_decimal(wanted):
        return bool(given.scale <= wanted.scale and given.precision <= wanted.precision)
    texts = (pa.types.is_string(given) or pa.types.is_large_string(given)) and pa.types.is_string(wanted)
    if pa.types.is_nested(given) and pa.types.is_nested(wanted) and given.num_fields == wanted.num_fields:
        parts = range(given.num_fields)
        return type(given) is type(wanted) and all(_fits(given.field(at).type, wanted.field(at).type) for at in parts)
    return bool(texts)


def _cut(values: Any, kind: Type) -> Any:
    import pyarrow.compute as pc

    if kind.name == "timestamp":  # to the millisecond
        return pc.floor_temporal(values, 1, "millisecond").cast(pa.timestamp("us"))
    return pc.utf8_rtrim(values, " ") if kind.name == "char" else values
