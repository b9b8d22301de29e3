"""``lakectl console`` as a person meets it: what is printed, what is missing, how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from lakectl.console.server import bind
from lakectl.errors import LakectlError, UsageError

WITHOUT_FLASK = "import sys; sys.modules['flask'] = None; from lakectl.cli.main import run; run(sys.argv[1:])"


@contextmanager
def started(*arguments: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running program, and its link."""
    program = subprocess.Popen(
        [sys.executable, "-m", "lakectl", "console", "--no-browser", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        # As in a terminal, also where the tests run under nohup.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    try:
        assert program.stdout is not None
        for line in program.stdout:
            found = re.search(r"http://127\.0\.0\.1:\d+/open\?key=[\w-]+", line)
            if found:
                yield program, found[0]
                return
        assert program.stderr is not None
        raise AssertionError(program.stderr.read())
    finally:
        program.kill()
        program.communicate()


def test_without_flask_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FLASK, "console"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 64
    assert done.stderr == "error: the console needs flask\n  try: pip install 'lakectl[console]'\n"


def test_its_extra_alone_is_enough_for_an_account(tmp_path: Path) -> None:
    """lakectl[console] brings Flask, and none of what the local target runs on."""
    absent = ("moto", "duckdb", "pyarrow", "pyiceberg", "pyspark", "filelock")
    code = f"import sys; sys.modules.update(dict.fromkeys({absent})); import lakectl.console.app as app; app.create"
    modules = "from lakectl.console import checks, landings, overview, query, resources, runs, server, tables"
    subprocess.run([sys.executable, "-c", f"{code}; {modules}"], cwd=tmp_path, check=True)


def test_a_port_that_is_taken_is_said_with_another() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LakectlError, match=f"port {port} of 127.0.0.1 is taken") as refused:
            bind(port)
        assert f"--port {port + 1}" in str(refused.value.hint)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may listen on every port")
def test_a_port_that_is_not_allowed_is_said() -> None:
    with pytest.raises(UsageError, match="can't listen on port 80"):
        bind(80)


def test_it_listens_on_this_machine_alone() -> None:
    with bind(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_prints_a_link_tells_of_the_next_and_ends_at_ctrl_c(tmp_path: Path, ending: signal.Signals) -> None:
    with started(cwd=tmp_path) as (program, link):
        page = build_opener(HTTPCookieProcessor()).open(link)
        assert page.url.endswith("/")
        assert b"lake demo" in page.read()
        assert program.stdout is not None
        told = [program.stdout.readline() for _ in range(2)]
        assert "It only reads. Ctrl-C ends it." in told[0]
        assert re.match(r"That link is used. For another browser: http://127", told[1])
        assert told[1].split()[-1] != link
        program.send_signal(ending)
        out, err = program.communicate(timeout=20)
        assert program.returncode == 130
        assert (out, err.lstrip()) == ("", "error: interrupted; run the same command again to go on\n")
