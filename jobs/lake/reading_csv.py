"""Rows of CSV files."""

from __future__ import annotations

import re

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from lake.names import CORRUPT, LANDING_NO, RAW
from lake.parsing import clean, parse
from lakectl.core.columns import RESERVED_PREFIX
from lakectl.spec.model import SourceSpec

_FIELD = RESERVED_PREFIX + "field_"


def raw(
    spark: SparkSession, source: SourceSpec, names: tuple[str, ...], paths: list[str], *, is_joined: bool = False
) -> DataFrame:
    """All rows of the files, whose headers are ``names``; no inference pass: all columns are read as text.
    ``is_joined``: they are joined lines, each after its LANDING_NO, and have no header."""
    # By place: Spark knows nothing of the file's own names.
    fields = {name: f"{_FIELD}{place}" for place, name in enumerate(names)}
    quote = source.file.quote
    all_fields = [*([LANDING_NO] if is_joined else ()), *fields.values(), CORRUPT]
    lines = (
        spark.read.schema(StructType([StructField(field, StringType()) for field in all_fields]))
        .option("header", not is_joined)
        .option("sep", source.file.delimiter)
        .option("quote", quote)
        .option("escape", quote)
        .option("encoding", source.file.encoding)
        .option("columnNameOfCorruptRecord", CORRUPT)
        # Otherwise ingest_date= in the path becomes a column.
        .option("recursiveFileLookup", True)
        .csv(paths)
    )
    if is_joined:
        number = f"^[0-9]+{re.escape(source.file.delimiter)}"
        lines = lines.withColumn(CORRUPT, F.regexp_replace(CORRUPT, number, ""))
    texts = {
        column.name: clean(F.col(fields[column.name]), column, source.file.nulls)
        if column.name in fields
        else F.lit(None).cast("string")
        for column in source.columns
    }
    found = lines.select(
        *(text.alias(RAW + name) for name, text in texts.items()),
        F.col(CORRUPT),
        F.lit(False).alias("_lake_further"),
        *(
            [F.col(LANDING_NO).cast("int").alias(LANDING_NO)]
            if is_joined
            else [F.col("_metadata.file_path").alias("_lake_object")]
        ),
    )
    typed = [parse(F.col(RAW + column.name), column).alias(column.name) for column in source.columns]
    return found.select("*", *typed)
