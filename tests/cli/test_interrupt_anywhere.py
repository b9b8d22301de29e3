"""Ctrl-C at any moment of a command is 130 and one line, never a traceback or a made-up bug."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lakectl.local.control import Endpoint


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
        assert errors.strip() == "error: interrupted; run the same command again to go on"
