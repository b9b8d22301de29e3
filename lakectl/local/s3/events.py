"""The events that S3 sends: their exact shapes, and the rules for who gets them. No moto in here.

Shapes: "Event message structure" (version 2.1) and "EventBridge event message structure" in the S3 user guide.
A notification's key is URL-encoded (space as ``+``, ``/`` kept); an EventBridge event's key is not encoded at all.
"""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

EVENTBRIDGE_REASONS = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "s3:ObjectRemoved:Delete": "DeleteObject",
    "s3:ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
    "s3:LifecycleExpiration:Delete": "Lifecycle Expiration",
    "s3:LifecycleExpiration:DeleteMarkerCreated": "Lifecycle Expiration",
}
DELETION_TYPES = {
    "s3:ObjectRemoved:Delete": "Permanently Deleted",
    "s3:ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created",
    "s3:LifecycleExpiration:Delete": "Permanently Deleted",
    "s3:LifecycleExpiration:DeleteMarkerCreated": "Delete Marker Created",
}
S3_ITSELF = "s3.amazonaws.com"  # who deletes by a rule
DETAIL_TYPES = {
    "s3:ObjectCreated": "Object Created",
    "s3:ObjectRemoved": "Object Deleted",
    "s3:LifecycleExpiration": "Object Deleted",
    "s3:ObjectAcl": "Object ACL Updated",
    "s3:ObjectTagging:Put": "Object Tags Added",
    "s3:ObjectTagging:Delete": "Object Tags Deleted",
}


@dataclass(frozen=True)
class ObjectEvent:
    """Something that happened to one object. ``name`` is e.g. ``s3:ObjectCreated:Put``."""

    name: str
    bucket: str
    region: str
    account_id: str
    key: str
    size: int | None
    etag: str | None
    version_id: str | None  # None on a bucket without versioning
    time: datetime
    sequencer: str
    request_id: str


def new_request_id() -> str:
    return uuid.uuid4().hex[:16].upper()


def notification(event: ObjectEvent, configuration_id: str) -> dict[str, Any]:
    """The message that a Lambda function, a queue or a topic gets."""
    detail: dict[str, Any] = {"key": quote_plus(event.key, safe="/")}
    if event.size is not None:
        detail["size"] = event.size
    if event.etag is not None:
        detail["eTag"] = event.etag
    if event.version_id is not None:
        detail["versionId"] = event.version_id
    detail["sequencer"] = event.sequencer
    by_rule = event.name.startswith("s3:Lifecycle")
    owner = hashlib.sha256(event.account_id.encode()).hexdigest()[:14].upper()
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": event.region,
        "eventTime": _milliseconds(event.time),
        "eventName": event.name.removeprefix("s3:"),
        "userIdentity": {"principalId": S3_ITSELF if by_rule else f"AWS:{event.account_id}"},
        "requestParameters": {"sourceIPAddress": S3_ITSELF if by_rule else "127.0.0.1"},
        "responseElements": {"x-amz-request-id": event.request_id, "x-amz-id-2": event.request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {
                "name": event.bucket,
                "ownerIdentity": {"principalId": owner},
                "arn": f"arn:aws:s3:::{event.bucket}",
            },
            "object": detail,
        },
    }
    return {"Records": [record]}


def eventbridge_detail(event: ObjectEvent) -> dict[str, Any]:
    """The ``detail`` of the event on the default bus."""
    described: dict[str, Any] = {"key": event.key}
    if event.size is not None:
        described["size"] = event.size
    if event.etag is not None:
        described["etag"] = event.etag
    if event.version_id is not None:
        described["version-id"] = event.version_id
    described["sequencer"] = event.sequencer
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": event.bucket},
        "object": described,
        "request-id": event.request_id,
        "requester": event.account_id,
        "source-ip-address": "127.0.0.1",
    }
    if event.name.startswith("s3:Lifecycle"):
        detail["requester"] = S3_ITSELF
        del detail["source-ip-address"]
    if event.name in EVENTBRIDGE_REASONS:
        detail["reason"] = EVENTBRIDGE_REASONS[event.name]
    if event.name in DELETION_TYPES:
        detail["deletion-type"] = DELETION_TYPES[event.name]
    return detail


def eventbridge_detail_type(name: str) -> str | None:
    """E.g. "Object Created"; None for an event that S3 does not send to EventBridge."""
    return DETAIL_TYPES.get(name) or DETAIL_TYPES.get(name.rpartition(":")[0])


@dataclass(frozen=True)
class Rule:
    """One notification configuration, as far as it decides who gets an event."""

    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""

    def overlaps(self, other: Rule) -> bool:
        """S3 refuses two rules that one event of one key could both match."""
        return (
            any(_same_event(one, two) for one in self.events for two in other.events)
            and (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))
            and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))
        )


def any_overlap(rules: list[Rule]) -> bool:
    return any(one.overlaps(two) for one, two in itertools.combinations(rules, 2))


def rules_of(configuration: dict[str, Any]) -> Iterator[Rule]:
    """The rules of a notification configuration, as moto parses its XML."""
    for kind in ("CloudFunction", "Queue", "Topic"):
        for entry in configuration.get(f"{kind}Configuration") or []:
            filters = ((entry.get("Filter") or {}).get("S3Key") or {}).get("FilterRule") or []
            values = {each["Name"].lower(): each["Value"] or "" for each in filters}
            yield Rule(tuple(entry["Event"]), values.get("prefix", ""), values.get("suffix", ""))


def _same_event(one: str, two: str) -> bool:
    if one.endswith("*") or two.endswith("*"):
        one, two = one.rstrip("*"), two.rstrip("*")
        return one.startswith(two) or two.startswith(one)
    return one == two


def _milliseconds(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
