"""The Glue part of the desired lake: databases, bronze tables, jobs. Used by :mod:`lakectl.lake`."""

from __future__ import annotations

from lakectl import packages
from lakectl.engine.model import Resource
from lakectl.lake_bronze import bronze_tables
from lakectl.naming import Names
from lakectl.project import Project
from lakectl.resources.database import Database
from lakectl.resources.glue_job import GlueJob
from lakectl.resources.log_group import LogGroup
from lakectl.resources.s3_object import S3Object

JOB_STEP = "create-glue-job"


def databases(names: Names) -> list[Resource]:
    described = (
        (names.bronze_database, "Landed files as they came"),
        (names.silver_database, "Typed and enriched Iceberg tables"),
    )
    made: list[Resource] = [
        Database(
            name,
            step="create-databases",
            tags=names.tags,
            arn=names.arn("glue", f"database/{name}"),
            description=description,
            needs=(),
        )
        for name, description in described
    ]
    return made + bronze_tables(names)


def log_group(names: Names, name: str, step: str, retention_days: int) -> LogGroup:
    return LogGroup(
        name,
        step=step,
        tags=names.tags,
        arn=names.arn("logs", f"log-group:{name}"),
        retention_days=retention_days,
    )


def glue_jobs(names: Names, project: Project) -> list[Resource]:
    """The transform and the maintenance job, their scripts and the package that both import."""
    package = S3Object(names.tmp_bucket, names.job_package_key, step=JOB_STEP, content=packages.job_package(project))
    # Not an argument: their size is limited.
    spec = S3Object(
        names.tmp_bucket, names.job_spec_key, step=JOB_STEP, content=packages.specification(names.config.spec)
    )
    common = {
        "--SILVER_DB": names.silver_database,
        "--SILVER_WAREHOUSE": names.warehouse,
        "--LEDGER_TABLE": names.run_log,
        "--extra-py-files": f"s3://{package.name}",
        "--datalake-formats": "iceberg",
        # Not --enable-glue-datacatalog: the jobs' tables are all in Iceberg's catalog, and Spark's Hive client would
        # look for the databases "default" and "global_temp", and make the first.
        "--enable-metrics": "true",
    }
    transform = {**common, "--RAW_BUCKET": names.raw_bucket, "--LANDING_PREFIX": names.config.landing.prefix}
    transform["--LAKE_SPEC"] = f"s3://{spec.name}"
    maintenance = {**common, "--TASK": "dry-run", "--TRANSFORM_JOB": names.glue_job}
    return [
        package,
        spec,
        *_job(
            names,
            names.glue_job,
            S3Object(names.tmp_bucket, names.job_script_key, step=JOB_STEP, content=packages.job_script(project)),
            names.glue_log_prefix,
            arguments=transform,
            max_concurrent_runs=names.config.glue.max_concurrent_runs,
            description="Landed files to the silver Iceberg tables",
            needs=(package.id, spec.id, f"s3-bucket/{names.raw_bucket}"),
        ),
        *_job(
            names,
            names.maintenance_job,
            S3Object(
                names.tmp_bucket,
                names.maintenance_script_key,
                step=JOB_STEP,
                content=packages.job_script(project, "retail_maintenance"),
            ),
            names.maintenance_log_prefix,
            arguments=maintenance,
            max_concurrent_runs=1,
            description="Compaction, snapshot expiry and rollback of the silver tables",
            needs=(package.id,),
        ),
    ]


def _job(
    names: Names,
    name: str,
    script: S3Object,
    log_prefix: str,
    *,
    arguments: dict[str, str],
    max_concurrent_runs: int,
    description: str,
    needs: tuple[str, ...],
) -> list[Resource]:
    config = names.config.glue
    groups = [
        log_group(names, f"{log_prefix}/{stream}", JOB_STEP, config.log_retention_days)
        for stream in ("output", "error")
    ]
    job = GlueJob(
        name,
        step=JOB_STEP,
        tags=names.tags,
        arn=names.arn("glue", f"job/{name}"),
        role_arn=names.global_arn("iam", f"role/{names.glue_role}"),
        script=f"s3://{script.name}",
        arguments={**arguments, "--custom-logGroup-prefix": log_prefix},
        glue_version=config.version,
        worker_type=config.worker_type,
        workers=config.workers,
        timeout_minutes=config.timeout_minutes,
        max_concurrent_runs=max_concurrent_runs,
        description=description,
        needs=(
            f"iam-role/{names.glue_role}",
            script.id,
            *needs,
            *(group.id for group in groups),
            f"s3-bucket/{names.silver_bucket}",
            f"glue-database/{names.silver_database}",
            f"dynamodb-table/{names.run_log}",
        ),
    )
    return [script, *groups, job]
