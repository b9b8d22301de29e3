"""What a standby does before there is a run: start the JVM, and use what runs use, so that it is loaded and compiled.

It works on a table of its own in a temporary folder, ends its Spark session and leaves nothing that a script could
find. It knows nothing of any job: CSV text to types, checks, a join and a MERGE are what runs into Iceberg do.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark import SparkContext, StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

ROUNDS = 6
# What scripts set for small inputs, where compiling queries takes longer than running them: every other round.
PLAIN = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
ROWS, DAYS, PEOPLE = 2000, 60, 50
NOT_THERE = "lakectl-standby-rehearsal"
TABLE = "rehearsal.d.t"
COLUMNS = (
    "id BIGINT, day DATE, who BIGINT, many INT, price DOUBLE, what STRING, region STRING, sum DOUBLE, at TIMESTAMP"
)
log = logging.getLogger(__name__)


def rehearse() -> Any:
    """Returns the py4j gateway of a warm JVM, in which no Spark context is."""
    _import_and_use_boto3()
    SparkContext._ensure_initialized()  # without a conf: what is given here would stay in the JVM
    gateway = SparkContext._gateway
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spark = _session(folder)
        try:
            _write_files(folder)
            has_iceberg = _has_class(gateway, "org.apache.iceberg.spark.SparkCatalog")
            usual = {name: str(spark.conf.get(name)) for name in PLAIN}
            for number in range(ROUNDS):
                for name, value in (PLAIN if number % 2 else usual).items():
                    spark.conf.set(name, value)
                rows = _rows(spark, folder)
                if has_iceberg:
                    _merge(spark, rows)
                else:
                    rows.write.mode("overwrite").partitionBy("day").parquet(f"file://{folder}/parquet")
            _ask_for_what_is_not_there(spark, has_iceberg)
        finally:
            spark.sparkContext.setLogLevel("WARN")  # as pyspark starts with; it outlives the context
            spark.stop()
    _forget(gateway)
    return gateway


def _import_and_use_boto3() -> None:
    import boto3

    session = boto3.session.Session("none", "none", region_name="eu-west-1")
    for service in ("s3", "dynamodb", "glue"):
        session.client(service, endpoint_url="http://127.0.0.1:9")


def _has_class(gateway: Any, name: str) -> bool:
    try:
        gateway.jvm.org.apache.spark.util.Utils.classForName(name, False, False)
    except Py4JJavaError:
        return False
    return True


def _session(folder: Path) -> SparkSession:
    catalogs = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.rehearsal": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.rehearsal.type": "hadoop",
        "spark.sql.catalog.rehearsal.warehouse": f"file://{folder}/warehouse",
        "spark.sql.catalog.glue_catalog": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.glue_catalog.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        "spark.sql.catalog.glue_catalog.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "spark.sql.catalog.glue_catalog.warehouse": f"s3://{NOT_THERE}/",
    }
    builder = SparkSession.builder.appName("rehearsal")
    if _has_class(SparkContext._gateway, "org.apache.iceberg.spark.SparkCatalog"):
        for name, value in catalogs.items():
            builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def _write_files(folder: Path) -> None:
    lines = (
        f'{n},{n % DAYS % 28 + 1:02d}/{n % DAYS // 28 + 1:02d}/2025,{n % PEOPLE},{n % 4},"{n % 90},{n % 10}",web'
        for n in range(ROWS)
    )
    (folder / "rides.csv").write_text("\n".join(["id,day,who,many,price,what", *lines, ""]))
    people = (f"{n},region {n % 5}" for n in range(PEOPLE))
    (folder / "people.csv").write_text("\n".join(["who,region", *people, ""]))


def _read(spark: SparkSession, path: Path, columns: list[str]) -> DataFrame:
    schema = ", ".join(f"{name} STRING" for name in (*columns, "broken"))
    reader = spark.read.schema(schema).option("header", True).option("columnNameOfCorruptRecord", "broken")
    return reader.option("escape", '"').option("recursiveFileLookup", True).csv(f"file://{path}")


def _rows(spark: SparkSession, folder: Path) -> DataFrame:
    """Typed, checked and joined rows, with the columns of the table."""
    columns = ["id", "day", "who", "many", "price", "what"]
    text = _read(spark, folder / "rides.csv", columns)
    clean = {name: F.when(F.trim(name) != "", F.trim(name)) for name in columns}
    number = r"^-?\d+$"
    day = F.concat_ws("-", *(F.substring(clean["day"], start, length) for start, length in ((7, 4), (4, 2), (1, 2))))
    rides = text.select(
        *(F.when(clean[name].rlike(number), clean[name].cast("bigint")).alias(name) for name in ("id", "who")),
        F.when(clean["day"].rlike(r"^\d{2}/\d{2}/\d{4}$"), day.cast("date")).alias("day"),
        F.when(clean["many"].rlike(number), clean["many"].cast("int")).alias("many"),
        F.regexp_replace(F.translate(clean["price"], ",", "."), "x", "").cast("double").alias("price"),
        clean["what"].alias("what"),
        F.xxhash64("id", "day").alias("content"),
        F.regexp_replace(F.col("_metadata.file_path"), "^file:", "").alias("file"),
        F.col("broken").isNotNull().alias("bad"),
    ).persist(StorageLevel.DISK_ONLY)
    people = _read(spark, folder / "people.csv", ["who", "region"]).withColumn("who", F.col("who").cast("bigint"))
    keys = rides.select("file", "id", "content", "bad")
    keys = keys.union(people.select(F.lit("people"), "who", F.lit(1).cast("bigint"), F.lit(False)))
    by_key = keys.groupBy("file", "id").agg(
        F.count("*").alias("rows"),
        (F.min("content") != F.max("content")).alias("clash"),
        F.sum(F.col("bad").cast("int")).alias("bad"),
    )
    by_file = by_key.groupBy("file").agg(F.sum("rows"), F.min("id"), F.max("id"), F.sum(F.col("clash").cast("int")))
    by_file.unionByName(keys.groupBy("file").agg(F.count("*").alias("all")), allowMissingColumns=True).collect()
    newest = F.row_number().over(Window.partitionBy("who").orderBy(F.col("region").desc()))
    people = people.withColumn("rank", newest).where("rank = 1").drop("rank")
    joined = rides.join(F.broadcast(people), "who", "left")
    joined = joined.withColumn("sum", F.col("many").cast("double") * F.col("price")).withColumn(
        "at", F.current_timestamp()
    )
    return joined.select("id", "day", "who", "many", "price", "what", "region", "sum", "at")


def _merge(spark: SparkSession, rows: DataFrame) -> None:
    spark.sql(
        f"CREATE TABLE IF NOT EXISTS {TABLE} ({COLUMNS}) USING iceberg PARTITIONED BY (days(day)) TBLPROPERTIES "
        "('format-version'='2', 'write.distribution-mode'='hash', 'write.merge.distribution-mode'='hash', "
        "'write.parquet.compression-codec'='zstd')"
    )
    rows.limit(PEOPLE).coalesce(1).writeTo(TABLE).option("snapshot-property.rehearsal", "1").overwrite(F.lit(True))
    known = spark.table(TABLE).where(F.col("id").between(0, ROWS))
    known = known.join(F.broadcast(rows.select("id")), "id", "left_semi").alias("old")
    kind = (
        F.when(F.col("old.id").isNull(), "insert")
        .when(F.struct("old.id", "old.day") < F.struct("new.id", "new.day"), "stale")
        .otherwise("update")
    )
    compared = rows.alias("new").join(known, F.col("new.id") == F.col("old.id"), "left")
    delta = compared.select("new.*", kind.alias("kind")).persist(StorageLevel.DISK_ONLY)
    delta.groupBy("kind").agg(F.count("*"), F.min("id"), F.max("id")).collect()
    delta.drop("kind").createOrReplaceTempView("rehearsal_delta")
    spark.sql(
        f"MERGE INTO {TABLE} AS old USING rehearsal_delta AS new ON old.id = new.id AND old.id BETWEEN 0 AND {ROWS} "
        "WHEN MATCHED AND struct(new.id, new.day) >= struct(old.id, old.day) THEN UPDATE SET * "
        "WHEN NOT MATCHED THEN INSERT *"
    )


def _ask_for_what_is_not_there(spark: SparkSession, has_iceberg: bool) -> None:
    """One request each through S3A, S3FileIO and the Glue catalog: their clients are slow at the first."""
    _expect_failure(lambda: spark.read.text(f"s3://{NOT_THERE}/none.csv"))
    if not has_iceberg:
        return
    _expect_failure(lambda: spark.table(f"glue_catalog.rehearsal.`{NOT_THERE}`"))
    catalog = "spark.sql.catalog.glue_catalog"
    names = ("s3.endpoint", "s3.path-style-access", "client.region", "http-client.type")
    assert spark._jvm is not None  # noqa: S101 - the session is up
    files = spark._jvm.org.apache.iceberg.aws.s3.S3FileIO()
    files.initialize({name: spark.conf.get(f"{catalog}.{name}") for name in names})
    _expect_failure(lambda: files.newInputFile(f"s3://{NOT_THERE}/none").exists())
    files.close()


def _expect_failure(question: Callable[[], Any]) -> None:
    try:
        question()
    except (Py4JJavaError, PySparkException) as error:
        log.debug("as expected: %s", error)


def _forget(gateway: Any) -> None:
    jvm = gateway.jvm
    session = jvm.org.apache.spark.sql.SparkSession
    session.clearActiveSession()
    session.clearDefaultSession()
    jvm.org.apache.hadoop.fs.FileSystem.closeAll()
    jvm.java.lang.System.gc()  # what the rehearsal left must not count as the standby's memory
