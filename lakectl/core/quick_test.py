"""The quick test, `lakectl smoke`: a receiver writes down that an event of a file for it has come through.

The file is below ``<prefix>_smoke/``: no source can have a name that begins so, and nothing loads it. The item is
``SMOKE#<receiver>`` / key; the quick test deletes it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lakectl.core import s3_events

SOURCE = "_smoke"


def folder(prefix: str) -> str:
    """Where the file lands."""
    return f"{prefix}{SOURCE}/"


def key_of(event: dict[str, Any], prefix: str) -> str:
    """The key of the quick test's file that an EventBridge event is about, or ``""``."""
    if event.get("source") != "aws.s3" or event.get("detail-type") != "Object Created":
        return ""
    key = s3_events.key_of(event)
    return key if key.startswith(folder(prefix)) else ""


def partition(receiver: str) -> str:
    """The partition key of what a receiver has written down."""
    return f"SMOKE#{receiver}"


def heard(client: Any, table: str, receiver: str, key: str) -> None:
    """Write down that ``receiver`` has got the event of ``key``. A second delivery changes nothing that counts."""
    item = {"pk": {"S": partition(receiver)}, "sk": {"S": key}, "heard_at": {"S": datetime.now(UTC).isoformat()}}
    client.put_item(TableName=table, Item=item)
