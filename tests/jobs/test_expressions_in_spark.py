"""SQL of derived columns and checks gives in Spark what it gives in Athena (tests/spec/test_expressions.py)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from spec.athena_values import in_athena
from spec.expression_cases import CASES, COLUMNS, all_rows, problems, same
from spec.random_sql import expression

from lakectl.local.athena.session import Session
from lakectl.spec.expressions import typed
from lakectl.spec.typed_sql import NULL, Typed


def in_spark(spark: Any, compiled: Sequence[Typed], timestamp: str = "timestamp_ntz") -> list[list[Any]]:
    """The values of each expression in the rows of all cases. Its type in Spark must be its own."""
    from lake.session import planned_for
    from pyspark.sql import functions as F

    schema = ", ".join(f"{name} {'timestamp_ntz' if name == 't' else kind}" for name, kind in COLUMNS.items())
    frame = spark.createDataFrame([tuple(row.values()) for row in all_rows()], schema)
    frame = frame.withColumn("t", F.col("t").cast(timestamp))
    frame = frame.select(*(F.expr(each.spark).alias(str(at)) for at, each in enumerate(compiled)))
    kinds = [kind.replace("timestamp_ntz", "timestamp") for _, kind in frame.dtypes]
    assert [(each.spark, kind) for each, kind in zip(compiled, kinds, strict=True) if kind != each.kind != NULL] == []
    # A timestamp with a zone would be collected as a local time.
    naive = [F.col(name).cast("timestamp_ntz") if kind == "timestamp" else F.col(name) for name, kind in frame.dtypes]
    with planned_for(spark, 0):
        rows = frame.select(*naive).collect()
    return [[row[at] for row in rows] for at in range(len(compiled))]


def differences(session: Session, sql: str, compiled: Typed, values: list[Any]) -> list[str]:
    """Where the local Athena gives another value."""
    pairs = zip(all_rows(), values, in_athena(session, compiled.athena), strict=True)
    return [f"{sql} of {row}: {one!r} in Spark, {two!r} in Athena" for row, one, two in pairs if not same(one, two)]


@pytest.mark.parametrize("timestamp", ["timestamp_ntz", pytest.param("timestamp", marks=pytest.mark.long)])
def test_every_expression_gives_the_same_in_every_row(spark: Any, timestamp: str, tmp_path: Path) -> None:
    """No row fails, each gives what its case says, and each gives in Athena what it gives in Spark."""
    compiled = [typed(sql, COLUMNS) for sql, _ in CASES]
    session = Session(tmp_path)
    found: list[str] = []
    for (sql, expected), each, values in zip(CASES, compiled, in_spark(spark, compiled, timestamp), strict=True):
        found += problems(sql, expected, dict(zip(map(repr, all_rows()), values, strict=True)))
        found += differences(session, sql, each, values)
    assert found == []


@pytest.mark.long
@pytest.mark.parametrize("seed", [1])
def test_random_expressions_give_the_same_in_both(spark: Any, seed: int, tmp_path: Path) -> None:
    random, session = Random(seed), Session(tmp_path)
    found: list[str] = []
    for _ in range(10):
        written = sorted({expression(random, random.randint(1, 4)) for _ in range(50)})
        compiled = [typed(sql, COLUMNS) for sql in written]
        for sql, each, values in zip(written, compiled, in_spark(spark, compiled), strict=True):
            found += differences(session, sql, each, values)
    assert found == []
