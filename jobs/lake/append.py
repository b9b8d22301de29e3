"""Sources without keys: every row of every landing is in the table once.

A landing's rows are committed together, so its version is in the table as a whole or not at all. The rows of a newer
version of a key replace those of the older one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.delta import Delta, Incoming, counted, fitted, nothing, row_version_of, shaped
from lake.enrich import Enrichment
from lake.iceberg import snapshot_id
from lake.merging import Merge, merge
from lake.names import KIND, LANDING_NO, MOVED, WARNED
from lake.table import Table
from lake.upsert import literal
from lakectl.core.columns import RESERVED_PREFIX, ROW_VERSION

_OLD = RESERVED_PREFIX + "old_"
_REPLACED = "replaced"


class Append:
    """Brings a source's table up to date, by its landings."""

    def __init__(self, table: Table, alone: bool = True) -> None:  # noqa: ARG002 - it sets nothing for the session
        self.table = table
        self._columns = dict(table.columns)
        self._replaced: list[tuple[str, str]] = []
        self._files: tuple[str, str] = ("", "")
        self._enrichment: Enrichment | None = None

    def delta(self, incoming: Incoming | None, enrichment: Enrichment, reenrich: Callable[[Any], bool]) -> Delta:
        """Compare the landings with those in the table and, if ``reenrich`` says so, all rows with the tables that are
        looked up."""
        loaded = self.table.load()
        before = snapshot_id(loaded)
        silver = self.table.rows()
        self._columns.update((name, kind) for name, kind in silver.dtypes if name not in self._columns)
        self._enrichment, self._replaced = enrichment, []
        notes = (*enrichment.notes.values(), WARNED)
        parts, deleted = [], 0
        if incoming:
            kinds, deleted = self._kinds(silver, incoming.landings) if before else ({}, 0)
            rows = shaped(enrichment.apply(incoming.rows), self._columns, (*notes, LANDING_NO))
            kind = reduce(
                lambda so_far, pair: F.when(F.col(LANDING_NO).isin(pair[1]), pair[0]).otherwise(so_far),
                kinds.items(),
                F.lit("insert"),
            )
            parts.append(rows.withColumns({KIND: kind, MOVED: F.lit(False)}).drop(LANDING_NO))
        compared_all = reenrich(loaded)
        if compared_all and before:
            parts.append(self._changed(silver, notes))
        if not parts:
            return nothing(self._columns, silver, before)
        rows = reduce(DataFrame.unionByName, parts)
        rows = rows.persist(StorageLevel.DISK_ONLY) if compared_all and before else rows
        found = counted(rows, enrichment, before)
        return Delta(
            found.rows,
            {**found.counts, "delete": deleted},
            before,
            failed=found.failed,
            warned=found.warned,
            compared_all=compared_all,
        )

    def _kinds(self, silver: DataFrame, landings: Any) -> tuple[dict[str, list[int]], int]:
        """Kind -> numbers of the landings that are not to be inserted; and how many rows newer versions replace."""
        self._files = min(item.path for item in landings), max(item.path for item in landings)
        near = silver.where(F.col("_lake_file").between(*self._files))
        there: dict[str, list[Any]] = defaultdict(list)
        for row in near.groupBy("_lake_file", *ROW_VERSION).count().collect():
            there[row["_lake_file"]].append(row)
        kinds: dict[str, list[int]] = {"unchanged": [], "stale": []}
        deleted = 0
        for item in landings:
            rows = there[item.path]
            same = sum(row["count"] for row in rows if row["_lake_version"] == item.landing.version_id)
            # Read once more, it may have rows that were quarantined when it was loaded: then it replaces itself.
            if same and (item.claimed or same == item.rows - item.set_aside):
                kinds["unchanged"].append(item.number)
            elif any(row_version_of(row) > item.row_version for row in rows):
                kinds["stale"].append(item.number)
            else:
                self._replaced += [(item.path, row["_lake_version"]) for row in rows]
                deleted += sum(row["count"] for row in rows)
        return {kind: numbers for kind, numbers in kinds.items() if numbers}, deleted

    def _changed(self, silver: DataFrame, notes: tuple[str, ...]) -> DataFrame:
        rows, differs = self._enriched(self._without_replaced(silver))
        rows = shaped(rows.where(differs).withColumn(WARNED, F.lit(False)), self._columns, notes)
        return rows.withColumns({KIND: F.lit("reenrich"), MOVED: F.lit(False)})

    def _enriched(self, silver: DataFrame) -> tuple[DataFrame, Column]:
        """The table's rows with what the looked-up tables now say; and whether that is something else than before."""
        assert self._enrichment  # noqa: S101 - delta comes first
        names = self._enrichment.columns
        rows = self._enrichment.apply(silver.withColumnsRenamed({name: _OLD + name for name in names}))
        differs = (~F.col(name).eqNullSafe(F.col(_OLD + name)) for name in names)
        return rows, reduce(Column.__or__, differs, F.lit(False))

    def _without_replaced(self, silver: DataFrame) -> DataFrame:
        if not self._replaced:
            return silver
        return silver.join(F.broadcast(self._markers()), ["_lake_file", "_lake_version"], "left_anti")

    def _markers(self) -> DataFrame:
        return self.table.spark.createDataFrame(self._replaced, "_lake_file string, _lake_version string")

    def commit(self, delta: Delta) -> None:
        """One commit. Raises CommitConflict."""
        news = delta.rows.where(F.col(KIND) == "insert").select(*self._columns)
        if not delta.before:
            self.table.overwrite(news, "")
        elif delta.counts["reenrich"]:
            # No key tells the rows apart, so all are written.
            kept = fitted(self._without_replaced(self.table.rows(delta.before)), self._columns)
            rows, differs = self._enriched(kept)
            now = F.when(differs, F.current_timestamp().cast("timestamp_ntz")).otherwise(F.col("_lake_loaded_at"))
            rows = fitted(rows.withColumn("_lake_loaded_at", now), self._columns)
            self.table.overwrite(rows.unionByName(news), delta.before)
        else:
            self._merge(news)

    def _merge(self, news: DataFrame) -> None:
        """Not an append: of two runs with the same landing both would succeed. The clause for matches makes Iceberg
        look whether anybody has added rows of files between these since the table was read."""
        rows = news.withColumn(KIND, F.lit("insert"))
        if self._replaced:
            markers = shaped(self._markers(), self._columns).withColumn(KIND, F.lit(_REPLACED))
            rows = rows.unionByName(markers)
        low, high = map(literal, self._files)
        what = Merge(
            on=lambda old: (
                f"new.{KIND} = '{_REPLACED}' AND {old}._lake_file = new._lake_file "
                f"AND {old}._lake_version = new._lake_version AND {old}._lake_file BETWEEN {low} AND {high}"
            ),
            matched="delete",
            insert=f"new.{KIND} = 'insert'",
        )
        merge(self.table.spark, self.table.name, rows, what)
