"""Reading the run log. Writing it is the functions' and the job's business (:mod:`lakectl.core.ledger`)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import attrgetter

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.core.landing_key import NO_SOURCE, source_of
from lakectl.core.ledger_items import Entry, Item, Key, Partition, entry_of, partition
from lakectl.core.ledger_table import LedgerTable
from lakectl.core.ledger_versions import CLAIMED, PENDING
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake

# How far back a follower looks for rows: S3 may deliver an event some minutes late.
LATE = timedelta(minutes=15)
FIRST, LAST = "INGEST#", "INGEST#~"  # below and above every sort key of a landing


def runs(lake: Lake, source: str | None = None, kind: Partition = "SRC", most: int = 0) -> Iterator[Entry]:
    """The run log (or what is pending or refused in it), newest first over all sources.

    ``most``: at most so many; of no source more is read. Without it pages through any size. Raises
    :class:`LakectlError` when the table is not there.
    """
    names = [source] if source else sources(lake)
    streams = [map(entry_of, items(lake, partition(kind, name), most=most)) for name in names]
    merged = heapq.merge(*streams, key=attrgetter("sk"), reverse=True)
    return islice(merged, most) if most else merged


def items(
    lake: Lake, pk: str, *, between: Key | None = None, fields: Sequence[str] = (), most: int = 0
) -> Iterator[Item]:
    """Items of a partition, the greatest sort key first. Raises :class:`LakectlError`."""
    with reading(lake):
        yield from table(lake).query(pk, newest_first=True, most=most, between=between, fields=fields)


def table(lake: Lake) -> LedgerTable:
    return LedgerTable(lake.names.run_log, lake.client("dynamodb"))


@contextmanager
def reading(lake: Lake) -> Iterator[None]:
    """Turn what AWS answers to a read of the run log into :class:`LakectlError`."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "ResourceNotFoundException":
            raise LakectlError(f"there is no run log {lake.names.run_log}", "make it with: lakectl up") from error
        raise explain(error, "reading the run log") from error


def sources(lake: Lake) -> list[str]:
    """The config's sources, and whatever else has a folder below the landing prefix."""
    s3, prefix = lake.client("s3"), lake.config.landing.prefix
    found = dict.fromkeys([*lake.config.spec.sources, NO_SOURCE])
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=lake.names.raw_bucket, Prefix=prefix, Delimiter="/")
        for page in pages:
            found.update((source_of(folder["Prefix"], prefix), None) for folder in page.get("CommonPrefixes", []))
    except (ClientError, BotoCoreError) as error:
        if code_of(error) != "NoSuchBucket":
            raise explain(error, f"listing s3://{lake.names.raw_bucket}/{prefix}") from error
    return list(found)


class Follower:
    """What is new in the run log since the last look: new rows, and rows whose load status has moved."""

    def __init__(self, lake: Lake, source: str | None = None) -> None:
        self._lake = lake
        self._source = source
        self._seen: dict[Key, str] = {}

    def start(self, last: int) -> list[Entry]:
        """The newest ``last`` rows, oldest first; from here on changes count."""
        newest = list(runs(self._lake, self._source, most=last))
        self.changes()
        for entry in runs(self._lake, self._source, "PENDING"):
            self._seen[entry.pk, entry.sk] = entry.load_status
        return newest[::-1]

    def changes(self) -> list[Entry]:
        """Rows that came or moved since the last call, oldest first."""
        horizon = f"{FIRST}{datetime.now(UTC) - LATE:%Y-%m-%dT%H:%M:%S}"
        names = [self._source] if self._source else sources(self._lake)
        found = [
            entry_of(item)
            for name in names
            for item in items(self._lake, partition("SRC", name), between=(horizon, LAST))
        ]
        recent = {(entry.pk, entry.sk) for entry in found}
        older = [key for key in self._seen if key not in recent]
        for key in [key for key in older if self._seen[key] not in (PENDING, CLAIMED)]:
            del self._seen[key]
        with reading(self._lake):
            found += map(entry_of, table(self._lake).get_many(key for key in older if key in self._seen).values())
        changed = [entry for entry in found if self._seen.get((entry.pk, entry.sk)) != entry.load_status]
        self._seen.update({(entry.pk, entry.sk): entry.load_status for entry in changed})
        return sorted(changed, key=attrgetter("sk"))
