"""The quick test, `lakectl smoke`: a receiver writes down that an event of a file for it has come through.

The file is below ``<prefix>_smoke/``, which nothing loads. The item is ``SMOKE#<receiver>`` / key; the quick test
deletes it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

SOURCE = "_smoke"


def key_of(event: dict[str, Any], prefix: str) -> str:
    """The key of the quick test's file that an EventBridge event is about, or ``""``."""
    if event.get("source") != "aws.s3" or event.get("detail-type") != "Object Created":
        return ""
    key = str(event["detail"]["object"]["key"])
    return key if key.startswith(f"{prefix}{SOURCE}/") else ""


def heard(client: Any, table: str, receiver: str, key: str) -> None:
    """Write down that ``receiver`` has got the event of ``key``. A second delivery changes nothing that counts."""
    item = {"pk": {"S": f"SMOKE#{receiver}"}, "sk": {"S": key}, "heard_at": {"S": datetime.now(UTC).isoformat()}}
    client.put_item(TableName=table, Item=item)
