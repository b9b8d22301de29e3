"""Athena's figures: five million rows over a year, small queries, and 10,000 landed files.

Each is a whole query over HTTP: StartQueryExecution, GetQueryExecution until it has ended, GetQueryResults. The same
files, read by DuckDB's ``iceberg_scan`` alone, are what the large ones are compared with.
"""

from __future__ import annotations

import datetime
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import boto3
import duckdb
import numpy as np
import pyarrow as pa
from botocore.config import Config
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform
from pyiceberg.types import DateType, DoubleType, IntegerType, LongType, NestedField, StringType

from benchmarks.sandbox import Figure, Settings, fresh_endpoint
from lakectl.local import control
from lakectl.local.control import Endpoint

ROWS, DAYS = 5_000_000, 365
FILES, LANDED, LANDED_ROWS = 90, 10_000, 10
AT_ONCE = 8
DATA, RESULTS, WORKGROUP, DATABASE = "bench-data", "bench-results", "bench", "bench"
FIRST_DAY = datetime.date(2025, 1, 1)
SCHEMA = Schema(
    NestedField(1, "order_id", LongType()),
    NestedField(2, "order_date", DateType()),
    NestedField(3, "customer_id", LongType()),
    NestedField(4, "qty", IntegerType()),
    NestedField(5, "sales_amount", DoubleType()),
    NestedField(6, "channel", StringType()),
)
WEEK = "SELECT SUM(sales_amount) FROM {} WHERE order_date BETWEEN DATE '2025-06-02' AND DATE '2025-06-08'"
SPAN = "SELECT SUM(sales_amount) FROM orders WHERE order_date BETWEEN DATE '{}' AND DATE '{}'"
ALL = (
    "SELECT channel, COUNT(*), SUM(sales_amount), SUM(qty), MAX(customer_id) FROM {} GROUP BY channel ORDER BY channel"
)
LANDED_TABLE = (
    "CREATE EXTERNAL TABLE landed (order_id string, order_date string, qty string) "
    "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' "
    f"LOCATION 's3://{DATA}/landed/' TBLPROPERTIES ('skip.header.line.count'='1')"
)


def measure(_: Settings) -> Iterator[Figure]:
    """Raises if a query fails, or gives something else than ``iceberg_scan``."""
    with fresh_endpoint() as endpoint:
        athena = _prepared(endpoint)
        yield _at_most("the first query after a start", _first(athena), 1.0)
        yield _at_most("SELECT 1", _median(lambda: _rows(athena, "SELECT 1"), 15), 0.060)
        _fill(endpoint, "days", FILES, FILES)
        days = "SELECT COUNT(*), SUM(sales_amount) FROM days"
        yield _at_most(f"a sum over {FILES} files", _median(lambda: _rows(athena, days), 9), 0.060)
        yield from _year(endpoint, athena)
        yield _landed(endpoint, athena)


def _year(endpoint: Endpoint, athena: Any) -> Iterator[Figure]:
    location = _fill(endpoint, "orders", ROWS, DAYS)
    with tempfile.TemporaryDirectory(prefix="lakectl-bench-") as folder:
        raw, scan = _raw(endpoint, location, Path(folder))
        for what, sql, limit in (("the sum of one week", WEEK, 2.0), ("an aggregate of all", ALL, 1.3)):
            there, here = sql.format(scan), sql.format("orders")
            alone = _median(partial(_fetched, raw, there), 7)
            through = _median(partial(_rows, athena, here), 7)
            shown = [[str(value) for value in row] for row in raw.execute(there).fetchall()]
            assert len(_rows(athena, here)) == len(shown), (shown, here)
            told = (
                f"{1000 * through:,.0f} ms, {through / alone:.2f} times `iceberg_scan` alone ({1000 * alone:,.0f} ms)"
            )
            yield Figure(f"{what} ({ROWS:,} rows)", told, f"at most {limit} times", through <= limit * alone)
        raw.close()
    yield _throughput(athena)


def _throughput(athena: Any) -> Figure:
    """Of sums of eight different weeks."""
    days = [FIRST_DAY + datetime.timedelta(days=40 * number) for number in range(AT_ONCE)]
    queries = [SPAN.format(day, day + datetime.timedelta(days=6)) for day in days]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda sql: _rows(athena, sql), queries))
        one = _median(lambda: [_rows(athena, sql) for sql in queries], 5)
        many = _median(lambda: list(pool.map(lambda sql: _rows(athena, sql), queries)), 5)
    told = f"{one / many:.2f} times the throughput of one at a time ({AT_ONCE / one:.0f} a second)"
    return Figure(f"{AT_ONCE} queries at once", told, "at least 1.5 times", one / many >= 1.5)


