"""What all of a silver table is enriched with: a property that names its snapshot and those of the looked-up tables.

While it holds, a run need not read the table to find rows whose looked-up or derived values have changed. Any commit of
somebody else (an UPDATE, compaction, a rollback) makes another snapshot the current one, and it no longer holds. A
looked-up table that was committed to since is no reason to read: only the values that are taken of it count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.enrich import Enrichment
from lake.iceberg import parent_id, snapshot_id
from lakectl.spec.model import Lookup, SourceSpec

PROPERTY = "lakectl.enriched-with"


def holds(loaded: Any, enrichment: Enrichment) -> bool:
    """Whether each row of the loaded table has what ``enrichment`` says."""
    current = snapshot_id(loaded)
    if not current or not enrichment.columns:
        return True
    noted = _noted(loaded)
    if noted.get("snapshot") != current or noted.get("by") != _definition(enrichment.source):
        return False
    return all(_same_values(enrichment, lookup, noted["lookups"]) for lookup in enrichment.source.lookups)


def note(loaded: Any, before: str, after: str, enrichment: Enrichment, say: Callable[[str], None]) -> None:
    """Say that it holds for ``after``, which was committed to the snapshot ``before``, or for ``before`` when nothing
    was committed (``""``); not if somebody else's commit came between. ``loaded``: the table as it is now."""
    current = snapshot_id(loaded)
    if not current or not enrichment.columns:
        return
    parent = parent_id(loaded)
    expected = (after, before) if after else (before, parent)
    value = _value(current, enrichment)
    if (current, parent) == expected and loaded.properties().get(PROPERTY) != value:
        try:
            loaded.updateProperties().set(PROPERTY, value).commit()
        except Py4JJavaError as error:  # what was to be said is in silver; without the property the next run compares
            say(f"{PROPERTY} is not set: {str(error.java_exception).splitlines()[0]}")


def _noted(loaded: Any) -> dict[str, Any]:
    text = loaded.properties().get(PROPERTY) or "{}"
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:  # another version of this program wrote it
        return {}
    return found if "lookups" in found else {}


def _value(snapshot: str, enrichment: Enrichment) -> str:
    noted = {
        "snapshot": snapshot,
        "by": _definition(enrichment.source),
        "lookups": dict(sorted(enrichment.snapshots.items())),
    }
    return json.dumps(noted, sort_keys=True)


def _definition(source: SourceSpec) -> str:
    """Equal while lookups and derived columns mean the same."""
    lookups = [(lookup.source, lookup.on, lookup.take) for lookup in source.lookups]
    derived = [(each.name, each.type, each.sql.spark) for each in source.derive]
    return hashlib.sha256(json.dumps([lookups, derived]).encode()).hexdigest()[:16]


def _same_values(enrichment: Enrichment, lookup: Lookup, before: dict[str, str]) -> bool:
    """Whether a looked-up table says what it said at the snapshot that is noted. One pass over both, if it has
    another snapshot by now."""
    now = enrichment.table_of(lookup)
    was = before.get(lookup.source)
    if was is not None and enrichment.known_as(lookup.source, was) == enrichment.known_as(lookup.source, now.snapshot):
        return True
    if not was or not now.snapshot or not _has(now.table.load(), was):
        return False
    then = replace(now, snapshot=was)
    return same_rows(then.values(lookup), now.values(lookup))


def _has(loaded: Any, snapshot: str) -> bool:
    """Whether the snapshot has not expired."""
    return loaded.snapshot(int(snapshot)) is not None


def same_rows(then: DataFrame, now: DataFrame) -> bool:
    """Whether both have the same rows, by their hashes. One pass over both."""
    both = then.select(_row_hash(then).alias("hash"), F.lit(True).alias("then")).unionByName(
        now.select(_row_hash(now).alias("hash"), F.lit(False).alias("then"))
    )
    old, new = F.when(F.col("then"), F.col("hash")), F.when(~F.col("then"), F.col("hash"))
    row = both.agg(*(made for side in (old, new) for made in (F.count(side), F.bit_xor(side)))).collect()[0]
    return (row[0], row[1]) == (row[2], row[3])


def _row_hash(values: DataFrame) -> Column:
    # NULLs are left out by xxhash64, whatever their place.
    return F.xxhash64(*(F.coalesce(F.col(name).cast("string"), F.lit("\0")) for name in values.columns))
