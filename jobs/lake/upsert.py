"""Rows by key: the greatest row version of each key stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.delta import (
    KINDS,
    WRITTEN,
    Delta,
    Incoming,
    counted,
    fitted,
    nothing,
    row_version,
    row_version_sql,
    same,
    shaped,
)
from lake.enrich import Enrichment
from lake.iceberg import bytes_between, snapshot_id
from lake.merging import Merge, merge
from lake.names import KIND, MOVED, WARNED, quoted
from lake.session import SMALL_BYTES, configured
from lake.table import Table, summary_number
from lakectl.core.columns import RESERVED_PREFIX, ROW_VERSION

# Up to this many incoming rows, silver is filtered by a broadcast of their keys before the join,
# so that a small landing does not shuffle the whole table.
_BROADCAST_ROWS = 500_000
# Up to this many rows of a table without partitions are written by one task, into one file.
_ONE_FILE_ROWS = 200_000
_OLD = RESERVED_PREFIX + "old_"
# Who has read a file writes it again, without a shuffle. Only for rows that stay in their partition: of the others
# every task would add a file to every partition.
_IN_PLACE = {"spark.sql.iceberg.distribution-mode": "none"}


class Upsert:
    """Brings a source's table up to date, by its keys."""

    def __init__(self, table: Table, alone: bool = True) -> None:
        """``alone``: no other table is written at the same time."""
        self.table = table
        self._alone = alone
        self._keys = list(table.source.keys)
        self._columns = dict(table.columns)

    def delta(self, incoming: Incoming | None, enrichment: Enrichment, reenrich: Callable[[Any], bool]) -> Delta:
        """Compare with the table what came in and, if ``reenrich`` says so of the loaded table, what is there.

        Keeps rows that were compared on disk until ``unpersist``.
        """
        loaded = self.table.load()
        before = snapshot_id(loaded)
        silver = self.table.rows()
        # Of new, rising keys silver's files can have none: then there is nothing to compare with.
        compares = bool(before) and incoming is not None and self._may_have(loaded, incoming)
        # What another run has added meanwhile, or the specification no longer has: MERGE wants every column.
        self._columns.update((name, kind) for name, kind in silver.dtypes if name not in self._columns)
        notes = (*enrichment.notes.values(), WARNED)
        parts = []
        if incoming:
            rows = shaped(enrichment.apply(incoming.rows), self._columns, notes)
            if compares:
                parts += self._compared(rows, silver, incoming, notes)
            else:
                parts.append(rows.withColumns({KIND: F.lit("insert"), MOVED: F.lit(False)}))
        compared_all = reenrich(loaded)
        reads_all = compared_all and bool(before)
        if reads_all:
            changed = self._reenriched(silver, enrichment)
            parts.append(self._without_newer(changed, incoming) if incoming else changed)
        if not parts:
            return nothing(self._columns, silver, before)
        rows = reduce(DataFrame.unionByName, parts)
        if incoming and incoming.is_counted and not (compares or reads_all):
            counts = dict.fromkeys(KINDS, 0) | {"insert": incoming.keys}
            bounds = (incoming.lowest, incoming.highest)
            is_noted = not enrichment.notes
            return Delta(rows, counts, before, *bounds, compared_all=compared_all, is_noted=is_noted, is_new=True)
        # What was compared with nothing is cheaper to make again than to keep.
        rows = rows.persist(StorageLevel.DISK_ONLY) if compares or reads_all else rows
        return replace(counted(rows, enrichment, before, self._keys[0]), compared_all=compared_all)

    def _compared(
        self, rows: DataFrame, silver: DataFrame, incoming: Incoming, notes: tuple[str, ...]
    ) -> list[DataFrame]:
        """The incoming rows and, of a snapshot, what it has no more: each with its kind."""
        del notes
        return [self._classified(rows, self._known(silver, incoming))]

    def _may_have(self, loaded: Any, incoming: Incoming) -> bool:
        return bytes_between(self.table.spark, loaded, self._keys[0], incoming.lowest, incoming.highest) > 0

    def _known(self, silver: DataFrame, incoming: Incoming) -> DataFrame:
        """Silver's rows for the incoming keys. The bounds let Iceberg skip files by their statistics."""
        known = silver.where(F.col(self._keys[0]).between(incoming.lowest, incoming.highest))
        known = known.select(*self._keys, *self.table.content, *ROW_VERSION)
        if incoming.keys <= _BROADCAST_ROWS:
            known = known.join(F.broadcast(incoming.rows.select(*self._keys)), self._keys, "left_semi")
        return known

    def _classified(self, incoming: DataFrame, known: DataFrame) -> DataFrame:
        new, old = incoming.alias("new"), known.alias("old")
        kind = (
            F.when(F.col(f"old.{self._keys[0]}").isNull(), "insert")
            .when(row_version("new") < row_version("old"), "stale")
            .when(~same(self.table.content), "update")
            .when(row_version("new") > row_version("old"), "advance")
            .otherwise("unchanged")
        )
        by = {field.column for field in self.table.source.partition_by} - set(self._keys)
        moved = reduce(Column.__or__, (~same([name]) for name in sorted(by)), F.lit(False))
        joined = new.join(old, self._match(), "left")
        there = F.col(f"old.{self._keys[0]}").isNotNull()
        return joined.select("new.*", kind.alias(KIND), (there & moved).alias(MOVED))

    def _reenriched(self, silver: DataFrame, enrichment: Enrichment) -> DataFrame:
        """Silver's rows whose looked-up or derived values are not what the other tables now say."""
        bare = silver.withColumnsRenamed({name: _OLD + name for name in enrichment.columns})
        differs = reduce(
            Column.__or__, (~F.col(name).eqNullSafe(F.col(_OLD + name)) for name in enrichment.columns), F.lit(False)
        )
        changed = enrichment.apply(bare).where(differs).withColumn(WARNED, F.lit(False))
        changed = shaped(changed, self._columns, (*enrichment.notes.values(), WARNED))
        # Which partition a row is in may go by a derived column.
        moved = any(field.column in enrichment.columns for field in self.table.source.partition_by)
        return changed.withColumns({KIND: F.lit("reenrich"), MOVED: F.lit(moved)})

    def _without_newer(self, changed: DataFrame, incoming: Incoming) -> DataFrame:
        """``changed`` without what the incoming rows replace. A stale one replaces nothing."""
        new, old = incoming.rows.select(*self._keys, *ROW_VERSION).alias("new"), changed.alias("old")
        return old.join(new, self._match() & (row_version("new") >= row_version("old")), "left_anti")

    def _match(self) -> Column:
        return reduce(Column.__and__, (F.col(f"new.{key}") == F.col(f"old.{key}") for key in self._keys))

    def commit(self, delta: Delta) -> None:
        """Commit what ``delta`` changes. Raises CommitConflict."""
        loaded = self.table.load()
        small = summary_number(loaded, "total-files-size") <= SMALL_BYTES
        if not delta.before or (small and not self.table.source.partition_by):
            self._replace_all(delta, loaded)
        elif delta.is_new:
            self._add(delta)
        else:
            self._merge(delta)

    def _replace_all(self, delta: Delta, loaded: Any) -> None:
        """In one commit, which is refused if anybody has committed since ``delta.before``: cheaper than a MERGE where
        all rows are in a file or two, and where there are none."""
        rows = delta.rows.where(F.col(KIND).isin(*WRITTEN)).select(*self._columns)
        replaced = sum(delta.counts[kind] for kind in (*WRITTEN, "delete")) - delta.counts["insert"]
        all_are_replaced = replaced > 0 and replaced == summary_number(loaded, "total-records")
        if delta.before and not all_are_replaced:
            changed = delta.rows.where(F.col(KIND).isin(*WRITTEN, "delete")).select(*self._keys)
            kept = self.table.rows(delta.before).join(changed, self._keys, "left_anti")
            rows = rows.unionByName(fitted(kept, self._columns))
        if not self.table.source.partition_by and sum(delta.counts.values()) <= _ONE_FILE_ROWS:
            rows = rows.coalesce(1)
        self.table.overwrite(rows, delta.before)

    def _add(self, delta: Delta) -> None:
        """Rows whose keys no file of the table can have. Not an append, which would succeed beside that of another run
        with the same keys: it replaces what lies between them, which is nothing, and is refused if anybody has added
        something there. Cheaper than a MERGE, which looks for each of them.
        """
        between = f"{self._keys[0]} BETWEEN {literal(delta.lowest)} AND {literal(delta.highest)}"
        self.table.overwrite(delta.rows.select(*self._columns), delta.before, where=F.expr(between))

    def _merge(self, delta: Delta) -> None:
        """Never an append: two insert-only commits by racing runs would both succeed and double the rows
        (apache/iceberg#12653). The guard is >= and not >, as a re-enriched row keeps its row version. The bounds on the
        key skip files by their statistics.

        Where all rows are there already, nothing is inserted: Spark can then broadcast the new rows, and needs no
        full outer join with all of silver. Whoever calls this must see that nobody has removed some of them since
        they were compared.
        """
        rows = delta.rows.where(F.col(KIND).isin(*WRITTEN)).select(*self._columns)
        bounds = f"{self._keys[0]} BETWEEN {literal(delta.lowest)} AND {literal(delta.highest)}"
        what = Merge(
            on=lambda old: " AND ".join((*(f"{old}.{key} = new.{key}" for key in self._keys), f"{old}.{bounds}")),
            matched="update",
            matched_if=lambda old: f"{row_version_sql('new')} >= {row_version_sql(old)}",
            insert=None if delta.only_replaces else "",
        )
        # The setting is the session's, so all writers have it.
        in_place = self._alone and delta.only_replaces and not delta.moved
        with configured(self.table.spark, _IN_PLACE if in_place else {}):
            merge(self.table.spark, self.table.name, rows, what)


def literal(value: Any) -> str:
    """A value in SQL."""
    if isinstance(value, str):
        return f"'{quoted(value)}'"
    if isinstance(value, datetime):
        return f"TIMESTAMP_NTZ '{value.isoformat(' ', 'microseconds')}'"
    if isinstance(value, date):
        return f"DATE '{value}'"
    if isinstance(value, Decimal):
        return f"{value:f}BD"
    return f"{value!r}D" if isinstance(value, float) else str(value)
