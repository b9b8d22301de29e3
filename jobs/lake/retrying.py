"""Rows that were quarantined because a lookup had no row for them, judged again: ``--RETRY_QUARANTINED``."""

from __future__ import annotations

from pyspark.sql import functions as F

from lake.iceberg import find, persistently
from lake.landings import Item
from lake.merging import Merge, merge
from lake.quarantine import IDENTITY, Split, rejected_rows, rejected_table, same_row
from lake.work import Work

_OF_LOOKUPS = "lookups."


def quarantined(work: Work) -> list[Item]:
    """The loaded landings that have such rows, to be read once more."""
    found: list[Item] = []
    for source in work.spec.sources.values():
        table = rejected_table(work, source)
        if not source.lookups or find(work.spark, table) is None:
            continue
        rows = work.spark.table(table).where(F.col("_lake_reasons").contains(_OF_LOOKUPS))
        versions = rows.select("_lake_file", "_lake_version").distinct().collect()
        found += work.inbox.loaded((row["_lake_file"], row["_lake_version"]) for row in versions)
    return found


def release(work: Work, parts: Split) -> None:
    """Take the rows that were judged again and loaded out of the table of rejected ones. Comes after silver's commit:
    a crash in between leaves a row in both, and the next such run takes it out."""
    items = [item for item in parts.items if not item.claimed and not item.problems]
    if not items:
        return
    table = rejected_table(work, parts.source)
    versions = [f"{item.landing.version_id} {item.path}" for item in items]
    again = rejected_rows(work, parts)

    def attempt() -> None:
        version = F.concat_ws(" ", "_lake_version", "_lake_file")
        gone = work.spark.table(table).where(version.isin(versions)).select(*IDENTITY)
        if again is not None:
            gone = gone.join(again.select(*IDENTITY), list(IDENTITY), "left_anti")
        gone = gone.localCheckpoint()
        if gone.isEmpty():
            return
        merge(work.spark, table, gone, Merge(on=same_row, matched="delete"))
        work.say(f"{parts.source.rejected_table}: rows that are loaded now are taken out")

    persistently(table, attempt, work.say)
