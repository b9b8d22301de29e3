"""A job of Glue 6.0 on the local Glue: with the Spark and Iceberg that the configuration points to, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import spark4
from lakes import quiet_lake
from test_job_kill import land

from lakectl.local import spark_runtimes
from lakectl.local.control import Endpoint
from lakectl.local.spark_runtimes import Settings
from lakectl.ops.lake import Lake
from lakectl.ops.runs import transform
from lakectl.ops.tables import query

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    before = spark_runtimes.saved(endpoint.state_dir)
    with quiet_lake(endpoint, glue={"version": "6.0"}) as lake:
        yield lake
    spark_runtimes.save(before, endpoint.state_dir)


@pytest.mark.long
def test_a_run_has_the_spark_that_the_configuration_points_to_and_no_other(lake: Lake, endpoint: Endpoint) -> None:
    land(lake, 0)
    refused = transform.follow(lake, transform.start(lake, {}))
    assert refused.state == "FAILED"
    assert refused.error.startswith(
        "LAUNCH ERROR | Glue 6.0 runs on AWS only: this machine lacks iceberg-spark-runtime"
    )

    packages = next((ROOT / ".venv-spark4/lib").glob("python3*/site-packages"))
    spark_runtimes.save(Settings((str(spark4.iceberg_jar(packages)),), str(packages)), endpoint.state_dir)
    said: list[str] = []
    run = transform.follow(lake, transform.start(lake, {}), on_line=said.append)
    assert run.state == "SUCCEEDED", run.error
    assert any("Spark 4.1.1 is up" in line for line in said)
    counted = query.run(lake, f"SELECT COUNT(*), SUM(qty) FROM {lake.names.silver_database}.orders_silver").rows
    assert [list(row) for row in counted] == [["3000", "0"]]
