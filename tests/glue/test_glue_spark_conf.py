"""The properties file of a run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lakectl.local import spark_conf
from lakectl.local.spark_conf import SparkRun

ENDPOINT = "http://127.0.0.1:5000"


def run_in(tmp_path: Path, **options: object) -> SparkRun:
    return SparkRun(tmp_path / "work", tmp_path / "jars", ENDPOINT, "eu-west-3", **options)  # type: ignore[arg-type]


def test_every_endpoint_is_the_local_one(tmp_path: Path) -> None:
    properties = spark_conf.properties(run_in(tmp_path))
    endpoints = {key: value for key, value in properties.items() if key.endswith("endpoint")}
    assert set(endpoints.values()) == {ENDPOINT}
    assert "spark.hadoop.fs.s3a.endpoint" in endpoints
    assert "spark.sql.catalog.glue_catalog.s3.endpoint" in endpoints
    assert "spark.sql.catalog.glue_catalog.glue.endpoint" in endpoints
    assert properties["spark.sql.catalog.glue_catalog.http-client.type"] == "apache"


def test_the_catalog_itself_and_its_warehouse_stay_the_scripts(tmp_path: Path) -> None:
    properties = spark_conf.properties(run_in(tmp_path))
    assert "spark.sql.catalog.glue_catalog" not in properties
    assert "spark.sql.catalog.glue_catalog.warehouse" not in properties
    assert "spark.sql.extensions" not in properties


def test_conf_of_the_job_replaces_defaults_but_not_what_keeps_the_run_local(tmp_path: Path) -> None:
    conf = {"spark.sql.shuffle.partitions": "200", "spark.hadoop.fs.s3a.endpoint": "https://elsewhere"}
    properties = spark_conf.properties(run_in(tmp_path, conf=conf))
    assert properties["spark.sql.shuffle.partitions"] == "200"
    assert properties["spark.hadoop.fs.s3a.endpoint"] == ENDPOINT


def test_a_catalog_that_conf_defines_is_local_too(tmp_path: Path) -> None:
    conf = spark_conf.parse_conf(
        "spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog "
        "--conf spark.sql.catalog.lake.warehouse=s3://silver/ "
        "--conf spark.sql.catalog.spark_catalog.type=hive"
    )
    properties = spark_conf.properties(run_in(tmp_path, conf=conf))
    assert properties["spark.sql.catalog.lake.warehouse"] == "s3://silver/"
    assert properties["spark.sql.catalog.lake.glue.endpoint"] == ENDPOINT
    assert "spark.sql.catalog.spark_catalog.glue.endpoint" not in properties


def test_chained_conf_pairs_are_split() -> None:
    assert spark_conf.parse_conf("a.b=1 --conf c.d='x y' --conf=e=f=g") == {"a.b": "1", "c.d": "x y", "e": "f=g"}
    assert spark_conf.parse_conf("") == {}
    with pytest.raises(ValueError, match=r"a\.b: key=value expected"):
        spark_conf.parse_conf("a.b")


def test_everything_is_written_inside_the_work_folder(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    environ = spark_conf.submit_environ(run, Path("/opt/java"))
    properties = spark_conf.properties(run)
    for key in ("spark.sql.warehouse.dir", "spark.hadoop.javax.jdo.option.ConnectionURL"):
        assert str(run.work_dir) in properties[key]
    for name in ("SPARK_LOCAL_DIRS", "TMPDIR", "AWS_CONFIG_FILE"):
        assert environ[name].startswith(str(run.work_dir))
        assert Path(environ[name]).exists()
    assert environ["PYSPARK_SUBMIT_ARGS"].endswith(" pyspark-shell")


def test_python_workers_are_the_interpreter_that_has_pyspark(tmp_path: Path) -> None:
    """`python3` on the path may lack it: then every run with a standby failed as soon as it needed a worker."""
    environ = spark_conf.submit_environ(run_in(tmp_path), Path("/opt/java"))
    has_pyspark = [environ["PYSPARK_PYTHON"], "-c", "import pyspark.daemon"]
    assert subprocess.run(has_pyspark, env={}, check=False).returncode == 0


def test_iceberg_is_on_the_class_path_only_when_the_job_asks(tmp_path: Path) -> None:
    assert spark_conf.class_path(tmp_path, iceberg=False) == f"{tmp_path}/jars/*"
    assert spark_conf.class_path(tmp_path, iceberg=True) == f"{tmp_path}/jars/*:{tmp_path}/iceberg/*"


def test_values_survive_the_properties_format(tmp_path: Path) -> None:
    run = run_in(tmp_path, conf={"spark.a": "C:\\new\nline", "spark.b": " lead"})
    lines = spark_conf.write_properties(run).read_text().splitlines()
    assert "spark.a=C:\\\\new\\nline" in lines
    assert "spark.b=\\ lead" in lines


def test_java_options_with_spaces_are_quoted(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    options = spark_conf.properties(SparkRun(folder, tmp_path, ENDPOINT, "eu-west-1"))
    assert f'"-Dderby.system.home={folder}"' in options["spark.driver.extraJavaOptions"]


def test_the_heap_is_the_workers_but_at_most_half_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_conf, "machine_memory_mb", lambda: 64_000)
    assert [spark_conf.driver_heap_mb(kind) for kind in ("G.1X", "G.2X", "G.8X")] == [10_000, 20_000, 32_000]
    monkeypatch.setattr(spark_conf, "machine_memory_mb", lambda: 8_000)
    assert spark_conf.driver_heap_mb("G.1X") == 4_000
