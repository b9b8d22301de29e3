"""Region and category for orders, from the newest row of each customer and product."""

from __future__ import annotations

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from lake.schemas import CONTENT, STAMP, Source
from lakectl.core.columns import RESERVED_PREFIX

# Dimension -> the column that an order gets from it, and the check that an order without it fails.
ATTRIBUTES = {"customers": ("region", "unknown_customers"), "products": ("category", "unknown_products")}
UNKNOWN = tuple(check for _, check in ATTRIBUTES.values())
_RANK = RESERVED_PREFIX + "rank"


def newest(rows: DataFrame, keys: tuple[str, ...]) -> DataFrame:
    """One row for each key: the one with the greatest stamp.

    Within a landing the content decides, where rows of one key that differ are let through: any rule
    would do, as long as it is the same for every run.
    """
    tie = [F.col(CONTENT).desc()] if CONTENT in rows.columns else []
    order = Window.partitionBy(*keys).orderBy(*(F.col(name).desc() for name in STAMP), *tie)
    return rows.withColumn(_RANK, F.row_number().over(order)).where(F.col(_RANK) == 1).drop(_RANK)


def newest_kept(spark: SparkSession, source: Source, rows: DataFrame | None) -> DataFrame:
    """A dimension's newest row for each key, kept once computed; empty when nothing has landed."""
    if rows is None:
        return spark.createDataFrame([], ", ".join(f"{name} {kind}" for name, kind in source.columns.items()))
    return newest(rows, source.keys).persist(StorageLevel.DISK_ONLY)


def attributes(source: Source, rows: DataFrame) -> DataFrame:
    """(key, attribute) pairs of a dimension's rows."""
    return rows.select(source.keys[0], ATTRIBUTES[source.name][0])


def noted(check: str) -> str:
    """The column that says of an order whether it fails a check of UNKNOWN."""
    return RESERVED_PREFIX + check


def enrich(orders: DataFrame, customers: DataFrame, products: DataFrame) -> DataFrame:
    """``orders`` with region, category, sales_amount, and True in a check's column (``noted``) for an unknown one."""
    for dim, key, check in ((customers, "customer_id", UNKNOWN[0]), (products, "product_id", UNKNOWN[1])):
        unknown = noted(check)
        orders = orders.join(F.broadcast(dim.withColumn(unknown, F.lit(False))), key, "left")
        orders = orders.withColumn(unknown, F.coalesce(F.col(unknown), F.lit(True)))
    return orders.withColumn("sales_amount", F.col("qty").cast("double") * F.col("unit_price"))
