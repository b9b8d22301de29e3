"""S3 Lifecycle happens: what is due is deleted when the server starts, once an hour, and when rules are put.

[S3 user guide, "Expiring objects", "Managing the lifecycle of objects"; events: "Configuring Lifecycle event
notifications"]. S3 looks once a day; who puts a rule that is due already need not wait for it here. Replaced: the parts
of ``S3Response._bucket_response_put`` and ``get_bucket_lifecycle`` that are about it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import quote

from moto.core.responses import ActionResult
from moto.s3.exceptions import AccessDeniedByLock, NoSuchLifecycleConfiguration
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend, s3_backends
from moto.s3.responses import S3Response

from lakectl.local.context import LocalContext
from lakectl.local.s3 import changes, collected, lifecycle_rules
from lakectl.local.s3.errors import S3Error
from lakectl.local.s3.lifecycle_rules import MINIMUM_SIZES, Rule, due

INTERVAL_SECONDS = 3600.0
KEYS_AT_ONCE = 500  # in one transaction, during which other requests wait
MINIMUM_SIZE = "x-amz-transition-default-minimum-object-size"
BEGUN = "lakectl_begun"  # of an upload, as ``validation_uploads`` notes it

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Action:
    """``version_id`` None: a delete marker is made, or, in a bucket without versioning, the object goes."""

    key: str
    version_id: str | None


def install(context: LocalContext) -> None:
    runner = _Runner(context)
    context.on_start.append(runner.start)
    context.on_stop.append(runner.stop)
    S3Response._bucket_response_put = _putting(S3Response._bucket_response_put, runner)
    S3Response.get_bucket_lifecycle = _get


def _putting(original: Callable[..., Any], runner: _Runner) -> Callable[..., Any]:
    def put(self: S3Response, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        if "lifecycle" not in querystring:
            return original(self, request, bucket_name, querystring)
        size = request.headers.get(MINIMUM_SIZE) or MINIMUM_SIZES[0]
        if size not in MINIMUM_SIZES:
            raise S3Error("InvalidRequest", f"Invalid TransitionDefaultMinimumObjectSize found: {size}")
        self.backend.get_bucket(bucket_name).rules = lifecycle_rules.read(self.body)
        runner.wake()
        return 200, {MINIMUM_SIZE: size}, ""

    return put


def _get(self: S3Response) -> Any:
    rules = self.backend.get_bucket(self.bucket_name).rules
    if not rules:
        raise NoSuchLifecycleConfiguration(bucket_name=self.bucket_name)
    self.data["Action"] = "GetBucketLifecycleConfiguration"
    shown = [rule.said for rule in rules if isinstance(rule, Rule)]
    return self.serialized(ActionResult({"Rules": shown, "TransitionDefaultMinimumObjectSize": MINIMUM_SIZES[0]}))


def expiration_header(bucket: FakeBucket, key: FakeKey) -> str | None:
    """``x-amz-expiration`` of a current version: when it expires, and by which rule."""
    found: tuple[datetime, str] | None = None
    for rule in _enabled(bucket):
        when = rule.expires(_aware(key)) if rule.matches(key.name, key.size, _tags(bucket, key)) else None
        if when is not None and (found is None or when < found[0]):
            found = (when, rule.id)
    if found is None:
        return None
    return f'expiry-date="{found[0]:%a, %d %b %Y %H:%M:%S GMT}", rule-id="{quote(found[1])}"'


def _enabled(bucket: FakeBucket) -> list[Rule]:
    return [rule for rule in bucket.rules if isinstance(rule, Rule) and rule.enabled]


def _aware(version: FakeKey | FakeDeleteMarker) -> datetime:
    return version.last_modified.replace(tzinfo=UTC)  # moto's times are naive


def _tags(bucket: FakeBucket, key: FakeKey) -> dict[str, str]:
    found: dict[str, str] = s3_backends[bucket.account_id][bucket.partition].tagger.get_tag_dict_for_resource(key.arn)
    return found


def actions(bucket: FakeBucket, name: str, now: datetime) -> Iterator[Action]:
    """What is due of one key. Its versions are in the order in which they were made."""
    versions = bucket.keys.getlist(name, [])
    rules = _enabled(bucket)
    if not versions:
        return
    newest = versions[-1]
    if isinstance(newest, FakeKey):
        tags = _tags(bucket, newest)
        for rule in rules:
            when = rule.expires(_aware(newest)) if rule.matches(name, newest.size, tags) else None
            if when is not None and when <= now:
                yield Action(name, None)
                break
    elif len(versions) == 1 and any(_clears(rule, newest, now) for rule in rules):
        yield Action(name, str(newest.version_id))
    for place, version in enumerate(versions[:-1]):
        newer = len(versions) - 2 - place
        if any(_outlived(bucket, rule, version, _aware(versions[place + 1]), newer, now) for rule in rules):
            yield Action(name, str(version.version_id))


def _clears(rule: Rule, marker: FakeDeleteMarker, now: datetime) -> bool:
    """Whether a delete marker without versions goes: by the rule's word, or when it is as old as an object may be."""
    if not rule.matches(marker.name, 0, {}):
        return False
    return rule.expired_marker or (rule.days is not None and due(_aware(marker), rule.days) <= now)


