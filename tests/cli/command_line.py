"""The real program, run as a process."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from program_process import run_program


def lakectl(*arguments: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    return run_program(*arguments, cwd=cwd, environ={**os.environ, **environ})
