"""Rows of JSON Lines: read line by line in Python, by the code that the command line checks them with.

Spark's own JSON reader takes a number in a text column through a double, and so loses digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BooleanType, StringType, StructField, StructType

from lake.names import CORRUPT, LANDING_NO, RAW, spark_type
from lakectl.core.json_files import Broken, Lines
from lakectl.spec.model import SourceSpec

_TEXTS = ArrayType(StringType())
_ROW = StructType(
    [
        StructField("broken", BooleanType()),
        StructField("further", BooleanType()),
        StructField("texts", _TEXTS),
        StructField("plain", _TEXTS),
    ]
)


def raw(spark: SparkSession, source: SourceSpec, paths: list[str], *, is_joined: bool = False) -> DataFrame:
    """All rows of the files. ``is_joined``: they are joined lines, each after its LANDING_NO."""
    lines, origin = lines_of(spark, paths), F.col("_lake_object")
    if is_joined:
        lines = lines.withColumn("_lake_object", F.substring_index("value", " ", 1).cast("int"))
        lines = lines.withColumn("value", F.expr("substr(value, instr(value, ' ') + 1)"))
        origin = F.col("_lake_object").alias(LANDING_NO)
    read = F.udf(_reader(source), _ROW)
    rows = lines.select("value", "_lake_object", read("value").alias("row"))
    columns = list(enumerate(source.columns))
    return rows.select(
        *(F.col("row.texts")[place].alias(RAW + column.name) for place, column in columns),
        F.when(F.col("row.broken"), F.col("value")).alias(CORRUPT),
        F.col("row.further").alias("_lake_further"),
        origin,
        *(F.col("row.plain")[place].cast(spark_type(column.type)).alias(column.name) for place, column in columns),
    )


def further(spark: SparkSession, source: SourceSpec, paths: list[str]) -> DataFrame:
    """(object, name) of each field in the files that is no column's."""
    names = F.udf(_further(source), _TEXTS)
    return lines_of(spark, paths).select("_lake_object", F.explode(names("value")).alias("name")).distinct()


def lines_of(spark: SparkSession, paths: list[str]) -> DataFrame:
    lines = spark.read.option("recursiveFileLookup", True).text(paths)
    lines = lines.select("value", F.col("_metadata.file_path").alias("_lake_object"))
    # What ``csv_files.is_blank`` says.
    return lines.where(~F.col("value").rlike(r"\A[\x00-\x20]*\z"))


def _reader(source: SourceSpec) -> Callable[[str], Any]:
    lines = Lines(source)
    nothing = [None] * len(source.columns)

    def read(line: str) -> Any:
        try:
            row, more = lines.row(line)
        except Broken:
            return True, False, nothing, nothing
        return False, bool(more), [value.text for value in row.values()], [value.plain for value in row.values()]

    return read


def _further(source: SourceSpec) -> Callable[[str], Any]:
    lines = Lines(source)

    def names(line: str) -> Any:
        try:
            return list(lines.further(line))
        except Broken:
            return []

    return names
