"""What this run has to load: its path, and all that is pending."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from lake.arguments import Arguments
from lake.dropped import refuse_dropped
from lake.names import NO_BATCH
from lake.results import Result, settle
from lakectl.core.glue_runs import ENDED
from lakectl.core.landing import Landing, LandingZone
from lakectl.core.landing_key import parse
from lakectl.core.ledger import CLAIMED, DELETED, DUPLICATE, LOADED, PENDING, SUPERSEDED, Entry, Ledger
from lakectl.core.ledger_table import in_batches

_THREADS = 16
# What HeadObject answers for one object alone: 400 (encrypted with a key of its owner), 403 (with a KMS key that
# we may not use).
NOT_DESCRIBED = (400, 403)
# From so many claimed landings of one source and date, their versions are listed: 1,000 in a request. HeadObject asks
# for each.
MANY = 50
# No two landings of a process have the same: Spark knows what it has kept by the plan, in which the number stands
# for the file's version.
_NUMBERS = itertools.count()


@dataclass
class Item:
    """A landing in this run. ``number`` ties its rows to it; ``problems`` non-empty = refused;
    ``set_aside`` of its ``rows`` go to quarantine, with ``clashing`` also those whose keys occur with
    different content; ``warned`` of them go on though a check failed. ``header``: its columns, once read, as the
    source calls them; ``kinds``: their types, of a file that has them; ``copy``: the path of a copy of the claimed
    version, when Spark is to read that one; ``content``: all bytes of a small one, until they are read; ``joined``:
    Spark reads them from an object of joined lines.

    ``claimed`` is false for what is read without being this run's news: what is loaded already, with ``--FULL``.
    """

    entry: Entry
    landed_at: datetime
    claimed: bool
    number: int = -1
    rows: int = 0
    set_aside: int = 0
    warned: int = 0
    clashing: bool = False
    header: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    copy: str = ""
    content: bytes = field(default=b"", repr=False)
    joined: bool = False
    problems: list[str] = field(default_factory=list)

    @property
    def landing(self) -> Landing:
        return self.entry.landing

    @property
    def path(self) -> str:
        return f"s3://{self.landing.bucket}/{self.landing.key}"

    @property
    def row_version(self) -> tuple[Any, ...]:
        """Its row version, as ``row_version_of`` has that of a row: the greater one wins."""
        landed_at = self.landed_at.astimezone(UTC).replace(tzinfo=None)
        return self.landing.ingest_date, self.batch, landed_at, self.landing.version_id

    @property
    def batch(self) -> str:
        return self.landing.batch or NO_BATCH


class Inbox:
    """Takes landings out of the ledger for one run, and writes back what became of them."""

    def __init__(self, arguments: Arguments, ledger: Ledger, s3: Any = None, glue: Any = None) -> None:
        pool = Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=_THREADS)
        self._arguments = arguments
        self._ledger = ledger
        self.s3 = s3 or boto3.client("s3", config=pool)
        self._glue = glue or boto3.client("glue", config=pool)
        self._zone = LandingZone(arguments.landing_prefix, arguments.spec.sources)
        self.superseded: list[str] = []

    def take(self) -> list[Item]:
        """Claimed landings whose bytes are the object's current ones; with ``--FULL`` the loaded ones too."""
        entries = {entry.sk: entry for entry in self._waiting()}
        again = {}
        for landing, entry in self._known(self._under_path()):
            entry = self._wanted(entry)
            if entry.load_status in (PENDING, CLAIMED):
                entries[entry.sk] = entry
            elif entry.load_status in (LOADED, DUPLICATE) and self._arguments.full:
                again[entry.sk] = Item(entry, self._landed_at(entry, _moment(landing.event_time)), claimed=False)
        return self._numbered([*self._claim_all(self._free(entries.values())), *again.values()])

    def refuse_dropped(self) -> None:
        """Raise :class:`lake.dropped.TableDropped` where a table is gone that loaded landings are said to be in."""
        refuse_dropped(self._arguments, self._ledger, self._glue)

    def take_new(self) -> list[Item]:
        """Claimed landings of those that have become pending since."""
        waiting = (entry for source in self._arguments.spec.sources for entry in self._ledger.pending(source))
        return self._numbered(self._claim_all(self._free(waiting)))

    def loaded(self, versions: Iterable[tuple[str, str]]) -> list[Item]:
        """Those of the versions, (path, version id), that are loaded and still there, to be read once more."""
        found = self._in_parallel(lambda each: self._landing(*each), versions)
        entries = self._ledger.find(found)
        return self._numbered(
            [
                Item(entry, self._landed_at(entry, _moment(landing.event_time)), claimed=False)
                for landing, entry in entries.items()
                if entry.load_status == LOADED
            ]
        )

    def _landing(self, path: str, version_id: str) -> Landing | None:
        bucket, _, key = path.removeprefix("s3://").partition("/")
        head = self._head(bucket, key, version_id)
        if head is None:
            return None
        return self._zone.landing(
            bucket=bucket,
            key=key,
            version_id=version_id,
            etag=head["ETag"],
            size=head["ContentLength"],
            event_time=_iso(head["LastModified"]),
        )

    # ---- finding

    def _waiting(self) -> Iterator[Entry]:
        for source in self._arguments.spec.sources:
            yield from self._ledger.pending(source)
            if self._arguments.retry_failed:
                for entry in list(self._ledger.refused(source)):
                    if self._ledger.requeue(entry):
                        yield _pending(entry)

    def _under_path(self) -> Iterator[Landing]:
        if self._arguments.full:
            yield from self._current(self._arguments.landing_prefix)
        elif self._arguments.raw_path:
            prefix = self._arguments.raw_path.removeprefix(f"s3://{self._arguments.raw_bucket}/")
            yield from self._current(prefix)

    def _current(self, prefix: str) -> Iterator[Landing]:
        """The current version of each loadable object under ``prefix``, with S3's own time."""
        for version in self._versions(prefix):
            landing = self._zone.landing(
                bucket=self._arguments.raw_bucket,
                key=version["Key"],
                version_id=version.get("VersionId"),
                etag=version["ETag"],
                size=version["Size"],
                event_time=_iso(version["LastModified"]),
            )
            if landing and landing.loadable:
                yield landing

    def _versions(self, prefix: str) -> Iterator[dict[str, Any]]:
        """The current versions, as ListObjectVersions has them."""
        pages = self.s3.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._arguments.raw_bucket, Prefix=prefix):
            yield from (version for version in page.get("Versions", []) if version["IsLatest"])

    def _known(self, landings: Iterable[Landing]) -> Iterator[tuple[Landing, Entry]]:
        """The landings with their entries; what the ledger lacks is written now."""
        for some in in_batches(landings, 500):
            found = self._ledger.find(some)
            new = [landing for landing in some if landing not in found]
            found.update(zip(new, self._in_parallel(self._ledger.record, new), strict=True))
            yield from found.items()

    def _wanted(self, entry: Entry) -> Entry:
        """The entry of a current version: pending again if it was skipped for one that will not be in silver.

        Found deleted, say, and then its delete marker was removed. What was refused or rolled back stays out until
        somebody asks for it.
        """
        stands: Entry | None = entry
        if entry.load_status == DUPLICATE:
            stands = self._ledger.entry(entry.landing.source, entry.duplicate_of)
        is_lost = stands is None or stands.load_status == SUPERSEDED
        return _pending(entry) if is_lost and self._ledger.requeue(entry) else entry

    def _free(self, entries: Iterable[Entry]) -> list[Entry]:
        """Those that no live run holds."""
        states: dict[str, bool] = {}
        free = []
        for entry in entries:
            owner = entry.claimed_by
            if owner and owner not in states:
                states[owner] = self._is_alive(owner)
            if not owner or not states[owner]:
                free.append(entry)
        return free

    def _is_alive(self, run_id: str) -> bool:
        if run_id == self._arguments.run_id:
            return False
        try:
            run = self._glue.get_job_run(JobName=self._arguments.job_name or "-", RunId=run_id)["JobRun"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return False
            raise
        return run["JobRunState"] not in ENDED

    # ---- taking

    def _claim_all(self, entries: list[Entry]) -> list[Item]:
        claimed = self._ledger.claim_all(entries, self._arguments.run_id)
        heads = self._heads(claimed)
        return self._in_parallel(lambda entry: self._take_up(entry, heads), claimed)

    def _claim(self, entry: Entry) -> Item | None:
        """The entry claimed; None when another run has it."""
        return next(iter(self._claim_all([entry])), None)

    def _heads(self, entries: list[Entry]) -> dict[str, dict[str, Any] | None]:
        """What HeadObject would say of their keys (None: deleted), for those of which there are many in a folder."""
        heads: dict[str, dict[str, Any] | None] = {}
        folders: dict[str, list[str]] = defaultdict(list)
        for entry in entries:
            if said := parse(entry.key, self._zone.prefix):
                folders[said.folder].append(entry.key)
        for folder, keys in folders.items():
            if len(keys) < MANY:
                continue
            heads.update(dict.fromkeys(keys))
            for version in self._versions(folder):
                heads[version["Key"]] = {**version, "ContentLength": version["Size"]}
        return heads

    def _take_up(self, entry: Entry, heads: Mapping[str, dict[str, Any] | None]) -> Item | None:
        """The claimed entry, or what has replaced it; None when another run has that or the object is gone."""
        landing = entry.landing
        try:
            head = heads[landing.key] if landing.key in heads else self._head(landing.bucket, landing.key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in NOT_DESCRIBED:
                raise
            # Reading it will say why, and refuse this landing alone.
            return Item(entry, self._landed_at(entry, _moment(landing.event_time)), claimed=True)
        if head is None:
            waiting = self._set_aside(entry, DELETED)
            return self._claim(waiting) if waiting else None
        if (head.get("VersionId") or "null", head["ETag"].strip('"')) == (landing.version_id, landing.etag):
            return self._item(entry, head)
        current = self._zone.landing(
            bucket=landing.bucket,
            key=landing.key,
            version_id=head.get("VersionId"),
            etag=head["ETag"],
            size=head["ContentLength"],
            event_time=_iso(head["LastModified"]),
        )
        if current is None:
            raise RuntimeError(f"{landing.key} was a landing and is none any more")
        successor = self._ledger.record(current)
        if successor.duplicate_of == entry.sk:
            own = self._head(landing.bucket, landing.key, landing.version_id)
            if own is not None:
                return self._item(entry, own)
        self._set_aside(entry, successor.sk)
        successor = self._ledger.record(current)
        successor = self._wanted(successor)
        return self._claim(successor) if successor.load_status == PENDING else None

    def _item(self, entry: Entry, head: dict[str, Any]) -> Item:
        return Item(entry, self._landed_at(entry, head["LastModified"]), claimed=True)

    def _landed_at(self, entry: Entry, last_modified: datetime) -> datetime:
        noted = 0 if entry.load_status == DUPLICATE else entry.versions
        # What was just taken is the newest, whatever a clock says; what is read once more has others after it.
        is_new = entry.load_status in (PENDING, CLAIMED)
        number = self._ledger.known_versions if is_new else self._ledger.number_of
        return _landed_at(last_modified, noted or number(entry.landing))

    def _set_aside(self, entry: Entry, by: str) -> Entry | None:
        self.superseded.append(f"{entry.landing.key} version {entry.landing.version_id}, by {by}")
        return self._ledger.superseded(entry, self._arguments.run_id, by)

    def _head(self, bucket: str, key: str, version_id: str = "") -> dict[str, Any] | None:
        version = {"VersionId": version_id} if version_id else {}
        try:
            head: dict[str, Any] = self.s3.head_object(Bucket=bucket, Key=key, **version)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        return head

    # ---- finishing

    def give_back(self, items: Iterable[Item]) -> int:
        """Claimed landings are pending again; returns how many."""
        claimed = [item for item in items if item.claimed]
        self._in_parallel(lambda item: self._ledger.release(item.entry, self._arguments.run_id), claimed)
        return len(claimed)

    def finish(self, items: list[Item], snapshots: Mapping[str, str], report: Callable[[list[Item]], Result]) -> None:
        """Settle the claimed landings in the ledger and write the run's result (see ``results.settle``)."""
        settle(self._ledger, self._arguments.run_id, items, snapshots, report)

    @staticmethod
    def _in_parallel(work: Callable[[Any], Any], things: Iterable[Any]) -> list[Any]:
        with ThreadPoolExecutor(_THREADS) as pool:
            return [result for result in pool.map(work, things) if result is not None]

    @staticmethod
    def _numbered(items: list[Item]) -> list[Item]:
        unique = list({item.entry.sk: item for item in items}.values())
        for item, number in zip(unique, _NUMBERS, strict=False):
            item.number = number
        return unique


def _pending(entry: Entry) -> Entry:
    return replace(entry, load_status=PENDING, claimed_by="", attempts=0, versions=0)


def _landed_at(last_modified: datetime, versions: int) -> datetime:
    """When the newest of a key's ``versions`` landed. S3 tells it in seconds, and version ids have no order:
    a version put in the same second as the one before it must still have the greater row version.
    """
    return last_modified.replace(microsecond=0) + timedelta(microseconds=versions - 1)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(iso: str) -> datetime:
    return datetime.fromisoformat(iso)
