"""Committing to an Iceberg table that other runs commit to as well."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple, TypeVar

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

ATTEMPTS = 5
# The last is a MERGE's: it loads the table twice while it is planned, and somebody has committed in between.
CONFLICTS = ("ValidationException", "CommitFailedException", "the table has been concurrently modified")
LOST = (*CONFLICTS, "CommitStateUnknownException")
T = TypeVar("T")


class TableColumn(NamedTuple):
    """``type`` as the specification of Iceberg writes it, without spaces; ``doc`` is ``""`` without one."""

    name: str
    type: str
    doc: str


class CommitConflict(Exception):
    """Another run committed first: what we would change has to be computed again."""


def commit(spark: SparkSession, sql: str) -> None:
    """Run a statement that commits. Raises CommitConflict when another run was first."""
    committed(lambda: spark.sql(sql))


def committed(write: Callable[[], object]) -> None:
    """``write()``, which commits. Raises CommitConflict when another run was first.

    Iceberg retries lost commits by itself, but not when another run has touched the same files.
    """
    try:
        write()
    except Exception as error:
        lost = lost_commit(error)
        if lost:
            raise CommitConflict(lost) from error
        raise


def lost_commit(error: Exception, names: tuple[str, ...] = LOST) -> str:
    """The line of ``error`` that says that another run committed first; empty for any other error."""
    lines = str(error).splitlines()
    return next((line.strip() for line in lines if any(name in line for name in names)), "")


def persistently(table: str, attempt: Callable[[], T], say: Callable[[str], None]) -> T:
    """``attempt()``, computed again after each CommitConflict. Raises RuntimeError after the last."""
    for number in range(1, ATTEMPTS + 1):
        try:
            return attempt()
        except CommitConflict as conflict:
            say(f"attempt {number} of {ATTEMPTS}: another run committed first, computing again: {conflict}")
    raise RuntimeError(f"{table} was changed by other runs {ATTEMPTS} times in a row; the landings stay pending")


def snapshot_id(loaded: Any) -> str:
    """The current snapshot of a loaded table, ``""`` while it has none."""
    snapshot = loaded.currentSnapshot()
    return str(snapshot.snapshotId()) if snapshot else ""


def parent_id(loaded: Any) -> str:
    """The snapshot that the current one was committed to, ``""`` for the first."""
    snapshot = loaded.currentSnapshot()
    return str(snapshot.parentId() or "") if snapshot else ""


def columns_of(spark: SparkSession, loaded: Any) -> dict[int, TableColumn]:
    """Field id -> column of a loaded table, in order. One call of the JVM, where each column would need several."""
    schema = json.loads(spark._jvm.org.apache.iceberg.SchemaParser.toJson(loaded.schema()))
    return {
        field["id"]: TableColumn(field["name"], str(field["type"]).replace(" ", ""), field.get("doc", ""))
        for field in schema["fields"]
    }


def partitioned_by(spark: SparkSession, loaded: Any) -> dict[tuple[str, str], str]:
    """(column, transform) of the current partitioning -> the name of its field."""
    columns = columns_of(spark, loaded)
    spec = json.loads(spark._jvm.org.apache.iceberg.PartitionSpecParser.toJson(loaded.spec()))
    return {
        (columns[field["source-id"]].name, field["transform"]): field["name"]
        for field in spec["fields"]
        if field["transform"] != "void"
    }


def bytes_between(spark: SparkSession, loaded: Any, column: str, lowest: Any, highest: Any, most: int = 0) -> int:
    """Size of the loaded table's data files that can have a ``column`` between these, by their statistics; 0: none can.
    Files are looked at until they have more than ``most`` bytes. Nothing lies between None and None."""
    if lowest is None:
        return 0
    expressions = spark._jvm.org.apache.iceberg.expressions.Expressions
    low, high = (bound.isoformat() if isinstance(bound, date) else bound for bound in (lowest, highest))
    above, below = expressions.greaterThanOrEqual(column, low), expressions.lessThanOrEqual(column, high)
    files = loaded.newScan().filter(getattr(expressions, "and")(above, below)).planFiles()
    found = files.iterator()
    size = 0
    try:
        while size <= most and found.hasNext():
            size += found.next().file().fileSizeInBytes()
        return size
    finally:
        files.close()


def find(spark: SparkSession, table: str) -> Any | None:
    """``load``, None when the table is not there."""
    try:
        return load(spark, table)
    except AnalysisException as error:
        # Spark 4 has it under another name, and warns of the old one.
        condition = getattr(error, "getCondition", None) or error.getErrorClass
        if condition() == "TABLE_OR_VIEW_NOT_FOUND":
            return None
        raise


def load(spark: SparkSession, table: str) -> Any:
    """The table in Iceberg's own API: what its metadata tables tell would each be a Spark job."""
    return spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, table)
