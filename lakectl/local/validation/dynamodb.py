"""DynamoDB: names, empty keys, what an expression leaves unused, how much one batch may hold.

Wrapped: methods of ``DynamoHandler``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moto.dynamodb.exceptions import KeyIsEmptyStringException, MockValidationException
from moto.dynamodb.responses import DynamoHandler

from lakectl.local.validation import constraint

TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
MAX_BATCH = 25
EXPRESSIONS = (
    "ConditionExpression",
    "UpdateExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
)


def install() -> None:
    DynamoHandler.create_table = _checked(DynamoHandler.create_table, _check_table_name, _check_capacity)
    DynamoHandler.put_item = _checked(DynamoHandler.put_item, _check_keys, _check_unused)
    DynamoHandler.batch_write_item = _checked(DynamoHandler.batch_write_item, _check_batch)
    for name in ("update_item", "delete_item", "query", "scan"):
        setattr(DynamoHandler, name, _checked(getattr(DynamoHandler, name), _check_unused))


def _checked(original: Callable[..., Any], *checks: Callable[..., None]) -> Callable[..., Any]:
    def handle(self: DynamoHandler) -> Any:
        for check in checks:
            check(self, self.body)
        return original(self)

    return handle


def _check_table_name(_handler: DynamoHandler, request: dict[str, Any]) -> None:
    if not TABLE_NAME.fullmatch(request["TableName"]):
        rule = f"satisfy regular expression pattern: {TABLE_NAME.pattern}"
        raise MockValidationException(constraint.text(request["TableName"], "tableName", rule))


def _check_capacity(_handler: DynamoHandler, request: dict[str, Any]) -> None:
    if request.get("BillingMode") == "PAY_PER_REQUEST" and request.get("ProvisionedThroughput"):
        raise MockValidationException(
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be "
            "specified when BillingMode is PAY_PER_REQUEST"
        )


def _check_keys(handler: DynamoHandler, request: dict[str, Any]) -> None:
    table = handler.dynamodb_backend.get_table(request["TableName"])
    for key in (table.hash_key_attr, table.range_key_attr):
        if key and request["Item"].get(key) == {"S": ""}:
            raise KeyIsEmptyStringException(key)


def _check_batch(handler: DynamoHandler, request: dict[str, Any]) -> None:
    if sum(map(len, request["RequestItems"].values())) > MAX_BATCH:
        rule = f"[Member must have length less than or equal to {MAX_BATCH}]"
        raise MockValidationException(
            f"1 validation error detected: Value at 'requestItems' failed to satisfy constraint: {rule}"
        )
    for name, writes in request["RequestItems"].items():
        table = handler.dynamodb_backend.get_table(name)
        keys = {key for key in (table.hash_key_attr, table.range_key_attr) if key}
        if any(not keys <= write["PutRequest"]["Item"].keys() for write in writes if "PutRequest" in write):
            raise MockValidationException("The provided key element does not match the schema")


def _check_unused(_handler: DynamoHandler, request: dict[str, Any]) -> None:
    expressions = " ".join(request[name] for name in EXPRESSIONS if request.get(name))
    for field, mark in (("ExpressionAttributeValues", ":"), ("ExpressionAttributeNames", "#")):
        given = request.get(field)
        if not given or not expressions:
            continue
        unused = set(given) - set(re.findall(rf"{mark}\w+", expressions))
        if unused:
            keys = ", ".join(sorted(unused))
            raise MockValidationException(f"Value provided in {field} unused in expressions: keys: {{{keys}}}")
