"""docs/export.md and docs/ci.md, typed into a shell in an empty folder each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import run_lakectl
from transcripts import missing, outputs, steps

from lakectl.local.control import Endpoint

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def folder(endpoint: Endpoint, tmp_path: Path) -> Iterator[Path]:  # noqa: ARG001
    yield tmp_path
    run_lakectl("down", "--yes", cwd=tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("page", ["export.md", "ci.md"])
def test_the_commands_say_what_the_page_shows(page: str, folder: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))

    def shell(script: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=folder, env={**os.environ, "PATH": path}, timeout=300, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    typed = steps(DOCS / page)
    assert typed
    unsaid = {step.command: missing(step, said) for step, said in zip(typed, outputs(typed, shell), strict=True)}
    assert {command: lines for command, lines in unsaid.items() if lines} == {}
