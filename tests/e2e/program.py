"""The program as a person runs it, on the test run's own endpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from program_process import run_program

T = TypeVar("T")
WAITING = {"PENDING", "CLAIMED"}


def run_lakectl(*arguments: str, cwd: Path, code: int = 0, with_errors: bool = True) -> str:
    """Run ``lakectl`` and return what it printed. Fails the test on another exit code."""
    done = run_program(*arguments, cwd=cwd, timeout=400)
    assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout + (done.stderr if with_errors else "")


def run_json(*arguments: str, cwd: Path) -> Any:
    return json.loads(run_lakectl(*arguments, "--json", cwd=cwd, with_errors=False))


@dataclass(frozen=True)
class Project:
    """A project's folder and the program in it. ``flags`` go with every command."""

    folder: Path
    flags: tuple[str, ...] = ()

    def run(self, *arguments: str, code: int = 0) -> str:
        return run_lakectl(*arguments, *self.flags, cwd=self.folder, code=code)

    def json(self, *arguments: str) -> Any:
        return run_json(*arguments, *self.flags, cwd=self.folder)

    def query(self, sql: str) -> list[list[Any]]:
        """The rows that Athena answers, as text."""
        rows: list[list[Any]] = self.json("query", sql)["rows"]
        return rows

    def landings(self, source: str = "") -> dict[str, str]:
        """key -> load status, of the newest landing of each."""
        return {run["key"]: run["load_status"] for run in reversed(self.json("runs", *([source] if source else [])))}

    def settled(self, source: str = "", *, having: str = "") -> dict[str, str]:
        """As ``landings``, once none waits or is in a run, and one has ``having`` in its key."""

        def probe() -> dict[str, str] | None:
            found = self.landings(source)
            return found if any(having in key for key in found) and not WAITING & set(found.values()) else None

        return wait_for(probe, what="loading all that has landed")


def wait_for(probe: Callable[[], T | None], seconds: float = 180.0, what: str = "it") -> T:
    """The first true answer of ``probe``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.3)
    pytest.fail(f"{what} did not happen within {seconds:.0f} s")
