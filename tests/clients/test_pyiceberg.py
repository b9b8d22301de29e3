"""PyIceberg's GlueCatalog against the local Glue and S3, and Athena on the same tables.

https://py.iceberg.apache.org/configuration/#glue-catalog
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from client_workspace import Workspace, workspace
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import NoSuchTableError, TableAlreadyExistsError
from pyiceberg.expressions import EqualTo
from pyiceberg.transforms import DayTransform
from pyiceberg.types import LongType, StringType

from lakectl.local.control import Endpoint

ORDERS = pa.table(
    {
        "order_id": pa.array([1, 2, 3], pa.int32()),
        "amount": pa.array([1.5, 2.5, 3.5]),
        "at": pa.array([1_759_564_800_000_000, 1_759_564_800_000_000, 1_759_651_200_000_000], pa.timestamp("us")),
    }
)


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Workspace]:
    with workspace(endpoint, "pyiceberg-client", Path(sys.executable)) as made:
        yield made


@pytest.fixture(scope="module")
def catalog(lake: Workspace) -> Iterator[Any]:
    """AWS_ENDPOINT_URL says where Glue is, and `s3.endpoint` where S3 is: Arrow reads no variable."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in lake.environ.items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        yield load_catalog("local", **{"type": "glue", "s3.endpoint": os.environ["AWS_ENDPOINT_URL"]})


def test_create_append_read_and_evolve(catalog: Any, lake: Workspace) -> None:
    name = f"{lake.database}.orders"
    table = catalog.create_table(name, ORDERS.schema, location=f"s3://{lake.name}/orders")
    with table.update_spec() as spec:
        spec.add_field("at", DayTransform(), "day")
    table.append(ORDERS)
    assert table.scan(row_filter="amount > 2", selected_fields=("order_id",)).to_arrow()["order_id"].to_pylist() == [
        2,
        3,
    ]
    assert lake.execute("SELECT order_id, amount FROM orders ORDER BY 1") == [["1", "1.5"], ["2", "2.5"], ["3", "3.5"]]
    with table.update_schema() as schema:
        schema.add_column("note", StringType(), doc="free text")
        schema.update_column("order_id", LongType())
        schema.rename_column("amount", "total")
    lake.execute("INSERT INTO orders VALUES (9000000000, 4.5, TIMESTAMP '2025-10-06 00:00:00', 'of Athena')")
    table.refresh()
    found = table.scan(row_filter=EqualTo("note", "of Athena")).to_arrow().to_pylist()
    assert [(row["order_id"], row["total"]) for row in found] == [(9_000_000_000, 4.5)]
    table.delete("order_id = 1")
    assert lake.execute("SELECT count(*), sum(total) FROM orders") == [["3", "10.5"]]
    assert lake.execute('SELECT count(*) FROM "orders$partitions"') == [["3"]]
    upserted = pa.table({"order_id": [2, 4], "total": [20.5, 4.0], "at": ORDERS["at"][:2], "note": ["changed", "new"]})
    result = table.upsert(upserted, join_cols=["order_id"])
    assert (result.rows_updated, result.rows_inserted) == (1, 1)
    assert lake.execute("SELECT total, note FROM orders WHERE order_id = 2") == [["20.5", "changed"]]
    first = table.history()[0].snapshot_id
    assert lake.execute(f"SELECT count(*) FROM orders FOR VERSION AS OF {first}") == [["3"]]


def test_catalog_lists_renames_registers_and_drops(catalog: Any, lake: Workspace) -> None:
    name = f"{lake.database}.kept"
    table = catalog.create_table(name, ORDERS.schema, location=f"s3://{lake.name}/kept")
    table.append(ORDERS)
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table(name, ORDERS.schema, location=f"s3://{lake.name}/again")
    assert (lake.database, "kept") in catalog.list_tables(lake.database)
    assert (lake.database,) in catalog.list_namespaces()
    catalog.rename_table(name, f"{lake.database}.renamed")
    assert lake.execute("SELECT count(*) FROM renamed") == [["3"]]
    catalog.drop_table(f"{lake.database}.renamed")
    with pytest.raises(NoSuchTableError):
        catalog.load_table(f"{lake.database}.renamed")
    catalog.register_table(name, table.metadata_location)
    assert lake.execute("SELECT count(*) FROM kept") == [["3"]]
    catalog.purge_table(name)
    left = lake.client("s3").list_objects_v2(Bucket=lake.name, Prefix="kept/").get("Contents", [])
    assert [item["Key"] for item in left if item["Size"]] == []  # Arrow leaves empty objects in place of folders


def test_athenas_table_is_read_and_written(catalog: Any, lake: Workspace) -> None:
    lake.execute(
        f"CREATE TABLE sales (id bigint, region string) PARTITIONED BY (region) LOCATION 's3://{lake.name}/sales/'"
        " TBLPROPERTIES ('table_type' = 'ICEBERG', 'format' = 'parquet')",
        "INSERT INTO sales VALUES (1, 'North'), (2, 'South')",
    )
    table = catalog.load_table(f"{lake.database}.sales")
    table.overwrite(pa.table({"id": [3], "region": ["North"]}), overwrite_filter=EqualTo("region", "North"))
    assert lake.execute("SELECT id, region FROM sales ORDER BY id") == [["2", "South"], ["3", "North"]]
