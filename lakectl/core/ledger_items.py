"""A landing in the run log: its run item, and the entry that is read from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakectl.core.landing import Landing, seconds
from lakectl.core.ledger_versions import IGNORED, PENDING

Item = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A landing as the ledger has it. ``is_new`` is true for the call that wrote it.

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

    @property
    def pk(self) -> str:
        return f"SRC#{self.landing.source}"

    @property
    def pointer(self) -> str:
        """The partition of its pointer while it is pending."""
        return f"PENDING#{self.landing.source}"


def run_item(landing: Landing) -> Item:
    """The run item of a landing that nobody has told of before."""
    stamp = seconds(landing.event_time)
    item = {
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
        "recorded_at": now(),
        "versions": 1,
    }
    return item if landing.loadable else {**item, "reason": landing.never_loaded}


def entry_of(item: Item) -> Entry:
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
        superseded_by=item.get("superseded_by", ""),
        reason=item.get("reason", ""),
        snapshot_id=item.get("snapshot_id") or "",
        loaded_at=item.get("loaded_at", ""),
        versions=int(item.get("versions", 0)),
    )


def unless_known(landing: Landing) -> tuple[str, dict[str, Any] | None]:
    if landing.version_id != "null" or not landing.etag:
        return "attribute_not_exists(pk)", None
    # Without versions every overwrite is called "null"; only its etag tells it from a second delivery.
    return "attribute_not_exists(pk) OR etag <> :etag", {":etag": landing.etag}


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
