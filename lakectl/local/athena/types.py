"""Athena's names for the types of Iceberg and Arrow."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from pyiceberg import types as iceberg

_PRIMITIVES: dict[type, str] = {
    iceberg.BooleanType: "boolean",
    iceberg.IntegerType: "integer",
    iceberg.LongType: "bigint",
    iceberg.FloatType: "real",
    iceberg.DoubleType: "double",
    iceberg.DateType: "date",
    iceberg.TimeType: "time(6)",
    iceberg.TimestampType: "timestamp(6)",
    iceberg.TimestamptzType: "timestamp(6) with time zone",
    iceberg.StringType: "varchar",
    iceberg.BinaryType: "varbinary",
    iceberg.FixedType: "varbinary",
    iceberg.UUIDType: "uuid",
}
# Glue and SHOW CREATE TABLE speak Hive: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-supported-data-types.html
_HIVE = {"integer": "int", "varchar": "string", "real": "float", "varbinary": "binary", "timestamp(6)": "timestamp"}


def of_iceberg(kind: Any) -> str:
    """The Athena (Trino) name of a PyIceberg type."""
    if isinstance(kind, iceberg.DecimalType):
        return f"decimal({kind.precision},{kind.scale})"
    if isinstance(kind, iceberg.ListType):
        return f"array({of_iceberg(kind.element_type)})"
    if isinstance(kind, iceberg.MapType):
        return f"map({of_iceberg(kind.key_type)},{of_iceberg(kind.value_type)})"
    if isinstance(kind, iceberg.StructType):
        return f"row({','.join(f'{field.name} {of_iceberg(field.field_type)}' for field in kind.fields)})"
    return _PRIMITIVES[type(kind)]


def hive_of_iceberg(kind: Any) -> str:
    """The Hive name of a PyIceberg type, as Glue and Athena's DDL write it."""
    if isinstance(kind, iceberg.ListType):
        return f"array<{hive_of_iceberg(kind.element_type)}>"
    if isinstance(kind, iceberg.MapType):
        return f"map<{hive_of_iceberg(kind.key_type)},{hive_of_iceberg(kind.value_type)}>"
    if isinstance(kind, iceberg.StructType):
        return f"struct<{','.join(f'{field.name}:{hive_of_iceberg(field.field_type)}' for field in kind.fields)}>"
    name = of_iceberg(kind)
    return _HIVE.get(name, name.replace("timestamp(6) with time zone", "timestamp with time zone"))


def of_arrow(kind: Any) -> str:
    """The Athena name of an Arrow type, as GetQueryResults reports it in ColumnInfo.Type."""
    for test, name in (
        (pa.types.is_int64, "bigint"),
        (pa.types.is_int32, "integer"),
        (pa.types.is_int16, "smallint"),
        (pa.types.is_int8, "tinyint"),
        (pa.types.is_float64, "double"),
        (pa.types.is_float32, "float"),
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_date, "date"),
        (pa.types.is_time, "time"),
        (pa.types.is_decimal, "decimal"),
        (pa.types.is_map, "map"),
        (pa.types.is_struct, "row"),
        (pa.types.is_list, "array"),
        (pa.types.is_large_list, "array"),
        (pa.types.is_binary, "varbinary"),
        (pa.types.is_large_binary, "varbinary"),
        (pa.types.is_duration, "interval day to second"),
        (pa.types.is_interval, "interval day to second"),
        (pa.types.is_null, "unknown"),
        (pa.types.is_unsigned_integer, "bigint"),
    ):
        if test(kind):
            return name
    if pa.types.is_timestamp(kind):
        return "timestamp with time zone" if kind.tz else "timestamp"
    return "varchar"
