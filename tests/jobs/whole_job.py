"""Whole runs of the job in this process, on the local endpoint: real Spark, Iceberg, S3, catalog and ledger."""

from __future__ import annotations

import contextlib
import io
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import boto3

from lakectl.config import Config
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.runs import results
from lakectl.spec.json_form import to_json

ROOT = Path(__file__).parents[2]
WAREHOUSE = "job-tests-silver"
HEADER = "order_id,order_date,customer_id,product_id,qty,unit_price,channel"
DIMENSIONS = {
    "customers": "customer_id,customer_name,region,signup_date\n1,Ann,North,01/02/2024\n2,Bo,East,01/02/2024\n",
    "products": "product_id,product_name,category,list_price\n10,Pen,Office,1.50\n20,Cup,Kitchen,4.00\n",
}


def environ_of(endpoint: Endpoint) -> dict[str, str]:
    """What makes any AWS client in a process use the endpoint."""
    return {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": endpoint.access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key,
        "AWS_REGION": endpoint.region,
        "AWS_DEFAULT_REGION": endpoint.region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def client_on(endpoint: Endpoint, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
    )


def line(order: int, *, day: int = 1, customer: Any = 1, product: Any = 10, qty: Any = 1, price: Any = "2.50") -> str:
    """One order as a line of CSV, in the order of HEADER."""
    return f"{order},{day:02}/09/2025,{customer},{product},{qty},{price},web"


@dataclass
class Ran:
    """``result``: what the job reported, {} if it did not get that far; ``error``: what it raised, or ""."""

    result: dict[str, Any]
    error: str
    said: list[str] = field(repr=False)

    @property
    def orders(self) -> dict[str, Any]:
        """The result with the counts of orders in place of the sums over all sources."""
        return {**self.result, **self.result["sources"].get("orders", {})}


class JobLake:
    """A lake of its own in the shared warehouse: raw bucket (versioned), run log, silver database."""

    def __init__(self, spark: Any, endpoint: Endpoint, settings: dict[str, Any] | None = None) -> None:
        name = uuid.uuid4().hex[:8]
        self.spark = spark
        self.endpoint = endpoint
        self.settings = settings or {}
        self.raw, self.ledger_table, self.database = f"job-{name}", f"runs_{name}", f"silver_{name}"
        self.s3, self.dynamodb, self.glue = (client_on(endpoint, each) for each in ("s3", "dynamodb", "glue"))
        where = {"LocationConstraint": endpoint.region}
        self.s3.create_bucket(Bucket=self.raw, CreateBucketConfiguration=where)
        self.s3.put_bucket_versioning(Bucket=self.raw, VersioningConfiguration={"Status": "Enabled"})
        self.dynamodb.create_table(
            TableName=self.ledger_table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        self.glue.create_database(DatabaseInput={"Name": self.database})

    # ---- landing

    def land(
        self, source: str, content: str | bytes, *, date: str = "2025-09-01", batch: str = "", gz: bool = False
    ) -> str:
        """Put a file; returns its key. Nothing tells the ledger: the job finds it under its path."""
        folder = f"ingest_date={date}/" + (f"batch={batch}/" if batch else "")
        key = f"retail/{source}/{folder}{source}.csv{'.gz' if gz else ''}"
        self.s3.put_object(Bucket=self.raw, Key=key, Body=content.encode() if isinstance(content, str) else content)
        return key

    def orders(self, *lines: str, date: str = "2025-09-01", batch: str = "", header: str = HEADER) -> str:
        return self.land("orders", "\n".join((header, *lines)) + "\n", date=date, batch=batch)

    def dimensions(self) -> None:
        for source, text in DIMENSIONS.items():
            self.land(source, text)

    # ---- running

    def put_spec(self) -> str:
        """The address of the lake's specification: the tutorial's, with ``settings`` in the shape of lake.yaml."""
        spec = Config.model_validate(self.settings).spec
        key = f"specs/{self.database}.json"
        self.s3.put_object(Bucket=WAREHOUSE, Key=key, Body=to_json(spec).encode())
        return f"s3://{WAREHOUSE}/{key}"

    def argv(self, path: str | None = "retail/", **arguments: str) -> list[str]:
        given = {
            "RAW_BUCKET": self.raw,
            "SILVER_DB": self.database,
            "SILVER_WAREHOUSE": f"s3://{WAREHOUSE}/",
            "LEDGER_TABLE": self.ledger_table,
            "LANDING_PREFIX": "retail/",
            "LAKE_SPEC": self.put_spec(),
            "JOB_NAME": "job",
            **({"RAW_PATH": f"s3://{self.raw}/{path}"} if path else {}),
            **arguments,
        }
        return ["job.py", *(word for name, value in given.items() for word in (f"--{name}", value))]

    def run(self, path: str | None = "retail/", **arguments: str) -> Ran:
        """The whole job. What it raises is in ``error``; a BaseException (a test's kill) goes through."""
        import retail_bronze_to_silver as job

        out, error, run_id = io.StringIO(), "", f"run_{uuid.uuid4().hex}"
        with self.surroundings(), contextlib.redirect_stdout(out):
            try:
                job.main(self.argv(path, **{"JOB_RUN_ID": run_id, **arguments}))
            except Exception as failure:  # noqa: BLE001 - the test judges it
                error = f"{type(failure).__name__}: {failure}"
        return Ran(self.result(run_id), error, out.getvalue().splitlines())

    def result(self, run_id: str) -> dict[str, Any]:
        """What the run wrote into the run log, {} if it did not get that far."""
        lake = SimpleNamespace(names=SimpleNamespace(run_log=self.ledger_table), client=lambda _: self.dynamodb)
        return results.read(cast(Lake, lake), run_id)

    @contextlib.contextmanager
    def surroundings(self) -> Iterator[None]:
        """The environment of a job on the endpoint."""
        with mock.patch.dict(os.environ, environ_of(self.endpoint)), mock.patch("boto3.DEFAULT_SESSION", None):
            yield

    def loaded(self, path: str | None = "retail/", **arguments: str) -> dict[str, Any]:
        """Run it; it must succeed. Returns its result, as ``Ran.orders``."""
        ran = self.run(path, **arguments)
        assert not ran.error, (ran.error, ran.said)
        return ran.orders

    # ---- reading

    def table(self, name: str = "orders_silver") -> Any:
        """The table by PyIceberg: reads without a Spark job."""
        from pyiceberg.catalog import load_catalog

        end = self.endpoint
        keys = {"access-key-id": end.access_key_id, "secret-access-key": end.secret_access_key, "region": end.region}
        properties = {f"{service}.{key}": value for service in ("glue", "s3") for key, value in keys.items()}
        catalog = load_catalog("glue", type="glue", **{"glue.endpoint": end.url, "s3.endpoint": end.url}, **properties)
        return catalog.load_table(f"{self.database}.{name}")

    def rows(self, *columns: str, table: str = "orders_silver") -> list[tuple[Any, ...]]:
        """These columns of the table's rows, sorted by the first one."""
        found = self.table(table).scan(selected_fields=columns).to_arrow().select(list(columns)).to_pylist()
        return sorted((tuple(row.values()) for row in found), key=lambda row: (str(type(row[0])), row))

    def snapshots(self, table: str = "orders_silver") -> int:
        return len(self.table(table).metadata.snapshots)

    def landings(self) -> list[dict[str, Any]]:
        """The run items of the ledger, oldest first."""
        items = self.dynamodb.scan(TableName=self.ledger_table, ConsistentRead=True)["Items"]
        plain = [{name: next(iter(value.values())) for name, value in item.items()} for item in items]
        return sorted((item for item in plain if item["pk"].startswith("SRC#")), key=lambda item: item["sk"])

    def statuses(self) -> dict[str, str]:
        """key -> load_status of its newest landing."""
        return {item["key"]: item["load_status"] for item in self.landings()}

    def waiting(self) -> list[str]:
        """Keys that have a pointer under PENDING#: what a run would find."""
        items = self.dynamodb.scan(TableName=self.ledger_table, ConsistentRead=True)["Items"]
        return sorted(item["key"]["S"] for item in items if item["pk"]["S"].startswith("PENDING#"))
