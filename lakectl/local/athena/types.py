"""Athena's types: as text for people, and as sqlglot sees them while a query is checked."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from pyiceberg import types as iceberg
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.optimizer.annotate_types import TypeAnnotator

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
_INTEGER_DIGITS = {"TINYINT": 3, "SMALLINT": 5, "INT": 10, "BIGINT": 19}


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


def parse(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect="trino")


def display(node: exp.Expr) -> str:
    """The type of an annotated expression, as Athena's error messages spell it (``varchar(10)`` for 'a literal')."""
    kind = node.type
    if kind is None or kind.is_type("unknown"):
        return "unknown"
    if isinstance(node, exp.Literal) and node.is_string:
        return f"varchar({len(node.name)})"
    if kind.is_type("int"):
        return "integer"
    return str(kind.sql(dialect="trino")).lower().replace(", ", ",")


def decimal_of(node: exp.Expr | None) -> tuple[int, int] | None:
    """(precision, scale) of an expression that is a decimal, or an integer seen as one; else None."""
    kind = node.type if node is not None else None
    if kind is None:
        return None
    if kind.is_type("decimal") and len(kind.expressions) == 2:
        precision, scale = (int(parameter.name) for parameter in kind.expressions)
        return precision, scale
    digits = _INTEGER_DIGITS.get(kind.this.name) if isinstance(kind.this, exp.DType) else None
    return (digits, 0) if digits else None


def is_integer(node: exp.Expr | None) -> bool:
    return node is not None and node.type is not None and node.type.is_type(*exp.DataType.INTEGER_TYPES)


def is_decimal(node: exp.Expr | None) -> bool:
    return node is not None and node.type is not None and node.type.is_type("decimal")


def is_float(node: exp.Expr | None) -> bool:
    return node is not None and node.type is not None and node.type.is_type("double", "float")


def is_date(node: exp.Expr | None) -> bool:
    return node is not None and node.type is not None and node.type.is_type("date")


def is_timestamp(node: exp.Expr | None) -> bool:
    return node is not None and node.type is not None and node.type.is_type("timestamp", "timestamptz", "datetime")


def _decimal(precision: int, scale: int) -> exp.DataType:
    return exp.DataType.build(f"decimal({min(38, precision)},{scale})", dialect="trino")


def _literal(annotator: TypeAnnotator, node: exp.Literal) -> exp.Expr:
    """Trino: 1.25 is decimal(3,2), 1.25e0 is double, 3000000000 is bigint."""
    text = node.name
    if node.is_string:
        return annotator._set_type(node, exp.DType.VARCHAR)
    if "e" in text.lower():
        return annotator._set_type(node, exp.DType.DOUBLE)
    if "." in text:
        whole, _, fraction = text.partition(".")
        return annotator._set_type(node, _decimal(max(1, len(whole.lstrip("0")) + len(fraction)), len(fraction)))
    return annotator._set_type(node, exp.DType.INT if int(text) < 2**31 else exp.DType.BIGINT)


def _arithmetic(annotator: TypeAnnotator, node: exp.Binary) -> exp.Expr:
    """Trino's result types: https://trino.io/docs/current/functions/decimal.html#binary-arithmetic-decimal-operators"""
    left, right = node.left, node.right
    if is_integer(left) and is_integer(right):
        wider = max((left, right), key=lambda side: (decimal_of(side) or (19, 0))[0])
        return annotator._set_type(node, wider.type)
    first, second = decimal_of(left), decimal_of(right)
    if first and second:
        return annotator._set_type(node, _decimal(*_decimal_result(node, first, second)))
    if isinstance(node, exp.Add | exp.Sub):
        return _temporal(annotator, node)
    if is_float(left) or is_float(right):
        return annotator._set_type(node, exp.DType.DOUBLE)
    return annotator._set_type(node, exp.DType.UNKNOWN)


def _temporal(annotator: TypeAnnotator, node: exp.Binary) -> exp.Expr:
    left, right = node.left, node.right
    if is_date(left) and is_date(right):
        return annotator._set_type(node, exp.DType.INTERVAL)
    for side, other in ((left, right), (right, left)):
        if isinstance(other, exp.Interval) and (is_date(side) or is_timestamp(side)):
            return annotator._set_type(node, side.type)
    if is_float(left) or is_float(right):
        return annotator._set_type(node, exp.DType.DOUBLE)
    return annotator._set_type(node, exp.DType.UNKNOWN)


def _decimal_result(node: exp.Binary, first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    (p1, s1), (p2, s2) = first, second
    if isinstance(node, exp.Mul):
        return p1 + p2, s1 + s2
    if isinstance(node, exp.Div):
        return p1 + s2 + max(s2 - s1, 0), max(s1, s2)
    if isinstance(node, exp.Mod):
        return min(p2 - s2, p1 - s1) + max(s1, s2), max(s1, s2)
    return max(p1 - s1, p2 - s2) + max(s1, s2) + 1, max(s1, s2)


def _sum(annotator: TypeAnnotator, node: exp.Sum) -> exp.Expr:
    if is_integer(node.this):
        return annotator._set_type(node, exp.DType.BIGINT)
    if is_decimal(node.this):
        found = decimal_of(node.this)
        return annotator._set_type(node, _decimal(38, found[1] if found else 0))
    return _same(annotator, node)


def _avg(annotator: TypeAnnotator, node: exp.Avg) -> exp.Expr:
    return _same(annotator, node) if is_decimal(node.this) else annotator._set_type(node, exp.DType.DOUBLE)


def _same(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    return annotator._set_type(node, node.this.type if node.this is not None else None)


def _bigint(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    return annotator._set_type(node, exp.DType.BIGINT)


def _array_of(annotator: TypeAnnotator, node: exp.Expr) -> exp.Expr:
    """sequence(start, stop) and repeat(element, count): arrays of their first argument's type."""
    first = node.args.get("start") or node.this
    inner = first.type.copy() if first.type is not None else exp.DataType.build("unknown")
    return annotator._set_type(node, exp.DataType(this=exp.DType.ARRAY, expressions=[inner], nested=True))


# What sqlglot does not know, or knows otherwise than Trino does.
ANNOTATIONS: dict[Any, Any] = {
    **Dialect.get_or_raise("athena").EXPRESSION_METADATA,
    exp.Literal: {"annotator": _literal},
    **{node: {"annotator": _arithmetic} for node in (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)},
    exp.Sum: {"annotator": _sum},
    exp.Avg: {"annotator": _avg},
    exp.GenerateSeries: {"annotator": _array_of},
    exp.Repeat: {"annotator": _array_of},
    **{node: {"annotator": _same} for node in (exp.TimestampTrunc, exp.DateTrunc, exp.DateAdd, exp.DateSub, exp.Round)},
    **{
        node: {"annotator": _same}
        for node in (exp.ArgMax, exp.ArgMin, exp.Abs, exp.Neg, exp.Paren, exp.Filter, exp.Try)
    },
    **{
        node: {"annotator": _bigint}
        for node in (exp.DateDiff, exp.Year, exp.Month, exp.Day, exp.Week, exp.Quarter, exp.DayOfWeek, exp.Extract)
    },
}
