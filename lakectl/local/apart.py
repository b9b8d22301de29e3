"""A server beside the user's: its state is its own, and ends with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lakectl.errors import LakectlError
from lakectl.local import control, processes
from lakectl.local.control import Endpoint

IDLE_MINUTES = 30.0  # so it ends where the process that started it was killed
PREFIX = "lakectl-apart-"


@contextmanager
def endpoint(region: str, progress: Callable[[str], None] | None = None) -> Iterator[Endpoint]:
    """A running endpoint whose state nobody else sees. It ends with the block, and its folder is deleted.

    Within the block :mod:`lakectl.local.control` is about it. Raises LakectlError as ``control.ensure_running``.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    except OSError as error:
        where = f"can't make a folder in {tempfile.gettempdir()}: {error.strerror}"
        raise LakectlError(where, "set TMPDIR to a folder of yours") from error
    known = set(processes.descendants(os.getpid()))
    before, control.apart = control.apart, folder
    try:
        yield control.ensure_running(region=region, idle_minutes=IDLE_MINUTES, progress=progress)
    finally:
        control.stop()
        # A server that was still on its way, as after a Ctrl-C, answers nobody: it is known as our child alone.
        processes.end([pid for pid in processes.descendants(os.getpid()) if pid not in known])
        control.apart = before
        shutil.rmtree(folder, ignore_errors=True)
