"""What Lambda keeps of an account: functions, event source mappings and layers, and the zips of their code.

Every item is a map of plain values with a row of its own in the state, written before the answer goes out. A zip is a
file named by its SHA-256, on the disk before the row that names it. Files that no row names go at the next start: until
then a power cut may bring the row back.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from lakectl.local.durable.copies import sync_path
from lakectl.local.durable.database import Database
from lakectl.local.durable.items import Item, Items

__all__ = ["Item", "Store"]

KIND = "lambda"  # of the rows
FUNCTION, MAPPING, LAYER, CHECKPOINT = "function", "event-source-mapping", "layer", "checkpoint"
_KINDS = (FUNCTION, MAPPING, LAYER, CHECKPOINT)


class Store(Items):
    """The items, and the zips of code in a folder beside the database."""

    def __init__(self, database: Database, state_dir: Path) -> None:
        super().__init__(database, KIND, _KINDS)
        self._folder = state_dir / "state" / "functions"

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
