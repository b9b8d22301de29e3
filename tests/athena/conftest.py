"""One small lake for the Athena tests: a bucket for results, a workgroup, and orders partitioned by day."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from athena_lake import RESULTS, SCHEMA, SILVER, WORKGROUP, Answer, Lake, Query, finish, order
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.transforms import DayTransform

from lakectl.local.control import Endpoint


@pytest.fixture(scope="session")
def catalog(endpoint: Endpoint) -> GlueCatalog:
    keys = {"access-key-id": endpoint.access_key_id, "secret-access-key": endpoint.secret_access_key}
    properties = {f"{service}.{name}": value for service in ("glue", "s3") for name, value in keys.items()}
    properties |= {
        f"{service}.{name}": value
        for service in ("glue", "s3")
        for name, value in (("endpoint", endpoint.url), ("region", endpoint.region))
    }
    return GlueCatalog("glue", **properties, **{"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"})


@pytest.fixture(scope="session")
def lake(endpoint: Endpoint, client: Callable[..., Any], catalog: GlueCatalog) -> Lake:
    """600 orders over 30 days in a first snapshot, 300 more in a second."""
    for bucket in (SILVER, RESULTS):
        client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": endpoint.region})
    client("athena").create_work_group(
        Name=WORKGROUP,
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/athena/"}},
        Tags=[{"Key": "lakectl:lake", "Value": "athena"}],
    )
    catalog.create_namespace("retail_silver")
    spec = PartitionSpec(PartitionField(2, 1000, DayTransform(), "order_date_day"))
    table = catalog.create_table(
        "retail_silver.orders_silver", SCHEMA, location=f"s3://{SILVER}/orders_silver", partition_spec=spec
    )
    orders = [order(number) for number in range(900)]
    snapshots = []
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # PyIceberg computes day partitions in pyiceberg-core; days since 1970 is what an Arrow date holds already.
        patch.setattr(DayTransform, "pyarrow_transform", lambda *_: lambda dates: dates.cast(pa.int32()))
        for part in (orders[:600], orders[600:]):
            table.append(pa.Table.from_pylist(part, schema=table.schema().as_arrow()))
            snapshots.append(table.current_snapshot().snapshot_id)
    return Lake(catalog, table, snapshots, orders)


@pytest.fixture(scope="session")
def query(lake: Lake, client: Callable[..., Any]) -> Query:  # noqa: ARG001 - it makes the workgroup and the tables
    """``query(sql)``: run a statement to its end with plain boto3."""
    athena = client("athena")

    def run(sql: str, database: str = "retail_silver", **options: Any) -> Answer:
        started = athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": database},
            **{"WorkGroup": WORKGROUP, **options},
        )
        return finish(athena, started["QueryExecutionId"])

    return run
