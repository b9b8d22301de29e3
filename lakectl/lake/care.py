"""What looks after a lake by itself, where the configuration asks for it: optimizers, alarms, a budget."""

from __future__ import annotations

from typing import Any

from lakectl.engine.model import Resource
from lakectl.lake.compute import JOB_STEP
from lakectl.naming import Names
from lakectl.resources.alarm import Alarm
from lakectl.resources.budget import Budget
from lakectl.resources.function import Function
from lakectl.resources.queue import Queue
from lakectl.resources.role import Role
from lakectl.resources.table_optimizer import Kind, TableOptimizer

ALERTS_STEP = "schedule"


def optimizers(names: Names) -> list[Resource]:
    """Three of each silver table, with what `maintenance` says."""
    config = names.config.maintenance
    if not config.optimizers:
        return []
    settings: dict[Kind, dict[str, Any]] = {
        "compaction": {"strategy": "binpack", "minInputFiles": config.min_input_files, "deleteFileThreshold": 1},
        "retention": {
            "snapshotRetentionPeriodInDays": config.keep_snapshots_days,
            "numberOfSnapshotsToRetain": config.keep_snapshots,
            "cleanExpiredFiles": True,
        },
        "orphan_file_deletion": {"orphanFileRetentionPeriodInDays": config.orphan_files_older_than_days},
    }
    return [
        TableOptimizer(
            names.silver_database,
            source.silver_table,
            kind,
            step=JOB_STEP,
            role_arn=Role.arn_of(names.place, names.optimizer_role),
            settings=each,
            needs=(Role.id_of(names.optimizer_role),),
        )
        for source in names.config.spec.sources.values()
        for kind, each in settings.items()
    ]


def alerts(names: Names) -> list[Resource]:
    """Alarms on what is lost or fails without a word, and the budget."""
    config = names.config.alerts
    made: list[Resource] = []
    if config.alarms:
        made.append(
            _alarm(
                names,
                f"{names.dead_letter_queue}-not-empty",
                f"Events that nobody could handle: lakectl runs --failed (lake {names.config.name})",
                ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"),
                {"QueueName": names.dead_letter_queue},
                Queue.id_of(names.dead_letter_queue),
            )
        )
        made += [
            _alarm(
                names,
                f"{function}-errors",
                f"The function fails: lakectl logs (lake {names.config.name})",
                ("AWS/Lambda", "Errors", "Sum"),
                {"FunctionName": function},
                Function.id_of(function),
            )
            for function in (names.log_function, names.start_function)
        ]
    if config.budget_usd is not None:
        made.append(
            Budget(
                f"lakectl-{names.config.name}",
                step=ALERTS_STEP,
                tags=names.tags,
                place=names.place,
                usd=config.budget_usd,
                notify=config.notify or "",
            )
        )
    return made


def _alarm(
    names: Names, name: str, description: str, metric: tuple[str, str, str], dimensions: dict[str, str], of: str
) -> Alarm:
    namespace, metric_name, statistic = metric
    return Alarm(
        name,
        step=ALERTS_STEP,
        tags=names.tags,
        place=names.place,
        description=description,
        namespace=namespace,
        metric=metric_name,
        statistic=statistic,
        dimensions=dimensions,
        topic=names.config.alerts.topic,
        needs=(of,),
    )
