"""Rows that outlive the server: ``(kind, scope, id) -> bytes``, in the order in which they were first written."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lakectl.errors import LakectlError
from lakectl.local.control import FULL_BYTES
from lakectl.local.durable import undo
from lakectl.local.durable.copies import sync_path
from lakectl.local.durable.undo import Undo

# Of the rows; raise it with every change that an older lakectl can't read. 1: pickles. 2: JSON (``durable.forms``).
FORMAT = 2
OLDEST = 1  # that is read, and rewritten at the start
FILE_NAME = "state.sqlite3"

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS written_by (name TEXT PRIMARY KEY, version TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS state (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL,
  UNIQUE (kind, scope, id));
CREATE TABLE IF NOT EXISTS quarantined (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL,
  reason TEXT NOT NULL);
"""
_PUT = (
    "INSERT INTO state (kind, scope, id, value) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (kind, scope, id) DO UPDATE SET value = excluded.value"
)
_DELETE = "DELETE FROM state WHERE kind = ? AND scope = ? AND id = ?"
_QUARANTINE = (
    "INSERT INTO quarantined (kind, scope, id, value, reason) "
    "SELECT kind, scope, id, value, ? FROM state WHERE kind = ? AND scope = ? AND id = ?"
)
_DELETE_SCOPE = "DELETE FROM state WHERE kind = ? AND scope = ?"


class StateRefused(LakectlError):
    """The state on disk can't be read by this version. Nothing was changed."""


class CommitFailed(Exception):
    """A commit failed, now or earlier: what is in memory is not what is on disk. The server has to start again."""


class _Batch:
    """What one thread has changed since its outermost transaction began."""

    def __init__(self) -> None:
        self.depth = 0
        self.statements: list[tuple[str, tuple[Any, ...]]] = []
        self.collectors: list[Callable[[], None]] = []
        self.callbacks: list[Callable[[], None]] = []


