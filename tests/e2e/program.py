"""The program as a person runs it, on the test run's own endpoint."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


def run_lakectl(*arguments: str, cwd: Path, code: int = 0, with_errors: bool = True) -> str:
    """Run ``lakectl`` and return what it printed. Fails the test on another exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "lakectl", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=dict(os.environ),
        timeout=400,
        check=False,
    )
    assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout + (done.stderr if with_errors else "")


def run_json(*arguments: str, cwd: Path) -> Any:
    return json.loads(run_lakectl(*arguments, "--json", cwd=cwd, with_errors=False))


def wait_for(probe: Callable[[], T | None], seconds: float = 180.0, what: str = "it") -> T:
    """The first true answer of ``probe``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.3)
    pytest.fail(f"{what} did not happen within {seconds:.0f} s")