def _outlived(bucket: FakeBucket, rule: Rule, version: Any, since: datetime, newer: int, now: datetime) -> bool:
    """``since``: when it became noncurrent; ``newer``: how many noncurrent versions are newer."""
    if rule.noncurrent_days is None or due(since, rule.noncurrent_days) > now:
        return False
    if rule.newer_noncurrent is not None and newer < rule.newer_noncurrent:
        return False
    if isinstance(version, FakeDeleteMarker):
        return rule.matches(version.name, 0, {})
    return rule.matches(version.name, version.size, _tags(bucket, version))


class _Runner:
    """A thread of its own, which holds the lock of S3 for a few keys at a time."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        self._due = threading.Event()
        self._stopped = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="s3-lifecycle", daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        self._due.set()

    def wake(self) -> None:
        self._due.set()

    def _run(self) -> None:
        while not self._stopped:
            self._due.clear()
            try:
                self.sweep(datetime.now(UTC))
            except Exception:
                log.exception("S3 lifecycle failed; it is tried again in an hour")
            self._due.wait(INTERVAL_SECONDS)

    def sweep(self, now: datetime) -> None:
        for name, (partition, account) in list(s3_backends.bucket_accounts.items()):
            backend = s3_backends[account][partition]
            bucket = backend.buckets.get(name)
            if bucket is None or not _enabled(bucket):
                continue
            names = iter(sorted(bucket.keys))
            while batch := list(islice(names, KEYS_AT_ONCE)):
                changes.changing(self._context, partial(_apply, backend, bucket, batch, now))
            changes.changing(self._context, partial(_abort, backend, bucket, now))


def _apply(backend: S3Backend, bucket: FakeBucket, names: list[str], now: datetime) -> None:
    if backend.buckets.get(bucket.name) is not bucket:
        return
    with collected.caused_by("LifecycleExpiration"):
        for name in names:
            for action in list(actions(bucket, name, now)):
                try:
                    backend.delete_object(bucket.name, name, version_id=action.version_id)
                except AccessDeniedByLock:
                    continue  # what is locked stays, whatever a rule says


def _abort(backend: S3Backend, bucket: FakeBucket, now: datetime) -> None:
    if backend.buckets.get(bucket.name) is not bucket:
        return
    for upload_id, upload in list(bucket.multiparts.items()):
        begun: datetime | None = getattr(upload, BEGUN, None)
        if begun is None:
            continue
        for rule in _enabled(bucket):
            days = rule.abort_days
            matches = days is not None and rule.matches(upload.key_name, 0, {})
            if matches and due(begun.replace(tzinfo=UTC), days or 0) <= now:
                backend.abort_multipart_upload(bucket.name, upload_id)
                break
