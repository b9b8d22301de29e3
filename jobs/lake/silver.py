"""The silver table: what would change, computed first; then one MERGE, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lake.enrich import UNKNOWN, enrich, noted
from lake.iceberg import bytes_between, commit, find, load, persistently, snapshot_id
from lake.schemas import KIND, MOVED, ORDERS, STAMP, WARNED, Source, content, silver_columns
from lake.session import configured
from lakectl.core.columns import RESERVED_PREFIX

# Up to this many incoming rows, silver is filtered by a broadcast of their keys before the join,
# so that a small landing does not shuffle the whole table.
_BROADCAST_ROWS = 500_000
# Beside silver's columns, for counting: never written.
_UNKNOWN = tuple(noted(check) for check in UNKNOWN)
_NOTED = (*_UNKNOWN, WARNED)
_OLD = RESERVED_PREFIX + "old_"
WRITTEN = ("insert", "update", "advance", "reenrich")
# Who has read a file writes it again, without a shuffle. Only for rows that stay in their day: of the others every task
# would add a file to every day.
_IN_PLACE = {"spark.sql.iceberg.distribution-mode": "none"}


@dataclass(frozen=True)
class Incoming:
    """Typed orders, each once, with WARNED, and what the gate knows of them: how many, and the
    lowest and highest value of the leading key column. ``warn``: the checks of UNKNOWN to warn of."""

    orders: DataFrame
    rows: int
    lowest: Any
    highest: Any
    warn: tuple[str, ...] = UNKNOWN


@dataclass(frozen=True)
class Delta:
    """What would change: ``rows`` have silver's columns and a KIND, counted in ``counts``.

    ``moved``: orders to write whose day is another one than in silver;
    ``unknown``: check -> incoming orders whose customer or product has not landed; ``warned``: those of
    them that are to be warned of and that no other check has counted; ``compared_all``: with all that is in silver.
    """

    rows: DataFrame
    counts: dict[str, int]
    lowest: Any = 0
    highest: Any = 0
    moved: int = 0
    unknown: dict[str, int] = field(default_factory=dict)
    warned: int = 0
    compared_all: bool = False

    @property
    def changes(self) -> bool:
        return any(self.counts[kind] for kind in WRITTEN)

    @property
    def only_replaces(self) -> bool:
        """Whether each row that is to be written is in silver already."""
        return self.changes and not self.counts["insert"]


class Silver:
    """``glue_catalog.<database>.orders_silver``."""

    def __init__(self, spark: SparkSession, database: str, orders: Source = ORDERS) -> None:
        self._spark = spark
        self._keys = list(orders.keys)
        self._columns = silver_columns(orders)
        self._added = orders.added
        self._content = content(orders)
        self.table = f"glue_catalog.{database}.orders_silver"

    def ensure(self, say: Callable[[str], None]) -> list[str]:
        """Create the table unless it is there; returns the columns that it was given because it lacked them.

        copy-on-write: a landing mostly adds orders, and the delta keeps unchanged ones out of the
        MERGE, so few files are rewritten; in return every engine reads plain Parquet, without delete
        files. hash: the rows of a day meet in one task, so a day gets one file and not one per task.
        """
        columns = ", ".join(f"{name} {kind}" for name, kind in self._columns.items() if name not in self._added)
        present = self.columns()
        if not present:
            self._spark.sql(
                f"CREATE TABLE IF NOT EXISTS {self.table} ({columns}) USING iceberg "
                "PARTITIONED BY (days(order_date)) TBLPROPERTIES ("
                "'format-version'='2', 'write.merge.mode'='copy-on-write', "
                "'write.distribution-mode'='hash', 'write.merge.distribution-mode'='hash', "
                "'write.parquet.compression-codec'='zstd')"
            )
        elif self._columns.keys() <= set(present):
            return []
        return persistently(self.table, self._add_columns, say)

    def _add_columns(self) -> list[str]:
        missing = self._missing()
        if not missing:
            return []
        listed = ", ".join(f"{name} {self._columns[name]}" for name in missing)
        try:
            commit(self._spark, f"ALTER TABLE {self.table} ADD COLUMNS ({listed})")
        except AnalysisException:
            if self._missing():  # else another run added them after our look
                raise
        return missing

    def _missing(self) -> list[str]:
        present = self.columns()
        return [name for name in self._columns if name not in present]

    def columns(self) -> list[str]:
        """Those that the table has now; none while it is not there."""
        loaded = find(self._spark, self.table)
        return [column.name() for column in loaded.schema().columns()] if loaded else []

    def load(self) -> Any:
        """The table as it is now, in Iceberg's API."""
        return load(self._spark, self.table)

    def bytes_between(self, lowest: Any, highest: Any, most: int) -> int:
        """Size of the data files that can have a leading key between these; no more is looked at than ``most``."""
        loaded = find(self._spark, self.table)
        return bytes_between(self._spark, loaded, self._keys[0], lowest, highest, most) if loaded else 0

    def size_bytes(self) -> int:
        """Of all its data files, as the current snapshot's summary has it."""
        loaded = find(self._spark, self.table)
        snapshot = loaded.currentSnapshot() if loaded else None
        return int(snapshot.summary().get("total-files-size") or 0) if snapshot else 0

    def delta(
        self, incoming: Incoming | None, customers: DataFrame, products: DataFrame, *, reenrich: Callable[[], bool]
    ) -> Delta:
        """Compare with silver what came in and, if ``reenrich`` says so when that is planned, what is there.
        Kinds of rows:

        insert | update (other content, greater stamp) | advance (same content, greater stamp) |
        unchanged | stale (silver has a greater stamp) | reenrich (did not come in, but its region or
        category is no longer what the dimensions say). Keeps rows that were compared on disk until ``unpersist``.
        """
        silver = self._spark.table(self.table)
        loaded = self.load()
        has_rows = bool(snapshot_id(loaded))
        # Of new, rising ids silver's files can have none: then there is nothing to compare with.
        compares = has_rows and incoming is not None and self._may_have(loaded, incoming)
        # What another run has added meanwhile: MERGE wants every column.
        self._columns.update((name, kind) for name, kind in silver.dtypes if name not in self._columns)
        parts = []
        if incoming:
            orders = self._shaped(enrich(incoming.orders, customers, products), _NOTED)
            if compares:
                parts.append(self._classified(orders, self._known(silver, incoming)))
            else:
                parts.append(orders.withColumns({KIND: F.lit("insert"), MOVED: F.lit(False)}))
        compared_all = reenrich()
        reads_all = compared_all and has_rows
        if reads_all:
            changed = self._reenriched(silver, customers, products)
            parts.append(self._without_newer(changed, incoming.orders) if incoming else changed)
        if not parts:
            nothing = self._shaped(silver, ()).withColumn(KIND, F.lit("unchanged"))
            return Delta(nothing, _by_kind([]), compared_all=compared_all)
        rows = reduce(DataFrame.unionByName, parts)
        # What was compared with nothing is cheaper to make again than to keep.
        rows = rows.persist(StorageLevel.DISK_ONLY) if compares or reads_all else rows
        return replace(self._counted(rows, incoming.warn if incoming else ()), compared_all=compared_all)

    def _may_have(self, loaded: Any, incoming: Incoming) -> bool:
        return bytes_between(self._spark, loaded, self._keys[0], incoming.lowest, incoming.highest) > 0

    def _known(self, silver: DataFrame, incoming: Incoming) -> DataFrame:
        """Silver's rows for the incoming keys. The bounds let Iceberg skip files by their statistics."""
        known = silver.where(F.col(self._keys[0]).between(incoming.lowest, incoming.highest))
        known = known.select(*self._keys, *self._content, *STAMP)
        if incoming.rows <= _BROADCAST_ROWS:
            known = known.join(F.broadcast(incoming.orders.select(*self._keys)), self._keys, "left_semi")
        return known

    def _classified(self, incoming: DataFrame, known: DataFrame) -> DataFrame:
        new, old = incoming.alias("new"), known.alias("old")
        greater = _stamp("new") > _stamp("old")
        same = F.lit(True)
        for name in self._content:
            same = same & F.col(f"new.{name}").eqNullSafe(F.col(f"old.{name}"))
        kind = (
            F.when(F.col(f"old.{self._keys[0]}").isNull(), "insert")
            .when(_stamp("new") < _stamp("old"), "stale")
            .when(~same, "update")
            .when(greater, "advance")
            .otherwise("unchanged")
        )
        joined = new.join(old, self._match(), "left")
        moved = F.col("new.order_date") != F.col("old.order_date")
        return joined.select("new.*", kind.alias(KIND), F.coalesce(moved, F.lit(False)).alias(MOVED))

    def _reenriched(self, silver: DataFrame, customers: DataFrame, products: DataFrame) -> DataFrame:
        """Silver's orders whose region or category is not what the dimensions now say."""
        bare = silver.withColumnsRenamed({name: _OLD + name for name in ("region", "category")})
        differs = ~(
            F.col("region").eqNullSafe(F.col(_OLD + "region")) & F.col("category").eqNullSafe(F.col(_OLD + "category"))
        )
        changed = enrich(bare, customers, products).where(differs)
        noted = self._shaped(changed, _UNKNOWN).withColumn(WARNED, F.lit(False))
        return noted.withColumns({KIND: F.lit("reenrich"), MOVED: F.lit(False)})

    def _without_newer(self, changed: DataFrame, orders: DataFrame) -> DataFrame:
        """``changed`` without what the incoming orders replace. A stale one replaces nothing."""
        new, old = orders.select(*self._keys, *STAMP).alias("new"), changed.alias("old")
        return old.join(new, self._match() & (_stamp("new") >= _stamp("old")), "left_anti")

    def _match(self) -> Column:
        return reduce(Column.__and__, (F.col(f"new.{key}") == F.col(f"old.{key}") for key in self._keys))

    def _shaped(self, rows: DataFrame, more: tuple[str, ...]) -> DataFrame:
        """Silver's columns, NULL where ``rows`` lack one, and ``more``."""
        ready = rows.withColumn("loaded_at", F.current_timestamp())
        ready = ready.withColumns({name: F.lit(None) for name in self._columns if name not in ready.columns})
        return ready.select(*(F.col(name).cast(kind) for name, kind in self._columns.items()), *more)

    def merge(self, delta: Delta) -> None:
        """Commit the written kinds of ``delta``. Raises CommitConflict.

        Never an append, not even into an empty table: two insert-only commits by racing runs would
        both succeed and double the rows (apache/iceberg#12653). The guard is >= and not >, as a
        re-enriched order keeps its stamp. The bounds on the key skip files by their statistics.

        Where all rows are there already, nothing is inserted: Spark can then broadcast the new rows, and needs no
        full outer join with all of silver. Whoever calls this must see that nobody has removed some of them since
        they were compared.
        """
        rows = delta.rows.where(F.col(KIND).isin(*WRITTEN)).drop(KIND, MOVED, *_NOTED)
        rows.createOrReplaceTempView("orders_delta")
        match = " AND ".join(f"old.{key} = new.{key}" for key in self._keys)
        insert = "" if delta.only_replaces else " WHEN NOT MATCHED THEN INSERT *"
        with configured(self._spark, _IN_PLACE if delta.only_replaces and not delta.moved else {}):
            commit(
                self._spark,
                f"MERGE INTO {self.table} AS old USING orders_delta AS new ON {match} "
                f"AND old.{self._keys[0]} BETWEEN {_literal(delta.lowest)} AND {_literal(delta.highest)} "
                f"WHEN MATCHED AND {_stamp_sql('new')} >= {_stamp_sql('old')} THEN UPDATE SET *{insert}",
            )

    @staticmethod
    def name_unknown(delta: Delta, check: str) -> str:
        """The first ten customers or products that orders name and no landing has."""
        key = {"unknown_customers": "customer_id", "unknown_products": "product_id"}[check]
        rows = delta.rows.where(F.col(noted(check)) & (F.col(KIND) != "reenrich")).select(key).distinct()
        named = ", ".join(str(row[0]) for row in rows.orderBy(key).limit(10).collect())
        return f"{delta.unknown[check]} orders with a {key} that has not landed: {named}"

    def _counted(self, rows: DataFrame, warn: tuple[str, ...]) -> Delta:
        key = F.col(self._keys[0])
        anywhere = reduce(Column.__or__, (F.col(noted(check)) for check in warn), F.lit(False)) & ~F.col(WARNED)
        tests = {**{check: F.col(noted(check)) for check in UNKNOWN}, "new_warned": anywhere, "moved": F.col(MOVED)}
        sums = [F.sum(test.cast("int")).alias(name) for name, test in tests.items()]
        found = rows.groupBy(F.col(KIND).alias("kind")).agg(
            F.count("*").alias("rows"), F.min(key).alias("low"), F.max(key).alias("high"), *sums
        )
        groups = found.collect()
        written = [group for group in groups if group["kind"] in WRITTEN]
        came_in = [group for group in groups if group["kind"] != "reenrich"]
        return Delta(
            rows,
            _by_kind(groups),
            lowest=min((group["low"] for group in written), default=0),
            highest=max((group["high"] for group in written), default=0),
            moved=sum(group["moved"] for group in written),
            unknown={check: sum(group[check] for group in came_in) for check in UNKNOWN},
            warned=sum(group["new_warned"] for group in came_in),
        )


def _literal(value: Any) -> str:
    """A key's value in SQL."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return f"DATE '{value}'" if isinstance(value, date) else str(value)


def _by_kind(groups: list[Any]) -> dict[str, int]:
    counts = {group["kind"]: int(group["rows"]) for group in groups}
    return {kind: counts.get(kind, 0) for kind in (*WRITTEN, "unchanged", "stale")}


def _stamp(side: str) -> Column:
    return F.struct(*(F.col(f"{side}.{name}") for name in STAMP))


def _stamp_sql(side: str) -> str:
    return "struct(" + ", ".join(f"{side}.{name}" for name in STAMP) + ")"
