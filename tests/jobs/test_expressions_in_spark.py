"""SQL of derived columns and checks gives in Spark what it gives in Athena (tests/spec/test_expressions.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from spec.athena_values import in_athena
from spec.expression_cases import CASES, COLUMNS, all_rows, problems, same

from lakectl.local.athena.session import Session
from lakectl.spec.expressions import typed


@pytest.mark.parametrize("timestamp", ["timestamp_ntz", pytest.param("timestamp", marks=pytest.mark.long)])
def test_every_expression_gives_the_same_in_every_row(spark: Any, timestamp: str, tmp_path: Path) -> None:
    """No row fails, each gives what its case says, and each gives in Athena what it gives in Spark."""
    from lake.session import planned_for
    from pyspark.sql import functions as F

    rows, compiled = all_rows(), [typed(sql, COLUMNS) for sql, _ in CASES]
    schema = ", ".join(f"{name} {'timestamp_ntz' if name == 't' else kind}" for name, kind in COLUMNS.items())
    frame = spark.createDataFrame([tuple(row.values()) for row in rows], schema)
    frame = frame.withColumn("t", F.col("t").cast(timestamp))
    frame = frame.select(*(F.expr(each.spark).alias(str(at)) for at, each in enumerate(compiled)))
    kinds = [kind.replace("timestamp_ntz", "timestamp") for _, kind in frame.dtypes]
    assert dict(zip((sql for sql, _ in CASES), kinds, strict=True)) == {
        sql: each.kind for (sql, _), each in zip(CASES, compiled, strict=True)
    }
    # A timestamp with a zone would be collected as a local time.
    naive = [F.col(name).cast("timestamp_ntz") if kind == "timestamp" else F.col(name) for name, kind in frame.dtypes]
    with planned_for(spark, 0):
        got = frame.select(*naive).collect()
    session = Session("http://127.0.0.1:9", tmp_path)
    found: list[str] = []
    for at, ((sql, expected), each) in enumerate(zip(CASES, compiled, strict=True)):
        values = [row[at] for row in got]
        found += problems(sql, expected, dict(zip(map(repr, rows), values, strict=True)))
        for row, one, other in zip(rows, values, in_athena(session, each.athena), strict=True):
            if not same(one, other):
                found.append(f"{sql} of {row}: {one!r} in Spark, {other!r} in Athena")
    assert found == []
