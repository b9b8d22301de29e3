"""One Spark session for the job's parts and for whole jobs, on the local endpoint."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyspark
import pytest
import spark4
from whole_job import WAREHOUSE, JobLake, client_on, environ_of

from lakectl.local import jars, spark_conf
from lakectl.local.control import Endpoint
from lakectl.local.glue_flags import QUICK
from lakectl.local.java import find_java
from lakectl.local.spark_runtimes import Runtime

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "jobs"))
IS_SPARK_4 = pyspark.__version__.startswith("4.")


def _resolved_options(argv: list[str], names: list[str]) -> dict[str, str]:
    """awsglue's, as far as the job uses it: asked-for names must be there, Glue's own come unasked."""
    given: dict[str, str] = {}
    words = iter(argv[1:])
    for word in words:
        name, has_value, value = word.removeprefix("--").partition("=")
        given[name] = value if has_value else next(words)
    missing = [name for name in names if name not in given]
    if missing:
        raise RuntimeError(f"the following arguments are required: {missing}")
    return {name: value for name, value in given.items() if name in (*names, "JOB_RUN_ID", "JOB_ID")}


if "awsglue" not in sys.modules:  # the runtime gives it to a job; it is no dependency of this project
    utils: Any = ModuleType("awsglue.utils")
    utils.getResolvedOptions = _resolved_options
    sys.modules["awsglue"] = ModuleType("awsglue")
    sys.modules["awsglue.utils"] = utils


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if IS_SPARK_4:
        for item in items:
            if item.get_closest_marker("needs_call"):
                item.add_marker(pytest.mark.skip(reason="CALL needs Iceberg's SQL extensions for Spark 4"))
            if item.get_closest_marker("shipped_spark"):
                item.add_marker(pytest.mark.skip(reason="is about the Spark that comes with lakectl"))


@pytest.fixture(scope="session")
def spark(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The job's own session, on the endpoint, with little of everything: its data is small. `make test-spark4` gives
    Spark 4.1 with what its Glue version sets."""
    from lake import session

    work = spark_conf.SparkRun(
        work_dir=tmp_path_factory.mktemp("spark"),
        jars_dir=jars.ensure_jars(),
        endpoint_url=endpoint.url,
        region=endpoint.region,
        worker_type="G.025X",
        conf={
            "spark.sql.shuffle.partitions": "1",
            "spark.default.parallelism": "1",
            **(spark4.CONF if IS_SPARK_4 else {}),
        },
        runtime=spark4.runtime() if IS_SPARK_4 else Runtime(),
        java_options=QUICK,
    )
    started_with = spark_conf.submit_environ(work, find_java().home) | environ_of(endpoint)
    with pytest.MonkeyPatch.context() as patch:  # a JVM keeps the environment that it was started in
        for name, value in started_with.items():
            patch.setenv(name, value)
        client_on(endpoint, "s3").create_bucket(
            Bucket=WAREHOUSE, CreateBucketConfiguration={"LocationConstraint": endpoint.region}
        )
        built = session.build(f"s3://{WAREHOUSE}/")
    yield built
    built.stop()


@pytest.fixture
def job_lake(spark: Any, endpoint: Endpoint) -> JobLake:
    """An empty lake: its raw bucket, run log and silver database. The job runs in this process."""
    return JobLake(spark, endpoint)


class Files:
    """S3 for the job's parts: objects are files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get_object(self, *, Bucket: str, Key: str, **_: str) -> dict[str, Any]:  # noqa: ARG002
        return {"Body": (self.folder / Key).open("rb")}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def landed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``landed("orders", text, batch="0001")``: an item whose path is a local file that Spark can read."""
    from datetime import UTC, datetime

    from lake.landings import Item

    from lakectl.config import Config
    from lakectl.core.landing import LandingZone
    from lakectl.core.ledger import PENDING, Entry
    from lakectl.core.ledger_items import run_sk

    monkeypatch.setattr(Item, "path", property(lambda item: f"file://{tmp_path}/{item.landing.key}"))
    numbers = iter(range(100))

    def land(source: str, content: str | bytes, *, batch: str = "", day: str = "2026-11-24", gz: bool = False) -> Any:
        folder = f"retail/{source}/ingest_date={day}/" + (f"batch={batch}/" if batch else "")
        key = f"{folder}{source}.csv" + (".gz" if gz else "")
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(data)
        landing = LandingZone("retail/", Config().spec.sources).landing(
            bucket="raw",
            key=key,
            version_id=f"v{batch or day}",
            etag="e",
            size=len(data),
            event_time="2026-11-24T10:00:00Z",
        )
        assert landing
        entry = Entry(landing, run_sk(landing), PENDING)
        return Item(entry, datetime(2026, 11, 24, 10, tzinfo=UTC), claimed=True, number=next(numbers))

    return land
