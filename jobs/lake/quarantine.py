"""Rows that are set aside: they go to ``orders_rejected``, once, and the rest of their landing goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial, reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lake.enrich import ATTRIBUTES
from lake.iceberg import commit, persistently
from lake.landings import Item
from lake.reading import CORRUPT, RAW, Rows
from lake.schemas import CONTENT, FLAGS, LANDING_NO, REASON, WARNED, Source
from lake.settings import BITS, FAIL, QUARANTINE, WARN, Settings
from lakectl.core.columns import RESERVED_PREFIX

COLUMNS = {
    "source": "STRING",
    "reason": "STRING",
    "source_file": "STRING",
    "source_version": "STRING",
    "row_text": "STRING",
    "row_hash": "STRING",
    "occurrences": "BIGINT",
    "ingest_date": "DATE",
    "ingest_batch": "STRING",
    "run_id": "STRING",
    "rejected_at": "TIMESTAMP",
}
# A row of a landing: whichever run sets it aside, it is in the table once.
IDENTITY = ("source", "source_file", "source_version", "row_hash")
_NAMED = 10
_CLASH = RESERVED_PREFIX + "clash"
Step = Callable[[DataFrame], DataFrame]


class Split:
    """A source's accepted landings: ``kept`` typed rows, ``aside`` raw rows with a REASON."""

    def __init__(self, source: Source, rows: Rows) -> None:
        self.source = source
        self.kept = rows.typed
        self.aside: list[DataFrame] = []
        self._rows = rows
        self._steps: list[Step] = []

    @property
    def raw(self) -> DataFrame:
        """What the kept rows were read from, for landings with quarantined rows. Few runs ask for it."""
        raw = self._rows.raw([item for item in self._rows.items if item.set_aside])
        return reduce(lambda rows, step: step(rows), self._steps, raw)

    def keep(self, step: Step) -> None:
        """Only the rows that ``step`` leaves of those kept."""
        self.kept = step(self.kept)
        self._steps.append(step)

    def without(self, numbers: list[int]) -> None:
        """Leave out landings that were refused since."""
        if numbers:
            ours = ~F.col(LANDING_NO).isin(numbers)
            self.keep(lambda rows: rows.where(ours))
            self.aside = [frame.where(ours) for frame in self.aside]


def split(rows: Rows, source: Source, accepted: Iterable[Item], settings: Settings) -> Split:
    """Costs nothing when nothing is set aside."""
    items = [item for item in accepted if item.landing.source == source.name]
    ours = F.col(LANDING_NO).isin([item.number for item in items])
    parts = Split(source, rows)
    parts.keep(lambda rows: rows.where(ours))
    if not any(item.set_aside for item in items):
        return parts
    bits = settings.mask(QUARANTINE)
    failed = F.col(FLAGS).bitwiseAND(F.lit(bits)) != 0
    names = [F.when(F.col(FLAGS).bitwiseAND(F.lit(bit)) != 0, check) for check, bit in BITS.items() if bit & bits]
    if names:
        parts.aside.append(parts.raw.where(failed).withColumn(REASON, F.concat_ws(", ", *names)))
        parts.keep(lambda rows: rows.where(~failed))
    if any(item.clashing for item in items):
        by = [LANDING_NO, *source.keys]
        clash = parts.kept.groupBy(*by).agg((F.min(CONTENT) != F.max(CONTENT)).alias(_CLASH))
        clash = clash.where(_CLASH).select(*by)
        parts.aside.append(parts.raw.join(clash, by, "left_semi").withColumn(REASON, F.lit("duplicate_keys")))
        parts.keep(lambda rows: rows.join(clash, by, "left_anti"))
    return parts


