"""The desired lake: config → the list of resources, in the tutorial's steps. Reads files, never AWS."""

from __future__ import annotations

import json
from typing import Any

from lakectl import packages, saved_queries
from lakectl.core import glue_runs, quick_test
from lakectl.engine.model import Resource
from lakectl.lake_glue import databases, glue_jobs, log_group
from lakectl.naming import Names
from lakectl.project import Project
from lakectl.resources import policies
from lakectl.resources.bucket import Bucket
from lakectl.resources.function import Function
from lakectl.resources.notification import Notification
from lakectl.resources.permission import Grant, Permissions
from lakectl.resources.queue import Queue
from lakectl.resources.role import Role
from lakectl.resources.rule import Rule
from lakectl.resources.table import Table
from lakectl.resources.workgroup import NamedQuery, Workgroup

# The subcommands that make resources, in the tutorial's order.
STEPS = (
    "create-buckets",
    "create-table",
    "create-roles",
    "deploy-lambdas",
    "wire-notifications",
    "create-databases",
    "create-workgroup",
    "create-glue-job",
    "schedule",
)

LOG_RULE = "lakectl-log"
# PutRule (API reference) takes a pattern of at most so many characters.
LONGEST_PATTERN = 2048


def resources(names: Names, project: Project) -> list[Resource]:
    """Every resource of the lake."""
    return [
        *buckets(names),
        run_log(names),
        *roles(names),
        *functions(names, project),
        *notifications(names),
        *databases(names),
        *workgroup(names, project),
        *glue_jobs(names, project),
        *schedule(names),
    ]


def buckets(names: Names) -> list[Resource]:
    config = names.config
    cleanup: dict[str, Any] = {
        "lakectl-abort-unfinished-uploads": {
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {
                "DaysAfterInitiation": config.buckets.abort_unfinished_uploads_after_days
            },
        }
    }
    results: dict[str, Any] = {
        "lakectl-expire-query-results": {
            "Status": "Enabled",
            "Filter": {"Prefix": config.athena.results_prefix},
            "Expiration": {"Days": config.athena.expire_results_after_days},
        }
    }
    landing = tuple(f"{config.landing.prefix}{source}/" for source in config.sources)

    def bucket(role: str, lifecycle: dict[str, Any], prefixes: tuple[str, ...]) -> Bucket:
        return Bucket(
            names.bucket(role),
            step="create-buckets",
            tags=names.tags,
            account=names.account,
            partition=names.partition,
            versioning=getattr(config.buckets, role).versioning,
            lifecycle=lifecycle,
            prefixes=prefixes,
            immutable_prefix=config.landing.prefix if role == "raw" and config.landing.enforce_immutable else "",
        )

    return [
        bucket("raw", cleanup, landing),
        bucket("silver", cleanup, ()),
        bucket("tmp", {**cleanup, **results}, (config.athena.results_prefix,)),
    ]


def run_log(names: Names) -> Resource:
    return Table(
        names.run_log,
        step="create-table",
        tags=names.tags,
        arn=names.arn("dynamodb", f"table/{names.run_log}"),
        point_in_time_recovery=names.config.run_log.point_in_time_recovery,
    )


def roles(names: Names) -> list[Resource]:
    def role(name: str, service: str, policy: list[policies.Statement]) -> Role:
        return Role(
            name,
            step="create-roles",
            tags=names.tags,
            arn=names.global_arn("iam", f"role/{name}"),
            service=service,
            policy_name=f"{name}-policy",
            policy=policy,
        )

    return [
        role(names.log_role, "lambda.amazonaws.com", policies.log_function(names)),
        role(names.start_role, "lambda.amazonaws.com", policies.start_function(names)),
        role(names.glue_role, "glue.amazonaws.com", policies.glue_job(names)),
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
                arn=names.arn("lambda", f"function:{name}"),
                role_arn=names.global_arn("iam", f"role/{role}"),
                code=packages.function_package(project, names.config.spec, folder),
                runtime=settings.runtime,
                handler="handler.handler",
                timeout=settings.timeout,
                memory=settings.memory,
                environment=environment,
                description=description,
                on_failure=queue.arn,
                needs=(f"iam-role/{role}", group.id, queue.id, f"dynamodb-table/{names.run_log}"),
            ),
        ]
    return made


def dead_letter_queue(names: Names) -> Queue:
    return Queue(
        names.dead_letter_queue,
        step="deploy-lambdas",
        tags=names.tags,
        arn=names.arn("sqs", names.dead_letter_queue),
        account=names.account,
        rule_arns=tuple(names.arn("events", f"rule/{rule}") for rule in rules(names)),
    )


