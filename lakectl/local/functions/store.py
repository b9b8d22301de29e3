"""What Lambda keeps of an account: functions, event source mappings and layers, and the zips of their code.

Every item is a map of plain values with a row of its own in the state, written before the answer goes out. A zip is a
file named by its SHA-256, on the disk before the row that names it. Files that no row names go at the next start: until
then a power cut may bring the row back.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lakectl.local.durable.copies import sync_path
from lakectl.local.durable.database import Database

KIND = "lambda"  # of the rows
FUNCTION, MAPPING, LAYER, CHECKPOINT = "function", "event-source-mapping", "layer", "checkpoint"
_KINDS = (FUNCTION, MAPPING, LAYER, CHECKPOINT)
Item = dict[str, Any]


class Store:
    """Items by region, kind and key, in the order in which they were made. ``lock`` is held around each request."""

    def __init__(self, database: Database, state_dir: Path) -> None:
        self.lock = threading.RLock()
        self._database = database
        self._folder = state_dir / "state" / "functions"
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
        self._database.put(KIND, region, f"{kind}/{key}", json.dumps(item).encode())

    def delete(self, region: str, kind: str, key: str) -> None:
        if self.all(region, kind).pop(key, None) is not None:
            self._database.delete(KIND, region, f"{kind}/{key}")

    def load(self) -> None:
        """What an earlier server has kept."""
        self._database.load(KIND, self._load_one)

    def _load_one(self, region: str, identity: str, value: bytes) -> None:
        kind, _, key = identity.partition("/")
        if kind not in _KINDS:
            raise ValueError(f"unknown kind {kind!r}")
        self.all(region, kind)[key] = json.loads(value)

    def keep_zip(self, data: bytes) -> str:
        """Write a zip to the disk. Returns its SHA-256, hexadecimal."""
        digest = hashlib.sha256(data).hexdigest()
        path = self.zip_path(digest)
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{digest}.{uuid.uuid4().hex}")
            draft.write_bytes(data)
            sync_path(draft)
            draft.rename(path)
            sync_path(self._folder)
        return digest

    def zip_path(self, digest: str) -> Path:
        return self._folder / f"{digest}.zip"

    def drop_zips_but(self, used: Iterable[str]) -> None:
        """Delete the files that no item names. For the start."""
        kept = {f"{digest}.zip" for digest in used}
        for entry in os.scandir(self._folder) if self._folder.is_dir() else ():
            if entry.name not in kept:
                Path(entry.path).unlink()