class Database:
    """``folder`` None: in memory. For any thread.

    The rows are written after the change in memory, which can't be undone. So the first commit that fails is the last
    one: ``failure`` says why, ``on_failure`` is called once, and every later write raises CommitFailed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.failure: str | None = None
        self.quarantined = 0  # rows, since this start
        self.rolled_back = False  # at this start
        self.older = False  # an earlier format wrote the state: its rows are to be written again
        self.other_moto = ""  # the version of moto that wrote the pickles, when it is not ours
        self.on_failure: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._local = threading.local()
        self._connection = self._open(folder)
        self._undo = Undo(self._connection)

    def _open(self, folder: Path | None) -> sqlite3.Connection:
        name = ":memory:"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            name = str(folder / FILE_NAME)
        connection = sqlite3.connect(name, check_same_thread=False, isolation_level=None)
        try:
            self._check_version(connection, folder)  # first: what is refused is not touched
            # NORMAL in WAL mode: no fsync at a commit, one at a checkpoint, and no corruption by a power cut.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA + undo.SCHEMA)
            if not connection.execute("SELECT 1 FROM written_by").fetchall():
                _sign(connection)
        except sqlite3.DatabaseError as error:
            connection.close()
            raise _refusal(error, folder) from error
        except StateRefused:
            connection.close()
            raise
        return connection

    def _check_version(self, connection: sqlite3.Connection, folder: Path | None) -> None:
        ours = versions()
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'written_by'").fetchall():
            return
        found = dict(connection.execute("SELECT name, version FROM written_by"))
        if not found:
            return
        written, moto = found.get("format", ""), found.get("moto", "")
        self.older = written != ours["format"]
        self.other_moto = moto if moto != ours["moto"] else ""
        known = written.isdigit() and OLDEST <= int(written) <= FORMAT
        # Format 1 has nothing but pickles, also of objects and items.
        if not known or (written == "1" and self.other_moto):
            writer = f"lakectl {found.get('lakectl')} with moto {moto} (format {written})"
            raise StateRefused(
                f"the state in {folder} was written by {writer}, and this is lakectl {ours['lakectl']} with "
                f"moto {ours['moto']} (formats {OLDEST} to {FORMAT})",
                "lakectl local reset empties it; or go back to that version",
            )

    def sign(self) -> None:
        """All rows are as this version writes them. Until then the next start takes them for the former writer's."""
        with self._lock:
            if dict(self._connection.execute("SELECT name, version FROM written_by")) != versions():
                _sign(self._connection)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All rows written inside become one commit at its end; an inner transaction joins the outer one.

        They are written after an exception too: what is in memory by then is what others see.
        """
        batch = self._batch()
        batch.depth += 1
        try:
            yield
        finally:
            if batch.depth == 1:
                self._finish(batch)
            else:
                batch.depth -= 1

    def flush(self) -> None:
        """Commit what this thread has written so far, without waiting for the end of its transaction."""
        batch = self._batch()
        statements, batch.statements = batch.statements, []
        if statements:
            self._commit(statements)

    def put(self, kind: str, scope: str, identity: str, value: bytes) -> None:
        self._add(_PUT, (kind, scope, identity, value))

    def delete(self, kind: str, scope: str, identity: str) -> None:
        self._add(_DELETE, (kind, scope, identity))

    def delete_scope(self, kind: str, scope: str) -> None:
        self._add(_DELETE_SCOPE, (kind, scope))

    def before_commit(self, collect: Callable[[], None]) -> None:
        """Call ``collect`` when this thread's transaction ends, to write what has changed by then."""
        self._batch().collectors.append(collect)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once this thread's transaction is on disk; at once when there is none."""
        batch = self._batch()
        if batch.depth:
            batch.callbacks.append(callback)
        else:
            callback()

    def rows(self, kind: str) -> list[tuple[str, str, bytes]]:
        """(scope, id, value) of all rows of one kind, oldest first."""
        with self._lock:
            query = "SELECT scope, id, value FROM state WHERE kind = ? ORDER BY seq"
            return list(self._connection.execute(query, (kind,)))

    def load(self, kind: str, read: Callable[[str, str, bytes], None]) -> None:
        """Call ``read(scope, id, value)`` for each row of one kind, oldest first. A row it fails on is quarantined."""
        for scope, identity, value in self.rows(kind):
            try:
                read(scope, identity, value)
            except CommitFailed:
                raise
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one row must not stop the start
                self.quarantine(kind, scope, identity, error)

    def quarantine(self, kind: str, scope: str, identity: str, why: object) -> None:
        """Set a row apart that can't be read: it stays in the file, and no start reads it again."""
        reason = f"{type(why).__name__}: {why}" if isinstance(why, Exception) else str(why)
        log.error("the row %s %s %r of the state can't be read and is quarantined: %s", kind, scope, identity, reason)
        with self.transaction():
            self._add(_QUARANTINE, (reason, kind, scope, identity))
            self.delete(kind, scope, identity)
        self.quarantined += 1

    def holds_quarantined(self, kinds: Iterable[str]) -> bool:
        """Whether this or an earlier start has quarantined rows of one of ``kinds``."""
        with self._lock:
            found = {kind for (kind,) in self._connection.execute("SELECT DISTINCT kind FROM quarantined")}
        return not found.isdisjoint(kinds)

    def end_generation(self) -> int | None:
        """The generation of all commits until now, for ``settle``; None if there were none since the last one."""
        with self._lock:
            return self._undo.end_generation() if self._undo.changed else None

    def settle(self, generation: int) -> None:
        """The bodies that rows of this generation name are on disk: now its rows are too, and can't be rolled back.

        Raises CommitFailed.
        """
        with self._lock:
            if self.failure is not None:
                raise CommitFailed(self.failure)
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._undo.trim(generation)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self.fail(error)
                raise CommitFailed(self.failure) from error
        self.sync()

    def sync(self) -> None:
        """All commits until now are on disk afterwards. Raises OSError."""
        if self.folder is not None:
            with suppress(FileNotFoundError):  # SQLite has taken all of it over into the database, and synced that
                sync_path(self.folder / f"{FILE_NAME}-wal")

    def unsettled(self) -> list[tuple[str, str, str, bytes]]:
        """(kind, scope, id, value) of the rows that an earlier server has written and not settled."""
        query = "SELECT value FROM state WHERE kind = ? AND scope = ? AND id = ?"
        with self._lock:
            found = [(key, self._connection.execute(query, key).fetchone()) for key in self._undo.rows()]
        return [(*key, row[0]) for key, row in found if row is not None]

    def roll_back(self) -> None:
        """Go back to the state that was settled last. For the start, before anything is loaded."""
        with self._lock:
            self._undo.roll_back()
        self.rolled_back = True

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _batch(self) -> _Batch:
        batch: _Batch | None = getattr(self._local, "batch", None)
        if batch is None:
            batch = self._local.batch = _Batch()
        return batch

    def _add(self, statement: str, values: tuple[Any, ...]) -> None:
        with self.transaction():
            self._batch().statements.append((statement, values))

    def _finish(self, batch: _Batch) -> None:
        try:
            self._collect(batch)
            if batch.statements:
                self._commit(batch.statements)
            callbacks = batch.callbacks
        finally:
            self._local.batch = None
        for callback in callbacks:
            callback()

    def _collect(self, batch: _Batch) -> None:
        """What can't become a row stays in memory, and every later write would meet it again: a failed commit too."""
        try:
            for collect in batch.collectors:  # may grow while it runs
                collect()
        except CommitFailed:
            raise
        except Exception as error:
            with self._lock:
                self.fail(error)
            raise CommitFailed(self.failure) from error

    def _commit(self, statements: list[tuple[str, tuple[Any, ...]]]) -> None:
        with self._lock:
            if self.failure is not None:
                raise CommitFailed(self.failure)
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                for statement, values in statements:
                    self._save_undo(statement, values)
                    self._connection.execute(statement, values)
                self._connection.execute("COMMIT")
            except BaseException as error:
                self.fail(error)
                raise CommitFailed(self.failure) from error

    def _save_undo(self, statement: str, values: tuple[Any, ...]) -> None:
        if statement == _DELETE_SCOPE:
            self._undo.save_scope(*values)
        elif statement != _QUARANTINE:
            self._undo.save(*values[:3])

    def fail(self, error: BaseException) -> None:
        """From now on nothing is written any more, because of ``error``."""
        self.failure = no_space(self.folder) if is_full(error, self.folder) else f"the state can't be written: {error}"
        with suppress(sqlite3.Error):  # some failures have rolled back already
            self._connection.execute("ROLLBACK")
        self.on_failure()


def is_full(error: BaseException, folder: Path | None) -> bool:
    """Whether ``error`` came from want of space on the disk of ``folder``."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if not isinstance(error, sqlite3.Error) or folder is None:
        return False
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    # Some failures for want of space are I/O errors to SQLite.
    failed = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    return code == sqlite3.SQLITE_FULL or (failed and shutil.disk_usage(folder).free < FULL_BYTES)


def no_space(folder: Path | None) -> str:
    return f"no space left on the disk of {folder}"


def _refusal(error: sqlite3.DatabaseError, folder: Path | None) -> Exception:
    if is_full(error, folder):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StateRefused(f"the state in {folder} can't be opened: {error}", "check the disk and who may write there")
    return StateRefused(f"the state in {folder} can't be read: {error}", "lakectl local reset empties it")


def _sign(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM written_by")
    connection.executemany("INSERT INTO written_by VALUES (?, ?)", versions().items())
    connection.execute("COMMIT")


def versions() -> dict[str, str]:
    from importlib.metadata import version

    from lakectl import __version__

    return {"format": str(FORMAT), "moto": version("moto"), "lakectl": __version__}
