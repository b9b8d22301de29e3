"""Rows of Parquet files, whose values have types of their own: taken where the column's type holds them exactly."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    FloatType,
    IntegralType,
    StringType,
    TimestampNTZType,
    TimestampType,
)

from lake.names import CORRUPT, RAW, spark_type
from lake.parsing import clean, parse, to_utc
from lakectl.core.values import LIMITS
from lakectl.spec import model
from lakectl.spec.model import SourceSpec


def raw(
    spark: SparkSession, source: SourceSpec, names: tuple[str, ...], kinds: tuple[str, ...], paths: list[str]
) -> DataFrame:
    """All rows of the files, whose columns are ``names``; ``kinds``: their types as PyArrow calls them."""
    rows = spark.read.option("recursiveFileLookup", True).parquet(*paths)
    # By place: a file's own names may be anything.
    fields = {name: (field, kind) for name, field, kind in zip(names, rows.schema.fields, kinds, strict=True)}
    chosen = []
    for column in source.columns:
        if fields.get(column.name, (None, "null"))[1] == "null":
            chosen += [F.lit(None).cast("string").alias(RAW + column.name), _nothing(column).alias(column.name)]
            continue
        field, kind = fields[column.name]
        value, had = F.col(f"`{field.name.replace('`', '``')}`"), field.dataType
        if kind.startswith("timestamp[ns"):
            # The session reads it as a number (nanosAsLong). What is more than microseconds is not rounded away.
            value = F.when(value % 1000 == 0, F.expr(f"timestamp_micros(`{field.name.replace('`', '``')}` div 1000)"))
            had = TimestampType() if "tz=" in kind else TimestampNTZType()
            value = value.cast(had)
        text, typed = _read(value, had, column, source)
        chosen += [text.alias(RAW + column.name), typed.alias(column.name)]
    return rows.select(
        *chosen,
        F.lit(None).cast("string").alias(CORRUPT),
        F.lit(False).alias("_lake_further"),
        F.col("_metadata.file_path").alias("_lake_object"),
    )


def _nothing(column: model.Column) -> Column:
    return F.lit(None).cast(spark_type(column.type))


def _read(value: Column, had: DataType, column: model.Column, source: SourceSpec) -> tuple[Column, Column]:
    """(the value's text, the value as the column's type, NULL where it does not hold it)."""
    if isinstance(had, StringType):
        text = clean(value, column, source.file.nulls)
        if column.type == "string":
            text = F.when(value == "", value).otherwise(text)
        return text, parse(text, column)
    if isinstance(had, FloatType):
        value, had = value.cast("double"), None
    text = value.cast("string")
    return text, _exactly(value, had, column, text).cast(spark_type(column.type))


def _exactly(value: Column, had: DataType | None, column: model.Column, text: Column) -> Column:
    """What ``parquet_files.read`` says. ``had``: the file's type, None for a double."""
    kind = column.type
    if kind == "string":
        return text
    if isinstance(had, DateType | TimestampType | TimestampNTZType):
        return _moment(value, had, column)
    if kind in ("date", "timestamp") or (isinstance(had, BooleanType) and kind != "boolean"):
        return _nothing(column)
    if kind == "boolean":
        return value if isinstance(had, BooleanType) else F.when(value == 0, F.lit(False)).when(value == 1, F.lit(True))
    if kind == "double":
        finite = value.cast("double")
        return F.when(F.abs(finite) < float("inf"), finite)
    if kind in LIMITS:
        limit = LIMITS[kind]
        if isinstance(had, IntegralType):
            return F.when(value.between(-limit, limit - 1), value) if limit < 2**63 else value
        whole = F.when((value >= float(-limit)) & (value < float(limit)), value.cast("bigint"))
        return F.when(whole.cast(had or "double") == value, whole)
    exact = value.cast(kind)
    back = exact.cast("double" if had is None else had) if had is None or isinstance(had, DecimalType) else exact
    return F.when(back == value, exact)


def _moment(value: Column, had: DataType, column: model.Column) -> Column:
    """A day is its midnight, and a midnight is its day. A moment without a zone is one of the column's zone."""
    if column.type == "date":
        if isinstance(had, DateType):
            return value
        day = value.cast("date")
        return (
            F.when(day.cast("timestamp_ntz") == value, day) if isinstance(had, TimestampNTZType) else _nothing(column)
        )
    if column.type == "timestamp":
        if isinstance(had, TimestampType):
            return value.cast("timestamp_ntz")
        return to_utc(value.cast("timestamp"), column.zone).cast("timestamp_ntz")
    return _nothing(column)
