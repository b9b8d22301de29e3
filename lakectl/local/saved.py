"""Saved states: all that the local AWS holds, kept under a name beside it, and put back.

A saved state is a folder: ``state.sqlite3``, ``bodies/``, and ``about.json``, which is written last. Bodies of objects
are never changed in place, so they are hard links where the disk has these. Rows are copied by SQLite's own backup,
which reads one committed state while the server goes on; what a request has acknowledged before is in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lakectl import __version__
from lakectl.errors import LakectlError, UsageError
from lakectl.local import control, swapped
from lakectl.local.durable import copies

FOLDER = "saved"  # in the server's folder
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ABOUT = "about.json"
STATE_FILE = "state.sqlite3"  # durable.database.FILE_NAME, without importing what the server needs
# Kinds of rows that change though nobody changes anything: clocks, due times, and what a role did last.
RESTLESS = ("s3-clock", "schedule", "iam-used-action")


@dataclass(frozen=True)
class Saved:
    """``saved_at`` is ISO 8601 in UTC; ``bytes`` on disk, with what it shares with others; ``objects``: those that a
    listing shows; ``version``: of lakectl; ``digest``: equal for equal states."""

    name: str
    saved_at: str
    bytes: int
    buckets: int
    objects: int
    version: str
    digest: str


def save(name: str, *, replace: bool = False) -> Saved:
    """Keep the state as it is now under ``name``. The server may run. Raises LakectlError."""
    folder = control.server_dir()
    target = _folder(name)
    if not (folder / control.STATE_FOLDER / STATE_FILE).exists():
        raise LakectlError("there is nothing to save: the local AWS was never used", "lakectl local start")
    if target.exists() and not replace:
        raise UsageError(f"there is a saved state {name!r} already", f"lakectl local save {name} --replace")
    draft = target.with_name(f".{name}.{os.getpid()}")
    with control.starting(folder):
        swapped.settle(folder / control.STATE_FOLDER)
        try:
            draft.mkdir(parents=True, mode=0o700)
            with copies.no_deletion(folder / control.STATE_FOLDER):
                _copy_rows(folder / control.STATE_FOLDER / STATE_FILE, draft / STATE_FILE)
                copies.copy_bodies(folder / control.STATE_FOLDER / "bodies", draft / "bodies")
            about = _described(name, draft)
            copies.sync(draft)
            control.write_json(draft / ABOUT, vars(about))
            delete(name)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return about


def restore(name: str) -> Saved:
    """The state saved under ``name`` takes the place of the present one. Stops the server. Raises LakectlError."""
    about = find(name)
    folder, source = control.server_dir(), _folder(name)
    _check_format(source)
    state = folder / control.STATE_FOLDER
    with control.starting(folder):
        control.stop()
        swapped.settle(state)
        copy_to(source, folder / swapped.NEW)
        swapped.take_over(state)
    return about


def copy_to(source: Path, target: Path) -> None:
    """Make ``target`` a state folder with what the saved state in ``source`` holds. Raises OSError."""
    target.mkdir(parents=True, mode=0o700)
    copies.copy_file(source / STATE_FILE, target / STATE_FILE)
    copies.copy_bodies(source / "bodies", target / "bodies")


def found() -> list[Saved]:
    """All saved states, by name."""
    states = []
    for path in sorted(_root().glob(f"*/{ABOUT}")):
        if NAME.fullmatch(path.parent.name):  # not one that is being made
            states.append(Saved(**json.loads(path.read_text())))
    return states


def find(name: str) -> Saved:
    """Raises UsageError if there is none."""
    path = _folder(name) / ABOUT
    if not path.exists():
        known = ", ".join(each.name for each in found())
        raise UsageError(f"there is no saved state {name!r}", f"there are: {known}" if known else "lakectl local save")
    return Saved(**json.loads(path.read_text()))


def delete(name: str) -> bool:
    """Forget a saved state. False if there is none. Raises OSError."""
    target = _folder(name)
    if not target.exists():
        return False
    doomed = target.with_name(f".{name}.{os.getpid()}.deleted")
    target.rename(doomed)  # first: a folder half deleted must not look like a state
    shutil.rmtree(doomed)
    return True


def unsaved() -> bool:
    """Whether the present state would be lost: it holds something, and no saved state is equal to it."""
    path = control.server_dir() / control.STATE_FOLDER / STATE_FILE
    if not path.exists():
        return False
    with closing(sqlite3.connect(path)) as connection:
        held, digest = _digest(connection)
    return held and digest not in {each.digest for each in found()}


def _root() -> Path:
    return control.server_dir() / FOLDER


def _folder(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a saved state",
            "letters, digits, '.', '_' and '-', a letter or digit first, 64 at most",
        )
    return _root() / name


def _check_format(source: Path) -> None:
    """What the server would refuse must not take the place of what it reads."""
    from lakectl.local.durable.database import FORMAT

    with closing(sqlite3.connect(source / STATE_FILE)) as connection:
        written = dict(connection.execute("SELECT name, version FROM written_by"))
    if not 1 <= int(written["format"]) <= FORMAT:
        raise LakectlError(
            f"{source.name} was saved by lakectl {written['lakectl']} (format {written['format']}), "
            f"and this is lakectl {__version__} (formats 1 to {FORMAT})",
            f"pip install 'lakectl[local]=={written['lakectl']}'",
        )


def _copy_rows(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as rows, closing(sqlite3.connect(target)) as copy:
        rows.backup(copy)
        # All bodies are copied too: nothing of it has to be rolled back ever.
        copy.execute("DELETE FROM undo")
        copy.commit()
        copy.execute("PRAGMA journal_mode = DELETE")  # one file
    target.chmod(0o600)


def _described(name: str, folder: Path) -> Saved:
    with closing(sqlite3.connect(folder / STATE_FILE)) as connection:
        _, digest = _digest(connection)
        (buckets,) = connection.execute("SELECT count(*) FROM state WHERE kind = 's3-bucket'").fetchone()
        objects = _objects(connection)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Saved(name, control.now(), size, buckets, objects, __version__, digest)


def _objects(connection: sqlite3.Connection) -> int:
    latest: dict[tuple[str, str], bool] = {}
    # Rows of delete markers have no key; those of format 1 no "multipart".
    query = (
        "SELECT scope, id, CASE WHEN substr(value, 1, 1) = X'80' THEN instr(value, CAST('multipart' AS BLOB)) "
        """ELSE NOT instr(value, CAST('"f":{"key":null' AS BLOB)) END """
        "FROM state WHERE kind = 's3-version' ORDER BY seq"
    )
    for bucket, identity, is_object in connection.execute(query):
        latest[bucket, identity.partition("\0")[0]] = bool(is_object)
    return sum(latest.values())


def _digest(connection: sqlite3.Connection) -> tuple[bool, str]:
    """(whether there are rows, a digest of them)."""
    digest, held = hashlib.sha256(), False
    marks = ", ".join("?" * len(RESTLESS))
    query = f"SELECT kind, scope, id, value FROM state WHERE kind NOT IN ({marks}) ORDER BY kind, scope, id"  # noqa: S608
    for row in connection.execute(query, RESTLESS):
        held = True
        for each in row:
            data = each.encode() if isinstance(each, str) else each
            digest.update(b"%d:" % len(data) + data)
    return held, digest.hexdigest()
