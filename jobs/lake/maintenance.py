"""Compaction, snapshot expiry and orphan removal of one Iceberg table, and what they change."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lake.iceberg import CONFLICTS, CommitConflict, load, lost_commit

CATALOG = "glue_catalog"
ATTEMPTS = 3
TASKS = ("maintain", "dry-run", "rollback")
_REQUIRED = ("TASK", "SILVER_DB", "SILVER_WAREHOUSE", "LEDGER_TABLE", "TRANSFORM_JOB")
_OPTIONAL = ("SETTINGS", "TABLE", "SNAPSHOT", "REQUEUE", "EXCEPT")
_SMALL = 0.75  # Iceberg compacts what is smaller than this part of the target size (rewrite_data_files)


@dataclass(frozen=True)
class Settings:
    """The ``maintenance`` section of lakectl's config."""

    keep_snapshots_days: int = 7
    keep_snapshots: int = 10
    orphan_files_older_than_days: int = 3
    target_file_size_mb: int = 128
    min_input_files: int = 5

    @property
    def target_bytes(self) -> int:
        return self.target_file_size_mb * 1024 * 1024


@dataclass(frozen=True)
class Arguments:
    """What the job was asked to do. ``run_id``: Glue's own; ``kept_out``: keys of landings that stay REVERTED."""

    task: str
    silver_db: str
    silver_warehouse: str
    ledger_table: str
    transform_job: str
    run_id: str
    settings: Settings
    table: str = ""
    snapshot: int = 0
    requeue: bool = False
    kept_out: tuple[str, ...] = ()


def parse(argv: list[str]) -> Arguments:
    """Raises GlueArgumentError for a missing argument, ValueError for a wrong one."""
    given = [name for name in _OPTIONAL if any(w == f"--{name}" or w.startswith(f"--{name}=") for w in argv)]
    values = getResolvedOptions(argv, [*_REQUIRED, *given])
    if values["TASK"] not in TASKS:
        raise ValueError(f"--TASK {values['TASK']} is none of {', '.join(TASKS)}")
    if values["TASK"] == "rollback" and not (values.get("TABLE") and values.get("SNAPSHOT")):
        raise ValueError("--TASK rollback needs --TABLE and --SNAPSHOT")
    return Arguments(
        task=values["TASK"],
        silver_db=values["SILVER_DB"],
        silver_warehouse=values["SILVER_WAREHOUSE"],
        ledger_table=values["LEDGER_TABLE"],
        transform_job=values["TRANSFORM_JOB"],
        run_id=values.get("JOB_RUN_ID") or f"manual_{uuid.uuid4().hex}",
        settings=Settings(**json.loads(values.get("SETTINGS") or "{}")),
        table=values.get("TABLE") or "",
        snapshot=int(values.get("SNAPSHOT") or 0),
        requeue=(values.get("REQUEUE") or "").lower() == "true",
        kept_out=tuple(json.loads(values.get("EXCEPT") or "[]")),
    )


def tables(spark: SparkSession, database: str) -> list[str]:
    """``database.table`` of each Iceberg table."""
    found = spark.sql(f"SHOW TABLES IN {CATALOG}.{database}").collect()
    return sorted(f"{database}.{row['tableName']}" for row in found)


def maintain(
    spark: SparkSession, s3: Any, table: str, settings: Settings, dry_run: bool, say: Callable[[str], None]
) -> dict[str, Any]:
    """Do it (or, with ``dry_run``, count it) and say what there was before and after.

    A commit that another run wins is tried again, then it is the table's ``problem``: nothing is half
    done, and the next maintenance does it.
    """
    found: dict[str, Any] = {"table": table, "before": measure(spark, s3, table), "problem": ""}
    steps = (compacted, expired, orphans_removed) if not dry_run else (to_compact, to_expire, to_remove)
    for step in steps:
        try:
            found |= _persistently(lambda step=step: step(spark, table, settings), say)  # type: ignore[misc]
        except CommitConflict as conflict:
            found["problem"] = f"other runs kept committing: {conflict}"
            break
    found["after"] = found["before"] if dry_run else measure(spark, s3, table)
    say(f"{table}: " + ", ".join(f"{name} {value}" for name, value in found.items() if isinstance(value, int)))
    return found


def _persistently(step: Callable[[], dict[str, int]], say: Callable[[str], None]) -> dict[str, int]:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return step()
        except Exception as error:
            lost = lost_commit(error, CONFLICTS)
            if not lost:
                raise
            say(f"attempt {attempt} of {ATTEMPTS}: another run committed first: {lost}")
            last = CommitConflict(lost)
    raise last


# ---- doing it


def compacted(spark: SparkSession, table: str, settings: Settings) -> dict[str, int]:
    """Small files of a partition become one, and those with deleted rows are written again: UPDATE, DELETE and MERGE in
    Athena write files of position deletes, whatever the table's properties say. Iceberg plans from one snapshot and
    loses to any delete after it."""
    row = spark.sql(
        f"CALL {CATALOG}.system.rewrite_data_files(table => '{table}', options => map("
        f"'target-file-size-bytes', '{settings.target_bytes}', 'min-input-files', '{settings.min_input_files}', "
        "'delete-file-threshold', '1'))"
    ).first()
    if _delete_files(spark, table):
        # The rewritten files are as new as the latest deletes, which Iceberg therefore keeps; this drops the ones of
        # files that are gone.
        spark.sql(
            f"CALL {CATALOG}.system.rewrite_position_delete_files(table => '{table}', "
            "options => map('rewrite-all', 'true'))"
        ).collect()
    return {"files_rewritten": row["rewritten_data_files_count"], "files_written": row["added_data_files_count"]}


