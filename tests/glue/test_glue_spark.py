"""Spark and Iceberg on the endpoint: one run, and the race that moto alone loses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from roles import new_role

BUCKET = "glue-spark-lake"
ALLOWED = (
    ("s3:*", f"arn:aws:s3:::{BUCKET}"),
    ("s3:*", f"arn:aws:s3:::{BUCKET}/*"),
    ("glue:*", "arn:aws:glue:eu-west-1:123456789012:catalog"),
    ("glue:*", "arn:aws:glue:eu-west-1:123456789012:database/*"),
    ("glue:*", "arn:aws:glue:eu-west-1:123456789012:table/race/*"),
    ("logs:*", "arn:aws:logs:eu-west-1:123456789012:log-group:/aws-glue/race/*"),
)
SCRIPT = """
import json, sys, threading
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession, functions as F

warehouse = getResolvedOptions(sys.argv, ["JOB_NAME", "WAREHOUSE"])["WAREHOUSE"]
spark = (
    SparkSession.builder
    .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
    .config("spark.sql.catalog.glue_catalog", "org.apache.iceberg.spark.SparkCatalog")
    .config("spark.sql.catalog.glue_catalog.catalog-impl", "org.apache.iceberg.aws.glue.GlueCatalog")
    .config("spark.sql.catalog.glue_catalog.io-impl", "org.apache.iceberg.aws.s3.S3FileIO")
    .config("spark.sql.catalog.glue_catalog.cache-enabled", "false")
    .config("spark.sql.catalog.glue_catalog.warehouse", warehouse)
    .config("spark.sql.catalog.spark_catalog", "org.apache.iceberg.spark.SparkSessionCatalog")
    .config("spark.sql.catalog.spark_catalog.type", "hive")
    .getOrCreate()
)
spark.read.csv(warehouse + "in/", header=True).createOrReplaceTempView("landed")
first = spark.sql("SELECT *, input_file_name() AS file FROM landed").first()
spark.sql("CREATE DATABASE IF NOT EXISTS glue_catalog.race")
spark.sql(
    "CREATE TABLE glue_catalog.race.t (worker INT, id BIGINT) USING iceberg TBLPROPERTIES ("
    "'commit.retry.num-retries'='60', 'commit.retry.min-wait-ms'='10', 'commit.retry.max-wait-ms'='200')"
)
acknowledged, errors = [], []

def append(worker):
    for k in range(25):
        row = spark.range(1).select(F.lit(worker).alias("worker"), F.lit(k).cast("bigint").alias("id"))
        try:
            row.coalesce(1).writeTo("glue_catalog.race.t").append()
        except Exception as error:
            errors.append(str(error)[:200])
        else:
            acknowledged.append((worker, k))

threads = [threading.Thread(target=append, args=(worker,)) for worker in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
present = spark.sql("SELECT count(*), count(DISTINCT worker, id) FROM glue_catalog.race.t").first()
print("RESULT " + json.dumps({
    "acknowledged": len(acknowledged), "present": present[0], "distinct": present[1], "errors": errors,
    "file": first["file"], "timezone": spark.conf.get("spark.sql.session.timeZone"),
}))
spark.stop()
"""

pytestmark = pytest.mark.long  # what `make test` needs of Spark on the endpoint, the tutorial and tests/jobs show


@pytest.fixture(scope="module")
def result(client: Callable[..., Any]) -> dict[str, Any]:
    """What the script printed, with ``seconds`` and ``log_group`` of its run."""
    s3, glue, logs = client("s3"), client("glue"), client("logs")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=BUCKET, Key="jobs/race.py", Body=SCRIPT.encode())
    s3.put_object(Bucket=BUCKET, Key="in/day=2026-01-01/a+b.csv", Body=b"order_id,qty\n1,2\n")
    glue.create_job(
        Name="race",
        Role=new_role(client("iam"), "race", *ALLOWED, service="glue"),
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/jobs/race.py", "PythonVersion": "3"},
        GlueVersion="5.1",
        WorkerType="G.1X",
        NumberOfWorkers=2,
        DefaultArguments={
            "--datalake-formats": "iceberg",
            "--enable-glue-datacatalog": "true",
            "--custom-logGroup-prefix": "/aws-glue/race",
            "--WAREHOUSE": f"s3://{BUCKET}/",
        },
    )
    run_id = glue.start_job_run(JobName="race")["JobRunId"]
    deadline = time.monotonic() + 300
    while (run := glue.get_job_run(JobName="race", RunId=run_id)["JobRun"])["JobRunState"] in ("STARTING", "RUNNING"):
        assert time.monotonic() < deadline, run
        time.sleep(0.2)
    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    events = logs.get_log_events(logGroupName="/aws-glue/race/output", logStreamName=run_id)["events"]
    (line,) = [event["message"] for event in events if event["message"].startswith("RESULT ")]
    answer: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    return answer


@pytest.mark.long
def test_no_acknowledged_append_is_lost(result: dict[str, Any]) -> None:
    assert result["errors"] == []
    assert (result["acknowledged"], result["present"], result["distinct"]) == (100, 100, 100)


@pytest.mark.usefixtures("result")
def test_the_table_is_in_the_catalog_and_its_files_in_the_warehouse(client: Callable[..., Any]) -> None:
    table = client("glue").get_table(DatabaseName="race", Name="t")["Table"]
    location = table["Parameters"]["metadata_location"]
    assert location.startswith(f"s3://{BUCKET}/race.db/t/metadata/")
    client("s3").head_object(Bucket=BUCKET, Key=location.removeprefix(f"s3://{BUCKET}/"))


def test_spark_reads_s3_locations_as_glue_does(result: dict[str, Any]) -> None:
    assert result["file"] == f"s3://{BUCKET}/in/day=2026-01-01/a+b.csv"
    assert result["timezone"] == "UTC"
