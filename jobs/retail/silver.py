"""The silver table: what would change, computed first; then one MERGE, or none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from retail.enrich import enrich
from retail.schemas import CONTENT, SILVER_COLUMNS, STAMP

# Up to this many incoming rows, silver is filtered by a broadcast of their keys before the join,
# so that a small landing does not shuffle the whole table.
_BROADCAST_ROWS = 500_000
_LOST = ("ValidationException", "CommitFailedException", "CommitStateUnknownException")
WRITTEN = ("insert", "update", "advance", "reenrich")


class CommitConflict(Exception):
    """Another run committed first: what we would change has to be computed again."""


@dataclass(frozen=True)
class Incoming:
    """Typed orders, each once, and what the gate knows of them: how many, lowest and highest order_id."""

    orders: DataFrame
    rows: int
    lowest: int
    highest: int


@dataclass(frozen=True)
class Delta:
    """What would change: ``rows`` have silver's columns and a ``kind``, counted in ``counts``."""

    rows: DataFrame
    counts: dict[str, int]
    lowest: int = 0
    highest: int = 0

    @property
    def changes(self) -> bool:
        return any(self.counts[kind] for kind in WRITTEN)


class Silver:
    """``glue_catalog.<database>.orders_silver``."""

    def __init__(self, spark: SparkSession, database: str) -> None:
        self._spark = spark
        self.table = f"glue_catalog.{database}.orders_silver"

    def ensure(self) -> None:
        """Create the table unless it is there.

        copy-on-write: a landing mostly adds orders, and the delta keeps unchanged ones out of the
        MERGE, so few files are rewritten; in return every engine reads plain Parquet, without delete
        files. hash: the rows of a day meet in one task, so a day gets one file and not one per task.
        """
        columns = ", ".join(f"{name} {kind}" for name, kind in SILVER_COLUMNS.items())
        self._spark.sql(
            f"CREATE TABLE IF NOT EXISTS {self.table} ({columns}) USING iceberg "
            "PARTITIONED BY (days(order_date)) TBLPROPERTIES ("
            "'format-version'='2', 'write.merge.mode'='copy-on-write', "
            "'write.distribution-mode'='hash', 'write.merge.distribution-mode'='hash', "
            "'write.parquet.compression-codec'='zstd')"
        )

    def snapshot_id(self) -> str:
        """The current snapshot, ``""`` while the table has none."""
        # Iceberg's own API: the same from the ``refs`` metadata table would be a Spark job.
        util = self._spark._jvm.org.apache.iceberg.spark.Spark3Util
        snapshot = util.loadIcebergTable(self._spark._jsparkSession, self.table).currentSnapshot()
        return str(snapshot.snapshotId()) if snapshot else ""

    def delta(self, incoming: Incoming | None, customers: DataFrame, products: DataFrame, *, reenrich: bool) -> Delta:
        """Compare with silver what came in and, with ``reenrich``, what is there. Kinds of rows:

        insert | update (other content, greater stamp) | advance (same content, greater stamp) |
        unchanged | stale (silver has a greater stamp) | reenrich (did not come in, but its region or
        category is no longer what the dimensions say). Keeps its rows on disk until ``unpersist``.
        """
        silver = self._spark.table(self.table)
        parts = []
        if incoming:
            orders = self._shaped(enrich(incoming.orders, customers, products))
            if self.snapshot_id():
                parts.append(self._classified(orders, self._known(silver, incoming)))
            else:
                parts.append(orders.withColumn("kind", F.lit("insert")))
        if reenrich and self.snapshot_id():
            changed = self._reenriched(silver, customers, products)
            parts.append(changed.join(incoming.orders, "order_id", "left_anti") if incoming else changed)
        if not parts:
            return Delta(self._shaped(silver).withColumn("kind", F.lit("unchanged")), _by_kind([]))
        return _counted(reduce(DataFrame.unionByName, parts))

    @staticmethod
    def _known(silver: DataFrame, incoming: Incoming) -> DataFrame:
        """Silver's rows for the incoming keys. The bounds let Iceberg skip files by their statistics:
        orders with new, rising ids read none at all."""
        known = silver.where(F.col("order_id").between(incoming.lowest, incoming.highest))
        known = known.select("order_id", *CONTENT, *STAMP)
        if incoming.rows <= _BROADCAST_ROWS:
            known = known.join(F.broadcast(incoming.orders.select("order_id")), "order_id", "left_semi")
        return known

    def _classified(self, incoming: DataFrame, known: DataFrame) -> DataFrame:
        new, old = incoming.alias("new"), known.alias("old")
        greater = _stamp("new") > _stamp("old")
        same = F.lit(True)
        for name in CONTENT:
            same = same & F.col(f"new.{name}").eqNullSafe(F.col(f"old.{name}"))
        kind = (
            F.when(F.col("old.order_id").isNull(), "insert")
            .when(_stamp("new") < _stamp("old"), "stale")
            .when(~same, "update")
            .when(greater, "advance")
            .otherwise("unchanged")
        )
        joined = new.join(old, F.col("new.order_id") == F.col("old.order_id"), "left")
        return joined.select("new.*", kind.alias("kind"))

    def _reenriched(self, silver: DataFrame, customers: DataFrame, products: DataFrame) -> DataFrame:
        """Silver's orders whose region or category is not what the dimensions now say."""
        bare = silver.withColumnsRenamed({"region": "old_region", "category": "old_category"})
        differs = ~(
            F.col("region").eqNullSafe(F.col("old_region")) & F.col("category").eqNullSafe(F.col("old_category"))
        )
        changed = enrich(bare, customers, products).where(differs)
        return self._shaped(changed).withColumn("kind", F.lit("reenrich"))

    @staticmethod
    def _shaped(rows: DataFrame) -> DataFrame:
        ready = rows.withColumn("loaded_at", F.current_timestamp())
        return ready.select(*(F.col(name).cast(kind) for name, kind in SILVER_COLUMNS.items()))

    def merge(self, delta: Delta) -> str:
        """Commit the written kinds of ``delta``; returns the snapshot. Raises CommitConflict.

        Never an append, not even into an empty table: two insert-only commits by racing runs would
        both succeed and double the rows (apache/iceberg#12653). The guard is >= and not >, as a
        re-enriched order keeps its stamp. The bounds on the key skip files by their statistics.
        """
        rows = delta.rows.where(F.col("kind").isin(*WRITTEN)).drop("kind")
        rows.createOrReplaceTempView("orders_delta")
        try:
            self._spark.sql(
                f"MERGE INTO {self.table} AS old USING orders_delta AS new ON old.order_id = new.order_id "
                f"AND old.order_id BETWEEN {delta.lowest} AND {delta.highest} "
                f"WHEN MATCHED AND {_stamp_sql('new')} >= {_stamp_sql('old')} THEN UPDATE SET * "
                "WHEN NOT MATCHED THEN INSERT *"
            )
        except Exception as error:
            # Iceberg retries lost commits by itself, but not when another run has touched the same files.
            lines = str(error).splitlines()
            lost = next((line for line in lines if any(name in line for name in _LOST)), None)
            if lost:
                raise CommitConflict(lost.strip()) from error
            raise
        return self.snapshot_id()


def _counted(rows: DataFrame) -> Delta:
    rows = rows.persist(StorageLevel.DISK_ONLY)
    key = F.col("order_id")
    found = rows.groupBy("kind").agg(F.count("*").alias("rows"), F.min(key).alias("low"), F.max(key).alias("high"))
    groups = found.collect()
    written = [group for group in groups if group["kind"] in WRITTEN]
    return Delta(
        rows,
        _by_kind(groups),
        lowest=min((group["low"] for group in written), default=0),
        highest=max((group["high"] for group in written), default=0),
    )


def _by_kind(groups: list[Any]) -> dict[str, int]:
    counts = {group["kind"]: int(group["rows"]) for group in groups}
    return {kind: counts.get(kind, 0) for kind in (*WRITTEN, "unchanged", "stale")}


def _stamp(side: str) -> Column:
    return F.struct(*(F.col(f"{side}.{name}") for name in STAMP))


def _stamp_sql(side: str) -> str:
    return "struct(" + ", ".join(f"{side}.{name}" for name in STAMP) + ")"
