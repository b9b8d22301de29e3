"""The event that S3 sends for a new object, made by hand for one whose own event never came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus


def event_of(bucket: str, region: str, version: Mapping[str, Any]) -> dict[str, Any]:
    """``version`` is one of ListObjectVersions. Its time is S3's own; only the sequencer is not to be had."""
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
