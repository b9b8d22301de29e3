"""Iceberg's commits through the endpoint: what was acknowledged is there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException

from lakectl.local.control import Endpoint

THREADS = 4


@pytest.fixture
def catalog(client: Callable[..., Any], endpoint: Endpoint, unique: str) -> Any:
    bucket = f"iceberg-{unique}"
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": endpoint.region})
    keys = {"access-key-id": endpoint.access_key_id, "secret-access-key": endpoint.secret_access_key}
    properties = {"type": "glue", "warehouse": f"s3://{bucket}/", "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"}
    for service in ("glue", "s3"):
        properties |= {f"{service}.endpoint": endpoint.url, f"{service}.region": endpoint.region}
        properties |= {f"{service}.{name}": value for name, value in keys.items()}
    return load_catalog("glue", **properties)


@pytest.mark.parametrize("appends", [3, pytest.param(25, marks=pytest.mark.long)])
def test_concurrent_appends_acknowledged_are_rows(catalog: Any, unique: str, appends: int) -> None:
    name = f"db_{unique}.appends"
    catalog.create_namespace(f"db_{unique}")
    catalog.create_table(name, pa.schema([("writer", pa.int64()), ("number", pa.int64())]))

    def append(writer: int) -> None:
        for number in range(appends):
            while True:
                try:
                    catalog.load_table(name).append(pa.table({"writer": [writer], "number": [number]}))
                except CommitFailedException:
                    continue
                break

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(append, range(THREADS)))
    rows = catalog.load_table(name).scan().to_arrow().to_pylist()
    assert sorted((row["writer"], row["number"]) for row in rows) == [
        (writer, number) for writer in range(THREADS) for number in range(appends)
    ]
