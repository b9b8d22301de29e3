"""``lakectl`` as a process of its own, on a fork of one that has its libraries loaded.

Importing them took two thirds of what a command costs. What runs is the same: the console script, with arguments,
environment, folder, output and exit code of its own. Tests of what happens while it starts, and of signals, start
Python themselves.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from program_server import HEADER_BYTES

_SERVER = Path(__file__).with_name("program_server.py")
_lock = threading.Lock()  # a request is sent in two parts


def run_program(
    *arguments: str,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    timeout: float = 120.0,
    merged: bool = False,
) -> subprocess.CompletedProcess[str]:
    """What ``lakectl ARGUMENTS`` did. ``merged``: errors are in its output. Raises subprocess.TimeoutExpired."""
    environ = dict(os.environ if environ is None else environ)
    argv = ["lakectl", *arguments]
    if "COVERAGE_PROCESS_CONFIG" in os.environ:  # a fork is not measured
        done = subprocess.run(
            [sys.executable, "-m", *argv], cwd=cwd, env=environ, timeout=timeout, check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        )  # fmt: skip
        return subprocess.CompletedProcess(argv, done.returncode, done.stdout, done.stderr or "")
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error, Path(os.devnull).open("rb") as nothing:
        request = {"arguments": arguments, "cwd": str(cwd or Path.cwd()), "environ": environ}
        files = [nothing.fileno(), out.fileno(), (out if merged else error).fileno()]
        try:
            code = _ask(json.dumps(request).encode(), files, timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired(argv, timeout) from None
        out.seek(0)
        error.seek(0)
        return subprocess.CompletedProcess(argv, code, out.read().decode(), error.read().decode())


def _ask(request: bytes, files: list[int], timeout: float) -> int:
    """The exit code. Raises TimeoutError; the program has been killed then."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as answer:
        with _lock:
            server = _server()
            socket.send_fds(server, [len(request).to_bytes(HEADER_BYTES, "big")], [*files, writing])
            server.sendall(request)
        os.close(writing)
        pid = int(answer.readline())
        if not select.select([reading], [], [], timeout)[0]:
            os.kill(pid, signal.SIGKILL)
            raise TimeoutError
        return int(answer.readline())


@lru_cache(maxsize=1)
def _server() -> socket.socket:
    """Requests to this test process's own server, which ends with it."""
    ours, theirs = socket.socketpair()
    subprocess.Popen([sys.executable, str(_SERVER), str(theirs.fileno())], pass_fds=(theirs.fileno(),))
    theirs.close()
    return ours
