"""What S3 tells of an object, read and written. The two shapes of its events differ where it hurts: in encoding.

``Records[]`` (S3 to Lambda) has URL-encoded keys. EventBridge's ``detail.object.key`` is the key as it
is: decoding that one would turn ``a+b.csv`` into ``a b.csv``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from lakectl.core.landing import Landing, LandingZone


def landings(event: dict[str, Any], zone: LandingZone) -> Iterator[Landing]:
    """Every landing that an event of either shape reports. Test events, deletions and the like yield none."""
    for part in parts(event):
        found = landing(part, zone)
        if found:
            yield found


def parts(event: dict[str, Any]) -> list[dict[str, Any]]:
    """What an event says, one thing at a time: an EventBridge event is one, ``Records[]`` has several."""
    return [event] if event.get("source") == "aws.s3" else list(event.get("Records") or [])


def landing(part: dict[str, Any], zone: LandingZone) -> Landing | None:
    """The landing that a part reports, or None. Raises KeyError when a field is missing that S3 always sends."""
    if part.get("source") == "aws.s3":
        return _from_event_bridge(part, zone) if part.get("detail-type") == "Object Created" else None
    if part.get("eventSource") == "aws:s3" and part["eventName"].startswith("ObjectCreated:"):
        return _from_record(part, zone)
    return None


def key_of(part: Any) -> str:
    """The decoded key that a part is about; ``""`` when it has none."""
    try:
        if "detail" in part:
            return str(part["detail"]["object"]["key"])
        return unquote_plus(str(part["s3"]["object"]["key"]))
    except (KeyError, TypeError):
        return ""


def record_of(bucket: str, region: str, version: Mapping[str, Any]) -> dict[str, Any]:
    """The event that S3 sends to a function for a new object, made for one whose own event never came.

    ``version`` is one of ListObjectVersions. Its time is S3's own; only the sequencer is not to be had.
    """
    modified: datetime = version["LastModified"]
    described = {
        "key": quote_plus(version["Key"], safe="/"),
        "size": version["Size"],
        "eTag": version["ETag"].strip('"'),
        "versionId": version.get("VersionId") or "null",
    }
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": modified.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "lakectl-reconcile",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": described,
        },
    }
    return {"Records": [record]}


def _from_record(record: dict[str, Any], zone: LandingZone) -> Landing | None:
    s3_object = record["s3"]["object"]
    return zone.landing(
        bucket=record["s3"]["bucket"]["name"],
        key=unquote_plus(s3_object["key"]),
        version_id=s3_object.get("versionId"),
        etag=s3_object.get("eTag", ""),
        size=s3_object.get("size", 0),
        event_time=record["eventTime"],
        sequencer=s3_object.get("sequencer", ""),
    )


def _from_event_bridge(event: dict[str, Any], zone: LandingZone) -> Landing | None:
    detail = event["detail"]
    s3_object = detail["object"]
    return zone.landing(
        bucket=detail["bucket"]["name"],
        key=s3_object["key"],
        version_id=s3_object.get("version-id"),
        etag=s3_object.get("etag", ""),
        size=s3_object.get("size", 0),
        event_time=event["time"],
        sequencer=s3_object.get("sequencer", ""),
    )
