"""docs/query.md, typed into one shell in an empty folder: what it shows is what the program says."""

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

DOCUMENT = Path(__file__).parents[2] / "docs/query.md"


@pytest.fixture(scope="module")
def folder(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:  # noqa: ARG001
    made = tmp_path_factory.mktemp("query-page")
    yield made
    run_lakectl("down", "--yes", cwd=made)  # nothing is left, unless a command of the page has failed


@pytest.mark.long
def test_the_commands_say_what_the_page_shows(folder: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))

    def shell(script: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=folder, env={**os.environ, "PATH": path}, timeout=300, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    typed = steps(DOCUMENT)
    assert {step.command.split()[1] for step in typed if step.command.startswith("lakectl ")} >= {"query", "up", "down"}
    unsaid = {step.command: missing(step, said) for step, said in zip(typed, outputs(typed, shell), strict=True)}
    assert {command: lines for command, lines in unsaid.items() if lines} == {}
