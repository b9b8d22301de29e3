"""CONTRIBUTING.md, followed to the letter in a copy of the checkout: files written, changes applied, commands typed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from transcripts import missing, outputs, steps

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "CONTRIBUTING.md"
PARTS = ("lakectl", "jobs", "lambdas", "queries", "config", "tests", "docs", "pyproject.toml", "README.md")
NEW_FILE = re.compile(r"```(?:python|sql)\n(?:#|--) (\S+)\n(.*?)```", re.DOTALL)
CHANGE = re.compile(r"```diff\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with every recipe's files and changes."""
    copy = tmp_path_factory.mktemp("c")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    text = PAGE.read_text(encoding="utf-8")
    for name, content in NEW_FILE.findall(text):
        assert not (copy / name).exists()
        (copy / name).write_text(content, encoding="utf-8")
    for change in CHANGE.findall(text):
        done = subprocess.run(
            ["patch", "-p1", "--batch"], input=change, text=True, cwd=copy, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return copy


@pytest.fixture
def environ(checkout: Path) -> Iterator[dict[str, str]]:
    """Of a shell in which ``lakectl`` is the copy's, with an endpoint of its own, which is stopped at the end."""
    programs = checkout / "programs"
    programs.mkdir()
    program = programs / "lakectl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m lakectl "$@"\n')
    program.chmod(0o755)
    found = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LAKECTL_"))}
    path = os.pathsep.join((str(programs), str(Path(sys.executable).parent), os.environ["PATH"]))
    found |= {"PATH": path, "PYTHONPATH": str(checkout), "XDG_STATE_HOME": str(checkout / "state")}
    yield found
    subprocess.run([program, "local", "stop"], env=found, cwd=checkout, check=True, capture_output=True)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_recipes_do_what_the_page_shows(checkout: Path, environ: dict[str, str]) -> None:
    def shell(script: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=checkout,
            env=environ, timeout=1700, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    typed = steps(PAGE)
    unsaid = {step.command: missing(step, said) for step, said in zip(typed, outputs(typed, shell), strict=True)}
    assert {command: lines for command, lines in unsaid.items() if lines} == {}


@pytest.mark.long
def test_the_recipes_keep_the_rules_of_the_house(checkout: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(checkout)}
    for command in (
        ("ruff", "check", "lakectl"),
        ("ruff", "format", "--check", "lakectl"),
        ("pytest", "-q", "-p", "no:cacheprovider", "tests/house/test_imports.py"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=checkout, env=environ, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
