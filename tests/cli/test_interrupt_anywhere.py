"""Ctrl-C at any moment of a command is 130 and one line, never a traceback or a made-up bug."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest

from lakectl import config
from lakectl.cli.app import App, confirm_by_typing
from lakectl.cli.main import run
from lakectl.errors import LakectlError, UsageError
from lakectl.local.control import Endpoint

ONE_LINE = "error: interrupted; run the same command again to go on"
# Reads the configuration; at each of so many calls a copy of the process gets a Ctrl-C. Prints exit code and last line.
AT_MANY_CALLS = """
import os, signal, sys
from lakectl import __main__ as program, config
from lakectl.cli import app, main
every, calls, original = int(sys.argv[1]), 0, config.load_for
def interrupted(frame, event, _):
    global calls
    calls += event == "call"
    if event != "call" or calls % every:
        return None
    read, write = os.pipe()
    if not (child := os.fork()):
        sys.settrace(None)
        os.dup2(write, 2)
        os.kill(os.getpid(), signal.SIGINT)
        return None
    os.close(write)
    said = open(read).read().strip().splitlines()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said[-1] if said else "", flush=True)
def load_for(*given):
    sys.settrace(interrupted)
    original(*given)
    sys.settrace(None)
    os._exit(0)
config.load_for = load_for
sys.argv = ["lakectl", "status"]
program.main()
"""


@pytest.mark.parametrize("milliseconds", [150, 250, 350, 450, 600, 800])
def test_ctrl_c_is_one_line_and_130(milliseconds: int, tmp_path: Path, endpoint: Endpoint) -> None:
    command = [sys.executable, "-m", "lakectl", "status", "--name", "interrupted"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    )
    time.sleep(milliseconds / 1000)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert endpoint.pid
    if process.returncode == -signal.SIGINT:  # Python itself was still starting
        assert "lakectl/" not in errors
        return
    assert process.returncode in (0, 130)  # 0: it was faster than we were
    assert "unexpected" not in errors
    if process.returncode == 130:
        assert errors.strip() == ONE_LINE


def test_ctrl_c_while_the_configuration_is_read(tmp_path: Path) -> None:
    """At a hundred moments of it, one after the other; 0 where the interpreter loses it (a generator is closed)."""
    done = subprocess.run(
        [sys.executable, "-c", AT_MANY_CALLS, "701"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    found = done.stdout.splitlines()
    assert len(found) > 40, done.stderr
    seen = [line for line in found if not line.startswith("0 ")]
    assert set(seen) == {f"130 {ONE_LINE}"}
    assert len(seen) > 0.9 * len(found)


def raises(error: LakectlError) -> NoReturn:
    raise error


def typed(key: type[BaseException]) -> None:
    """A question that is answered by Ctrl-C, or by the end of what is typed."""

    def prompt(*_: Any) -> NoReturn:
        raise key

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(click.termui, "visible_prompt_func", prompt)
        confirm_by_typing(App(), "the lake's name", "demo", "deleted", "lakectl down --yes")


def handled() -> None:
    """Something that takes a Ctrl-C for the fault of what it reads."""
    try:
        raise KeyboardInterrupt
    except BaseException:  # noqa: BLE001 - that is the mistake
        raise UsageError("lake.yaml:1: not valid") from None


@pytest.mark.parametrize(
    ("doing", "code"),
    [
        (handled, 130),
        (lambda: typed(KeyboardInterrupt), 130),
        (lambda: typed(EOFError), 64),
        (lambda: raises(UsageError("lake.yaml:1: not valid")), 64),
        (lambda: raises(LakectlError("run jr_1 FAILED: KeyboardInterrupt")), 1),
    ],
)
def test_what_a_ctrl_c_is_made_into_is_an_interrupt_and_no_wrong_usage(
    doing: Any, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(config, "load_for", lambda *_: doing())
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # those of the tests keep `run` from an ordinary exit
    with pytest.raises(SystemExit) as ended:
        run(["status"])
    assert ended.value.code == code
    assert (capsys.readouterr().err.strip().splitlines()[-1] == ONE_LINE) == (code == 130)
