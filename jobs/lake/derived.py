"""Derived columns: SQL over the columns of a row."""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.names import spark_type
from lakectl.spec.model import SourceSpec


def with_derived(rows: DataFrame, source: SourceSpec, only: Collection[str] | None = None) -> DataFrame:
    """``rows`` with the derived columns, each of which may use those before it; with ``only``, those of them."""
    for derived in source.derive:
        if only is None or derived.name in only:
            rows = rows.withColumn(derived.name, F.expr(derived.sql.spark).cast(spark_type(derived.type)))
    return rows
