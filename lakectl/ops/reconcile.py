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
from lakectl.errors import LakectlError
from lakectl.ops import runs as run_log
from lakectl.ops import transform
from lakectl.ops.invoking import invoke
from lakectl.ops.lake import Lake
from lakectl.ops.landing_event import event_of
from lakectl.ops.landing_keys import is_loadable
from lakectl.ops.runs import Run

THREADS = 8
# An event that is on its way is not lost. Objects younger than this get a second look.
YOUNG_S = 60.0
SECOND_LOOK_S = 3.0
DELETED = "deleted"  # what the ledger writes into `superseded_by` when a run finds an object gone


@dataclass
class Differences:
    """``unlogged``: versions without a run item, as ListObjectVersions has them. ``gone``: rows without an object.
    ``set_aside``: current versions that a run set aside (it found the object deleted, say), and that none will load."""

    objects: int = 0
    rows: int = 0
    unlogged: list[dict[str, Any]] = field(default_factory=list)
    gone: list[Run] = field(default_factory=list)
    set_aside: list[dict[str, Any]] = field(default_factory=list)

    @property
    def any(self) -> bool:
        return bool(self.unlogged or self.gone or self.set_aside)


def differences(lake: Lake) -> Differences:
    """Compare every version of every landed object with every run item.

    Holds a hash of each, not the items. Raises :class:`LakectlError` when AWS says no.
    """
    found = Differences()
    unseen: set[int] = set()
    superseded: dict[str, int] = {}
    copies: dict[int, str] = {}
    for run in run_log.runs(lake):
        found.rows += 1
        identity = _identity(run.key, run.version_id, run.etag)
        unseen.add(identity)
        if run.load_status == "SUPERSEDED":
            superseded[run.sk] = identity
        elif run.load_status == "DUPLICATE":
            copies[identity] = run.item.get("duplicate_of", "")
    # A duplicate of what was set aside is not in silver either.
    set_aside = {*superseded.values(), *(copy for copy, original in copies.items() if original in superseded)}
    logged = set(unseen)
    for version in landed_versions(lake):
        found.objects += 1
        identity = _identity(version["Key"], version.get("VersionId"), version["ETag"])
        unseen.discard(identity)
        if identity not in logged:
            found.unlogged.append(version)
        elif version["IsLatest"] and identity in set_aside:
            found.set_aside.append(version)
    found.unlogged = _still_unlogged(lake, found.unlogged)
    if unseen:
        found.gone = [
            run
            for run in run_log.runs(lake)
            if _identity(run.key, run.version_id, run.etag) in unseen and run.item.get("superseded_by") != DELETED
        ]
    return found


def landed_versions(lake: Lake) -> Iterator[dict[str, Any]]:
    """All versions of all objects that the log function writes down: no folder markers, and of the empty ones only
    those that the job would load (it refuses them by name)."""
    bucket, prefix = lake.names.raw_bucket, lake.config.landing.prefix
    try:
        for page in lake.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            for version in page.get("Versions", []):
                key = version["Key"]
                if not key.endswith("/") and (version["Size"] or is_loadable(key, prefix)):
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
        return invoke(lake, names.log_function, event_of(names.raw_bucket, lake.aws.region, version))

    accepted = 0
    with ThreadPoolExecutor(THREADS) as pool:
        for version, refused in zip(versions, pool.map(send, versions), strict=True):
            accepted += not refused
            observer(version, refused)
    if accepted:
        wake(lake)
    return accepted


def load_set_aside(lake: Lake) -> str:
    """Start a run that looks at every current landing; its id. It loads what runs before it set aside."""
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
    with ThreadPoolExecutor(THREADS) as pool:
        known = list(pool.map(lambda version: _is_logged(lake, version), versions))
    return [version for version, is_known in zip(versions, known, strict=True) if not is_known]


def _is_logged(lake: Lake, version: Mapping[str, Any]) -> bool:
    key = {
        "pk": {"S": f"OBJ#{lake.names.raw_bucket}/{version['Key']}"},
        "sk": {"S": version.get("VersionId") or "null"},
    }
    try:
        guard = lake.client("dynamodb").get_item(TableName=lake.names.run_log, Key=key, ConsistentRead=True).get("Item")
        if not guard or guard["etag"]["S"] != version["ETag"].strip('"'):
            return False
        item = {"pk": guard["run_pk"], "sk": guard["run_sk"]}
        answer = lake.client("dynamodb").get_item(TableName=lake.names.run_log, Key=item, ConsistentRead=True)
        return "Item" in answer
    except (ClientError, BotoCoreError) as error:
        raise explain(error, "reading the run log") from error


def _identity(key: str, version_id: str | None, etag: str) -> int:
    # Without versions every overwrite is version "null": the etag tells them apart.
    text = f"{key}\0{version_id or 'null'}\0{etag.strip(chr(34))}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
