"""The run log's table in DynamoDB: reads, and transactions whose cancellations are sorted out.

Items are plain dicts here; keys are the strings ``pk`` and ``sk``. Every read is strongly consistent. Needs nothing
but boto3.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

Item = dict[str, Any]
Key = tuple[str, str]
Action = dict[str, Any]
Condition = tuple[str, dict[str, Any]]

T = TypeVar("T")

MOST_ACTIONS = 100  # of a transaction (TransactWriteItems, API reference)
MOST_KEYS = 100  # of a BatchGetItem (API reference)

# What DynamoDB answers when nothing is wrong with the request itself. botocore retries throttled
# calls but not a cancelled transaction, whose reasons are one code for each item.
_RETRIED = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_ATTEMPTS = 10

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class LedgerTable:
    """Safe to share between threads."""

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self.client = client or boto3.client(
            "dynamodb", config=Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=32)
        )

    # ---- reading

    def get(self, pk: str, sk: str) -> Item:
        """Raises KeyError when there is no such item."""
        answer = self.client.get_item(TableName=self.name, Key=to_item({"pk": pk, "sk": sk}), ConsistentRead=True)
        if "Item" not in answer:
            raise KeyError(f"{self.name} has no item {pk} / {sk}")
        return to_plain(answer["Item"])

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """Those of the items that there are."""
        found: dict[Key, Item] = {}
        for batch in in_batches(dict.fromkeys(keys), MOST_KEYS):
            wanted = [to_item({"pk": pk, "sk": sk}) for pk, sk in batch]
            request: dict[str, Any] = {self.name: {"Keys": wanted, "ConsistentRead": True}}
            for attempt in range(_ATTEMPTS):
                answer = self.client.batch_get_item(RequestItems=request)
                for raw in answer["Responses"].get(self.name, []):
                    item = to_plain(raw)
                    found[item["pk"], item["sk"]] = item
                request = answer.get("UnprocessedKeys") or {}
                if not request:
                    break
                _pause(attempt)
            else:
                raise RuntimeError(f"DynamoDB left keys of {self.name} unread {_ATTEMPTS} times")
        return found

    def query(
        self,
        pk: str,
        *,
        newest_first: bool = False,
        most: int = 0,
        between: Key | None = None,
        fields: Sequence[str] = (),
    ) -> Iterator[Item]:
        """Items of a partition, by sort key, the greatest one first with ``newest_first``; pages through any number.

        ``most``: at most so many, which is all that is read. ``between``: the least and the greatest sort key.
        ``fields``: attributes to read, else all.
        """
        first, last = between or ("", "")
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last" if between else "pk = :pk",
            "ExpressionAttributeValues": to_item({":pk": pk, **({":first": first, ":last": last} if between else {})}),
            "ConsistentRead": True,
            "ScanIndexForward": not newest_first,
        }
        if fields:
            names = {f"#{name}": name for name in fields}
            request |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        left = most
        while True:
            page = self.client.query(**request, **({"Limit": left} if most else {}))
            yield from map(to_plain, page["Items"])
            left -= len(page["Items"])
            if not page.get("LastEvaluatedKey") or (most and left <= 0):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    # ---- the actions of a transaction

    def put(self, item: Item, condition: str | None = None, values: dict[str, Any] | None = None) -> Action:
        put: dict[str, Any] = {"TableName": self.name, "Item": to_item(item)}
        if condition:
            put["ConditionExpression"] = condition
        if values:
            put["ExpressionAttributeValues"] = to_item(values)
        return {"Put": put}

    def delete(self, pk: str, sk: str) -> Action:
        return {"Delete": {"TableName": self.name, "Key": to_item({"pk": pk, "sk": sk})}}

    def check(self, pk: str, sk: str, condition: Condition) -> Action:
        text, values = condition
        return {
            "ConditionCheck": {
                "TableName": self.name,
                "Key": to_item({"pk": pk, "sk": sk}),
                "ConditionExpression": text,
                "ExpressionAttributeValues": to_item(values),
            }
        }

    def update(self, pk: str, sk: str, fields: Item, condition: Condition | None = None) -> Action:
        """Set ``fields`` of an item that is there, if ``condition`` holds."""
        text, values = condition or ("attribute_exists(pk)", {})
        return {
            "Update": {
                "TableName": self.name,
                "Key": to_item({"pk": pk, "sk": sk}),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :new_{name}" for name in fields),
                "ExpressionAttributeNames": {f"#{name}": name for name in fields},
                "ExpressionAttributeValues": to_item(
                    {**{f":new_{name}": value for name, value in fields.items()}, **values}
                ),
                "ConditionExpression": text,
            }
        }

    # ---- writing

    def transact(self, actions: list[Action], conditions: int = 1) -> bool:
        """True when written, False when a condition of the first ``conditions`` actions did not hold.

        Waits out contention; any other cancellation raises ClientError.
        """
        for attempt in range(_ATTEMPTS):
            try:
                self.client.transact_write_items(TransactItems=actions)
                return True
            except ClientError as error:
                codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
                if "ConditionalCheckFailed" in codes[:conditions]:
                    return False
                if not _RETRIED & set(codes) or attempt == _ATTEMPTS - 1:
                    raise
            _pause(attempt)
        raise AssertionError("unreachable")

    def transact_each(self, changes: Sequence[list[Action]]) -> list[bool]:
        """For each change whether it was written, many in one request.

        The first action of a change has its condition: where it does not hold, the change is left out and the others
        are written. A change is never written by half. Raises ClientError as ``transact`` does.
        """
        written = [False] * len(changes)
        for batch in _packed(changes):
            left = list(batch)
            for attempt in range(_ATTEMPTS + len(batch)):
                if not left:
                    break
                codes = self._cancelled([action for number in left for action in changes[number]])
                if not codes:
                    for number in left:
                        written[number] = True
                    break
                refused = _refused(left, changes, codes)
                left = [number for number in left if number not in refused]
                if not refused:
                    _pause(attempt)
            else:
                raise RuntimeError(f"transactions on {self.name} were cancelled {_ATTEMPTS} times by others")
        return written

    def _cancelled(self, actions: list[Action]) -> list[str]:
        """The reason of each action why the transaction was cancelled; empty when it was written."""
        try:
            self.client.transact_write_items(TransactItems=actions)
        except ClientError as error:
            codes = [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
            if not ({"ConditionalCheckFailed"} | _RETRIED) & set(codes):
                raise
            return codes
        return []


def status_in(*states: str) -> Condition:
    """The condition that an item's ``load_status`` is one of these."""
    values = {f":was_{state}": state for state in states}
    return f"load_status IN ({', '.join(values)})", values


