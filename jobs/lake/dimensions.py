"""``customers_silver`` and ``products_silver``: the rows that orders are enriched with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lake.iceberg import find
from lake.landings import Item
from lake.schemas import Source
from lakectl.core.columns import LINEAGE

_MARK = "lakectl-landings"


def keep(
    spark: SparkSession, database: str, source: Source, rows: DataFrame, items: list[Item], say: Callable[[str], None]
) -> None:
    """Make ``<database>.<source>_silver`` hold ``rows``, the newest for each key of the landings ``items``.

    The table is replaced as a whole, in one commit that carries a mark of the landings it was made from: a
    run with the same landings commits nothing, and what a crash or a rollback left behind is seen.
    """
    table = f"glue_catalog.{database}.{source.name}_silver"
    columns = {**{name: kind.upper() for name, kind in source.columns.items()}, **LINEAGE}
    mark = _mark(items, columns)
    loaded = find(spark, table)
    if loaded and _mark_of(loaded) == mark:
        return
    if not loaded:
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        spark.sql(f"CREATE TABLE IF NOT EXISTS {table} ({listed}) USING iceberg TBLPROPERTIES ('format-version'='2')")
    ready = rows.withColumn("loaded_at", F.current_timestamp())
    shaped = ready.select(*(F.col(name).cast(kind) for name, kind in columns.items())).coalesce(1)
    # Nothing to validate: of two that race the later one stands, and whoever knew less looks again after its commit.
    shaped.writeTo(table).option(f"snapshot-property.{_MARK}", mark).overwrite(F.lit(True))
    say(f"{source.name}_silver is made of {len(items)} landings")


def _mark(items: list[Item], columns: dict[str, str]) -> str:
    landings = sorted((item.landing.key, item.landing.version_id) for item in items)
    return hashlib.sha256(json.dumps([landings, columns]).encode()).hexdigest()[:32]


def _mark_of(loaded: Any) -> str:
    snapshot = loaded.currentSnapshot()
    return str(snapshot.summary().get(_MARK)) if snapshot else ""
