"""What starts what: notifications of the raw bucket, rules, the schedule, and who may invoke the functions."""

from __future__ import annotations

import json
from typing import Any

from lakectl.core import glue_runs, quick_test
from lakectl.engine.model import Resource
from lakectl.naming import Names
from lakectl.resources.bucket import Bucket
from lakectl.resources.function import Function
from lakectl.resources.notification import Notification
from lakectl.resources.permission import Grant, Permissions
from lakectl.resources.queue import Queue
from lakectl.resources.rule import Rule

LOG_RULE = "lakectl-log"
# PutRule (API reference) takes a pattern of at most so many characters.
LONGEST_PATTERN = 2048


def notifications(names: Names) -> list[Resource]:
    """S3 → log function; EventBridge: a landing that starts a run → starter, end of a run → starter."""
    config = names.config
    step = "wire-notifications"
    place = names.place
    from_bucket = {"lakectl-s3": Grant("s3.amazonaws.com", Bucket.arn_of(place, names.raw_bucket))}
    for_s3 = Permissions(names.log_function, step=step, place=place, grants=from_bucket)
    from_rules = {f"lakectl-{rule}": Grant("events.amazonaws.com", Rule.arn_of(place, rule)) for rule in names.rules}
    for_rules = Permissions(names.start_function, step=step, place=place, grants=from_rules)
    prefix = config.landing.prefix
    if config.landing.notifications == "single":
        prefixes = {LOG_RULE: prefix}
    else:
        sources = (*config.spec.sources, quick_test.SOURCE)
        prefixes = {f"{LOG_RULE}-{source}": f"{prefix}{source}/" for source in sources}
    notification = Notification(
        names.raw_bucket,
        step=step,
        function_arn=Function.arn_of(place, names.log_function),
        rules=prefixes,
        needs=(Function.id_of(names.log_function), for_s3.id),
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
        place=names.place,
        target_arn=Function.arn_of(names.place, names.start_function),
        dead_letter_arn=Queue.arn_of(names.place, names.dead_letter_queue),
        description=description,
        pattern=pattern,
        schedule=schedule,
        enabled=enabled,
        needs=(Permissions.id_of(names.start_function), Queue.id_of(names.dead_letter_queue)),
    )


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