def notifications(names: Names) -> list[Resource]:
    """S3 → log function; EventBridge: a landing that starts a run → starter, end of a run → starter."""
    config = names.config
    step = "wire-notifications"
    function_arn = names.arn("lambda", f"function:{names.log_function}")
    bucket_arn = names.global_arn("s3", names.raw_bucket, account=False)
    for_s3 = _permissions(names, names.log_function, {"lakectl-s3": Grant("s3.amazonaws.com", bucket_arn)})
    rule_arns = {rule: names.arn("events", f"rule/{rule}") for rule in rules(names)}
    for_rules = _permissions(
        names,
        names.start_function,
        {f"lakectl-{rule}": Grant("events.amazonaws.com", arn) for rule, arn in rule_arns.items()},
    )
    prefix = config.landing.prefix
    if config.landing.notifications == "single":
        prefixes = {LOG_RULE: prefix}
    else:
        sources = (*config.spec.sources, quick_test.SOURCE)
        prefixes = {f"{LOG_RULE}-{source}": f"{prefix}{source}/" for source in sources}
    notification = Notification(
        names.raw_bucket,
        step=step,
        function_arn=function_arn,
        rules=prefixes,
        needs=(f"lambda-function/{names.log_function}", for_s3.id),
    )
    ended: dict[str, Any] = {
        "source": ["aws.glue"],
        "detail-type": ["Glue Job State Change"],
        "detail": {"jobName": [names.glue_job], "state": list(glue_runs.TOLD)},
    }
    return [
        for_s3,
        notification,
        for_rules,
        rule_to_starter(names, step, names.orders_rule, "A file that starts a run has landed", pattern=landed(names)),
        rule_to_starter(names, step, names.drain_rule, "A transform run has ended", pattern=ended),
    ]


def landed(names: Names) -> dict[str, Any]:
    """The pattern of landings that start a run: one prefix for each such source. The starter looks at the rest of the
    key."""
    prefix, sources = names.config.landing.prefix, names.config.spec.sources.values()
    # The quick test's file starts nothing: the starter only says that its event came.
    folders = [*(f"{prefix}{source.name}/" for source in sources if source.starts_run), quick_test.folder(prefix)]
    pattern = _created_below(names, folders)
    return pattern if len(json.dumps(pattern)) <= LONGEST_PATTERN else _created_below(names, [prefix])


def _created_below(names: Names, prefixes: list[str]) -> dict[str, Any]:
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [names.raw_bucket]},
            "object": {"key": [{"prefix": prefix} for prefix in prefixes]},
        },
    }


def rules(names: Names) -> tuple[str, str, str]:
    """The rules whose target is the starter."""
    return names.orders_rule, names.drain_rule, names.daily_rule


def _permissions(names: Names, function: str, grants: dict[str, Grant]) -> Permissions:
    return Permissions(
        function,
        step="wire-notifications",
        function_arn=names.arn("lambda", f"function:{function}"),
        account=names.account,
        grants=grants,
    )


def rule_to_starter(
    names: Names,
    step: str,
    name: str,
    description: str,
    pattern: dict[str, Any] | None = None,
    schedule: str | None = None,
    enabled: bool = True,
) -> Rule:
    """A rule whose target is the starter function."""
    return Rule(
        name,
        step=step,
        tags=names.tags,
        arn=names.arn("events", f"rule/{name}"),
        target_arn=names.arn("lambda", f"function:{names.start_function}"),
        dead_letter_arn=names.arn("sqs", names.dead_letter_queue),
        description=description,
        pattern=pattern,
        schedule=schedule,
        enabled=enabled,
        needs=(f"lambda-permission/{names.start_function}", f"sqs-queue/{names.dead_letter_queue}"),
    )


def workgroup(names: Names, project: Project) -> list[Resource]:
    config = names.config.athena
    group = Workgroup(
        names.workgroup,
        step="create-workgroup",
        tags=names.tags,
        arn=names.arn("athena", f"workgroup/{names.workgroup}"),
        output=names.query_results,
        engine_version=config.engine_version,
        bytes_cutoff=config.bytes_scanned_cutoff,
        description="Queries of the retail lakehouse",
        needs=(f"s3-bucket/{names.tmp_bucket}",),
    )
    queries = [
        NamedQuery(
            query.name,
            step="create-workgroup",
            workgroup=names.workgroup,
            database=names.silver_database,
            sql=query.sql,
            description=query.title,
        )
        for query in saved_queries.load(project, names)
    ]
    return [group, *queries]


def schedule(names: Names) -> list[Resource]:
    triggers = names.config.triggers
    return [
        rule_to_starter(
            names,
            "schedule",
            names.daily_rule,
            "Daily run of the transform, when landings are pending",
            schedule=triggers.schedule,
            enabled=triggers.schedule_enabled,
        )
    ]
