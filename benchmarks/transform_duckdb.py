"""The transform in DuckDB and PyIceberg, to measure against: same checks, same comparison with silver, same table.

``python -m benchmarks.transform_duckdb RAW_BUCKET SILVER_DB SILVER_WAREHOUSE``; endpoint and credentials come from
the environment. It reads all current objects: it has no run log, and does nothing about racing runs, customers_silver,
products_silver, or orders in silver whose customer has changed.
"""

from __future__ import annotations

import csv
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import duckdb
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.expressions import In
from pyiceberg.table import Table
from pyiceberg.transforms import DayTransform

from benchmarks import transform_duckdb_sql as sql

NAME = "orders_by_duckdb"
PLACE = re.compile(r"/ingest_date=(?P<day>[\d-]{10})/(?:batch=(?P<batch>\d{4})/)?")


@dataclass(frozen=True)
class Landed:
    """The newest version of an object, with what the rows of its file carry as their stamp."""

    source: str
    file: Path
    path: str
    version: str
    landed_at: str
    day: str
    batch: str


def main(bucket: str, database: str, warehouse: str) -> None:
    # Without its time zones, which it loads by itself where they are installed, DuckDB's times are in UTC.
    connection = duckdb.connect(config={"autoload_known_extensions": "false"})
    with tempfile.TemporaryDirectory() as folder:
        landings = dict(enumerate(fetch(bucket, Path(folder))))
        refused = read(connection, landings)
    totals, bad = judge(connection, landings)
    refused = bad | refused
    if len(refused) < len(landings):
        counts = load(connection, silver(connection, database, warehouse), totals, refused)
        print(", ".join(f"{kind} {count}" for kind, count in counts.items()))
    if refused:
        raise SystemExit("\n".join(f"{landings[number].path}: {why}" for number, why in refused.items()))


def fetch(bucket: str, folder: Path) -> Iterator[Landed]:
    """Put the newest version of each landed object into ``folder``."""
    s3 = boto3.client("s3")
    for source in sql.COLUMNS:
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"retail/{source}/")
        for version in (each for page in pages for each in page.get("Versions", []) if each["IsLatest"]):
            key, place = version["Key"], PLACE.search(version["Key"])
            if not place:
                continue
            file = folder / key.replace("/", "_")
            s3.download_file(bucket, key, str(file))
            landed_at = f"{version['LastModified']:%Y-%m-%d %H:%M:%S+00}"
            yield Landed(source, file, f"s3://{bucket}/{key}", version["VersionId"], landed_at, place["day"],
                         place["batch"] or "0000")  # fmt: skip


def read(connection: Any, landings: dict[int, Landed]) -> dict[int, str]:
    """Typed rows into a table for each source; returns why files that can't be read are refused."""
    connection.execute(sql.TABLES)
    refused = {}
    for number, each in landings.items():
        stamp = [number, each.day, each.batch, each.landed_at, each.version, each.path]
        connection.execute("INSERT INTO landings VALUES (?, ?, ?, ?, ?, ?)", stamp)
        try:
            connection.execute(sql.read(each.source, number, str(each.file), header(each.file)))
        except (duckdb.Error, UnicodeDecodeError) as error:
            refused[number] = str(error)
    return refused


def header(file: Path) -> list[str]:
    with file.open(encoding="utf-8-sig") as lines:
        return [name.strip().lower() for name in next(csv.reader([lines.readline()]), [])]


def judge(connection: Any, landings: dict[int, Landed]) -> tuple[dict[str, Any], dict[int, str]]:
    """What is known of the orders that passed, and why other landings are refused."""
    counted = {}
    for source in sql.COLUMNS:
        found = connection.execute(sql.gate(source))
        names = [column[0] for column in found.description]
        counted.update({row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()})
    refused = {number: "no rows below the header" for number in landings if number not in counted}
    refused |= {number: f"{row['bad']} bad rows, {row['clashes']} keys with different content"
                for number, row in counted.items() if row["bad"] or row["clashes"]}  # fmt: skip
    orders = [number for number, each in landings.items() if each.source == "orders"]
    passed = [counted[number] for number in orders if number not in refused]
    return {
        "quantities": sum(row["quantities"] for row in passed),
        "each_once": len(passed) == 1 and passed[0]["rows"] == passed[0]["keys"],
        "lowest": min((row["lowest"] for row in passed), default=0),
        "highest": max((row["highest"] for row in passed), default=0),
    }, refused


def load(connection: Any, table: Table, totals: dict[str, Any], refused: dict[int, str]) -> Counter[str]:
    """Bring the table up to date in one commit, or none; returns how many rows there are of each kind."""
    within = f"order_id >= {totals['lowest']} and order_id <= {totals['highest']}"
    known = table.scan(within, selected_fields=sql.COMPARED).to_arrow()
    connection.register("silver", known)
    connection.execute(sql.delta(list(refused), each_once=totals["each_once"]))
    counts = Counter(dict(connection.execute("SELECT kind::VARCHAR, count(*) FROM delta GROUP BY kind").fetchall()))
    unknown = connection.execute("SELECT count_if(unknown_customer), count_if(unknown_product) FROM delta").fetchall()
    counts["unknown_customers"], counts["unknown_products"] = unknown[0]
    counts["quantities"] = totals["quantities"]
    replaced = connection.execute("SELECT order_id FROM delta WHERE kind IN ('update', 'advance')").fetchall()
    rows = connection.execute(f"{sql.SHAPED} WHERE kind IN ('insert', 'update', 'advance')").to_arrow_table()
    if rows.num_rows:
        # Not Table.upsert: it would compare row by row, in Python, what has been compared already.
        with table.transaction() as change:
            if replaced:
                change.delete(In("order_id", [order_id for (order_id,) in replaced]))
            change.append(rows)
    return counts


def silver(connection: Any, database: str, warehouse: str) -> Table:
    """The table, made on the first run."""
    where = {"s3.endpoint": os.environ["AWS_ENDPOINT_URL"], "s3.region": os.environ["AWS_DEFAULT_REGION"]}
    catalog = GlueCatalog("glue", **where, **{"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"})
    name, place = f"{database}.{NAME}", f"{warehouse.rstrip('/')}/{NAME}"
    if catalog.table_exists(name):
        return catalog.load_table(name)
    connection.execute(sql.EMPTY_DELTA)
    shape = connection.execute(sql.SHAPED).to_arrow_table().schema
    properties = {"write.parquet.compression-codec": "zstd"}
    with (
        catalog.create_table_transaction(name, shape, place, properties=properties) as made,
        made.update_spec() as spec,
    ):
        spec.add_field("order_date", DayTransform(), "order_date_day")
    return catalog.load_table(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
