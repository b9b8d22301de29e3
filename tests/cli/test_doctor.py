"""``lakectl doctor`` on the command line: lines, commands, JSON and exit codes."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest
from program_process import run_program

from lakectl.local.control import Endpoint


def doctor(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_program("doctor", *arguments, cwd=folder, timeout=300)


def a_config(folder: Path, text: str) -> None:
    (folder / "config").mkdir()
    (folder / "config/lake.yaml").write_text(text)


@pytest.mark.usefixtures("endpoint")
def test_a_machine_in_order(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert {"Python", "packages", "disk", "memory", "Java", "Spark jars", "clock", "credentials"} <= {
        finding["check"] for finding in found
    }
    assert not [finding for finding in found if finding["level"] == "problem"]


def test_a_problem_is_shown_with_its_command_and_ends_with_1(tmp_path: Path, endpoint: Endpoint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        a_config(tmp_path, f"local:\n  port: {other.getsockname()[1]}\n")
        done = doctor(tmp_path)
    assert done.returncode == 1
    said = f"✗ port: the local server runs on {endpoint.port}, and local.port is"
    assert said in done.stdout
    line = next(number for number, text in enumerate(done.stdout.splitlines()) if said in text)
    assert done.stdout.splitlines()[line + 1].strip() == "lakectl local stop"
    assert "✗ connection: the local lake already runs on port" in done.stdout
    assert "error: 2 problems: port, connection" in done.stderr


def test_a_config_that_can_not_be_read_is_a_finding(tmp_path: Path) -> None:
    a_config(tmp_path, "name: Not Allowed\n")
    done = doctor(tmp_path)
    assert done.returncode == 1
    assert "✓ Python" in done.stdout
    assert "✗ configuration: " in done.stdout
