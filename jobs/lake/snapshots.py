"""Sources whose every landing is the whole truth: what the newest one does not have is deleted."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.delta import Delta, Incoming, row_version_of, shaped
from lake.names import KIND, MOVED
from lake.upsert import Upsert
from lakectl.core.columns import ROW_VERSION


class Snapshot(Upsert):
    """Compares the newest landing with all of the table, and writes the table as a whole.

    A key whose row is quarantined keeps its older row. Where a quarantined row has a key that can't be read, nothing is
    deleted: it may be the row of any key.
    """

    _gone: DataFrame | None = None

    def _compared(
        self, rows: DataFrame, silver: DataFrame, incoming: Incoming, notes: tuple[str, ...]
    ) -> list[DataFrame]:
        landing = max(incoming.landings, key=lambda item: item.row_version)
        truth = silver.agg(F.max(F.struct(*ROW_VERSION)).alias("row_version")).collect()[0]["row_version"]
        if truth and landing.row_version < row_version_of(truth):
            return [rows.withColumns({KIND: F.lit("stale"), MOVED: F.lit(False)})]
        classified = self._classified(rows, silver.select(*self._keys, *self.table.content, *ROW_VERSION))
        if incoming.keeps_all:
            return [classified]
        gone = silver.join(rows.select(*self._keys), self._keys, "left_anti")
        if incoming.kept is not None:
            gone = gone.join(incoming.kept, self._keys, "left_anti")
        self._gone = gone.select(*self._keys)
        noted = shaped(gone, self._columns).withColumns({note: F.lit(False) for note in notes})
        return [classified, noted.withColumns({KIND: F.lit("delete"), MOVED: F.lit(False)})]

    def _without_newer(self, changed: DataFrame, incoming: Incoming) -> DataFrame:
        """Nor what is deleted: written again with other looked-up values, it would stay."""
        changed = super()._without_newer(changed, incoming)
        return changed if self._gone is None else changed.join(self._gone, self._keys, "left_anti")

    def _may_have(self, loaded: object, incoming: Incoming) -> bool:  # noqa: ARG002
        return True

    def commit(self, delta: Delta) -> None:
        self._replace_all(delta, self.table.load())
