"""One small lake for the Athena tests: a bucket for results, a workgroup, and orders partitioned by day."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from athena_lake import RESULTS, SCHEMA, SILVER, WORKGROUP, Answer, Lake, Query, finish, order
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.transforms import DayTransform
from semantics import cases

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


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint, client: Callable[..., Any], catalog: GlueCatalog) -> Iterator[Lake]:
    """600 orders over 30 days in a first snapshot, 300 more in a second. Gone after the module: other
    tests make the same database."""
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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in (orders[:600], orders[600:]):
            table.append(pa.Table.from_pylist(part, schema=table.schema().as_arrow()))
            snapshots.append(table.current_snapshot().snapshot_id)
    yield Lake(catalog, table, snapshots, orders)
    client("athena").delete_work_group(WorkGroup=WORKGROUP, RecursiveDeleteOption=True)
    for found in client("glue").get_tables(DatabaseName="retail_silver")["TableList"]:
        client("glue").delete_table(DatabaseName="retail_silver", Name=found["Name"])
    client("glue").delete_database(Name="retail_silver")
    for bucket in (SILVER, RESULTS):
        for page in client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", []):
                client("s3").delete_object(Bucket=bucket, Key=item["Key"])
        client("s3").delete_bucket(Bucket=bucket)


@pytest.fixture(scope="module")
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


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How much of the SQL is refused, at the end of a run that looked."""
    if any("test_athena_meanings" in report.nodeid for report in terminalreporter.getreports("passed")):
        found = list(cases())
        refused = sum(case.is_refused for case in found)
        terminalreporter.write_line(f"Athena's SQL: {len(found)} cases, {refused} refused ({refused / len(found):.1%})")
