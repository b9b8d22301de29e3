"""DynamoDB: one request after the other, and transactions whose cost does not grow with the table.

moto lets requests interleave: of 500 rows acknowledged by concurrent transactions 491 were present, and 25 claims
were granted twice. It also deep-copies whole tables before each transaction. Wrapped: ``DynamoHandler.call_action``,
``DynamoDBBackend.transact_write_items``. Added: ``Table.__deepcopy__``.
"""

from __future__ import annotations

import copy
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from lakectl.local.context import LocalContext
from lakectl.local.durable.tables import Tables
from lakectl.local.seams import dynamodb_costs, dynamodb_queries, dynamodb_updates
from lakectl.local.seams.core import saving_others

ITEM_ACTIONS = {
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "TransactWriteItems",
    "ExecuteStatement",
    "BatchExecuteStatement",
    "ExecuteTransaction",
    "Query",
    "Scan",
}
READING = ("Get", "BatchGet", "TransactGet", "Describe", "List")

requests = threading.RLock()  # held by each request, one after the other
_transaction = threading.local()


def install(context: LocalContext) -> None:
    tables = context.tables = Tables(context.database, requests)
    DynamoHandler.call_action = _kept(DynamoHandler.call_action, context)
    Table.put_item = _touching_put(Table.put_item, tables)
    Table.delete_item = _touching_delete(Table.delete_item, tables)
    DynamoDBBackend.update_item = _touching_update(DynamoDBBackend.update_item, tables)
    take_turns()


def take_turns() -> None:
    """What moto lacks without any store behind it: one request after the other, transactions that cost little."""
    DynamoHandler.call_action = _one_at_a_time(DynamoHandler.call_action)
    DynamoDBBackend.transact_write_items = _remembering(DynamoDBBackend.transact_write_items)
    Table.__deepcopy__ = _deepcopy
    dynamodb_costs.install()
    dynamodb_queries.install()
    dynamodb_updates.install()


def _one_at_a_time(original: Callable[..., Any]) -> Callable[..., Any]:
    def call_action(self: DynamoHandler) -> Any:
        with requests:
            return original(self)

    return call_action


def _kept(original: Callable[..., Any], context: LocalContext) -> Callable[..., Any]:
    def call_action(self: DynamoHandler) -> Any:
        action = self._get_action() or ""
        if action.startswith(READING):
            with context.database.transaction():
                return original(self)
        with saving_others(context, "dynamodb"):
            try:
                return original(self)
            finally:
                if action not in ITEM_ACTIONS:
                    context.tables.touch_all(self.dynamodb_backend)

    return call_action


def _touching_put(original: Callable[..., Any], tables: Tables) -> Callable[..., Any]:
    def put_item(self: Table, *args: Any, **kwargs: Any) -> Any:
        item = original(self, *args, **kwargs)
        tables.touch_item(self, item.hash_key, item.range_key)
        return item

    return put_item


def _touching_delete(original: Callable[..., Any], tables: Tables) -> Callable[..., Any]:
    def delete_item(self: Table, hash_key: DynamoType, range_key: DynamoType | None) -> Any:
        tables.touch_item(self, hash_key, range_key)
        return original(self, hash_key, range_key)

    return delete_item


def _touching_update(original: Callable[..., Any], tables: Tables) -> Callable[..., Any]:
    def update_item(self: DynamoDBBackend, table_name: str, key: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        item = original(self, table_name, key, *args, **kwargs)
        tables.touch_item(self.get_table(table_name), item.hash_key, item.range_key)
        return item

    return update_item


def _remembering(original: Callable[..., None]) -> Callable[..., None]:
    def transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        _transaction.items, _transaction.clones = transact_items, {}
        try:
            original(self, transact_items)
        finally:
            _transaction.items = _transaction.clones = None

    return transact_write_items


def _deepcopy(self: Table, memo: dict[int, Any]) -> Table:
    """Inside a transaction: a snapshot that is deep only for the items that the transaction touches.

    moto asks for one for each item before it changes any: they are all the same.
    """
    operations = getattr(_transaction, "items", None)
    if operations is None:
        whole: Table = copy.copy(self)
        whole.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return whole
    if self.name in _transaction.clones:
        known: Table = _transaction.clones[self.name]
        return known
    clone: Table = copy.copy(self)
    clone.items = defaultdict(dict, self.items)
    copied: set[DynamoType] = set()
    for operation in operations:
        (described,) = list(operation.values())[:1]
        key = described.get("Key") or described.get("Item") or {}
        if described.get("TableName") == self.name and self.hash_key_attr in key:
            _keep(clone, key, copied)
    _transaction.clones[self.name] = clone
    return clone


def _keep(clone: Table, key: dict[str, Any], copied: set[DynamoType]) -> None:
    """Take one item out of what clone and original share; ``copied``: the partitions that are the clone's own."""
    hash_key = DynamoType(key[clone.hash_key_attr])
    if hash_key not in clone.items:
        return
    if clone.range_key_attr is None:
        clone.items[hash_key] = copy.deepcopy(clone.items[hash_key])
        return
    if hash_key not in copied:
        clone.items[hash_key] = dict(clone.items[hash_key])
        copied.add(hash_key)
    partition = clone.items[hash_key]
    range_value = key.get(clone.range_key_attr)
    if range_value is not None and DynamoType(range_value) in partition:
        partition[DynamoType(range_value)] = copy.deepcopy(partition[DynamoType(range_value)])
