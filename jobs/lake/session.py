"""The Spark session, with Iceberg on the Glue catalog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import SparkSession

SMALL_BYTES = 16_000_000


def build(warehouse: str) -> SparkSession:
    spark = (
        SparkSession.builder.appName("lake")
        .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
        .config("spark.sql.catalog.glue_catalog", "org.apache.iceberg.spark.SparkCatalog")
        .config("spark.sql.catalog.glue_catalog.warehouse", warehouse)
        .config("spark.sql.catalog.glue_catalog.catalog-impl", "org.apache.iceberg.aws.glue.GlueCatalog")
        .config("spark.sql.catalog.glue_catalog.io-impl", "org.apache.iceberg.aws.s3.S3FileIO")
        # After a commit conflict the table must be read again, not taken from a cache.
        .config("spark.sql.catalog.glue_catalog.cache-enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        # Glue 6.0 has ANSI mode on. Here a value that does not fit is NULL, and the checks say so: in files, and in the
        # SQL of a specification, which `validate` computes again in Athena (lakectl.spec.typed_sql).
        .config("spark.sql.ansi.enabled", "false")
        # Spark 4 reads few encodings unless it is told so: not windows-1252, for one. Spark 3 knows no such setting.
        .config("spark.sql.legacy.javaCharsets", "true")
        # The default raises for every date that Spark 2 would have read differently; we want NULL.
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        # More than 32 paths are listed by a Spark job, by default with a task for each: 600 took three times as long.
        .config("spark.sql.sources.parallelPartitionDiscovery.parallelism", "32")
        # Parquet files of pandas have moments in nanoseconds, which Spark reads as numbers or not at all.
        .config("spark.sql.legacy.parquet.nanosAsLong", "true")
        .getOrCreate()
    )
    _keep_class_names(spark)
    # The job names columns by their place, and compares the headers itself.
    log4j = spark._jvm.org.apache.logging.log4j
    checker = "org.apache.spark.sql.catalyst.csv.CSVHeaderChecker"
    log4j.core.config.Configurator.setLevel(checker, log4j.Level.ERROR)
    return spark


def _keep_class_names(spark: SparkSession) -> None:
    """PySpark asks the JVM anew what these names are for each column that it makes, and the JVM then looks for them
    in every jar and several packages: half a millisecond each time, a thousand times in a run."""
    jvm = spark._jvm
    for name in ("functions", "PythonUtils", "org"):
        setattr(jvm, name, getattr(jvm, name))


def use_session(spark: SparkSession) -> None:
    """For a new thread: by the active session Iceberg knows the catalogs, and a thread begins without one."""
    spark._jvm.SparkSession.setActiveSession(spark._jsparkSession)


@contextmanager
def planned_for(spark: SparkSession, input_bytes: int) -> Iterator[None]:
    """Where there is little to read, planning and compiling queries takes longer than running them as they are.

    Adaptive execution plans a query again after each of its stages; generated code is compiled for each of them.
    """
    if input_bytes > SMALL_BYTES:
        yield
        return
    plain = {
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        # Without adaptive execution nobody joins small partitions.
        "spark.sql.shuffle.partitions": str(spark.sparkContext.defaultParallelism),
    }
    with configured(spark, plain):
        yield


@contextmanager
def configured(spark: SparkSession, conf: dict[str, str]) -> Iterator[None]:
    """With ``conf`` while the block runs."""
    usual = {name: spark.conf.get(name, None) for name in conf}
    _set(spark, conf)
    try:
        yield
    finally:
        _set(spark, usual)


def _set(spark: SparkSession, conf: Mapping[str, str | None]) -> None:
    for name, value in conf.items():
        if value is None:
            spark.conf.unset(name)
        else:
            spark.conf.set(name, value)
