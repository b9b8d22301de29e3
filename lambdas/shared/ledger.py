"""The run log as a ledger: every landing exactly once, and where it stands on its way into silver.

Used by the log function, the starter function and the Glue job, so that it does not matter which of
them hears of a landing first. Needs nothing but boto3.

Items, all in one table (string keys ``pk`` and ``sk``):

* run item ``SRC#<source>`` / ``INGEST#<event time>#<etag|noetag>#<hash of bucket, key, version>``
* guard ``OBJ#<bucket>/<key>`` / ``<version id|null>``: one for each version of each object. Its
  conditional put is what makes a second delivery of the same event a no-op
* pointer ``PENDING#<source>`` / the run item's sk: lives while the landing waits for silver, so that
  finding work costs what is new and not the whole history. A refused landing's pointer moves to
  ``FAILED#<source>``
* result of a job run ``RUN#<run id>`` / ``RESULT`` and ``PAGE#0001`` …: see ``jobs/retail/results.py``

``load_status``: PENDING -> CLAIMED -> LOADED | FAILED; PENDING -> DUPLICATE | SUPERSEDED; LOADED ->
REVERTED -> PENDING; IGNORED for keys that no job loads. ``status`` stays LANDED: the file did land.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cmp_to_key
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError
from landing import Landing as Landing
from landing import seconds

PENDING, CLAIMED, LOADED, FAILED = "PENDING", "CLAIMED", "LOADED", "FAILED"
DUPLICATE, SUPERSEDED, REVERTED, IGNORED = "DUPLICATE", "SUPERSEDED", "REVERTED", "IGNORED"

# What DynamoDB answers when nothing is wrong with the request itself. botocore retries throttled
# calls but not a cancelled transaction, whose reasons are one code for each item.
_RETRIED = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_ATTEMPTS = 10

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


@dataclass(frozen=True)
class Entry:
    """A landing as the ledger has it. ``is_new`` is true for the call that wrote it."""

    landing: Landing
    sk: str
    load_status: str
    claimed_by: str = ""
    attempts: int = 0
    recorded_at: str = ""
    duplicate_of: str = ""
    reason: str = ""
    snapshot_id: str = ""
    loaded_at: str = ""
    is_new: bool = False


class Ledger:
    """Reads and moves landings. Safe to share between threads; every write is conditional."""

    def __init__(self, table: str, client: Any = None) -> None:
        self.table = table
        self._client = client or boto3.client(
            "dynamodb", config=Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=32)
        )

    # ---- what landed

    def record(self, landing: Landing) -> Entry:
        """Write the landing unless it is known, settle it against other versions of its key, return it.

        Deliver the same landing as often as you like: one run item. Raises ClientError when DynamoDB
        does not accept the write after retries.
        """
        run = self._run_item(landing)
        guard = {
            **landing.guard_key,
            "run_pk": run["pk"],
            "run_sk": run["sk"],
            "etag": landing.etag,
            "size_bytes": landing.size,
            "event_time": landing.event_time,
            "sequencer": landing.sequencer,
        }
        items = [self._put(guard, *_unless_known(landing)), self._put(run, "attribute_not_exists(pk)")]
        if landing.loadable:
            items.append(self._put({**run, "pk": f"PENDING#{landing.source}"}))
        is_new = self._transact(items, conditions=2)
        guards = list(self._query(landing.guard_key["pk"]))
        if len(guards) > 1:
            self._settle(guards)
        known = next(g for g in guards if g["sk"] == landing.version_id)
        # Without versions the guard may tell of later bytes than those of an event that came late.
        run_sk = known["run_sk"] if known["etag"] == landing.etag else run["sk"]
        entry = self._entry(self._get(known["run_pk"], run_sk))
        return replace(entry, is_new=is_new)

    def _settle(self, guards: list[dict[str, Any]]) -> None:
        """The newest version of a key stands for it; equal bytes add nothing, other bytes are outdated.

        Does nothing while the order can't be known (equal seconds without sequencers): the job asks
        S3 which version is current before it loads any.
        """
        ordered = _oldest_first(guards)
        if ordered is None:
            return
        newest = ordered[-1]
        root = len(ordered) - 1
        while root and _same_bytes(ordered[root - 1], newest):
            root -= 1
        standing = {ordered[root]["run_sk"], ordered[root].get("duplicate_of")}
        for copy in ordered[root + 1 :]:
            self._retire(copy, DUPLICATE, (PENDING,), {"duplicate_of": ordered[root]["run_sk"]})
        for outdated in ordered[:root]:
            if outdated["run_sk"] not in standing and not outdated.get("duplicate_of"):
                self._retire(outdated, SUPERSEDED, (PENDING, FAILED), {"superseded_by": newest["run_sk"]})

    def _retire(self, guard: dict[str, Any], to: str, when: tuple[str, ...], fields: dict[str, Any]) -> bool:
        source = guard["run_pk"].removeprefix("SRC#")
        items = [
            self._update(guard["run_pk"], guard["run_sk"], {"load_status": to, **fields}, _status_in(when)),
            self._delete(f"PENDING#{source}", guard["run_sk"]),
            self._delete(f"FAILED#{source}", guard["run_sk"]),
        ]
        if to == DUPLICATE:
            items.append(self._update(guard["pk"], guard["sk"], fields))
        return self._transact(items)

    # ---- what waits

    def pending(self, source: str) -> Iterator[Entry]:
        """Landings of ``source`` not yet in silver, oldest first, also those that a run has claimed."""
        return (self._entry(item) for item in self._query(f"PENDING#{source}"))

    def refused(self, source: str) -> Iterator[Entry]:
        """Landings of ``source`` that a run refused and nobody has asked to be tried again."""
        return (self._entry(item) for item in self._query(f"FAILED#{source}"))

    def history(self, source: str) -> Iterator[Entry]:
        """Every landing of ``source`` ever, oldest first: costs the history, not the news."""
        return (self._entry(item) for item in self._query(f"SRC#{source}"))

    def known_versions(self, landing: Landing) -> int:
        """How many versions of the landing's key the ledger knows."""
        return sum(1 for _ in self._query(landing.guard_key["pk"]))

    # ---- how a landing moves

    def claim(self, entry: Entry, run_id: str) -> bool:
        """Take a pending landing, or one whose owner (``entry.claimed_by``) has ended. False = lost it."""
        free = "load_status = :pending OR (load_status = :claimed AND claimed_by IN (:owner, :run))"
        values = {":pending": PENDING, ":claimed": CLAIMED, ":owner": entry.claimed_by, ":run": run_id}
        fields = {
            "load_status": CLAIMED,
            "claimed_by": run_id,
            "claimed_at": _now(),
            "attempts": entry.attempts + 1,
        }
        return self._transact(
            [
                self._update(self._pk(entry), entry.sk, fields, (free, values)),
                self._update(f"PENDING#{entry.landing.source}", entry.sk, fields),
            ]
        )

    def loaded(
        self, entry: Entry, run_id: str, *, snapshot_id: str, rows: int, also: Iterable[dict[str, Any]] = ()
    ) -> bool:
        """The claimed landing is in silver; ``snapshot_id`` is ``""`` when it changed nothing.

        ``also``: items to put in the same transaction.
        """
        fields = {"load_status": LOADED, "loaded_at": _now(), "snapshot_id": snapshot_id, "rows": rows}
        return self._finish(entry, run_id, fields, *map(self._put, also))

    def failed(self, entry: Entry, run_id: str, reason: str, also: Iterable[dict[str, Any]] = ()) -> bool:
        """The claimed landing is refused: out of later drains until ``requeue``. ``also``: as for ``loaded``."""
        fields = {"load_status": FAILED, "failed_at": _now(), "reason": reason[:2000]}
        pointer = {**self._get(self._pk(entry), entry.sk), **fields, "pk": f"FAILED#{entry.landing.source}"}
        return self._finish(entry, run_id, fields, self._put(pointer), *map(self._put, also))

    def reverted(self, entry: Entry, reason: str) -> bool:
        """A rollback took the loaded landing out of silver; it stays out until ``requeue``."""
        fields = {"load_status": REVERTED, "reverted_at": _now(), "reason": reason[:2000]}
        return self._transact([self._update(self._pk(entry), entry.sk, fields, _status_in((LOADED,)))])

    def superseded(self, entry: Entry, run_id: str, by: str) -> bool:
        """The claimed landing's bytes are no longer the object's; ``by`` says what replaced them."""
        return self._finish(entry, run_id, {"load_status": SUPERSEDED, "superseded_by": by})

    def _finish(self, entry: Entry, run_id: str, fields: dict[str, Any], *more: dict[str, Any]) -> bool:
        mine = ("load_status = :claimed AND claimed_by = :run", {":claimed": CLAIMED, ":run": run_id})
        return self._transact(
            [
                self._update(self._pk(entry), entry.sk, fields, mine),
                self._delete(f"PENDING#{entry.landing.source}", entry.sk),
                *more,
            ]
        )

    def release(self, entry: Entry, run_id: str) -> bool:
        """Give a claimed landing back unloaded, for a run that could not finish."""
        mine = ("load_status = :claimed AND claimed_by = :run", {":claimed": CLAIMED, ":run": run_id})
        fields = {"load_status": PENDING, "claimed_by": ""}
        return self._transact(
            [
                self._update(self._pk(entry), entry.sk, fields, mine),
                self._update(f"PENDING#{entry.landing.source}", entry.sk, fields),
            ]
        )

    def requeue(self, entry: Entry) -> bool:
        """Make a refused, reverted or superseded landing pending again, with a clean slate."""
        fields = {"load_status": PENDING, "claimed_by": "", "attempts": 0}
        pointer = {**self._get(self._pk(entry), entry.sk), **fields, "pk": f"PENDING#{entry.landing.source}"}
        settled = (FAILED, REVERTED, SUPERSEDED)
        return self._transact(
            [
                self._update(self._pk(entry), entry.sk, fields, _status_in(settled)),
                self._delete(f"FAILED#{entry.landing.source}", entry.sk),
                self._put(pointer),
            ]
        )

    def put(self, item: dict[str, Any]) -> None:
        """Write an item that is no landing (a run's result), whatever is there."""
        self._client.put_item(TableName=self.table, Item=_item(item))

    # ---- items

    @staticmethod
    def _pk(entry: Entry) -> str:
        return f"SRC#{entry.landing.source}"

    @staticmethod
    def _run_item(landing: Landing) -> dict[str, Any]:
        stamp = seconds(landing.event_time)
        return {
            "pk": f"SRC#{landing.source}",
            "sk": landing.run_sk,
            "run_id": f"{landing.source}_{stamp.replace(':', '-')}_{landing.identity[:6].upper()}",
            "source": landing.source,
            "bucket": landing.bucket,
            "key": landing.key,
            "etag": landing.etag,
            "version_id": landing.version_id,
            "size_bytes": landing.size,
            "ingest_ts": stamp,
            "event_time": landing.event_time,
            "ingest_date": landing.ingest_date,
            "batch": landing.batch,
            "status": "LANDED",
            "load_status": PENDING if landing.loadable else IGNORED,
            "dedupe": landing.identity,
            "recorded_at": _now(),
        }

    @staticmethod
    def _entry(item: dict[str, Any]) -> Entry:
        landing = Landing(
            bucket=item["bucket"],
            key=item["key"],
            version_id=item["version_id"],
            etag=item["etag"],
            size=int(item["size_bytes"]),
            event_time=item["event_time"],
            source=item["source"],
            ingest_date=item["ingest_date"],
            batch=item["batch"],
        )
        return Entry(
            landing=landing,
            sk=item["sk"],
            load_status=item["load_status"],
            claimed_by=item.get("claimed_by", ""),
            attempts=int(item.get("attempts", 0)),
            recorded_at=item["recorded_at"],
            duplicate_of=item.get("duplicate_of", ""),
            reason=item.get("reason", ""),
            snapshot_id=item.get("snapshot_id") or "",
            loaded_at=item.get("loaded_at", ""),
        )

    # ---- DynamoDB

    def _get(self, pk: str, sk: str) -> dict[str, Any]:
        answer = self._client.get_item(TableName=self.table, Key=_item({"pk": pk, "sk": sk}), ConsistentRead=True)
        if "Item" not in answer:
            raise KeyError(f"{self.table} has no item {pk} / {sk}")
        return _plain(answer["Item"])

    def _query(self, pk: str) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": _item({":pk": pk}),
            "ConsistentRead": True,
        }
        while True:
            page = self._client.query(**request)
            yield from (_plain(item) for item in page["Items"])
            if not page.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _put(
        self, item: dict[str, Any], condition: str | None = None, values: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self.table, "Item": _item(item)}
        if condition:
            put["ConditionExpression"] = condition
        if values:
            put["ExpressionAttributeValues"] = _item(values)
        return {"Put": put}

    def _delete(self, pk: str, sk: str) -> dict[str, Any]:
        return {"Delete": {"TableName": self.table, "Key": _item({"pk": pk, "sk": sk})}}

    def _update(
        self, pk: str, sk: str, fields: dict[str, Any], condition: tuple[str, dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        text, values = condition or ("attribute_exists(pk)", {})
        return {
            "Update": {
                "TableName": self.table,
                "Key": _item({"pk": pk, "sk": sk}),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :new_{name}" for name in fields),
                "ExpressionAttributeNames": {f"#{name}": name for name in fields},
                "ExpressionAttributeValues": _item(
                    {**{f":new_{name}": value for name, value in fields.items()}, **values}
                ),
                "ConditionExpression": text,
            }
        }

    def _transact(self, items: list[dict[str, Any]], conditions: int = 1) -> bool:
        """True when written, False when a condition of the first ``conditions`` items did not hold.

        Waits out contention; any other cancellation raises ClientError.
        """
        for attempt in range(_ATTEMPTS):
            try:
                self._client.transact_write_items(TransactItems=items)
                return True
            except ClientError as error:
                codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
                if "ConditionalCheckFailed" in codes[:conditions]:
                    return False
                if not _RETRIED & set(codes) or attempt == _ATTEMPTS - 1:
                    raise
            time.sleep(random.uniform(0, min(2.0, 0.05 * 2**attempt)))  # noqa: S311 - jitter
        raise AssertionError("unreachable")


def _unless_known(landing: Landing) -> tuple[str, dict[str, Any] | None]:
    if landing.version_id != "null" or not landing.etag:
        return "attribute_not_exists(pk)", None
    # Without versions every overwrite is called "null"; only its etag tells it from a second delivery.
    return "attribute_not_exists(pk) OR etag <> :etag", {":etag": landing.etag}


def _status_in(states: Iterable[str]) -> tuple[str, dict[str, Any]]:
    values = {f":was_{state}": state for state in states}
    return f"load_status IN ({', '.join(values)})", values


def _same_bytes(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["etag"]) and (one["etag"], one["size_bytes"]) == (other["etag"], other["size_bytes"])


def _oldest_first(guards: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    unknown = False

    def compare(one: dict[str, Any], other: dict[str, Any]) -> int:
        nonlocal unknown
        if one["sequencer"] and other["sequencer"]:
            # S3: pad the shorter one on the right with zeros, then compare as text.
            width = max(len(one["sequencer"]), len(other["sequencer"]))
            key: Callable[[dict[str, Any]], str] = lambda guard: guard["sequencer"].ljust(width, "0")  # noqa: E731
        else:
            key = lambda guard: seconds(guard["event_time"])  # noqa: E731
        first, second = key(one), key(other)
        unknown = unknown or (first == second and one["sk"] != other["sk"])
        return (first > second) - (first < second)

    ordered = sorted(guards, key=cmp_to_key(compare))
    return None if unknown else ordered


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _item(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in plain.items()}


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _deserialize(value) for name, value in item.items()}
