"""The real program, run as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def lakectl(*arguments: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lakectl", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environ},
        timeout=120,
        check=False,
    )
