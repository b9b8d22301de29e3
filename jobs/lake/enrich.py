"""Looked-up and derived columns of a source's rows, and the checks that see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lake.derived import with_derived
from lake.iceberg import snapshot_id
from lake.names import CONTENT, spark_type
from lake.policies import Checks, lookup_check
from lake.table import Table, summary_number
from lake.work import Work
from lakectl.core.columns import RESERVED_PREFIX, ROW_VERSION
from lakectl.spec.model import Lookup

_RANK = RESERVED_PREFIX + "rank"
_ON = RESERVED_PREFIX + "on_"
# A looked-up table of so many rows is sent to every task; a larger one is joined as Spark thinks best.
_BROADCAST_ROWS = 500_000


def newest(rows: DataFrame, keys: Collection[str]) -> DataFrame:
    """One row for each key: the one with the greatest row version.

    Within a landing the content decides, where rows of one key that differ are let through: any rule
    would do, as long as it is the same for every run.
    """
    tie = [F.col(CONTENT).desc()] if CONTENT in rows.columns else []
    order = Window.partitionBy(*keys).orderBy(*(F.col(name).desc() for name in ROW_VERSION), *tie)
    return rows.withColumn(_RANK, F.row_number().over(order)).where(F.col(_RANK) == 1).drop(_RANK)


@dataclass(frozen=True)
class LookedUp:
    """The table of a looked-up source as it was when it was read; ``snapshot`` is ``""`` while it has none."""

    table: Table
    snapshot: str
    rows: int

    def values(self, lookup: Lookup) -> DataFrame:
        """Its keys, and the columns that are taken under our names. What the table does not have yet is NULL."""
        source = self.table.source
        if not self.snapshot:
            kinds = [(f"{_ON}{place}", self.table.columns[key]) for place, key in enumerate(source.keys)]
            kinds += [(ours, self.table.columns[theirs]) for theirs, ours in lookup.take]
            # An empty list would need a Python worker.
            nothing = (F.lit(None).cast(spark_type(kind)).alias(name) for name, kind in kinds)
            return self.table.spark.range(0).select(*nothing)
        rows = self.table.rows(self.snapshot)
        have = set(rows.columns)
        taken = [
            (F.col(theirs) if theirs in have else F.lit(None).cast(spark_type(self.table.columns[theirs]))).alias(ours)
            for theirs, ours in lookup.take
        ]
        return rows.select(*(F.col(key).alias(f"{_ON}{place}") for place, key in enumerate(source.keys)), *taken)


class Enrichment:
    """What a source's rows get from other tables, as these are now."""

    def __init__(self, work: Work, name: str) -> None:
        self.checks: Checks = work.checks(name)
        self.source = self.checks.source
        self._advanced = work.advanced
        self._tables: dict[str, LookedUp] = {}
        for looked_up in dict.fromkeys(lookup.source for lookup in self.source.lookups):
            table = work.table(looked_up)
            loaded: Any = table.find()
            snapshot = snapshot_id(loaded) if loaded else ""
            self._tables[looked_up] = LookedUp(table, snapshot, summary_number(loaded, "total-records"))

    @property
    def snapshots(self) -> Mapping[str, str]:
        """Looked-up source -> the newest snapshot that is known to have the values that are read."""
        return {name: self.known_as(name, table.snapshot) for name, table in self._tables.items()}

    def known_as(self, source: str, snapshot: str) -> str:
        """A looked-up table's snapshot, or the one that this run has made of it without another value."""
        before, after = self._advanced.get(source, ("", ""))
        return after if before and before == snapshot else snapshot

    def moved_on(self) -> bool:
        """Whether a looked-up table has other values since; all that this run commits to it must be there."""
        now = {name: table.table.snapshot() for name, table in self._tables.items()}
        return now != dict(self.snapshots)

    def table_of(self, lookup: Lookup) -> LookedUp:
        return self._tables[lookup.source]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Looked-up and derived columns: what changes when another table does."""
        taken = (ours for lookup in self.source.lookups for _, ours in lookup.take)
        return (*taken, *(derived.name for derived in self.source.derive))

    @cached_property
    def notes(self) -> dict[str, str]:
        """Lookup or late check -> the column that says whether a row fails it."""
        names = [*(lookup_check(each.name) for each in self.source.lookups), *(each.name for each in self.checks.late)]
        return {name: f"{RESERVED_PREFIX}fails_{place}" for place, name in enumerate(names)}

    def apply(self, rows: DataFrame) -> DataFrame:
        """``rows``, which have the source's own columns and none of :attr:`columns`, with these and the notes."""
        for lookup in self.source.lookups:
            rows = self._looked_up(rows, lookup)
        rows = with_derived(rows, self.source)
        for check in self.checks.late:
            # NULL passes.
            rows = rows.withColumn(self.notes[check.name], ~F.coalesce(F.expr(check.sql.spark), F.lit(True)))
        return rows

    def _looked_up(self, rows: DataFrame, lookup: Lookup) -> DataFrame:
        found, missing = self._tables[lookup.source], self.notes[lookup_check(lookup.name)]
        values = found.values(lookup).withColumn(missing, F.lit(False))
        if found.rows <= _BROADCAST_ROWS:
            values = F.broadcast(values)
        on = [F.col(ours) == F.col(f"{_ON}{place}") for place, ours in enumerate(lookup.on)]
        keys = [f"{_ON}{place}" for place in range(len(lookup.on))]
        joined = rows.join(values, reduce(Column.__and__, on), "left").drop(*keys)
        # NULL is no reference, so nothing is missing.
        refers = reduce(Column.__and__, (F.col(ours).isNotNull() for ours in lookup.on))
        return joined.withColumn(missing, F.coalesce(F.col(missing), refers))

    def failing(self, *policies: str) -> dict[str, Column]:
        """Late check or lookup with one of these policies -> whether a row of :meth:`apply` fails it."""
        return {check: F.col(column) for check, column in self.notes.items() if self.checks.policies[check] in policies}
