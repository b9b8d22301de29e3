"""Lakes that tests of faults do something to, from inside and as real `lakectl` processes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from program_process import run_program

from lakectl import project
from lakectl.aws import ATTEMPTS, Aws
from lakectl.config import Config
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake

PROCESS_LIMIT_S = 120


def connect(endpoint: Endpoint, url: str, attempts: int = ATTEMPTS) -> Aws:
    session = boto3.Session(
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        region_name=endpoint.region,
    )
    return Aws(session, endpoint.region, url, attempts)


@dataclass
class Subject:
    """One lake that only this test knows, how real processes and the test itself reach it."""

    endpoint: Endpoint
    straight: Aws
    folder: Path
    name: str
    suffix: bool = True

    def lake(self, aws: Aws | None = None, **settings: object) -> Lake:
        """The lake for use inside the test, straight at the endpoint unless ``aws`` goes another way."""
        config = Config.model_validate({"name": self.name, "suffix_names": self.suffix, **settings})
        return Lake(config, project.find(), aws or self.straight)

    def start(self, url: str, *arguments: str) -> subprocess.Popen[str]:
        """A real ``lakectl`` process that takes ``url`` for AWS."""
        return subprocess.Popen(
            [sys.executable, "-m", "lakectl", *self._words(url, *arguments)],
            env=self._environ(),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """As ``start``, to its end. A hang fails the test."""
        try:
            return run_program(
                *self._words(url, *arguments), cwd=self.folder, environ=self._environ(), timeout=PROCESS_LIMIT_S,
                merged=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired as hangs:
            pytest.fail(f"hangs: {hangs.cmd}")

    def _words(self, url: str, *arguments: str) -> list[str]:
        config, queries = self.folder / f"{self.name}.yaml", self.folder / "queries"
        if not queries.exists():
            queries.symlink_to(project.shipped_root() / "queries")
        config.write_text(f"name: {self.name}\nsuffix_names: {str(self.suffix).lower()}\n")
        unasked = ["--yes"] if arguments[0] == "up" else []
        flags = ["-c", str(config), "--target", "aws", "--endpoint-url", url, "--region", self.endpoint.region]
        return [*arguments, *unasked, *flags]

    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "AWS_ACCESS_KEY_ID": self.endpoint.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.endpoint.secret_access_key,
            "PYTHONUNBUFFERED": "1",
        }

    def assert_converges_up(self) -> None:
        """``up`` again refuses nothing as foreign, makes all, and leaves an empty plan."""
        lake = self.lake()
        todo = provision.plan(lake)
        assert [step.resource.id for step in todo.foreign] == []
        result = provision.up(lake, todo, lambda _: None)
        assert result.ok, {key: error.message for key, error in result.failed.items()}
        self.assert_complete()

    def assert_complete(self) -> None:
        plan = provision.plan(self.lake())
        pending = [(step.resource.id, step.action, step.changes) for step in plan.pending]
        assert pending == [], pending

    def assert_converges_down(self) -> None:
        """``down`` again leaves nothing, and calls nothing foreign."""
        lake = self.lake()
        todo = provision.down_plan(lake)
        assert [step.resource.id for step in todo.foreign] == []
        result, left = provision.down(lake, todo, lambda _: None)
        assert result.ok, {key: error.message for key, error in result.failed.items()}
        assert [step.resource.id for step in left.pending] == []


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for ``process`` and take its output; a hang fails the test."""
    try:
        output, _ = process.communicate(timeout=PROCESS_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        pytest.fail(f"hangs: {process.args}\n{output}")
    return subprocess.CompletedProcess(process.args, process.returncode, output)
