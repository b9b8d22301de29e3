"""What the run log holds: the keys of its items, a landing's run item and guard, and the entry that is read from it.

Items, all in one table:

* run item ``SRC#<source>`` / ``INGEST#<event time>#<etag|noetag>#<hash of bucket, key, version>``
* pointer ``PENDING#<source>`` / the run item's sk: a copy of it that lives while the landing waits for silver, so that
  finding work costs what is new and not the whole history. A refused landing's pointer moves to ``FAILED#<source>``
* guard ``OBJ#<bucket>/<key>`` / ``<version id|null>``: one for each version of each object. Its conditional put is what
  makes a second delivery of the same event a no-op
* result of a job run ``RUN#<run id>`` / ``RESULT`` and ``PAGE#0001`` …: :mod:`lakectl.core.run_results`
* lease ``LEASE#<name>`` / ``LEASE``: :mod:`lakectl.core.lease`
* ``SMOKE#<receiver>`` / key: :mod:`lakectl.core.quick_test`
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from lakectl.core.landing import Landing, seconds
from lakectl.core.ledger_versions import IGNORED, PENDING

Item = dict[str, Any]
Key = tuple[str, str]  # pk, sk
LANDED = "LANDED"  # the `status` of every landing, whatever becomes of it
# Run items, pointers of landings that wait, pointers of landings that a run refused.
Partition = Literal["SRC", "PENDING", "FAILED"]


@dataclass(frozen=True)
class Entry:
    """A landing as the ledger has it. ``is_new`` is true for the call that wrote it; ``item`` is all that was read.

    ``versions``: how many versions of its key the ledger knew when it was pending; 0 if that isn't noted.
    """

    landing: Landing
    sk: str
    load_status: str
    claimed_by: str = ""
    attempts: int = 0
    recorded_at: str = ""
    duplicate_of: str = ""
    superseded_by: str = ""
    reason: str = ""
    snapshot_id: str = ""
    loaded_at: str = ""
    versions: int = 0
    is_new: bool = False
    item: Item = field(default_factory=dict, compare=False, repr=False)

    @property
    def pk(self) -> str:
        return partition("SRC", self.landing.source)

    @property
    def pointer(self) -> str:
        """The partition of its pointer while it is pending."""
        return partition("PENDING", self.landing.source)

    @property
    def source(self) -> str:
        return self.landing.source

    @property
    def bucket(self) -> str:
        return self.landing.bucket

    @property
    def key(self) -> str:
        return self.landing.key

    @property
    def version_id(self) -> str:
        return self.landing.version_id

    @property
    def etag(self) -> str:
        return self.landing.etag

    @property
    def size(self) -> int:
        return self.landing.size

    @property
    def path(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def partition(kind: Partition, source: str) -> str:
    """The partition key of a source's items of one kind."""
    return f"{kind}#{source}"


def run_sk(landing: Landing) -> str:
    """The sort key of a landing's run item and pointer: the newest landing of a source has the greatest."""
    return f"INGEST#{seconds(landing.event_time)}#{landing.etag or 'noetag'}#{landing.identity}"


def guard_key(bucket: str, key: str, version_id: str | None) -> Key:
    return f"OBJ#{bucket}/{key}", version_id or "null"


def guard_of(landing: Landing) -> Key:
    return guard_key(landing.bucket, landing.key, landing.version_id)


def run_item(landing: Landing) -> Item:
    """The run item of a landing that nobody has told of before."""
    moment = seconds(landing.event_time)
    item = {
        "pk": partition("SRC", landing.source),
        "sk": run_sk(landing),
        "run_id": f"{landing.source}_{moment.replace(':', '-')}_{landing.identity[:6].upper()}",
        "source": landing.source,
        "bucket": landing.bucket,
        "key": landing.key,
        "etag": landing.etag,
        "version_id": landing.version_id,
        "size_bytes": landing.size,
        "ingest_ts": moment,
        "event_time": landing.event_time,
        "ingest_date": landing.ingest_date,
        "batch": landing.batch,
        "status": LANDED,
        "load_status": PENDING if landing.loadable else IGNORED,
        "dedupe": landing.identity,
        "recorded_at": now(),
        "versions": 1,
    }
    return item if landing.loadable else {**item, "reason": landing.ignored}


def guard_item(landing: Landing) -> Item:
    """The guard of a landing that nobody has told of before."""
    pk, sk = guard_of(landing)
    return {
        "pk": pk,
        "sk": sk,
        "run_pk": partition("SRC", landing.source),
        "run_sk": run_sk(landing),
        "etag": landing.etag,
        "size_bytes": landing.size,
        "event_time": landing.event_time,
        "sequencer": landing.sequencer,
    }


def entry_of(item: Item) -> Entry:
    """The entry that a run item or a pointer tells of."""
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
        ignored=item.get("reason", "") if item["load_status"] == IGNORED else "",
    )
    return Entry(
        landing=landing,
        sk=item["sk"],
        load_status=item["load_status"],
        claimed_by=item.get("claimed_by", ""),
        attempts=int(item.get("attempts", 0)),
        recorded_at=item["recorded_at"],
        duplicate_of=item.get("duplicate_of", ""),
        superseded_by=item.get("superseded_by", ""),
        reason=item.get("reason", ""),
        snapshot_id=item.get("snapshot_id") or "",
        loaded_at=item.get("loaded_at", ""),
        versions=int(item.get("versions", 0)),
        item=item,
    )


def unless_known(landing: Landing) -> tuple[str, dict[str, Any] | None]:
    if landing.version_id != "null" or not landing.etag:
        return "attribute_not_exists(pk)", None
    # Without versions every overwrite is called "null"; only its etag tells it from a second delivery.
    return "attribute_not_exists(pk) OR etag <> :etag", {":etag": landing.etag}


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
