"""What rows held before the latest changes, until the disk has those changes and the bodies that they name.

A row is committed before the bytes of the bodies that it names are synced: a sync takes longer than the whole request.
So a power cut can leave rows whose bytes are gone, in services that refer to each other. Then all rows go back to how
they were at the last sync. Generations are numbered; a sync ends one, and the first change of a row in each
generation saves what it held.
"""

from __future__ import annotations

import sqlite3
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS undo (
  generation INTEGER NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER, value BLOB,
  UNIQUE (generation, kind, scope, id));
"""
_SAVE = (
    "INSERT OR IGNORE INTO undo SELECT ?1, ?2, ?3, ?4, state.seq, state.value FROM (SELECT 1) "
    "LEFT JOIN state ON kind = ?2 AND scope = ?3 AND id = ?4"
)
_SAVE_SCOPE = (
    "INSERT OR IGNORE INTO undo SELECT ?1, kind, scope, id, seq, value FROM state WHERE kind = ?2 AND scope = ?3"
)


class Undo:
    """Call everything while the connection is yours; ``save`` and ``trim`` inside a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (latest,) = connection.execute("SELECT max(generation) FROM undo").fetchone()
        self._generation = (latest or 0) + 1
        self._saved: set[tuple[str, str, str]] = set()  # in this generation
        self.changed = latest is not None  # since the generation began, or by an earlier server

    def save(self, kind: str, scope: str, identity: str) -> None:
        """Before the row changes, appears or goes."""
        self.changed = True
        key = (kind, scope, identity)
        if key not in self._saved:
            self._saved.add(key)
            self._connection.execute(_SAVE, (self._generation, *key))

    def save_scope(self, kind: str, scope: str) -> None:
        """Before all rows of a scope go."""
        self.changed = True
        self._connection.execute(_SAVE_SCOPE, (self._generation, kind, scope))

    def end_generation(self) -> int:
        """The number of the generation that has ended with the latest commit."""
        ended, self._generation = self._generation, self._generation + 1
        self._saved.clear()
        self.changed = False
        return ended

    def trim(self, generation: int) -> None:
        """The changes of this generation and of those before it are on disk."""
        self._connection.execute("DELETE FROM undo WHERE generation <= ?", (generation,))

    def rows(self) -> list[tuple[str, str, str]]:
        """(kind, scope, id) of all rows that have changed since the last sync."""
        return list(self._connection.execute("SELECT DISTINCT kind, scope, id FROM undo"))

    def roll_back(self) -> None:
        """Give all rows what they held at the last sync."""
        before: dict[tuple[str, str, str], tuple[Any, Any]] = {}
        query = "SELECT kind, scope, id, seq, value FROM undo ORDER BY generation DESC"
        for kind, scope, identity, seq, value in self._connection.execute(query):
            before[kind, scope, identity] = (seq, value)  # the oldest is what counts
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        for key in before:
            execute("DELETE FROM state WHERE kind = ? AND scope = ? AND id = ?", key)
        for key, (seq, value) in before.items():
            if seq is not None:
                execute("INSERT INTO state (seq, kind, scope, id, value) VALUES (?, ?, ?, ?, ?)", (seq, *key, value))
        execute("DELETE FROM undo")
        execute("COMMIT")
