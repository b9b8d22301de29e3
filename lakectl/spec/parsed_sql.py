"""What was made of SQL texts, kept from one command to the next: importing sqlglot costs more than a short command.

One JSON file in the user's cache folder. It is thrown away when sqlglot or a module of :mod:`lakectl.spec` changes, and
a file that can't be read or written only costs time.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from lakectl import __version__

MOST = 2_000  # entries; when there are more, keeping starts again

_lock = threading.Lock()


def kept(what: str, arguments: object, make: Callable[[], Any]) -> Any:
    """``make()``, a JSON value, or what it gave before for these ``arguments`` (JSON, too).

    What ``make`` raises is raised, and not kept.
    """
    key = sha256(json.dumps([what, arguments]).encode()).hexdigest()
    entries = _entries()
    if key in entries:
        return entries[key]
    made = make()
    with _lock:
        if len(entries) >= MOST:
            entries.clear()
        entries[key] = made
    _write_at_exit()
    return made


def path() -> Path:
    """``${XDG_CACHE_HOME:-~/.cache}/lakectl/sql.json``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lakectl/sql.json"


@cache
def _makers() -> list[Any]:
    """What the entries depend on: versions, and when the code that made them was changed."""
    found = importlib.util.find_spec("sqlglot")
    parser = [Path(found.origin)] if found and found.origin else []
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return [__version__, *(f"{module.name} {module.stat().st_mtime_ns}" for module in parser + modules)]


@cache
def _entries() -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        read = json.loads(path().read_bytes())
        if isinstance(read, dict) and read.get("makers") == _makers() and isinstance(read.get("entries"), dict):
            return dict(read["entries"])
    return {}


@cache
def _write_at_exit() -> None:
    """Once a command, and not once an expression."""
    atexit.register(write)


def write() -> None:
    """Write the file: all or nothing, as another command may be reading it."""
    with contextlib.suppress(OSError):
        path().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path().parent, prefix="sql-", suffix=".tmp", delete=False) as file:
            written = Path(file.name)
            try:
                with _lock:
                    json.dump({"makers": _makers(), "entries": _entries()}, file)
                file.close()
                written.replace(path())
            except BaseException:
                written.unlink()
                raise
