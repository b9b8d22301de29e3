"""From what S3 tells us to landings. The two shapes of its events differ where it hurts: in encoding.

``Records[]`` (S3 to Lambda) has URL-encoded keys. EventBridge's ``detail.object.key`` is the key as it
is: decoding that one would turn ``a+b.csv`` into ``a b.csv``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from lakectl.core.landing import Landing, landing_of


def landings(event: dict[str, Any], prefix: str) -> Iterator[Landing]:
    """Every landing that an event of either shape reports. Test events, deletions and the like yield none."""
    for part in parts(event):
        found = landing(part, prefix)
        if found:
            yield found


def parts(event: dict[str, Any]) -> list[dict[str, Any]]:
    """What an event says, one thing at a time: an EventBridge event is one, ``Records[]`` has several."""
    return [event] if event.get("source") == "aws.s3" else list(event.get("Records") or [])


def landing(part: dict[str, Any], prefix: str) -> Landing | None:
    """The landing that a part reports, or None. Raises KeyError when a field is missing that S3 always sends."""
    if part.get("source") == "aws.s3":
        return _from_event_bridge(part, prefix) if part.get("detail-type") == "Object Created" else None
    if part.get("eventSource") == "aws:s3" and part["eventName"].startswith("ObjectCreated:"):
        return _from_record(part, prefix)
    return None


def _from_record(record: dict[str, Any], prefix: str) -> Landing | None:
    s3_object = record["s3"]["object"]
    return landing_of(
        prefix=prefix,
        bucket=record["s3"]["bucket"]["name"],
        key=unquote_plus(s3_object["key"]),
        version_id=s3_object.get("versionId"),
        etag=s3_object.get("eTag", ""),
        size=s3_object.get("size", 0),
        event_time=record["eventTime"],
        sequencer=s3_object.get("sequencer", ""),
    )


def _from_event_bridge(event: dict[str, Any], prefix: str) -> Landing | None:
    detail = event["detail"]
    s3_object = detail["object"]
    return landing_of(
        prefix=prefix,
        bucket=detail["bucket"]["name"],
        key=s3_object["key"],
        version_id=s3_object.get("version-id"),
        etag=s3_object.get("etag", ""),
        size=s3_object.get("size", 0),
        event_time=event["time"],
        sequencer=s3_object.get("sequencer", ""),
    )