def check_references(
    orders: Split, dimensions: dict[str, DataFrame], accepted: list[Item], settings: Settings
) -> dict[str, int]:
    """Apply ``fail`` and ``quarantine`` to orders of unknown customers and products: rows for each check.

    A refused landing gets its problem. (``warn`` costs no pass of its own: the delta counts them.)
    """
    found: dict[str, int] = {}
    numbered = {item.number: item for item in accepted}
    for name, known in dimensions.items():
        check, key = ATTRIBUTES[name][1], settings.sources[name].keys[0]
        policy = settings.checks[check]
        if policy not in (FAIL, QUARANTINE):
            continue
        unknown = orders.kept.join(F.broadcast(known), key, "left_anti")
        values = F.slice(F.array_sort(F.collect_set(key)), 1, _NAMED)
        for row in unknown.groupBy(LANDING_NO).agg(F.count("*").alias("rows"), values.alias("values")).collect():
            item = numbered[row[LANDING_NO]]
            found[check] = found.get(check, 0) + row["rows"]
            if policy == FAIL:
                values_named = ", ".join(map(str, row["values"]))
                item.problems.append(f"{row['rows']} rows with a {key} that no {name} file has: {values_named}")
            else:
                item.set_aside += row["rows"]
        if policy == QUARANTINE and check in found:
            orders.aside.append(orders.raw.join(F.broadcast(known), key, "left_anti").withColumn(REASON, F.lit(check)))
            orders.keep(partial(_known_only, known=known, key=key))
    return found


def _known_only(rows: DataFrame, known: DataFrame, key: str) -> DataFrame:
    return rows.join(F.broadcast(known), key, "left_semi")


def store(spark: SparkSession, database: str, run_id: str, parts: list[Split], say: Callable[[str], None]) -> None:
    """Commit what was set aside to ``<database>.orders_rejected``; nothing when it is all there already."""
    frames = [_shaped(aside, part.source, run_id) for part in parts for aside in part.aside]
    if not frames:
        return
    table = f"glue_catalog.{database}.orders_rejected"
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    spark.sql(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) USING iceberg TBLPROPERTIES ('format-version'='2')")
    rejected = reduce(DataFrame.unionByName, frames)

    def attempt() -> None:
        fresh = rejected.join(spark.table(table).select(*IDENTITY), list(IDENTITY), "left_anti")
        if fresh.isEmpty():
            return
        fresh.createOrReplaceTempView("rejected_now")
        same = " AND ".join(f"old.{name} = new.{name}" for name in IDENTITY)
        # Not insert-only: two of those by racing runs would both succeed (apache/iceberg#12653). Who set
        # a row aside first stays its run, so a row that is there already is matched and stays as it is.
        commit(
            spark,
            f"MERGE INTO {table} AS old USING rejected_now AS new ON {same} "
            "WHEN MATCHED THEN UPDATE SET old.run_id = old.run_id WHEN NOT MATCHED THEN INSERT *",
        )

    persistently(table, attempt, say)


def _shaped(aside: DataFrame, source: Source, run_id: str) -> DataFrame:
    texts = F.to_json(F.struct(*(F.col(RAW + name).alias(name) for name in source.columns)))
    ready = aside.select(
        F.lit(source.name).alias("source"),
        F.col(REASON).alias("reason"),
        "source_file",
        "source_version",
        F.coalesce(F.col(CORRUPT), texts).alias("row_text"),
        "ingest_date",
        "ingest_batch",
    ).withColumn("row_hash", F.sha2(F.col("row_text"), 256))
    once = ready.groupBy(*IDENTITY).agg(
        F.count("*").alias("occurrences"),
        *(F.first(name).alias(name) for name in ("reason", "row_text", "ingest_date", "ingest_batch")),
    )
    stamped = once.withColumn("run_id", F.lit(run_id)).withColumn("rejected_at", F.current_timestamp())
    return stamped.select(*(F.col(name).cast(kind) for name, kind in COLUMNS.items()))


def with_warning(orders: DataFrame, settings: Settings) -> DataFrame:
    """``orders`` with WARNED: True when the gate has counted the row among the warned ones."""
    return orders.withColumn(WARNED, F.col(FLAGS).bitwiseAND(F.lit(settings.mask(WARN))) != 0)
