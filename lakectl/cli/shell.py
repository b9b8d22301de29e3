"""Commands of this program as they work when they are typed into the shell that it was started from."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from lakectl.cli.app import App


def command(app: App, words: str) -> str:
    """``lakectl WORDS`` for the lake that the options of this invocation name."""
    options = [f"{'-c' if key == 'config' else '--' + key.replace('_', '-')} {shlex.quote(value)}"
               for key, value in app.options.items() if value]  # fmt: skip
    return " ".join([program(), words, *options])


def program() -> str:
    """``lakectl`` if the shell finds this very program under that name, else a path to it."""
    started = Path(sys.argv[0])
    own = started if started.name == "lakectl" and started.is_file() else Path(sys.executable).with_name("lakectl")
    if not own.is_file():
        return f"{shlex.quote(sys.executable)} -m lakectl"
    found = shutil.which("lakectl")
    # Another package installs a program of this name, too.
    if found and Path(found).resolve() == own.resolve():
        return "lakectl"
    near = os.path.relpath(own)
    return shlex.quote(str(own.absolute()) if near.startswith("..") else near)