def _landed(endpoint: Endpoint, athena: Any) -> Figure:
    s3 = _client(endpoint, "s3")

    def put(number: int) -> None:
        body = b"order_id,order_date,qty\n" + b"%d,24/07/2025,1\n" % number * LANDED_ROWS
        s3.put_object(Bucket=DATA, Key=f"landed/orders-{number:05d}.csv", Body=body)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(LANDED)))
    _rows(athena, LANDED_TABLE)
    started = time.perf_counter()
    rows = _rows(athena, "SELECT COUNT(*) FROM landed")
    seconds = time.perf_counter() - started
    assert rows == [[str(LANDED * LANDED_ROWS)]], rows
    return _at_most(f"the number of rows in {LANDED:,} landed CSV files", seconds, 5.0)


def _prepared(endpoint: Endpoint) -> Any:
    for bucket in (DATA, RESULTS):
        where = {"LocationConstraint": endpoint.region}
        _client(endpoint, "s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    _client(endpoint, "glue").create_database(DatabaseInput={"Name": DATABASE})
    athena = _client(endpoint, "athena")
    athena.create_work_group(
        Name=WORKGROUP, Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/"}}
    )
    return athena


def _first(athena: Any) -> float:
    """The endpoint that comes up anew answers at the same place."""
    control.stop()
    again = control.ensure_running(region="eu-west-1")
    assert again.url == athena.meta.endpoint_url, again.url
    started = time.perf_counter()
    _rows(athena, "SELECT 1")
    return time.perf_counter() - started


def _fill(endpoint: Endpoint, name: str, count: int, days: int) -> str:
    """An Iceberg table with a file for each day; returns where its metadata is."""
    keys = {"access-key-id": endpoint.access_key_id, "secret-access-key": endpoint.secret_access_key}
    properties = {f"{service}.{key}": value for service in ("glue", "s3") for key, value in keys.items()}
    for service in ("glue", "s3"):
        properties |= {f"{service}.endpoint": endpoint.url, f"{service}.region": endpoint.region}
    catalog = GlueCatalog("glue", **properties, **{"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"})
    table = catalog.create_table(
        f"{DATABASE}.{name}",
        SCHEMA,
        location=f"s3://{DATA}/{name}",
        partition_spec=PartitionSpec(PartitionField(2, 1000, DayTransform(), "order_date_day")),
    )
    number = np.arange(count, dtype=np.int64)
    start = (FIRST_DAY - datetime.date(1970, 1, 1)).days
    columns = [
        number,
        pa.array((start + number * days // count).astype(np.int32)).cast(pa.date32()),
        number % 50_000,
        (number % 7 + 1).astype(np.int32),
        (number % 1000) / 4,
        pa.array(np.array(["web", "store", "mobile"])[number % 3]),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table.append(pa.table([pa.array(column) for column in columns], schema=table.schema().as_arrow()))
    return str(table.metadata_location)


def _raw(endpoint: Endpoint, location: str, folder: Path) -> tuple[Any, str]:
    """(DuckDB alone, what stands in FROM): the table's own files, copied beside."""
    s3 = _client(endpoint, "s3")
    prefix = location.removeprefix(f"s3://{DATA}/").partition("/")[0]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=DATA, Prefix=f"{prefix}/"):
        for item in page["Contents"]:
            path = folder / item["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.get_object(Bucket=DATA, Key=item["Key"])["Body"].read())
    raw = duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": str(os.cpu_count() or 1)})
    for name in ("avro", "iceberg"):
        file = resources.files(f"duckdb_extension_{name}") / "extensions" / f"v{duckdb.__version__}"
        raw.execute(f"LOAD '{file / f'{name}.duckdb_extension'}'")
    version = location.rpartition("/")[2].removesuffix(".metadata.json")
    return raw, f"iceberg_scan('{folder / prefix}', version = '{version}', allow_moved_paths = true)"


def _rows(athena: Any, sql: str) -> list[list[str | None]]:
    """Of a whole query. Raises RuntimeError if it fails."""
    started = athena.start_query_execution(
        QueryString=sql, QueryExecutionContext={"Database": DATABASE}, WorkGroup=WORKGROUP
    )["QueryExecutionId"]
    while True:
        execution = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]
        if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(0.002)
    if execution["Status"]["State"] != "SUCCEEDED":
        raise RuntimeError(f"{sql}: {execution['Status'].get('StateChangeReason')}")
    rows = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
    return [[item.get("VarCharValue") for item in row["Data"]] for row in rows[1:]]


def _fetched(raw: Any, sql: str) -> list[Any]:
    return list(raw.execute(sql).fetchall())


def _median(run: Callable[[], Any], times: int) -> float:
    seconds = []
    run()
    for _ in range(times):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _at_most(what: str, seconds: float, limit: float) -> Figure:
    unit, shown = ("ms", 1000) if limit < 1 else ("s", 1)
    places = 0 if limit < 1 else 2
    return Figure(what, f"{seconds * shown:.{places}f} {unit}", f"at most {limit * shown:.0f} {unit}", seconds <= limit)


def _client(endpoint: Endpoint, service: str) -> Any:
    session = boto3.Session(endpoint.access_key_id, endpoint.secret_access_key, region_name=endpoint.region)
    return session.client(service, endpoint_url=endpoint.url, config=Config(max_pool_connections=AT_ONCE + 2))
