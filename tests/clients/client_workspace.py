"""A bucket, a database and a workgroup for one client of Athena, and the environment that its program runs in."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from lakectl.local.control import Endpoint

ROOT = Path(__file__).parents[2]


def python_of(client: str) -> Path:
    """The Python of ``.venv-CLIENT``, or of LAKECTL_TEST_CLIENT. Call it on import: the tests run without LAKECTL_*."""
    given = os.environ.get(f"LAKECTL_TEST_{client.upper()}")
    return Path(given or ROOT / f".venv-{client}/bin/python")


@dataclass(frozen=True)
class Workspace:
    """``name`` is the bucket's and the workgroup's; results lie under ``s3://NAME/results/``."""

    name: str
    database: str
    environ: dict[str, str]
    session: Any
    endpoint: Endpoint

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint.url)

    def execute(self, *statements: str) -> list[list[str | None]]:
        """Runs statements one after the other; the rows of the last one, as texts and without its header."""
        athena, rows = self.client("athena"), []
        for sql in statements:
            context = {"Database": self.database}
            started = athena.start_query_execution(QueryString=sql, QueryExecutionContext=context, WorkGroup=self.name)
            query = {"QueryExecutionId": started["QueryExecutionId"]}
            while True:
                status = athena.get_query_execution(**query)["QueryExecution"]["Status"]
                if status["State"] not in ("QUEUED", "RUNNING"):
                    break
                time.sleep(0.02)
            assert status["State"] == "SUCCEEDED", (sql, status)
            found = athena.get_query_results(**query)["ResultSet"]["Rows"]
            rows = [[cell.get("VarCharValue") for cell in row["Data"]] for row in found][1:]
        return rows

    def run(self, *command: str | Path, folder: Path | None = None, timeout: float = 300, **environ: str) -> str:
        """What a program of the client prints; its errors are the test's. ``folder``: where it runs."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-20_000:]
        return done.stdout

    def run_parts(self, python: Path, program: Path, *parts: str) -> dict[str, Any]:
        """Runs parts of a program that is given the workgroup (and bucket) and the database; part -> what it gave."""
        printed = self.run(python, program, self.name, self.database, *parts)
        found: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return found


@contextmanager
def workspace(endpoint: Endpoint, name: str, python: Path) -> Iterator[Workspace]:
    """Makes it empty, and deletes it with all that was made in it. ``python`` is what the client runs on."""
    client = python.parents[1].name
    assert python.is_file(), f"no Python at {python}: run `make {client}/.ready`"
    keys = {"aws_access_key_id": endpoint.access_key_id, "aws_secret_access_key": endpoint.secret_access_key}
    session = boto3.Session(region_name=endpoint.region, **keys)
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))}
    environ |= {key.upper(): value for key, value in keys.items()}
    environ |= {"AWS_ENDPOINT_URL": endpoint.url, "AWS_DEFAULT_REGION": endpoint.region}
    made = Workspace(name, name.replace("-", "_"), environ, session, endpoint)
    s3, glue, athena = made.client("s3"), made.client("glue"), made.client("athena")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": endpoint.region})
    glue.create_database(DatabaseInput={"Name": made.database})
    results = {"ResultConfiguration": {"OutputLocation": f"s3://{name}/results/"}}
    athena.create_work_group(Name=name, Configuration={**results, "EnforceWorkGroupConfiguration": False})
    try:
        yield made
    finally:
        _delete(made)


def _delete(made: Workspace) -> None:
    s3, glue = made.client("s3"), made.client("glue")
    for each in glue.get_paginator("get_databases").paginate().search("DatabaseList[].Name"):
        if each.startswith(made.database):
            glue.delete_database(Name=each)  # and its tables
    made.client("athena").delete_work_group(WorkGroup=made.name, RecursiveDeleteOption=True)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=made.name):
        for item in page.get("Contents", []):
            s3.delete_object(Bucket=made.name, Key=item["Key"])
    s3.delete_bucket(Bucket=made.name)
