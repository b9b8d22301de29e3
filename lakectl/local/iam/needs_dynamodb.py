"""What a call of DynamoDB needs. A transaction is authorised as the reads and writes that it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from lakectl.local.iam.calls import Call
from lakectl.local.iam.evaluator import Check

# the word in TransactItems → the action that it needs
TRANSACTED = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
ITEMS = {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"}
TABLES = {"CreateTable", "DescribeTable", "UpdateTable", "DeleteTable", "DescribeTimeToLive", "UpdateTimeToLive"} | {
    "DescribeContinuousBackups",
    "UpdateContinuousBackups",
}
STREAMS = {"DescribeStream", "GetRecords", "GetShardIterator"}


def checks(call: Call, prefix: str) -> list[Check] | None:
    """The actions on tables and indexes, with the partition keys that the call names (``dynamodb:LeadingKeys``)."""
    operation, parameters = call.operation, call.parameters
    if operation in ("TransactWriteItems", "TransactGetItems"):
        return _transaction(parameters.get("TransactItems", []), operation, prefix)
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return [
            Check(f"dynamodb:{operation}", _arn(prefix, table), _leading(prefix, table, _batch_items(requests)))
            for table, requests in parameters.get("RequestItems", {}).items()
        ]
    if operation in ITEMS:
        table = str(parameters.get("TableName"))
        arn = _arn(prefix, table)
        if parameters.get("IndexName"):
            arn += f"/index/{parameters['IndexName']}"
        return [Check(f"dynamodb:{operation}", arn, _leading(prefix, table, [parameters]))]
    if operation in TABLES:
        return [Check(f"dynamodb:{operation}", _arn(prefix, str(parameters.get("TableName"))))]
    if operation in ("ListTagsOfResource", "TagResource", "UntagResource"):
        return [Check(f"dynamodb:{operation}", str(parameters.get("ResourceArn")))]
    if operation in STREAMS:
        # An iterator begins with the ARN of its stream.
        stream = parameters.get("StreamArn") or str(parameters.get("ShardIterator")).partition("|")[0]
        return [Check(f"dynamodb:{operation}", str(stream))]
    if operation in ("ListStreams", "ListTables", "DescribeLimits", "DescribeEndpoints"):
        return [Check(f"dynamodb:{operation}", "*")]
    return None


def _transaction(items: Iterable[Mapping[str, Any]], operation: str, prefix: str) -> list[Check] | None:
    found = []
    for item in items:
        for word, what in item.items():
            if word not in TRANSACTED:
                return None
            table = str(what.get("TableName"))
            context = {**_leading(prefix, table, [what]), "dynamodb:enclosingoperation": (operation,)}
            found.append(Check(f"dynamodb:{TRANSACTED[word]}", _arn(prefix, table), context))
    return found


def _arn(prefix: str, table: str) -> str:
    return table if table.startswith("arn:") else f"{prefix}:table/{table}"


def _batch_items(requests: Any) -> list[Mapping[str, Any]]:
    if isinstance(requests, Mapping):  # BatchGetItem
        return [{"Key": key} for key in requests.get("Keys", [])]
    return [next(iter(each.values())) for each in requests]


def _leading(prefix: str, table: str, items: list[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    name = _partition_key(prefix, table)
    values = [value for item in items if name and (value := _partition_value(item, name)) is not None]
    return {"dynamodb:leadingkeys": tuple(values)} if values else {}


def _partition_key(prefix: str, table: str) -> str | None:
    from moto.dynamodb.models import dynamodb_backends

    region, account = prefix.split(":")[3:5]
    found = dynamodb_backends[account][region].tables.get(table.rpartition("/")[2])
    return str(found.hash_key_attr) if found else None


def _partition_value(item: Mapping[str, Any], name: str) -> str | None:
    """Of an item, a key, or the ``name = :value`` of a Query's key condition."""
    typed = (item.get("Key") or item.get("Item") or {}).get(name)
    condition = item.get("KeyConditionExpression")
    if typed is None and condition:
        aliases = {alias for alias, real in item.get("ExpressionAttributeNames", {}).items() if real == name}
        words = "|".join(re.escape(each) for each in (name, *aliases))
        found = re.search(rf"(?:^|[\s(])(?:{words})\s*=\s*(:\w+)", condition)
        typed = item.get("ExpressionAttributeValues", {}).get(found[1]) if found else None
    return str(next(iter(typed.values()))) if typed else None
