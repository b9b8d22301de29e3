"""``python tools/record.py FILE.svg COMMAND …``: run a command in a terminal of 84 columns, and draw what it showed.

The picture in the README is made with: ``python tools/record.py docs/demo.svg lakectl demo``, in an empty folder.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

COLUMNS, ROWS = 84, 200
# What rich writes to draw a line again: back, up, delete the line, hide and show the cursor.
MOVE = re.compile(r"(\r\n|\n|\r|\x1b\[\d*A|\x1b\[2K|\x1b\[\?25[lh])")


def run(command: list[str]) -> str:
    """What the command writes to its terminal. Raises SystemExit with its exit code, if that is not 0."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "PAGER": "cat"}
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=inner, stderr=inner, env=environ)
    os.close(inner)
    written = b""
    try:
        while data := os.read(outer, 65536):
            written += data
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
    except OSError:  # Linux: the other side is closed
        pass
    if code := program.wait():
        raise SystemExit(code)
    return written.decode()


def shown(written: str) -> list[str]:
    """The lines that are on the terminal at the end, with their colours as escape sequences."""
    lines, at = [""], 0
    for part in MOVE.split(written):
        if part.endswith("\n"):
            at += 1
            lines += [""] * (at + 1 - len(lines))
        elif part.endswith("A"):
            at = max(0, at - int(part[2:-1] or 1))
        elif part == "\x1b[2K":
            lines[at] = ""
        elif not MOVE.fullmatch(part):
            lines[at] += part
    return lines


def main() -> None:
    from rich.ansi import AnsiDecoder
    from rich.console import Console

    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    target, command = Path(sys.argv[1]), sys.argv[2:]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(f"[bold green]$[/] {' '.join(command)}", highlight=False)
    for line in AnsiDecoder().decode("\n".join(shown(run(command))).rstrip()):
        console.print(line)
    svg = console.export_svg(title=" ".join(command))
    # rich names fonts of a site; a picture loads nothing.
    target.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
