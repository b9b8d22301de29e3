"""`lakectl doctor`: the local server, its port, and servers that others left."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakectl import __version__
from lakectl.findings import Level
from lakectl.local import control
from lakectl.local.doctor import servers

HERE = Path("/state/lakectl/local")


def running(version: str = __version__) -> control.Endpoint:
    return control.Endpoint(
        url="http://127.0.0.1:4000",
        region="eu-west-1",
        account_id="1",
        pid=7,
        port=4000,
        access_key_id="",
        secret_access_key="",
        state_dir=HERE,
        started_at="",
        version=version,
    )


def test_a_server_of_this_version_is_in_order() -> None:
    assert servers.this_one(HERE, running(), None, []).level is Level.OK
    assert servers.this_one(HERE, None, None, []).level is Level.OK


@pytest.mark.parametrize(("version", "named"), [("0.0.9", "lakectl 0.0.9"), ("", "an older lakectl")])
def test_a_server_of_another_version_is_named(version: str, named: str) -> None:
    found = servers.this_one(HERE, running(version), None, [])
    assert (found.level, found.command) == (Level.WARNING, "lakectl local stop")
    assert named in found.text


def test_processes_that_outlived_their_server_are_named() -> None:
    found = servers.this_one(HERE, None, None, [11, 12])
    assert (found.level, found.command) == (Level.WARNING, "lakectl local stop")
    assert "11, 12" in found.text


def test_a_server_that_died_or_had_to_stop(tmp_path: Path) -> None:
    stopped = control.LastStop("2026-01-01T00:00:00Z", control.STOPPED, 4000)
    assert servers.this_one(tmp_path, None, stopped, []).level is Level.OK
    full = control.LastStop("2026-01-01T00:00:00Z", "no space left on the disk", 4000)
    assert "no space left" in servers.this_one(tmp_path, None, full, []).text
    died = control.LastStop("2026-01-01T00:00:00Z", control.DIED, 4000)
    (tmp_path / "endpoint.json").write_text("{}")
    assert "endpoint.json is left" in servers.this_one(tmp_path, None, died, []).text


def test_the_wanted_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        found = servers.wanted_port(taken, None)
        assert (found.level, found.command) == (Level.PROBLEM, f"lsof -i :{taken}")
        assert servers.wanted_port(taken, taken).level is Level.OK
    assert servers.wanted_port(taken, None).level is Level.OK
    assert servers.wanted_port(4001, 4000).command == "lakectl local stop"


def test_servers_are_found_among_other_processes(tmp_path: Path) -> None:
    listing = (
        "    1 /sbin/init\n"
        f"   42 /usr/bin/python -m lakectl.local.server --state-dir {tmp_path} --port 0 --region eu-west-1\n"
        "   43 /usr/bin/python -m lakectl.local.server --state-dir /gone/my lake/local --port 0 --region eu-west-1\n"
        "   44 grep lakectl.local.server --state-dir\n"
    )
    found = servers.parse(listing)
    assert found == [servers.Server(42, tmp_path), servers.Server(43, Path("/gone/my lake/local"))]
    stop, kill = servers.others(found)
    assert stop.command == f"XDG_STATE_HOME={tmp_path.parent.parent} lakectl local stop"
    assert kill.command == "kill 43"
    assert {stop.level, kill.level} == {Level.WARNING}
    (none,) = servers.others([])
    assert none.level is Level.OK


@pytest.fixture
def lookalike(tmp_path: Path) -> Iterator[int]:
    """A process with the command line of a server of another state folder."""
    code = "import time; time.sleep(60)"
    words = ["-m", "lakectl.local.server", "--state-dir", str(tmp_path), "--port", "0", "--region", "eu-west-1"]
    process = subprocess.Popen([sys.executable, "-c", code, *words])
    time.sleep(0.1)
    yield process.pid
    process.kill()
    process.wait()


def test_the_real_list_of_processes_is_read(lookalike: int) -> None:
    said = [finding.text for finding in servers.findings(None) if finding.check == "local servers"]
    assert any(f"(pid {lookalike})" in text for text in said)