def in_batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(things)
    while batch := list(islice(left, size)):
        yield batch


def to_item(plain: Item) -> dict[str, Any]:
    """As DynamoDB takes it."""
    return {name: _serialize(value) for name, value in plain.items()}


def to_plain(item: dict[str, Any]) -> Item:
    """From what DynamoDB answers; whole numbers as int."""
    return {name: _whole(_deserialize(value)) for name, value in item.items()}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def _packed(changes: Sequence[list[Action]]) -> Iterator[list[int]]:
    """The numbers of the changes that go into one transaction."""
    batch: list[int] = []
    size = 0
    for number, actions in enumerate(changes):
        if batch and size + len(actions) > MOST_ACTIONS:
            yield batch
            batch, size = [], 0
        batch.append(number)
        size += len(actions)
    if batch:
        yield batch


def _refused(numbers: list[int], changes: Sequence[list[Action]], codes: list[str]) -> set[int]:
    """The changes whose first action's condition did not hold. Raises AssertionError for a condition elsewhere."""
    refused: set[int] = set()
    reasons = iter(codes)
    for number in numbers:
        first, *others = [next(reasons) for _ in changes[number]]
        if first == "ConditionalCheckFailed":
            refused.add(number)
        elif "ConditionalCheckFailed" in others:
            raise AssertionError(f"the ledger's items contradict each other: {changes[number]}")
    return refused


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, min(2.0, 0.05 * 2**attempt)))  # noqa: S311 - jitter
