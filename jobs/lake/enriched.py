"""Which customers and products all of silver is enriched with: a table property that names snapshot and fingerprint.

While it holds, a run need not read silver to find orders whose region or category has changed. Any commit of
somebody else (an UPDATE, compaction, a rollback) makes another snapshot the current one, and it no longer holds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.iceberg import parent_id

PROPERTY = "lakectl.enriched-with"


def fingerprint(dimensions: dict[str, DataFrame]) -> str:
    """Equal for equal (key, attribute) pairs. One pass over all dimensions."""
    pairs = [rows.select(_hash(name, rows.columns)) for name, rows in dimensions.items()]
    hashes = reduce(DataFrame.union, pairs).toDF("hash")
    row = hashes.agg(F.count("*"), F.bit_xor("hash")).collect()[0]
    return f"{row[0]}-{row[1] or 0}"


def _hash(name: str, columns: list[str]) -> Column:
    # NULLs are left out by xxhash64, whatever their place.
    return F.xxhash64(F.lit(name), *(F.coalesce(F.col(column).cast("string"), F.lit("\0")) for column in columns))


def holds(loaded: Any, known: str) -> bool:
    """Whether each row of the loaded table has what the dimensions with the fingerprint ``known`` say."""
    snapshot = loaded.currentSnapshot()
    return not snapshot or loaded.properties().get(PROPERTY) == _value(snapshot.snapshotId(), known)


def note(loaded: Any, before: str, after: str, known: str, say: Callable[[str], None]) -> None:
    """Say that it holds for ``after``, which was committed to the snapshot ``before``, or for ``before`` when nothing
    was committed (``""``); not if somebody else's commit came between. ``loaded``: the table as it is now."""
    snapshot = loaded.currentSnapshot()
    if not snapshot:
        return
    current, parent = str(snapshot.snapshotId()), parent_id(loaded)
    expected = (after, before) if after else (before, parent)
    value = _value(snapshot.snapshotId(), known)
    if (current, parent) == expected and loaded.properties().get(PROPERTY) != value:
        try:
            loaded.updateProperties().set(PROPERTY, value).commit()
        except Py4JJavaError as error:  # what was to be said is in silver; without the property the next run compares
            say(f"{PROPERTY} is not set: {str(error.java_exception).splitlines()[0]}")


def _value(snapshot_id: int, known: str) -> str:
    return f"{snapshot_id}:{known}"
