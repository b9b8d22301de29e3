"""The bucket against the ledger: what is in one and not in the other."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import explain
from lakectl.core.ledger_items import Entry, guard_key, partition
from lakectl.core.ledger_versions import DELETED, DUPLICATE, IGNORED, SUPERSEDED
from lakectl.core.s3_events import record_of
from lakectl.errors import LakectlError
from lakectl.ops.events.invoking import invoke
from lakectl.ops.lake import Lake
from lakectl.ops.runs import run_log, transform

THREADS = 8
# An event that is on its way is not lost. Objects younger than this get a second look.
YOUNG_S = 60.0
SECOND_LOOK_S = 3.0
# All that is read of a row: a third of it.
FIELDS = ("sk", "key", "version_id", "etag", "load_status", "duplicate_of", "superseded_by")


@dataclass
class Differences:
    """``unlogged``: versions without a run item, as ListObjectVersions has them. ``gone``: rows without an object.
    ``skipped``: current versions that a run skipped (it found the object deleted, say), and that none will load.
    ``not_taken``: current versions that no run loaded when they landed, of a source that the lake has by now."""

    objects: int = 0
    rows: int = 0
    unlogged: list[dict[str, Any]] = field(default_factory=list)
    gone: list[Entry] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    not_taken: list[dict[str, Any]] = field(default_factory=list)

    @property
    def any(self) -> bool:
        return bool(self.unlogged or self.gone or self.skipped or self.not_taken)


@dataclass
class _Rows:
    """A hash of each row, by what reconciling asks of it."""

    count: int = 0
    all: set[int] = field(default_factory=set)
    expected: set[int] = field(default_factory=set)  # rows whose object should be there
    skipped: set[int] = field(default_factory=set)
    ignored: set[int] = field(default_factory=set)


def differences(lake: Lake) -> Differences:
    """Compare every version of every landed object with every run item.

    Holds a hash of each, not the items; lists the bucket a second time if they differ. Raises :class:`LakectlError`
    when AWS rejects a request.
    """
    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(_rows, lake)
        versions = [(_identity_of(version), version["IsLatest"]) for version in landed_versions(lake)]
        rows = reading.result()
    found = Differences(objects=len(versions), rows=rows.count)
    if _agree(rows, versions):
        return found
    # Listed once more, now that the rows are known: a row is younger than no object that is listed after it was read.
    found.objects = 0
    for version in landed_versions(lake):
        found.objects += 1
        identity = _identity_of(version)
        rows.expected.discard(identity)
        if identity not in rows.all:
            found.unlogged.append(version)
        elif version["IsLatest"] and identity in rows.skipped:
            found.skipped.append(version)
        elif version["IsLatest"] and identity in rows.ignored and lake.zone.loads(version["Key"]):
            found.not_taken.append(version)
    found.unlogged = _still_unlogged(lake, found.unlogged)
    if rows.expected:
        found.gone = [
            entry for entry in run_log.runs(lake) if _identity(entry.key, entry.version_id, entry.etag) in rows.expected
        ]
    return found


def _agree(rows: _Rows, versions: Sequence[tuple[int, bool]]) -> bool:
    """Whether nothing differs. ``versions``: a hash, and whether it is the current one."""
    not_loaded = rows.skipped | rows.ignored
    return rows.expected <= {identity for identity, _ in versions} and all(
        identity in rows.all and not (is_latest and identity in not_loaded) for identity, is_latest in versions
    )


def _rows(lake: Lake) -> _Rows:
    rows = _Rows()
    superseded: set[str] = set()
    copies: dict[int, str] = {}
    for source in run_log.sources(lake):
        for item in run_log.items(lake, partition("SRC", source), fields=FIELDS):
            rows.count += 1
            identity = _identity(item["key"], item["version_id"], item["etag"])
            rows.all.add(identity)
            status = item["load_status"]
            if status == SUPERSEDED:
                superseded.add(item["sk"])
                rows.skipped.add(identity)
            elif status == DUPLICATE:
                copies[identity] = item.get("duplicate_of", "")
            elif status == IGNORED:
                rows.ignored.add(identity)
            if item.get("superseded_by") != DELETED:
                rows.expected.add(identity)
    # A duplicate of what was skipped is not in silver either.
    rows.skipped.update(copy for copy, original in copies.items() if original in superseded)
    return rows


def landed_versions(lake: Lake) -> Iterator[dict[str, Any]]:
    """All versions of all objects that the log function writes down: no folder markers, and of the empty ones only
    those that a run would load (it refuses them by name)."""
    bucket, prefix = lake.names.raw_bucket, lake.config.landing.prefix
    try:
        for page in lake.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            for version in page.get("Versions", []):
                key = version["Key"]
                if not key.endswith("/") and (version["Size"] or lake.zone.loads(key)):
                    yield version
    except (ClientError, BotoCoreError) as error:
        raise explain(error, f"listing s3://{bucket}/{prefix}") from error


def redrive(
    lake: Lake,
    versions: Sequence[Mapping[str, Any]],
    observer: Callable[[Mapping[str, Any], str], None] = lambda *_: None,
) -> int:
    """Give the log function the event of each version, as S3 would have. Then a run, if one is due.

    ``observer`` gets each version and ``""`` or why it was refused. Returns how many were accepted.
    """
    names = lake.names

    def send(version: Mapping[str, Any]) -> str:
        return invoke(lake, names.log_function, record_of(names.raw_bucket, lake.aws.region, version))

    accepted = 0
    with ThreadPoolExecutor(THREADS) as pool:
        for version, refused in zip(versions, pool.map(send, versions), strict=True):
            accepted += not refused
            observer(version, refused)
    if accepted:
        wake(lake)
    return accepted


def load_skipped(lake: Lake) -> str:
    """Start a run that looks at every current landing; its id. It loads what runs before it skipped."""
    root = f"s3://{lake.names.raw_bucket}/{lake.config.landing.prefix}"
    return transform.start(lake, transform.arguments(lake, path=root))


def wake(lake: Lake) -> None:
    """Ask the starter for a run, as the schedule does: it starts none when nothing is pending."""
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}, "resources": []}
    refused = invoke(lake, lake.names.start_function, event)
    if refused:
        raise LakectlError(f"{lake.names.start_function} failed: {refused}", "look into: lakectl logs start")


def _still_unlogged(lake: Lake, versions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those that the log function has written meanwhile."""
    now = datetime.now(UTC)
    if any((now - version["LastModified"]).total_seconds() < YOUNG_S for version in versions):
        time.sleep(SECOND_LOOK_S)
    table, bucket = run_log.table(lake), lake.names.raw_bucket
    by_guard = {guard_key(bucket, version["Key"], version.get("VersionId")): version for version in versions}
    with run_log.reading(lake):
        guards = table.get_many(by_guard)
        logged = {
            (guard["run_pk"], guard["run_sk"]): key
            for key, guard in guards.items()
            if guard["etag"] == by_guard[key]["ETag"].strip('"')
        }
        for run_key in table.get_many(logged):
            del by_guard[logged[run_key]]
    return list(by_guard.values())


def _identity_of(version: Mapping[str, Any]) -> int:
    return _identity(version["Key"], version.get("VersionId"), version["ETag"])


def _identity(key: str, version_id: str | None, etag: str) -> int:
    # Without versions every overwrite is version "null": the etag tells them apart.
    text = f"{key}\0{version_id or 'null'}\0{etag.strip(chr(34))}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
