"""One caller at a time, by a conditional write: for check-then-act on something that has no condition of its own."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError


class Lease:
    """An item in the run log's table. A holder that dies holds it for ``seconds`` at most."""

    def __init__(self, client: Any, table: str, name: str, seconds: float) -> None:
        self._client = client
        self._table = table
        self._key = {"pk": {"S": f"LEASE#{name}"}, "sk": {"S": "LEASE"}}
        self._seconds = seconds

    def take(self, holder: str) -> bool:
        """Whether ``holder`` has it now. Taking it again is fine: an event delivered again has the same id."""
        now = int(time.time() * 1000)
        until = now + int(self._seconds * 1000)
        try:
            self._client.put_item(
                TableName=self._table,
                Item={**self._key, "held_by": {"S": holder}, "held_until_ms": {"N": str(until)}},
                ConditionExpression="attribute_not_exists(pk) OR held_until_ms < :now OR held_by = :holder",
                ExpressionAttributeValues={":now": {"N": str(now)}, ":holder": {"S": holder}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def end(self, holder: str) -> None:
        """Give it back; nothing happens when it was lost meanwhile."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=self._key,
                ConditionExpression="held_by = :holder",
                ExpressionAttributeValues={":holder": {"S": holder}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
