"""Region and category for orders, from the newest row of each customer and product."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from retail.schemas import CUSTOMERS, PRODUCTS, STAMP, Source


def newest(rows: DataFrame, key: str) -> DataFrame:
    """One row for each key: the one with the greatest stamp."""
    order = Window.partitionBy(key).orderBy(*(F.col(name).desc() for name in STAMP))
    return rows.withColumn("_rank", F.row_number().over(order)).where("_rank = 1").drop("_rank")


def dimension(spark: SparkSession, source: Source, rows: DataFrame | None) -> DataFrame:
    """(key, attribute) pairs of a dimension, newest row for each key; empty when nothing has landed."""
    if rows is None:
        kinds = ", ".join(f"{name} {kind}" for name, kind in source.columns.items())
        return spark.createDataFrame([], kinds)
    return newest(rows, source.key).select(*source.columns)


def enrich(orders: DataFrame, customers: DataFrame, products: DataFrame) -> DataFrame:
    """``orders`` with region, category and sales_amount. An unknown customer or product gives NULL."""
    return (
        orders.join(F.broadcast(customers), CUSTOMERS.key, "left")
        .join(F.broadcast(products), PRODUCTS.key, "left")
        .withColumn("sales_amount", F.col("qty").cast("double") * F.col("unit_price"))
    )
