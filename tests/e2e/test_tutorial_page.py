"""docs/tutorial.md, typed into one shell in an empty folder: what it shows is what the program says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import run_lakectl
from transcripts import Step, missing, outputs, plain, steps

from lakectl.local.control import Endpoint

DOCUMENT = Path(__file__).parents[2] / "docs/tutorial.md"


@pytest.fixture(scope="module")
def folder(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:  # noqa: ARG001
    made = tmp_path_factory.mktemp("tutorial-page")
    yield made
    run_lakectl("down", "--yes", cwd=made)  # nothing is left, unless a command of the page has failed


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_tutorial_says_what_the_page_shows(folder: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))

    def shell(script: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
            env={**os.environ, "PATH": path}, timeout=1700, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    typed = steps(DOCUMENT)
    assert typed[-1].command == "lakectl down --yes"
    unsaid = {step.command: missing(step, said) for step, said in zip(typed, outputs(typed, shell), strict=True)}
    assert {command: lines for command, lines in unsaid.items() if lines} == {}


def test_each_step_of_the_tutorial_is_typed() -> None:
    commands = {step.command.split()[1] for step in steps(DOCUMENT) if step.command.startswith("lakectl ")}
    own = {"create-buckets", "create-table", "create-roles", "deploy-lambdas", "wire-notifications"}
    own |= {"create-databases", "create-workgroup", "create-glue-job", "schedule"}
    assert own | {"land", "smoke", "query", "snapshots", "validate", "down"} <= commands


def test_a_line_that_nobody_says_is_found() -> None:
    step = Step("lakectl x", ("3 created in 0.8 s.", "1 left."))
    assert missing(step, "Lake 'demo'\n16 created in 2.5 s.\n") == ["1 left."]
    assert plain("✓ landed s3://b/ingest_date=2026-11-30/a.csv  3 KiB") == plain(
        "✓ landed s3://b/ingest_date=2025-01-01/a.csv  16.6 KiB"
    )
