"""The release: its workflow runs the script that is tried here, and the hooks of a commit are the tools of `make`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lakectl import __version__

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools/try_wheel.sh"


def test_the_workflow_runs_the_script_before_it_releases() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
    assert any(step.get("run", "").startswith("tools/try_wheel.sh ") for step in jobs["wheel"]["steps"])
    assert jobs["release"]["needs"] == "wheel"
    assert os.access(SCRIPT, os.X_OK)


def test_the_hooks_before_a_commit_fetch_nothing() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [each["repo"] for each in repositories] == ["local"]
    hooks = {hook["id"]: hook["entry"] for hook in repositories[0]["hooks"]}
    assert {"ruff-check", "ruff-format", "mypy"} <= hooks.keys()
    assert all(entry.startswith(".venv/bin/") for entry in hooks.values())


def test_the_changelog_has_this_version_or_is_unreleased() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert len(headings) == 1 or headings[1] == __version__


@pytest.mark.long
def test_the_wheel_runs_the_demo_in_an_empty_environment(tmp_path: Path) -> None:
    """All packages come from the package index, as for a user. So this takes minutes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAKECTL_", "AWS_", "PYTHON"))}
    done = subprocess.run(
        [SCRIPT, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path,
        env=kept | {"PYTHON": sys.executable, "ORDERS": "200"}, timeout=590, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert f"lakectl, version {__version__}" in done.stdout
    assert "SUCCEEDED" in done.stdout
    assert "0 left." in done.stdout
