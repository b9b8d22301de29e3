"""Where the user's files are: ``config/ jobs/ lambdas/ queries/``.

In a checkout they stand beside the package; a wheel carries a copy.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lakectl.errors import UsageError

PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Project:
    """The folder that holds ``jobs/`` and ``lambdas/``, and the config file in use."""

    root: Path
    config_file: Path

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def lambdas(self) -> Path:
        return self.root / "lambdas"

    @property
    def queries(self) -> Path:
        """Of the lake that the config describes: another lake's queries would ask for tables that it does not have."""
        return home(self.config_file) / "queries"


def home(config_file: Path) -> Path:
    """The folder that a config file is about: the one that holds its ``config/``, or the file itself."""
    folder = config_file.resolve().parent
    return folder.parent if folder.name == "config" else folder


def shipped_root() -> Path:
    """The files that came with lakectl: the checkout's own, or the wheel's copy."""
    packaged = PACKAGE / "project"
    return packaged if packaged.is_dir() else PACKAGE.parent


def state_dir() -> Path:
    """What lakectl keeps on this machine between two commands: ``${XDG_STATE_HOME:-~/.local/state}/lakectl``."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "lakectl"


def find(config: str | None = None) -> Project:
    """The project in use: ``-c/--config``, ``LAKECTL_CONFIG``, ``./config/lake.yaml``, else the shipped one.

    Where the config's own folder does not have ``jobs/`` and ``lambdas/``, the shipped ones are used. Queries are
    never another folder's.
    Raises :class:`UsageError` when a named config file does not exist.
    """
    named = config or os.environ.get("LAKECTL_CONFIG")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise UsageError(f"no config file at {path}", "name one that exists with -c/--config")
    else:
        path = Path("config/lake.yaml")
        if not path.is_file():
            path = shipped_root() / "config/lake.yaml"
    root = home(path)
    complete = all((root / part).is_dir() for part in ("jobs", "lambdas"))
    return Project(root if complete else shipped_root(), path)