def expired(spark: SparkSession, table: str, settings: Settings) -> dict[str, int]:
    before, oldest = _snapshots(spark, table), _ago(settings.keep_snapshots_days)
    spark.sql(
        f"CALL {CATALOG}.system.expire_snapshots(table => '{table}', older_than => {oldest}, "
        f"retain_last => {settings.keep_snapshots})"
    ).collect()
    return {"snapshots_expired": before - _snapshots(spark, table)}


def orphans_removed(spark: SparkSession, table: str, settings: Settings) -> dict[str, int]:
    return {"orphans_removed": len(_orphans(spark, table, settings, dry_run=False))}


# ---- counting it


def to_compact(spark: SparkSession, table: str, settings: Settings) -> dict[str, int]:
    """What rewrite_data_files would take: the small files of partitions that have enough of them, and files with
    deleted rows."""
    files = spark.sql(f"SELECT * FROM {CATALOG}.{table}.files WHERE content = 0")  # noqa: S608
    key = F.col("partition") if "partition" in files.columns else F.lit(0)
    deleted = spark.sql(f"SELECT DISTINCT file_path, true AS deleted FROM {CATALOG}.{table}.position_deletes")  # noqa: S608
    files = files.join(deleted, "file_path", "left").withColumn("deleted", F.coalesce("deleted", F.lit(False)))
    taken = files.where(F.col("deleted") | (F.col("file_size_in_bytes") < int(_SMALL * settings.target_bytes)))
    groups = taken.groupBy(key.alias("part")).agg(
        F.count("*").alias("files"), F.sum("file_size_in_bytes").alias("bytes"), F.max("deleted").alias("deleted")
    )
    groups = groups.where(F.col("deleted") | (F.col("files") >= settings.min_input_files))
    row = groups.agg(
        F.coalesce(F.sum("files"), F.lit(0)).alias("files"),
        F.coalesce(F.sum(F.ceil(F.col("bytes") / settings.target_bytes)), F.lit(0)).alias("into"),
    ).first()
    return {"files_rewritten": int(row["files"]), "files_written": int(row["into"])}


def to_expire(spark: SparkSession, table: str, settings: Settings) -> dict[str, int]:
    """Snapshots older than the retention, besides the last ones of the table's history."""
    kept = spark.sql(
        f"SELECT snapshot_id FROM {CATALOG}.{table}.history WHERE is_current_ancestor "  # noqa: S608
        f"ORDER BY made_current_at DESC LIMIT {settings.keep_snapshots}"
    )
    old = spark.sql(
        f"SELECT snapshot_id FROM {CATALOG}.{table}.snapshots "  # noqa: S608
        f"WHERE committed_at < {_ago(settings.keep_snapshots_days)}"
    )
    return {"snapshots_expired": old.join(kept, "snapshot_id", "left_anti").count()}


def to_remove(spark: SparkSession, table: str, settings: Settings) -> dict[str, int]:
    return {"orphans_removed": len(_orphans(spark, table, settings, dry_run=True))}


# ---- helpers


def _orphans(spark: SparkSession, table: str, settings: Settings, *, dry_run: bool) -> list[Any]:
    listing = ", prefix_listing => true" if lists_by_prefix(iceberg_version(spark)) else ""
    return spark.sql(
        f"CALL {CATALOG}.system.remove_orphan_files(table => '{table}', "
        f"older_than => {_ago(settings.orphan_files_older_than_days)}, dry_run => {str(dry_run).lower()}{listing})"
    ).collect()


def iceberg_version(spark: SparkSession) -> str:
    """As 1.10.0, or 1.7.1-amzn-1 on Glue."""
    return str(spark._jvm.org.apache.iceberg.IcebergBuild.version())


def lists_by_prefix(version: str) -> bool:
    """Whether Iceberg can list files through its own S3FileIO (since 1.10). Otherwise it lists them by Hadoop's file
    system, a request for each folder."""
    numbers = [int(number) for number in re.findall(r"\d+", version)[:2]]
    return numbers >= [1, 10]


def _ago(days: int) -> str:
    moment = datetime.now(UTC) - timedelta(days=days)
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}'"


def _delete_files(spark: SparkSession, table: str) -> int:
    return spark.table(f"{CATALOG}.{table}.files").where("content = 1").count()


def _snapshots(spark: SparkSession, table: str) -> int:
    return spark.table(f"{CATALOG}.{table}.snapshots").count()


def measure(spark: SparkSession, s3: Any, table: str) -> dict[str, int]:
    """Files of the current snapshot and their bytes, those of deleted rows alone, snapshots, and all that lies in the
    bucket for them."""
    row = spark.sql(
        "SELECT COUNT(*) AS files, COALESCE(SUM(file_size_in_bytes), 0) AS bytes, "  # noqa: S608
        f"COUNT_IF(content <> 0) AS delete_files FROM {CATALOG}.{table}.files"
    ).first()
    location = load(spark, f"{CATALOG}.{table}").location()
    bucket, _, prefix = location.split("://", 1)[1].rstrip("/").partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
    sizes = [found["Size"] for page in pages for found in page.get("Contents", [])]
    return {
        "files": int(row["files"]),
        "bytes": int(row["bytes"]),
        "delete_files": int(row["delete_files"]),
        "snapshots": _snapshots(spark, table),
        "stored_files": len(sizes),
        "stored_bytes": sum(sizes),
    }
