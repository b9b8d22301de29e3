"""One folder takes another's place, and a crash at any moment leaves one of the two whole.

Standard library only: it runs before each start of the endpoint.
"""

from __future__ import annotations

import shutil
from pathlib import Path

NEW, OLD = "restoring", "replaced"  # beside the folder


def settle(folder: Path) -> None:
    """Finish, or take back, what an interrupted :func:`take_over` of ``folder`` left. Raises OSError.

    Call it while nobody uses the folder.
    """
    old = folder.with_name(OLD)
    if old.exists() and not folder.exists():
        old.rename(folder)
    for left in (old, folder.with_name(NEW)):
        if left.exists():
            shutil.rmtree(left)


def take_over(folder: Path) -> None:
    """What was prepared in ``NEW`` becomes ``folder``. Raises OSError."""
    new, old = folder.with_name(NEW), folder.with_name(OLD)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    if old.exists():
        shutil.rmtree(old)
