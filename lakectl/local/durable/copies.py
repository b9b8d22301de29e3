"""Copies of what a state folder holds, as cheap as the disk allows. Standard library only."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

LOCK = "bodies.lock"  # in the state folder
FICLONE = 0x40049409  # <linux/fs.h>: a copy that shares its blocks until one of the two changes (btrfs, XFS, bcachefs)


@contextlib.contextmanager
def no_deletion(state: Path) -> Iterator[None]:
    """While the block runs, the server of this state folder deletes no body that a row has named."""
    with _lock_file(state) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def deletion(state: Path) -> Iterator[bool]:
    """Around the deletion of bodies. Gives False when it has to wait, because somebody copies them."""
    with _lock_file(state) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _lock_file(state: Path) -> contextlib.AbstractContextManager[int]:
    @contextlib.contextmanager
    def opened() -> Iterator[int]:
        descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    return opened()


def copy_bodies(source: Path, target: Path) -> None:
    """All bodies of one folder in another one: hard links, because a body never changes. Raises OSError."""
    target.mkdir(mode=0o700)
    for folder in source.glob("??"):
        made = target / folder.name
        made.mkdir(mode=0o700)
        for file in os.scandir(folder):
            with contextlib.suppress(FileNotFoundError):  # one that no row has named yet, or will
                _link(Path(file.path), made / file.name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        copy_file(source, target)


def copy_file(source: Path, target: Path) -> None:
    """A file of its own with the same bytes, readable by its owner alone. Raises OSError."""
    with source.open("rb") as read, open(target, "xb", opener=_private) as written:
        try:
            fcntl.ioctl(written, FICLONE, read.fileno())
        except OSError:  # not on this disk
            shutil.copyfileobj(read, written, 1 << 20)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def sync(folder: Path) -> None:
    """Everything below ``folder`` is on disk afterwards. Raises OSError."""
    if not sync_file_system(folder):
        for path in (folder, *folder.rglob("*")):
            sync_path(path)


def sync_path(path: Path) -> None:
    """fsync a file or a folder. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(folder: Path) -> bool:
    """syncfs(2). False where there is none. Raises OSError."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if library.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)
    return True
