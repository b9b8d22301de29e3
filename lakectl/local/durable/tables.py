"""DynamoDB's tables and items as rows: what changed in a transaction is written at its end."""

from __future__ import annotations

import json
import pickle
import threading
from collections import defaultdict
from contextlib import AbstractContextManager
from typing import Any

from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import RestoredPITTable, RestoredTable, Table

from lakectl.local.durable.database import Database
from lakectl.local.durable.forms import is_pickle
from lakectl.local.durable.forms_dynamodb import CODEC

TABLE, ITEM, REST = "dynamodb-table", "dynamodb-item", "dynamodb-rest"
RESTS = ("backups", "table_imports", "table_exports", "resource_policies")  # of a backend, beside its tables
KINDS = {kind.__name__: kind for kind in (Table, RestoredTable, RestoredPITTable)}
CLASS = "class"  # which of them a row holds


class Tables:
    """Call ``touch_*`` inside a transaction that ends while ``lock`` is held: one request changes tables at a time."""

    def __init__(self, database: Database, lock: AbstractContextManager[Any]) -> None:
        self.database = database
        self.lock = lock
        self._local = threading.local()
        self._known: set[str] = set()  # tables that have rows

    def touch_item(self, table: Table, hash_key: DynamoType, range_key: DynamoType | None) -> None:
        scope = _scope(table.account_id, table.region_name, table.name)
        self._dirty()[(scope, _id(hash_key, range_key))] = (hash_key, range_key)

    def touch_all(self, backend: DynamoDBBackend) -> None:
        """Everything but items may have changed; and the items of a table that was just restored or imported."""
        self._dirty()[(f"{backend.account_id}/{backend.region_name}/", "")] = backend

    def load(self) -> None:
        """Put all rows into moto's backends. For the start, before the first request."""
        tables: dict[str, Table] = {}

        def read_rest(scope: str, _: str, value: bytes) -> None:
            account, region, _ = scope.split("/", 2)
            backend = dynamodb_backends[account][region]
            backend.__dict__.update(_read(value))
            for backup in backend.backups.values():
                _know_shard(backup.table)

        def read_table(scope: str, _: str, value: bytes) -> None:
            account, region, name = scope.split("/", 2)
            kept = _read(value)
            kind = kept.pop(CLASS, "Table")
            table = KINDS[kind].__new__(KINDS[kind])
            table.__dict__.update(kept, items=defaultdict(dict))
            _know_shard(table)
            dynamodb_backends[account][region].tables[name] = tables[scope] = table

        def read_item(scope: str, _: str, value: bytes) -> None:
            table, attributes = tables[scope], _read(value)
            hash_key = DynamoType(attributes[table.hash_key_attr])
            if table.range_key_attr is None:
                table.items[hash_key] = Item(hash_key, None, attributes)
            else:
                range_key = DynamoType(attributes[table.range_key_attr])
                table.items[hash_key][range_key] = Item(hash_key, range_key, attributes)

        self.database.load(REST, read_rest)
        self.database.load(TABLE, read_table)
        self.database.load(ITEM, read_item)
        self._known = set(tables)

    def rewrite(self) -> None:
        """Write again what ``load`` has read from rows of format 1."""
        for kind in (REST, TABLE, ITEM):
            for scope, identity, value in self.database.rows(kind):
                if is_pickle(value):
                    found = _read(value)
                    if kind == REST:
                        found = {name: each for name, each in found.items() if name in RESTS}
                    self.database.put(kind, scope, identity, CODEC.dumps(found))

    def _dirty(self) -> dict[tuple[str, str], Any]:
        dirty: dict[tuple[str, str], Any] | None = getattr(self._local, "dirty", None)
        if dirty is None:
            dirty = self._local.dirty = {}
            self.database.before_commit(self._collect)
        return dirty

    def _collect(self) -> None:
        dirty, self._local.dirty = self._local.dirty, None
        for (scope, identity), what in dirty.items():
            if identity:
                self._write_item(scope, identity, *what)
            else:
                self._write_tables(scope, what)

    def _write_item(self, scope: str, identity: str, hash_key: DynamoType, range_key: DynamoType | None) -> None:
        account, region, name = scope.split("/", 2)
        table = dynamodb_backends[account][region].tables.get(name)
        item = table.get_item(hash_key, range_key) if table is not None else None
        if not isinstance(item, Item):  # moto finds an empty dictionary for some keys that are not there
            self.database.delete(ITEM, scope, identity)
        else:
            self.database.put(ITEM, scope, identity, CODEC.dumps({k: _plain(v) for k, v in item.attrs.items()}))

    def _write_tables(self, scope: str, backend: DynamoDBBackend) -> None:
        rest = {name: value for name, value in vars(backend).items() if name in RESTS}
        self.database.put(REST, scope, "", CODEC.dumps(rest))
        for name, table in backend.tables.items():
            key = scope + name
            state = {name: value for name, value in vars(table).items() if name != "items"}
            self.database.put(TABLE, key, "", CODEC.dumps(state | {CLASS: type(table).__name__}))
            if key not in self._known:
                self._known.add(key)
                for hash_key, found in table.items.items():
                    for range_key in found if table.has_range_key else (None,):
                        self._write_item(key, _id(hash_key, range_key), hash_key, range_key)
        for key in [key for key in self._known if key.startswith(scope) and key[len(scope) :] not in backend.tables]:
            self._known.discard(key)
            self.database.delete_scope(TABLE, key)
            self.database.delete_scope(ITEM, key)


def _read(value: bytes) -> dict[str, Any]:
    """A row of format 1 or of a later one."""
    found: dict[str, Any] = pickle.loads(value) if is_pickle(value) else CODEC.loads(value)  # noqa: S301 - our own file
    if "stream_shard" in found and found["stream_shard"] is not None:
        found["stream_shard"].__dict__.pop("table", None)  # format 1 kept the table with all its items once more
    return found


def _know_shard(table: Table) -> None:
    if table.stream_shard is not None:
        table.stream_shard.table = table


def _scope(account: str, region: str, name: str) -> str:
    return f"{account}/{region}/{name}"


def _id(hash_key: DynamoType, range_key: DynamoType | None) -> str:
    """Equal for equal keys: to DynamoDB 1 and 1.0 are one number."""
    found = []
    for key in (hash_key, range_key):
        value = key.cast_value if key is not None else None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        found.append([key.type, str(value)] if key is not None else None)
    return json.dumps(found)


def _plain(value: Any) -> Any:
    """A value as requests have it, e.g. {"L": [{"N": "1"}, {"B": b"..."}]}: no object of moto's in it."""
    if isinstance(value, DynamoType):
        return {value.type: _plain(value.value)}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
