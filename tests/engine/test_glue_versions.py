"""What each Glue version can do: one record, and a config that asks for more is refused."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from lakectl import config, glue_versions
from lakectl.errors import UsageError
from lakectl.local import jars


def refused(tmp_path: Path, glue: str) -> str:
    path = tmp_path / "lake.yaml"
    path.write_text(f"name: x\nglue:\n{glue}")
    with pytest.raises(UsageError) as caught:
        config.load(path, environ={})
    assert "\n" not in caught.value.message
    return caught.value.message.removeprefix(f"{tmp_path}/lake.yaml:")


@pytest.mark.parametrize(
    ("glue", "says"),
    [
        ('  version: "4.0"\n', "3: glue.version: '4.0' is not allowed; Glue 4.0 lacks --custom-logGroup-prefix"),
        ('  version: "9.9"\n', "3: glue.version: '9.9' is not allowed; known are 4.0, 5.0, 5.1, 6.0, auto"),
        ("  worker_type: G.025X\n", "3: glue.worker_type: 'G.025X' is not allowed; it is for streaming jobs only"),
        ("  worker_type: G.3X\n", "3: glue.worker_type: 'G.3X' is not allowed; Glue 5.1 takes G.1X, G.2X, G.4X, G.8X"),
        ("  workers: 1\n", "3: glue.workers: 1 is not allowed; input should be greater than or equal to 2"),
    ],
)
def test_what_aws_refuses_or_the_job_cannot_run_on_is_refused(tmp_path: Path, glue: str, says: str) -> None:
    """Item 28: in one line, with file, line and what to write."""
    assert refused(tmp_path, glue).startswith(says)


def test_the_default_is_a_version_that_the_jobs_run_on() -> None:
    """Item 28: what the jobs need is declared, and judged by the record."""
    chosen = config.Glue()
    assert glue_versions.VERSIONS[chosen.version].lacks(glue_versions.JOB_NEEDS) == ()
    assert chosen.worker_type in glue_versions.VERSIONS[chosen.version].workers


def test_the_local_target_runs_what_the_record_of_the_default_says() -> None:
    """Item 28: Spark to the patch, Iceberg to the minor version."""
    record = glue_versions.VERSIONS[config.Glue().version]
    assert version("pyspark") == record.spark
    names = {name for wheel in jars.WHEELS for name, _ in wheel.members}
    found = [re.fullmatch(r"iceberg-spark-runtime-([\d.]+)_([\d.]+)-([\d.]+)\.jar", name) for name in names]
    [iceberg] = [match for match in found if match]
    assert record.spark.startswith(iceberg[1])
    assert record.scala.startswith(iceberg[2])
    assert iceberg[3].rpartition(".")[0] == record.iceberg.rpartition(".")[0]
