"""PyAthena, unchanged, against the local Athena.

Lives in an environment of its own, `.venv-pyathena`, made by `make`: it pins what others need in other versions.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from lakectl.local.control import Endpoint

ROOT = Path(__file__).parents[2]
# Read here: the tests themselves run without any LAKECTL_ variable.
PYTHON = Path(os.environ.get("LAKECTL_TEST_PYATHENA") or ROOT / ".venv-pyathena/bin/python")
NAME = "pyathena-client"
DATABASE = "pyathena_client"
TYPED = [[1, 1.5, "2025-10-04", "1.50", [1, 2], "", None, True], [2, 2.5, "2025-10-04", "1.50", [1, 2], "", None, True]]
KINDS = ["integer", "double", "date", "decimal", "array", "varchar", "varchar", "boolean"]
NAMES = ["order_id", "amount", "day", "dec", "arr", "empty", "missing", "yes"]

SMALL = {
    "cursor": [[[name, kind] for name, kind in zip(NAMES, KINDS, strict=True)], TYPED],
    "parameters": [[[2]], [[2]]],
    "dictionaries": [{"order_id": 1, "amount": 1.5}, {"order_id": 2, "amount": 2.5}],
    "utility": [[["orders"]], [["order_id", "int"], ["amount", "double"]], True],
}
ALL = SMALL | {
    "pages": 2500,
    "writing": [1, 3, [[2]]],
    "errors": "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved or requester is not authorized to access "
    "requested resources",
    "threads": [[[2]], [[1]], "CANCELLED"],
    "asynchronous": [[1], [2]],
    # PyAthena itself reads an empty text as missing here (na_values), and a decimal as a text for Arrow.
    "pandas": [["Int64", "float64", "datetime64"], [1.5, 2.5], {"empty": 2, "missing": 2}, [1000, 1000, 500]],
    "arrow": [["int32", "double", "date32[day]", "string"], [1.5, 2.5], 2],
    "polars": [["Int32", "Float64", "Date"], [1.5, 2.5]],
    "sqlalchemy": [True, ["orders"], [["order_id", "INTEGER"], ["amount", "DOUBLE"]], True, [[1, 1.5], [2, 2.5]]],
}


@pytest.fixture(scope="module")
def run(endpoint: Endpoint) -> Iterator[Callable[..., dict[str, Any]]]:
    """Runs parts of the program on a table of two orders; part -> what it gave."""
    assert PYTHON.is_file(), f"no Python at {PYTHON}: run `make .venv-pyathena/.ready`, or set LAKECTL_TEST_PYATHENA"
    keys = {"aws_access_key_id": endpoint.access_key_id, "aws_secret_access_key": endpoint.secret_access_key}
    session = boto3.Session(region_name=endpoint.region, **keys)

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint.url)

    s3, glue, athena = client("s3"), client("glue"), client("athena")
    s3.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": endpoint.region})
    glue.create_database(DatabaseInput={"Name": DATABASE})
    results = {"ResultConfiguration": {"OutputLocation": f"s3://{NAME}/results/"}}
    athena.create_work_group(Name=NAME, Configuration=results)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    environ |= {name.upper(): value for name, value in keys.items()}
    environ |= {"AWS_ENDPOINT_URL": endpoint.url, "AWS_DEFAULT_REGION": endpoint.region}

    def program(*parts: str) -> dict[str, Any]:
        command = [str(PYTHON), str(Path(__file__).with_name("pyathena_program.py")), NAME, DATABASE, *parts]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    made = f"CREATE TABLE orders (order_id int, amount double) LOCATION 's3://{NAME}/orders/'"
    for statement in (
        f"{made} TBLPROPERTIES ('table_type' = 'ICEBERG')",
        "INSERT INTO orders VALUES (1, 1.5), (2, 2.5)",
    ):
        context = {"Database": DATABASE}
        started = athena.start_query_execution(QueryString=statement, QueryExecutionContext=context, WorkGroup=NAME)
        while True:
            status = athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])
            state = status["QueryExecution"]["Status"]["State"]
            if state not in ("QUEUED", "RUNNING"):
                break
        assert state == "SUCCEEDED", status
    yield program
    glue.delete_table(DatabaseName=DATABASE, Name="orders")
    glue.delete_database(Name=DATABASE)
    athena.delete_work_group(WorkGroup=NAME, RecursiveDeleteOption=True)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=NAME):
        for item in page.get("Contents", []):
            s3.delete_object(Bucket=NAME, Key=item["Key"])
    s3.delete_bucket(Bucket=NAME)


def test_pyathena_reads(run: Callable[..., dict[str, Any]]) -> None:
    assert run(*SMALL) == SMALL


@pytest.mark.long
@pytest.mark.parametrize("part", [part for part in ALL if part not in SMALL])
def test_pyathena_does_all_of_it(run: Callable[..., dict[str, Any]], part: str) -> None:
    assert run(part) == {part: ALL[part]}
