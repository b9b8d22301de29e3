"""A Glue job in the manner of the tutorial's, to measure against: it reads everything four times, and appends.

Three counts, a look at the first orders, and the write each start from the CSV files, whose header is read once more
to name the columns.
"""

from __future__ import annotations

import sys

from awsglue.utils import getResolvedOptions
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

TABLE_COLUMNS = {
    "order_id": "BIGINT", "order_date": "DATE", "customer_id": "BIGINT", "product_id": "BIGINT", "qty": "INT",
    "unit_price": "DOUBLE", "channel": "STRING", "region": "STRING", "category": "STRING", "sales_amount": "DOUBLE",
}  # fmt: skip
ICEBERG = "org.apache.iceberg"


def main() -> None:
    given = getResolvedOptions(sys.argv, ["RAW_BUCKET", "SILVER_DB", "SILVER_WAREHOUSE"])
    spark = session(given["SILVER_WAREHOUSE"])
    orders, customers, products = (
        spark.read.option("header", True).csv(f"s3://{given['RAW_BUCKET']}/retail/{name}/")
        for name in ("orders", "customers", "products")
    )
    rows = enriched(orders, customers, products)
    total = rows.count()
    undated = rows.where(F.col("order_date").isNull()).count()
    without_key = rows.where(
        F.col("order_id").isNull() | F.col("customer_id").isNull() | F.col("product_id").isNull()
    ).count()
    rows.select("order_id", "order_date").orderBy("order_id").show(10, truncate=False)
    if not total or undated or without_key:
        raise RuntimeError(f"{total} rows, {undated} without a date, {without_key} without a key")
    table = f"glue_catalog.{given['SILVER_DB']}.orders_appended"
    columns = ", ".join(f"{name} {kind}" for name, kind in TABLE_COLUMNS.items())
    spark.sql(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) USING iceberg PARTITIONED BY (days(order_date))")
    rows.select(*TABLE_COLUMNS).writeTo(table).append()


def session(warehouse: str) -> SparkSession:
    catalog = "spark.sql.catalog.glue_catalog"
    return (
        SparkSession.builder.config("spark.sql.extensions", f"{ICEBERG}.spark.extensions.IcebergSparkSessionExtensions")
        .config(catalog, f"{ICEBERG}.spark.SparkCatalog")
        .config(f"{catalog}.warehouse", warehouse)
        .config(f"{catalog}.catalog-impl", f"{ICEBERG}.aws.glue.GlueCatalog")
        .config(f"{catalog}.io-impl", f"{ICEBERG}.aws.s3.S3FileIO")
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        .getOrCreate()
    )


def enriched(orders: DataFrame, customers: DataFrame, products: DataFrame) -> DataFrame:
    whole = {"order_id": "bigint", "customer_id": "bigint", "product_id": "bigint", "qty": "int"}
    typed = orders.select(
        *(F.col(name).cast(kind).alias(name) for name, kind in whole.items()),
        F.to_date(F.trim("order_date"), "dd/MM/yyyy").alias("order_date"),
        F.regexp_replace("unit_price", ",", ".").cast("double").alias("unit_price"),
        "channel",
    )
    for dimension, key, attribute in ((customers, "customer_id", "region"), (products, "product_id", "category")):
        known = dimension.select(F.col(key).cast("bigint").alias(key), attribute)
        typed = typed.join(known, key, "left")
    return typed.withColumn("sales_amount", F.col("qty").cast("double") * F.col("unit_price"))


if __name__ == "__main__":
    main()
