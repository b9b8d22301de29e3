"""What a service of our own keeps: items of plain values, each a row of JSON, written before the answer goes out."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection
from typing import Any

from lakectl.local.durable.database import Database

Item = dict[str, Any]


class Items:
    """Items by region, kind and key, in the order in which they were made. ``lock`` is held around each request."""

    def __init__(self, database: Database, service: str, kinds: Collection[str]) -> None:
        """``service``: the kind of the rows."""
        self.lock = threading.RLock()
        self._database = database
        self._service = service
        self._kinds = frozenset(kinds)
        self._items: dict[tuple[str, str], dict[str, Item]] = {}

    def all(self, region: str, kind: str) -> dict[str, Item]:
        """The items themselves: changes go through ``put``."""
        return self._items.setdefault((region, kind), {})

    def everywhere(self, kind: str) -> list[tuple[str, Item]]:
        """(region, item) of all regions."""
        found = [(region, items) for (region, each), items in list(self._items.items()) if each == kind]
        return [(region, item) for region, items in found for item in list(items.values())]

    def put(self, region: str, kind: str, key: str, item: Item) -> None:
        self.all(region, kind)[key] = item
        self._database.put(self._service, region, f"{kind}/{key}", json.dumps(item).encode())

    def delete(self, region: str, kind: str, key: str) -> None:
        """Nothing happens when there is no such item."""
        if self.all(region, kind).pop(key, None) is not None:
            self._database.delete(self._service, region, f"{kind}/{key}")

    def load(self) -> None:
        """What an earlier server has kept."""
        self._database.load(self._service, self._load_one)

    def _load_one(self, region: str, identity: str, value: bytes) -> None:
        kind, _, key = identity.partition("/")
        if kind not in self._kinds:
            raise ValueError(f"unknown kind {kind!r}")
        self.all(region, kind)[key] = json.loads(value)
