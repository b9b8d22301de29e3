"""What somebody does with dlt's athena destination, part by part: run by the Python of `.venv-dlt`.

    python dlt_program.py WORKGROUP DATABASE PART...

The workgroup's name is also the bucket's. Each part is a pipeline of its own.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import dlt
from client_parts import answer, part
from dlt.destinations.adapters import athena_adapter, athena_partition

WORKGROUP, DATABASE, *WANTED = sys.argv[1:]
ORDERS = [
    {"id": 1, "amount": 1.5, "at": "2025-10-04T08:00:00Z", "lines": [{"sku": "a"}, {"sku": "b"}]},
    {"id": 2, "amount": 2.5, "at": "2025-10-05T09:00:00Z", "lines": [{"sku": "c"}]},
]
CHANGED = [{"id": 2, "amount": 9.0, "at": "2025-10-05T10:00:00Z", "lines": []}, {"id": 3, "amount": 3.5, "note": "é"}]


def pipeline(name: str) -> Any:
    credentials = {
        "region_name": os.environ["AWS_DEFAULT_REGION"],
        "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
        "endpoint_url": os.environ["AWS_ENDPOINT_URL"],
    }
    destination = dlt.destinations.athena(
        query_result_bucket=f"s3://{WORKGROUP}/dlt-results/",
        athena_work_group=WORKGROUP,
        credentials=credentials,
    )
    staging = dlt.destinations.filesystem(bucket_url=f"s3://{WORKGROUP}/dlt", credentials=credentials)
    dataset = f"{DATABASE}_{name}"
    return dlt.pipeline(name, destination=destination, staging=staging, dataset_name=dataset)


def rows(made: Any, sql: str) -> Any:
    with made.sql_client() as client:
        return [list(row) for row in client.execute_sql(sql)]


def load(made: Any, data: Any, **options: Any) -> None:
    info = made.run(data, table_name="orders", **options)
    info.raise_on_failed_jobs()


@part
def append_and_replace() -> Any:
    """Plain Parquet tables (Hive)."""
    made = pipeline("plain")
    load(made, ORDERS, write_disposition="append")
    load(made, ORDERS[:1], write_disposition="append")
    found = [rows(made, "SELECT id, amount FROM orders ORDER BY id"), rows(made, "SELECT count(*) FROM orders__lines")]
    load(made, CHANGED, write_disposition="replace")
    return [*found, rows(made, "SELECT id, amount, note FROM orders ORDER BY id")]


@part
def iceberg_merge() -> Any:
    """Rows with known keys are changed, others added; a column and a child table follow."""
    made = pipeline("merged")
    how = {"write_disposition": "merge", "primary_key": "id", "table_format": "iceberg"}
    load(made, ORDERS, **how)
    load(made, CHANGED, **how)
    found = rows(made, "SELECT id, amount, note FROM orders ORDER BY id")
    lines = rows(made, "SELECT sku FROM orders__lines ORDER BY sku")
    with made.sql_client() as client, client.execute_query("SELECT id FROM orders ORDER BY id") as cursor:
        keys = cursor.arrow()["id"].to_pylist()
    return [found, lines, keys, rows(made, "SELECT count(*) FROM _dlt_loads")]


@part
def iceberg_upsert() -> Any:
    made = pipeline("upserted")
    how = {"primary_key": "id", "table_format": "iceberg"}
    how["write_disposition"] = {"disposition": "merge", "strategy": "upsert"}
    load(made, ORDERS, **how)
    load(made, CHANGED, **how)
    return rows(made, "SELECT id, amount, note FROM orders ORDER BY id")


@part
def iceberg_history() -> Any:
    """Slowly changing dimension of type 2: what is gone keeps its dates."""
    made = pipeline("history")
    how = {"table_format": "iceberg", "write_disposition": {"disposition": "merge", "strategy": "scd2"}}
    load(made, [{"id": 1, "city": "Bonn"}, {"id": 2, "city": "Ulm"}], **how)
    load(made, [{"id": 1, "city": "Köln"}, {"id": 2, "city": "Ulm"}], **how)
    return rows(made, "SELECT id, city, _dlt_valid_to IS NULL FROM orders ORDER BY id, _dlt_valid_from")


@part
def partitioned() -> Any:
    made = pipeline("parts")
    resource = dlt.resource(ORDERS, name="orders", table_format="iceberg", max_table_nesting=0)
    load(made, athena_adapter(resource, partition=[athena_partition.day("at"), "id"]))
    return rows(made, 'SELECT count(*) FROM "orders$partitions"')


answer(WANTED)
