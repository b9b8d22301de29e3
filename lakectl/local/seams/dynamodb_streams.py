"""Streams of DynamoDB: one record for each item that a request has changed, kept over a restart for 24 hours.

moto writes records while a request runs: two for an UpdateItem that makes an item, one where nothing has changed, and
some of a transaction that fails in the end. Here the items that a request touches are compared when it is done.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html: an operation that changes no data writes
no record, and "all data in DynamoDB Streams is subject to a 24-hour lifetime".
Replaced: ``StreamShard.add``; added: ``StreamShard.__getstate__``, as records have rows of their own. Wrapped:
``DynamoHandler.call_action``.
"""

from __future__ import annotations

import copy
import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import StreamRecord, StreamShard, Table
from moto.dynamodb.responses import DynamoHandler

from lakectl.local.context import LocalContext

KIND = "dynamodb-stream"
LIFETIME_SECONDS = 86_400.0

on_records: list[Callable[[str], None]] = []  # called with a stream's ARN once its new records are on disk

_request = threading.local()


def install(context: LocalContext) -> None:
    StreamShard.add = _noting(context)
    StreamShard.__getstate__ = lambda self: {name: value for name, value in vars(self).items() if name != "items"}
    StreamShard.__setstate__ = lambda self, state: self.__dict__.update(state, items=[])
    DynamoHandler.call_action = _writing(DynamoHandler.call_action, context)
    context.on_load.append(lambda: _load(context))


def _noting(context: LocalContext) -> Callable[..., None]:
    def add(self: StreamShard, old: Item | None, new: Item | None) -> None:
        touched = getattr(_request, "touched", None)
        item = old or new
        before = (self, copy.deepcopy(old) or None)
        if touched is None:
            _write(context, self, old or None, new)
        elif item:
            touched.setdefault((id(self), item.hash_key, item.range_key), before)

    return add


def _writing(original: Callable[..., Any], context: LocalContext) -> Callable[..., Any]:
    def call_action(self: DynamoHandler) -> Any:
        _request.touched = {}
        try:
            return original(self)
        finally:
            touched, _request.touched = _request.touched, None
            for (_, hash_key, range_key), (shard, old) in touched.items():
                # A transaction that fails leaves a copy of the table in its place.
                table = dynamodb_backends[shard.account_id][shard.table.region_name].tables.get(shard.table.name)
                if table is not None and table.stream_shard is shard:
                    new = table.get_item(hash_key, range_key)
                    _write(context, shard, old, new if isinstance(new, Item) else None)

    return call_action


def _write(context: LocalContext, shard: StreamShard, old: Item | None, new: Item | None) -> None:
    if (old is None and new is None) or (old and new and old.to_json() == new.to_json()):
        return
    table = shard.table
    name = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    view = table.stream_specification["StreamViewType"]
    number = len(shard.items) + shard.starting_sequence_number
    record = StreamRecord(table, view, name, old, copy.deepcopy(new), number)
    record.record |= {"awsRegion": table.region_name, "eventVersion": "1.1"}
    shard.items.append(record)
    context.database.put(KIND, _scope(table), f"{number:030d}", pickle.dumps((time.time(), record.record), 5))
    arn = f"{table.table_arn}/stream/{table.latest_stream_label}"
    context.database.after_commit(lambda: _tell(arn))


def _tell(arn: str) -> None:
    for each in on_records:
        each(arn)


def _scope(table: Table) -> str:
    return f"{table.account_id}/{table.region_name}/{table.name}/{table.latest_stream_label}"


def _load(context: LocalContext) -> None:
    """Give the shards their records. Those of tables and streams that are gone go, and those that are too old: but the
    last, whose number the next one follows."""
    shards: dict[str, StreamShard] = {}
    for regions in list(dict.values(dynamodb_backends)):
        for backend in list(dict.values(regions)):
            for table in backend.tables.values():
                if table.stream_shard is not None:
                    table.stream_shard.table = table
                    shards[_scope(table)] = table.stream_shard
    found: dict[str, list[tuple[str, float, dict[str, Any]]]] = {}

    def read(scope: str, identity: str, value: bytes) -> None:
        written, record = pickle.loads(value)  # noqa: S301 - our own file
        found.setdefault(scope, []).append((identity, written, record))

    context.database.load(KIND, read)
    limit = time.time() - LIFETIME_SECONDS
    with context.database.transaction():
        for scope, rows in found.items():
            shard = shards.get(scope)
            if shard is None:
                context.database.delete_scope(KIND, scope)
                continue
            old = [identity for identity, written, _ in rows[:-1] if written < limit]
            for identity in old:
                context.database.delete(KIND, scope, identity)
            kept = rows[len(old) :]
            shard.starting_sequence_number = int(kept[0][0])
            for _, _, content in kept:
                record = StreamRecord.__new__(StreamRecord)
                record.record = content
                shard.items.append(record)
