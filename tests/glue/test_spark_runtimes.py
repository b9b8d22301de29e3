"""Which Spark and Iceberg a run of a Glue version gets on this machine: the genuine ones, or none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lakectl.aws import Aws
from lakectl.config import Config
from lakectl.engine.plan import plan_up
from lakectl.errors import UsageError
from lakectl.lake import compute
from lakectl.local import spark_runtimes
from lakectl.local.spark_runtimes import Settings
from lakectl.naming import Names
from lakectl.project import find

RUNTIME_6 = "iceberg-spark-runtime-4.1_2.13-1.11.0.jar"


def pyspark_in(folder: Path, version: str) -> str:
    record = folder / f"pyspark-{version}.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pyspark\nVersion: {version}\n")
    return str(folder)


def jar(folder: Path, name: str) -> str:
    (folder / name).touch()
    return str(folder / name)


def test_what_comes_with_lakectl_runs_5_1_and_auto(tmp_path: Path) -> None:
    for version in ("5.1", "auto", "4.0"):
        assert spark_runtimes.lacks(f"Glue {version}", Settings()) == ""
        assert spark_runtimes.runtime_for(version, Settings()).is_shipped
    assert spark_runtimes.class_path(spark_runtimes.Runtime(), tmp_path, iceberg=True) == [
        f"{tmp_path}/jars/*",
        f"{tmp_path}/iceberg/*",
    ]


def test_a_version_without_its_own_iceberg_and_spark_is_named_with_what_to_download(tmp_path: Path) -> None:
    said = spark_runtimes.lacks("Glue 6.0", Settings())
    assert said.startswith(f"Glue 6.0 runs on AWS only: this machine lacks {RUNTIME_6} (org.apache.iceberg")
    assert "pip install --target DIR pyspark==4.1.1; name DIR in local.spark.packages" in said
    said = spark_runtimes.lacks("Glue 5.0", Settings())
    assert "iceberg-spark-runtime-3.5_2.12-1.7.1.jar" in said
    assert "pyspark" not in said  # of the same minor version, it is there
    for wrong in ("iceberg-spark-runtime-3.5_2.13-1.10.2.jar", "iceberg-spark-runtime-4.1_2.13-1.10.0.jar", "x.jar"):
        settings = Settings((jar(tmp_path, wrong),), pyspark_in(tmp_path / "of" / wrong, "4.1.1"))
        assert RUNTIME_6 in spark_runtimes.lacks("Glue 6.0", settings)
    absent = Settings((str(tmp_path / RUNTIME_6),), pyspark_in(tmp_path / "absent", "4.1.1"))
    assert RUNTIME_6 in spark_runtimes.lacks("Glue 6.0", absent)
    with pytest.raises(ValueError, match=r"Glue 6\.0 runs on AWS only"):
        spark_runtimes.runtime_for("6.0", absent)


def test_what_the_user_points_to_runs_the_version(tmp_path: Path) -> None:
    settings = Settings((jar(tmp_path, RUNTIME_6),), pyspark_in(tmp_path / "spark", "4.1.1"))
    assert spark_runtimes.lacks("Glue 6.0", settings) == ""
    runtime = spark_runtimes.runtime_for("6.0", settings)
    assert (runtime.packages, runtime.spark_major) == (tmp_path / "spark", 4)
    shared = tmp_path / "jars"
    shared.mkdir()
    kept = jar(shared, "hadoop-aws-3.3.3.jar")
    jar(shared, "hadoop-defaults.jar")  # of Spark 3.5
    assert spark_runtimes.class_path(runtime, tmp_path, iceberg=True) == [settings.jars[0], kept]
    assert spark_runtimes.class_path(runtime, tmp_path, iceberg=False) == [kept]
    assert runtime.conf["spark.hadoop.fs.s3a.connection.timeout"] == "200000"


def test_a_server_finds_what_the_last_command_said(tmp_path: Path) -> None:
    assert spark_runtimes.saved(tmp_path) == Settings()
    for settings in (Settings(("/a.jar",), "/b"), Settings()):
        spark_runtimes.save(settings, tmp_path)
        assert spark_runtimes.saved(tmp_path) == settings
    assert [path.name for path in tmp_path.iterdir()] == [spark_runtimes.SETTINGS]


def test_plan_refuses_a_version_that_the_target_lacks_before_it_reads_anything() -> None:
    config = Config.model_validate({"glue": {"version": "6.0"}})
    jobs = compute.glue_jobs(Names(config, "123456789012", "eu-west-1"), find())
    aws: Any = SimpleNamespace(lacks=lambda feature: spark_runtimes.lacks(feature, Settings()))
    with pytest.raises(UsageError, match=r"Glue 6\.0 runs on AWS only: this machine lacks iceberg"):
        plan_up(jobs, cast(Aws, aws))
