"""Reading the run log. Writing it is the Lambdas' and the job's business (``lakectl/core/ledger.py``)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake

_DESERIALIZE = TypeDeserializer().deserialize

# Run items, pointers of landings that wait, pointers of landings that a run refused.
Partition = Literal["SRC", "PENDING", "FAILED"]
# What a file directly below the landing prefix is logged as.
NO_SOURCE = "unknown"
SETTLED = frozenset(("LOADED", "FAILED", "DUPLICATE", "SUPERSEDED", "REVERTED", "IGNORED"))
# How far back a follower looks for rows: S3 may deliver an event some minutes late.
LATE = timedelta(minutes=15)


@dataclass(frozen=True)
class Run:
    """One landing in the run log. ``size`` in bytes, ``ingest_ts`` ISO 8601 UTC."""

    source: str
    ingest_ts: str
    status: str
    load_status: str
    bucket: str
    key: str
    version_id: str | None
    size: int
    etag: str
    run_id: str
    sk: str
    item: dict[str, Any] = field(compare=False)


def runs(lake: Lake, source: str | None = None, partition: Partition = "SRC") -> Iterator[Run]:
    """The run log (or what is pending or refused in it), newest first over all sources; pages through any size.

    Raises :class:`LakectlError` when the table is not there.
    """
    names = [source] if source else sources(lake)
    streams = [_partition(lake, f"{partition}#{name}") for name in names]
    return heapq.merge(*streams, key=lambda run: run.sk, reverse=True)


def sources(lake: Lake) -> list[str]:
    """The config's sources, and whatever else has a folder below the landing prefix."""
    s3, prefix = lake.client("s3"), lake.config.landing.prefix
    found = dict.fromkeys([*lake.config.sources, NO_SOURCE])
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=lake.names.raw_bucket, Prefix=prefix, Delimiter="/")
        for page in pages:
            for folder in page.get("CommonPrefixes", []):
                found[folder["Prefix"].removeprefix(prefix).rstrip("/")] = None
    except (ClientError, BotoCoreError) as error:
        if code_of(error) != "NoSuchBucket":
            raise explain(error, f"listing s3://{lake.names.raw_bucket}/{prefix}") from error
    return list(found)


class Follower:
    """What is new in the run log since the last look: new rows, and rows whose load status has moved."""

    def __init__(self, lake: Lake, source: str | None = None) -> None:
        self._lake = lake
        self._source = source
        self._seen: dict[tuple[str, str], str] = {}

    def start(self, last: int) -> list[Run]:
        """The newest ``last`` rows, oldest first; from here on changes count."""
        newest = list(_head(runs(self._lake, self._source), last))
        self.changes()
        for run in runs(self._lake, self._source, "PENDING"):
            self._seen[run.source, run.sk] = run.load_status
        return newest[::-1]

    def changes(self) -> list[Run]:
        """Rows that came or moved since the last call, oldest first."""
        horizon = f"INGEST#{datetime.now(UTC) - LATE:%Y-%m-%dT%H:%M:%S}"
        found: list[Run] = []
        for name in [self._source] if self._source else sources(self._lake):
            found += _partition(self._lake, f"SRC#{name}", horizon)
        recent = {(run.source, run.sk) for run in found}
        for source, sk in [key for key in self._seen if key not in recent]:
            if self._seen[source, sk] in SETTLED:
                del self._seen[source, sk]
                continue
            found += _partition(self._lake, f"SRC#{source}", sk, sk)
        changed = [run for run in found if self._seen.get((run.source, run.sk)) != run.load_status]
        self._seen.update({(run.source, run.sk): run.load_status for run in changed})
        return sorted(changed, key=lambda run: run.sk)


def _head(found: Iterator[Run], count: int) -> Iterator[Run]:
    for _, run in zip(range(count), found, strict=False):
        yield run


def _partition(lake: Lake, pk: str, first: str = "INGEST#", last: str = "INGEST#~") -> Iterator[Run]:
    try:
        pages = (
            lake.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=lake.names.run_log,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={":pk": {"S": pk}, ":first": {"S": first}, ":last": {"S": last}},
                ScanIndexForward=False,
                ConsistentRead=True,
            )
        )
        for page in pages:
            for raw in page["Items"]:
                yield run_of({key: plain(value) for key, value in raw.items()})
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "ResourceNotFoundException":
            raise LakectlError(f"there is no run log {lake.names.run_log}", "make it with: lakectl up") from error
        raise explain(error, "reading the run log") from error


def plain(value: dict[str, Any]) -> Any:
    """A DynamoDB attribute value as Python has it; whole numbers as int."""
    found = _DESERIALIZE(value)
    return int(found) if isinstance(found, Decimal) and found == found.to_integral_value() else found


def run_of(item: dict[str, Any]) -> Run:
    """The landing that a run item tells of."""
    return Run(
        source=item["source"],
        ingest_ts=item["ingest_ts"],
        status=item["status"],
        load_status=item.get("load_status", ""),
        bucket=item["bucket"],
        key=item["key"],
        version_id=item.get("version_id"),
        size=int(item.get("size_bytes") or 0),
        etag=item.get("etag", ""),
        run_id=item.get("run_id", ""),
        sk=item["sk"],
        item=item,
    )
