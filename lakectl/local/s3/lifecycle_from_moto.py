"""Lifecycle rules of a state that moto's own rules are in: they become ours when the state is read."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from moto.s3.models import FakeBucket, LifecycleFilter, LifecycleRule, s3_backends

from lakectl.local.context import LocalContext
from lakectl.local.s3.lifecycle_rules import Filter, Rule, shown

log = logging.getLogger(__name__)


def install(context: LocalContext) -> None:
    context.on_load.append(_take_over_all)


def _take_over_all() -> None:
    for name, (partition, account) in list(s3_backends.bucket_accounts.items()):
        _take_over(s3_backends[account][partition].buckets[name])


def _take_over(bucket: FakeBucket) -> None:
    taken = []
    for each in bucket.rules:
        if isinstance(each, LifecycleRule) and (each.transitions or each.noncurrent_version_transitions):
            log.error("the lifecycle rule %s of %s moves objects, and is not kept", each.id, bucket.name)
        else:
            taken.append(_rule(each) if isinstance(each, LifecycleRule) else each)
    bucket.rules = taken


def _rule(told: LifecycleRule) -> Rule:
    rule = Rule(
        id=told.id,
        enabled=told.status == "Enabled",
        filter=_filter(told.filter),
        prefix=told.prefix if told.filter is None else None,
        days=_number(told.expiration_days),
        date=_date(told.expiration_date),
        expired_marker=told.expired_object_delete_marker == "true",
        noncurrent_days=_number(told.nve_noncurrent_days),
        abort_days=_number(told.aimu_days),
    )
    rule.said.update(shown(rule))
    return rule


def _filter(told: LifecycleFilter | None) -> Filter | None:
    if told is None:
        return None
    if told.and_filter is not None:
        return Filter(told.and_filter.prefix, tuple(told.and_filter.tags.items()), combined=True)
    return Filter(told.prefix, ((told.tag_key, told.tag_value or ""),) if told.tag_key else ())


def _number(text: Any) -> int | None:
    return None if text is None else int(text)


def _date(text: str | None) -> datetime | None:
    return None if not text else datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=UTC)
