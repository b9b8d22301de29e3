"""`lakectl` on ministack (PyPI), an emulator that nobody here wrote.

Lives in an environment of its own, `.venv-ministack`, made by `make`: it is no dependency of anything here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from acceptance import scanning
from conformance import ministack

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-ministack"
Program = Callable[..., subprocess.CompletedProcess[str]]
# What ministack 1.5 takes in CreateJob and UpdateJob, and leaves out of GetJob.
LACKS = "ExecutionProperty, JobRunQueuingEnabled"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Runs `lakectl` as a process that takes ministack for AWS."""
    if not (ENVIRONMENT / "bin/ministack").exists():
        pytest.fail(f"{ENVIRONMENT.name} is missing; `make test-long` makes it")
    home = tmp_path_factory.mktemp("ministack")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with ministack(ENVIRONMENT, home) as url:
        flags = ["--target", "aws", "--endpoint-url", url, "--region", "eu-west-1"]

        def run(*arguments: str, named: bool = True) -> subprocess.CompletedProcess[str]:
            line = [sys.executable, "-m", "lakectl", *arguments, *flags, *(["--name", "elsewhere"] if named else [])]
            return subprocess.run(line, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)

        yield run


@pytest.mark.long
@pytest.mark.timeout(900)
def test_acceptance_as_far_as_it_goes_on_an_emulator_that_nobody_here_wrote(program: Program, tmp_path: Path) -> None:
    """It has no Glue to run a job: what it can't do is a failed step, and the lake is deleted."""
    out = tmp_path / "out"
    done = program("acceptance", "--yes", "--observe", "0", "--wait", "0.1", "--out", str(out), named=False)
    found = json.loads((out / "evidence.json").read_text())
    outcomes = {step["name"]: step["outcome"] for step in found["steps"]}
    assert done.returncode == 1, done.stdout + done.stderr
    went, lacks = ("permissions", "quotas", "up", "contract", "cost", "down", "nothing-left"), ("up-again", "land")
    assert {name for name, outcome in outcomes.items() if outcome == "ok"} == {*went}, done.stdout
    failed = {name for name, outcome in outcomes.items() if outcome == "failed"}
    assert failed == {*lacks, "plan-1", "plan-2", "plan-3"}, done.stderr
    assert LACKS in done.stdout
    assert len(found["differences"]) > 50
    assert scanning.found(done.stdout.partition("Permissions")[2] + json.dumps(found), [str(tmp_path)]) == []
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_up_up_plan_down_on_an_emulator_that_nobody_here_wrote(program: Program) -> None:
    """Item 32: each succeeds, and what the emulator lacks is named."""
    first = program("up", "--yes", "-v")
    assert first.returncode == 0, first.stdout + first.stderr
    lacking = [line for line in first.stdout.splitlines() if f"the endpoint does not keep {LACKS}" in line]
    assert len(lacking) == 2

    again = program("up", "--yes", "-v")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "2 changed, " in again.stdout

    planned = program("plan")
    assert planned.returncode == 2, planned.stdout + planned.stderr
    assert "ExecutionProperty: absent → " in planned.stdout
    assert [line for line in planned.stdout.splitlines() if line.startswith("2 to change, ")]

    ended = program("down", "--yes")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1] == "0 left."
    assert program("plan", "--down").stdout.splitlines()[-1].startswith("Nothing to do")
