"""What runs: the functions and the jobs, with their roles, log groups, files and the queue of failed events."""

from __future__ import annotations

from lakectl import packages
from lakectl.engine.model import Resource
from lakectl.lake import policies
from lakectl.naming import Names
from lakectl.project import Project
from lakectl.resources.bucket import Bucket
from lakectl.resources.database import Database
from lakectl.resources.function import Function
from lakectl.resources.glue_job import GlueJob
from lakectl.resources.log_group import LogGroup
from lakectl.resources.queue import Queue
from lakectl.resources.role import Role
from lakectl.resources.rule import Rule
from lakectl.resources.s3_object import S3Object
from lakectl.resources.table import Table

JOB_STEP = "create-glue-job"


def roles(names: Names) -> list[Resource]:
    def role(name: str, service: str, policy: list[policies.Statement]) -> Role:
        return Role(
            name,
            step="create-roles",
            tags=names.tags,
            place=names.place,
            service=service,
            policy_name=f"{name}-policy",
            policy=policy,
        )

    return [
        role(names.log_role, "lambda.amazonaws.com", policies.log_function(names)),
        role(names.start_role, "lambda.amazonaws.com", policies.start_function(names)),
        role(names.glue_role, "glue.amazonaws.com", policies.glue_job(names)),
        *(
            [role(names.optimizer_role, "glue.amazonaws.com", policies.optimizer(names))]
            if names.config.maintenance.optimizers
            else []
        ),
    ]


def functions(names: Names, project: Project) -> list[Resource]:
    config = names.config.functions
    common = {"DDB_TABLE": names.run_log, "LANDING_PREFIX": names.config.landing.prefix}
    starter = {**common, "GLUE_JOB": names.glue_job, "RAW_BUCKET": names.raw_bucket}
    queue = dead_letter_queue(names)
    made: list[Resource] = [queue]
    for folder, name, role, settings, environment, description in (
        (
            "log_ingestion_run",
            names.log_function,
            names.log_role,
            config.log_ingestion_run,
            common,
            "Writes each landed file into the run log",
        ),
        (
            "start_glue_job",
            names.start_function,
            names.start_role,
            config.start_glue_job,
            starter,
            "Starts the transform when landings are pending",
        ),
    ):
        group = log_group(names, names.lambda_log_group(name), "deploy-lambdas", config.log_retention_days)
        made += [
            group,
            Function(
                name,
                step="deploy-lambdas",
                tags=names.tags,
                place=names.place,
                role_arn=Role.arn_of(names.place, role),
                code=packages.function_package(project, names.config.spec, folder),
                runtime=settings.runtime,
                handler="handler.handler",
                timeout=settings.timeout,
                memory=settings.memory,
                environment=environment,
                description=description,
                on_failure=queue.arn,
                needs=(Role.id_of(role), group.id, queue.id, Table.id_of(names.run_log)),
            ),
        ]
    return made


def dead_letter_queue(names: Names) -> Queue:
    return Queue(
        names.dead_letter_queue,
        step="deploy-lambdas",
        tags=names.tags,
        place=names.place,
        rule_arns=tuple(Rule.arn_of(names.place, rule) for rule in names.rules),
    )


def log_group(names: Names, name: str, step: str, retention_days: int) -> LogGroup:
    return LogGroup(
        name,
        step=step,
        tags=names.tags,
        place=names.place,
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
            needs=(package.id, spec.id, Bucket.id_of(names.raw_bucket)),
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
        place=names.place,
        role_arn=Role.arn_of(names.place, names.glue_role),
        script=f"s3://{script.name}",
        arguments={**arguments, "--custom-logGroup-prefix": log_prefix},
        glue_version=config.version,
        retries=config.capabilities.retries,
        worker_type=config.worker_type,
        workers=config.workers,
        timeout_minutes=config.timeout_minutes,
        max_concurrent_runs=max_concurrent_runs,
        description=description,
        needs=(
            Role.id_of(names.glue_role),
            script.id,
            *needs,
            *(group.id for group in groups),
            Bucket.id_of(names.silver_bucket),
            Database.id_of(names.silver_database),
            Table.id_of(names.run_log),
        ),
    )
    return [script, *groups, job]
