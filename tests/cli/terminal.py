"""A program on a terminal of its own, typed into."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07")


class Terminal:
    """``said``: all that the program has written, without colours and movements of the cursor."""

    def __init__(self, command: list[str], cwd: Path, width: int = 80, **environ: str) -> None:
        self._outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        # No question where the cursor is: nobody here could answer.
        plain = {"TERM": "xterm", "PAGER": "cat", "PROMPT_TOOLKIT_NO_CPR": "1"}

        def own_terminal() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that a typed Ctrl-C is a signal

        self._program = subprocess.Popen(
            command,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=cwd,
            env=kept | plain | environ,
            preexec_fn=own_terminal,
        )
        os.close(inner)
        self.said = ""
        self._seen = 0

    def type(self, keys: str) -> None:
        os.write(self._outer, keys.encode())

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """Read until ``text`` is said after what was waited for before; returns what was said up to it."""
        deadline = time.monotonic() + seconds
        while (found := self.said.find(text, self._seen)) < 0:
            assert time.monotonic() < deadline, f"{text!r} is not in {self.said[self._seen :]!r}"
            assert self._read(), f"{text!r} is not in {self.said[self._seen :]!r}, and the program has ended"
        told, self._seen = self.said[self._seen : found + len(text)], found + len(text)
        return told

    def _read(self) -> bool:
        if not select.select([self._outer], [], [], 0.2)[0]:
            return True
        try:
            data = os.read(self._outer, 65536)
        except OSError:  # Linux: the program has closed its side
            return False
        self.said += CONTROL.sub("", data.decode(errors="replace")).replace("\r\n", "\n")
        return bool(data)

    def end(self) -> int:
        """The exit code, once the program has ended by itself."""
        deadline = time.monotonic() + 30
        while self._read():
            assert time.monotonic() < deadline, f"the program goes on: {self.said[self._seen :]!r}"
        os.close(self._outer)
        return self._program.wait(30)

    def kill(self) -> None:
        if self._program.poll() is None:
            self._program.kill()
            self._program.wait()
