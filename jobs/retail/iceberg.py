"""Committing to an Iceberg table that other runs commit to as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pyspark.sql import SparkSession

ATTEMPTS = 5
_LOST = ("ValidationException", "CommitFailedException", "CommitStateUnknownException")
T = TypeVar("T")


class CommitConflict(Exception):
    """Another run committed first: what we would change has to be computed again."""


def commit(spark: SparkSession, sql: str) -> None:
    """Run a statement that commits. Raises CommitConflict when another run was first.

    Iceberg retries lost commits by itself, but not when another run has touched the same files.
    """
    try:
        spark.sql(sql)
    except Exception as error:
        lost = next((line for line in str(error).splitlines() if any(name in line for name in _LOST)), None)
        if lost:
            raise CommitConflict(lost.strip()) from error
        raise


def persistently(table: str, attempt: Callable[[], T], say: Callable[[str], None]) -> T:
    """``attempt()``, computed again after each CommitConflict. Raises RuntimeError after the last."""
    for number in range(1, ATTEMPTS + 1):
        try:
            return attempt()
        except CommitConflict as conflict:
            say(f"attempt {number} of {ATTEMPTS}: another run committed first, computing again: {conflict}")
    raise RuntimeError(f"{table} was changed by other runs {ATTEMPTS} times in a row; the landings stay pending")


def snapshot_id(spark: SparkSession, table: str) -> str:
    """The current snapshot, ``""`` while the table has none."""
    # Iceberg's own API: the same from the ``refs`` metadata table would be a Spark job.
    util = spark._jvm.org.apache.iceberg.spark.Spark3Util
    snapshot = util.loadIcebergTable(spark._jsparkSession, table).currentSnapshot()
    return str(snapshot.snapshotId()) if snapshot else ""
