"""What a type of a query is in an Iceberg table.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-supported-data-types.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyiceberg import types as iceberg
from pyiceberg.schema import Schema

from lakectl.local.athena import sqltypes
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import Type

_NAMES: dict[str, Any] = {
    "boolean": iceberg.BooleanType,
    "integer": iceberg.IntegerType,
    "bigint": iceberg.LongType,
    "real": iceberg.FloatType,
    "double": iceberg.DoubleType,
    "date": iceberg.DateType,
    "time": iceberg.TimeType,
    "timestamp": iceberg.TimestampType,
    "timestamp with time zone": iceberg.TimestamptzType,
    "varchar": iceberg.StringType,
    "varbinary": iceberg.BinaryType,
    "uuid": iceberg.UUIDType,
}


def storable(kind: Type) -> Type:
    """The nearest type of an Iceberg table: integers of 32 bits, microseconds, text of any length.

    Raises QueryError NOT_SUPPORTED for a type that Iceberg does not have.
    """
    if kind.items:
        if any(name is None for name in kind.fields):
            raise QueryError("NOT_SUPPORTED", f"Row type field does not have a name: {kind}")
        return replace(kind, items=tuple(map(storable, kind.items)))
    if kind.name in ("tinyint", "smallint"):
        return sqltypes.INTEGER
    if kind.name in ("varchar", "char"):
        return sqltypes.VARCHAR
    if kind.name in ("timestamp", "timestamp with time zone") and kind.precision <= 6:
        return sqltypes.timestamp(6, zoned=kind.is_zoned)
    if kind.name == "time" and kind.precision <= 6:
        return Type("time", (6,))
    if kind.name == "decimal" or kind.name in ("boolean", "integer", "bigint", "real", "double", "date", "varbinary"):
        return kind
    raise QueryError("NOT_SUPPORTED", f"Type not supported for Iceberg: {kind}")


def schema(columns: list[str], kinds: list[Type]) -> Schema:
    """A schema of these columns, all of which may be NULL. Top-level ids come first, as Iceberg assigns them."""
    numbers = iter(range(len(columns) + 1, 1_000_000))

    def made(kind: Type) -> Any:
        if kind.name == "decimal":
            return iceberg.DecimalType(*kind.numbers)
        if kind.name == "array":
            return iceberg.ListType(next(numbers), made(kind.items[0]), element_required=False)
        if kind.name == "map":
            ids = next(numbers), next(numbers)
            key, value = map(made, kind.items)
            return iceberg.MapType(ids[0], key, ids[1], value, value_required=False)
        if kind.name == "row":
            own = [next(numbers) for _ in kind.items]
            parts = zip(own, kind.fields, kind.items, strict=True)
            return iceberg.StructType(
                *(iceberg.NestedField(n, str(name), made(item), required=False) for n, name, item in parts)
            )
        return _NAMES[kind.name]()

    fields = [
        iceberg.NestedField(at, column, made(kind), required=False)
        for at, (column, kind) in enumerate(zip(columns, kinds, strict=True), start=1)
    ]
    return Schema(*fields)
