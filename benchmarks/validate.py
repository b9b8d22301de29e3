"""``validate`` with 10,000 loaded landings behind it: a source that lands every minute for a week."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform
from pyiceberg.types import (
    DateType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestampType,
)

from benchmarks.many_landings import COUNT, FIRST_DAY, ROWS, fill, up
from benchmarks.sandbox import Figure, Settings, fresh_endpoint, lakectl, open_lake
from lakectl.core.landing_key import LandingKey
from lakectl.core.ledger_items import partition, run_item
from lakectl.core.ledger_table import to_item
from lakectl.core.ledger_versions import LOADED
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake

LIMIT_S = 15.0
DAY = date(2025, 7, 24)
TYPES: dict[str, type[IcebergType]] = {
    "bigint": LongType,
    "int": IntegerType,
    "double": DoubleType,
    "string": StringType,
    "date": DateType,
    "timestamp": TimestampType,
}
LOOKED_UP = {
    "customers": b"customer_id,customer_name,region,signup_date\n1,A,n,01/01/2025\n",
    "products": b"product_id,product_name,category,list_price\n1,P,c,10\n",
}


def measure(_: Settings) -> Iterator[Figure]:
    """Seconds of the whole command; every check must pass, or it raises."""
    with fresh_endpoint() as endpoint:
        lake = open_lake(endpoint)
        up(lake)
        fill(lake, COUNT, LOADED)
        for source, body in LOOKED_UP.items():
            land_one(lake, source, body)
        make_silver(lake, endpoint, COUNT)
        seconds = [lakectl("validate") for _ in range(3)]
        told = f"at most {LIMIT_S:.0f} s"
        best = min(seconds)
        yield Figure(f"validate, {COUNT:,} loaded landings", f"{best:.1f} s", told, best <= LIMIT_S)
        yield Figure("  the first time", f"{seconds[0]:.1f} s")


def land_one(lake: Lake, source: str, body: bytes) -> None:
    """A loaded landing, without its event."""
    key = str(LandingKey(lake.config.landing.prefix, source, FIRST_DAY, f"{source}.csv"))
    bucket = lake.names.raw_bucket
    answer = lake.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    landing = lake.zone.landing(
        bucket=bucket,
        key=key,
        version_id=answer.get("VersionId"),
        etag=answer["ETag"],
        size=len(body),
        event_time="2026-11-16T00:00:00.000Z",
    )
    assert landing is not None
    item = {**run_item(landing), "load_status": LOADED, "rows": 1, "pk": partition("SRC", source)}
    lake.client("dynamodb").put_item(TableName=lake.names.run_log, Item=to_item(item))


def make_silver(lake: Lake, endpoint: Endpoint, count: int) -> None:
    """The tables that the job would have made of ``count`` landings of orders."""
    keys = {"access-key-id": endpoint.access_key_id, "secret-access-key": endpoint.secret_access_key}
    properties = {f"{service}.{name}": value for service in ("glue", "s3") for name, value in keys.items()}
    for service in ("glue", "s3"):
        properties |= {f"{service}.endpoint": endpoint.url, f"{service}.region": endpoint.region}
    catalog = GlueCatalog("glue", **properties, **{"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"})
    loaded: dict[str, Any] = {
        "_lake_file": "s3://x/y",
        "_lake_version": "v",
        "_lake_ingest_date": FIRST_DAY,
        "_lake_batch": "0001",
        "_lake_landed_at": datetime.now(UTC).replace(tzinfo=None),
        "_lake_loaded_at": datetime.now(UTC).replace(tzinfo=None),
    }
    one = {"customers": {"customer_id": 1, "customer_name": "A", "region": "n", "signup_date": date(2025, 1, 1)}}
    one["products"] = {"product_id": 1, "product_name": "P", "category": "c", "list_price": 10.0}
    order = {"order_date": DAY, "customer_id": 1, "product_id": 1, "qty": 1, "unit_price": 1.0, "channel": "web"}
    order |= {"region": "n", "category": "c", "sales_amount": 1.0}
    for source in lake.config.spec.loading_order:
        kinds = lake.config.spec.silver_columns(source)
        schema = Schema(
            *(NestedField(place, name, TYPES[kind]()) for place, (name, kind) in enumerate(kinds.items(), start=1))
        )
        fields = [
            PartitionField(schema.find_field(each.column).field_id, 1000, DayTransform(), f"{each.column}_day")
            for each in lake.config.spec.sources[source].partition_by
        ]
        table = catalog.create_table(
            f"{lake.names.silver_database}.{source}_silver",
            schema,
            location=f"{lake.names.warehouse}{source}_silver",
            partition_spec=PartitionSpec(*fields),
        )
        orders = ({"order_id": number} | order | loaded for number in range(count * ROWS))
        rows = [one[source] | loaded] if source in one else list(orders)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
