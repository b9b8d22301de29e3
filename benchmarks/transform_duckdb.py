"""The transform in DuckDB and PyIceberg, to measure against: same checks, same comparison with silver, same table.

``python -m benchmarks.transform_duckdb RAW_BUCKET SILVER_DB SILVER_WAREHOUSE``; endpoint and credentials come from
the environment. Money is read as nearly all amounts look; whatever looks otherwise is counted as bad.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.transforms import DayTransform

NAME = "orders_by_duckdb"
DETAILS = ("order_date", "customer_id", "product_id", "qty", "unit_price", "channel", "region", "category")
ROWS = """
CREATE TABLE typed AS
SELECT TRY_CAST(trim(order_id) AS BIGINT) AS order_id, TRY_STRPTIME(trim(order_date), '%d/%m/%Y')::DATE AS order_date,
    TRY_CAST(trim(o.customer_id) AS BIGINT) AS customer_id, TRY_CAST(trim(o.product_id) AS BIGINT) AS product_id,
    TRY_CAST(trim(qty) AS INTEGER) AS qty, trim(channel) AS channel,
    CASE WHEN regexp_matches(trim(unit_price), '^-?\\d+([.,]\\d{1,2})?$')
        THEN TRY_CAST(replace(trim(unit_price), ',', '.') AS DOUBLE) END AS unit_price
FROM read_csv($folder || '/orders-*.csv', all_varchar = true, header = true) o;
CREATE TABLE incoming AS
SELECT t.*, c.region, p.category, t.qty::DOUBLE * t.unit_price AS sales_amount,
    current_date AS ingest_date, '0000' AS ingest_batch, $file AS source_file, $version AS source_version,
    $at::TIMESTAMP AT TIME ZONE 'UTC' AS landed_at, now() AS loaded_at
FROM typed t
LEFT JOIN (SELECT CAST(customer_id AS BIGINT) AS customer_id, region
    FROM read_csv($folder || '/customers-*.csv', all_varchar = true, header = true)) c USING (customer_id)
LEFT JOIN (SELECT CAST(product_id AS BIGINT) AS product_id, category
    FROM read_csv($folder || '/products-*.csv', all_varchar = true, header = true)) p USING (product_id);
"""
CHECKS = """
SELECT sum(rows), sum(CAST(clash AS INTEGER)), sum(bad), sum(unknown), min(order_id), max(order_id) FROM (
    SELECT order_id, count(*) AS rows, min(content) <> max(content) AS clash, sum(bad) AS bad, sum(unknown) AS unknown
    FROM (SELECT order_id, hash(order_id, order_date, customer_id, product_id, qty, unit_price, channel) AS content,
        CAST(order_id IS NULL OR order_date IS NULL OR customer_id IS NULL OR product_id IS NULL OR qty IS NULL
            OR unit_price IS NULL OR qty <= 0 AS INTEGER) AS bad,
        CAST(region IS NULL OR category IS NULL AS INTEGER) AS unknown FROM incoming)
    GROUP BY order_id)
"""


def main(bucket: str, database: str, warehouse: str) -> None:
    connection = duckdb.connect()
    with tempfile.TemporaryDirectory() as name:
        newest = fetch(bucket, Path(name))
        for statement in ROWS.strip().split(";\n"):
            names = [word for word in ("folder", "file", "version", "at") if f"${word}" in statement]
            values = {"folder": name, **newest}
            connection.execute(statement, {word: values[word] for word in names})
    rows, clashes, bad, unknown, lowest, highest = connection.execute(CHECKS).fetchall()[0]
    if not rows or clashes or bad:
        raise SystemExit(f"{rows} rows, {clashes} keys with different content, {bad} bad rows, {unknown} unknown")
    table = silver(connection, database, warehouse)
    known = table.scan(f"order_id >= {lowest} and order_id <= {highest}").to_arrow()
    connection.register("silver", known)
    differs = " OR ".join(f"n.{column} IS DISTINCT FROM o.{column}" for column in DETAILS)
    stamp = "(n.ingest_date, n.ingest_batch, n.landed_at, n.source_version) > "
    stamp += "(o.ingest_date, o.ingest_batch, o.landed_at, o.source_version)"
    joined = "FROM incoming n LEFT JOIN silver o USING (order_id)"
    new = connection.execute(f"SELECT n.* {joined} WHERE o.order_id IS NULL").to_arrow_table()
    changed = connection.execute(
        f"SELECT n.* {joined} WHERE o.order_id IS NOT NULL AND ({differs}) AND {stamp}"
    ).to_arrow_table()
    if changed.num_rows:
        table.upsert(fitting(changed, table), join_cols=["order_id"])
    if new.num_rows:
        table.append(fitting(new, table))
    print(f"inserted {new.num_rows}, updated {changed.num_rows}, unknown {unknown}")


def fetch(bucket: str, folder: Path) -> dict[str, str]:
    """Put what has landed into ``folder``; returns what tells the last orders file from others."""
    s3, newest = boto3.client("s3"), {}
    for source in ("customers", "products", "orders"):
        found = s3.list_object_versions(Bucket=bucket, Prefix=f"retail/{source}/")["Versions"]
        for number, version in enumerate(version for version in found if version["IsLatest"]):
            s3.download_file(bucket, version["Key"], str(folder / f"{source}-{number}.csv"))
            landed_at = f"{version['LastModified']:%Y-%m-%d %H:%M:%S}"
            newest = {"file": f"s3://{bucket}/{version['Key']}", "version": version["VersionId"], "at": landed_at}
    return newest


def silver(connection: Any, database: str, warehouse: str) -> Any:
    """The table, made on the first run."""
    catalog = GlueCatalog("glue", **{"warehouse": warehouse, "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"})
    name = f"{database}.{NAME}"
    if catalog.table_exists(name):
        return catalog.load_table(name)
    shape = connection.execute("SELECT * FROM incoming LIMIT 0").to_arrow_table().schema
    place = f"{warehouse.rstrip('/')}/{NAME}"
    made = catalog.create_table(name, shape, place, properties={"write.parquet.compression-codec": "zstd"})
    with made.update_spec() as spec:
        spec.add_field("order_date", DayTransform(), "order_date_day")
    return catalog.load_table(name)


def fitting(rows: pa.Table, table: Any) -> pa.Table:
    return rows.cast(table.schema().as_arrow())


if __name__ == "__main__":
    main(*sys.argv[1:])
