"""SQL of derived columns and checks gives in Spark what it gives in Athena (tests/spec/test_expressions.py)."""

from __future__ import annotations

from typing import Any

import pytest
from spec.expression_cases import CASES, COLUMNS, all_rows, problems

from lakectl.spec.expressions import typed


@pytest.mark.parametrize("timestamp", ["timestamp_ntz", "timestamp"])
def test_every_expression_gives_what_is_expected_in_every_row(spark: Any, timestamp: str) -> None:
    from pyspark.sql import functions as F
    from pyspark.sql.types import TimestampNTZType, TimestampType

    schema = ", ".join(f"{name} {'timestamp_ntz' if name == 't' else kind}" for name, kind in COLUMNS.items())
    rows = all_rows()
    frame = spark.createDataFrame([tuple(row.values()) for row in rows], schema)
    frame = frame.withColumn("t", F.col("t").cast(timestamp))
    frame = frame.select(*(F.expr(typed(sql, COLUMNS).spark).alias(f"case_{at}") for at, (sql, _) in enumerate(CASES)))
    for field in frame.schema.fields:
        if isinstance(field.dataType, TimestampType):  # collected as a local time otherwise
            frame = frame.withColumn(field.name, F.col(field.name).cast(TimestampNTZType()))
    got = [row.asDict() for row in frame.collect()]
    found: list[str] = []
    for at, (sql, expected) in enumerate(CASES):
        by_row = {repr(row): values[f"case_{at}"] for row, values in zip(rows, got, strict=True)}
        found += problems(sql, expected, by_row)
    assert found == []
