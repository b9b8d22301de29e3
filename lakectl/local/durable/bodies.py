"""The bytes of S3 objects: files in a folder, named by rows.

A file is written once and never changed. It is complete before a row names it, and goes after no row names it any
more; what a killed server leaves between the two is swept at the next start. It is synced in the background
(``syncer``): until then the rows that name it can be rolled back.
"""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from lakectl.local.durable.copies import sync_file_system, sync_path

CHUNK_BYTES = 256 * 1024
# More files than these are synced with their whole file system, where the system can do that: 400 small files took
# 3.2 s one after the other, 0.15 s eight at once (file systems group syncs), and 0.02 s so.
FEW_FILES = 32
SYNCS_AT_ONCE = 8

Segment = tuple[str, int, int]  # file, offset, length


class BodyGone(Exception):
    """The object was deleted while somebody began to read it."""


class Body:
    """Bytes in files. ``md5`` is their hexadecimal MD5 if it is known; ``kept``: an object has taken the files."""

    __slots__ = ("kept", "md5", "segments", "size")

    def __init__(self, segments: tuple[Segment, ...], md5: str | None = None) -> None:
        self.segments = segments
        self.md5 = md5
        self.kept = False
        self.size = sum(length for _, _, length in segments)

    def __len__(self) -> int:
        return self.size

    def __reduce__(self) -> tuple[type[Body], tuple[tuple[Segment, ...], str | None]]:
        return Body, (self.segments, self.md5)

    @property
    def files(self) -> set[str]:
        return {name for name, _, _ in self.segments}

    def part(self, begin: int, end: int) -> Body:
        """The bytes from ``begin`` up to ``end``."""
        found: list[Segment] = []
        position = 0
        for name, offset, length in self.segments:
            first, last = max(begin, position), min(end, position + length)
            if first < last:
                found.append((name, offset + first - position, last - first))
            position += length
        return Body(tuple(found))


class _Hold:
    """Keeps files on disk until the last reader that refers to this object is gone."""

    def __init__(self, bodies: Bodies, files: set[str]) -> None:
        self._bodies, self._files = bodies, set[str]()
        bodies.hold(files)
        self._files = files

    def __del__(self) -> None:
        self._bodies.release(self._files)


class Reader:
    """A body on its way out: its length, slices of it, and its bytes chunk by chunk."""

    def __init__(self, bodies: Bodies, body: Body, hold: _Hold | None = None) -> None:
        self._bodies, self._body = bodies, body
        self._hold = hold or _Hold(bodies, body.files)

    def __len__(self) -> int:
        return len(self._body)

    def __getitem__(self, span: slice) -> Reader:
        begin, end, _ = span.indices(len(self._body))
        return Reader(self._bodies, self._body.part(begin, end), self._hold)

    def __iter__(self) -> Iterator[bytes]:
        hold = self._hold  # a generator outlives the reader that made it
        yield from self._bodies.chunks(self._body)
        del hold


class Bodies:
    """For any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()  # a hold may end in a garbage collection, wherever that happens
        self._held: Counter[str] = Counter()
        self._doomed: set[str] = set()
        self._unsynced: set[str] = set()  # files that may not be on disk yet
        self._dropped: list[str] = []  # files that no row names any more, once the latest commits are on disk
        self._folders = {folder.parent, folder}  # that may not be on disk yet
        for number in range(256):
            (folder / f"{number:02x}").mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, data: bytes | Iterable[bytes]) -> Body:
        """A new body that holds ``data``, or its pieces. Whatever goes wrong meanwhile (a full disk, a client that
        left), nothing is left then.
        """
        if data == b"":
            return Body((), hashlib.md5(b"", usedforsecurity=False).hexdigest())
        name, size, digest = self._new_name(), 0, hashlib.md5(usedforsecurity=False)
        path = self.path(name)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                for piece in [data] if isinstance(data, bytes) else data:
                    size += len(piece)
                    digest.update(piece)
                    view = memoryview(piece)
                    while view:
                        view = view[os.write(descriptor, view) :]
            finally:
                os.close(descriptor)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if not size:
            path.unlink()
            return Body((), digest.hexdigest())
        with self._lock:
            self._unsynced.add(name)
        return Body(((name, 0, size),), digest.hexdigest())

    def copy(self, body: Body) -> Body:
        """A body of its own with the same bytes: hard links, or copies where the disk has none."""
        names = {name: self._new_name() for name in body.files}
        for old, new in names.items():
            try:
                os.link(self.path(old), self.path(new))
            except FileNotFoundError:
                raise BodyGone(old) from None
            except OSError:
                self._copy_file(old, new)
            with self._lock:
                self._unsynced.add(new)
        return Body(tuple((names[name], offset, length) for name, offset, length in body.segments), body.md5)

    def _copy_file(self, old: str, new: str) -> None:
        import shutil

        shutil.copyfile(self.path(old), self.path(new))

    def read(self, body: Body) -> bytes:
        return b"".join(self.chunks(body))

    def chunks(self, body: Body) -> Iterator[bytes]:
        for name, offset, length in body.segments:
            with self.path(name).open("rb", buffering=0) as file:
                file.seek(offset)
                left = length
                while left:
                    data = file.read(min(left, CHUNK_BYTES))
                    if not data:
                        raise OSError(f"{self.path(name)} is shorter than it was written")
                    left -= len(data)
                    yield data

    def md5(self, body: Body) -> str:
        if body.md5 is None:
            digest = hashlib.md5(usedforsecurity=False)
            for chunk in self.chunks(body):
                digest.update(chunk)
            body.md5 = digest.hexdigest()
        return body.md5

    def reader(self, body: Body) -> Reader:
        """Raises BodyGone."""
        return Reader(self, body)

    def hold(self, files: set[str]) -> None:
        with self._lock:
            for name in files:
                if not self.path(name).exists():
                    raise BodyGone(name)
            self._held.update(files)

    def release(self, files: set[str]) -> None:
        with self._lock:
            for name in files:
                self._held[name] -= 1
                if self._held[name] <= 0:
                    del self._held[name]
                    if name in self._doomed:
                        self._doomed.discard(name)
                        self.path(name).unlink(missing_ok=True)

    def remove(self, files: Iterable[str]) -> None:
        """Delete files; those that somebody reads go when they have been read."""
        with self._lock:
            for name in files:
                self._unsynced.discard(name)
                if name in self._held:
                    self._doomed.add(name)
                else:
                    self.path(name).unlink(missing_ok=True)

    def drop(self, files: Iterable[str]) -> None:
        """No row names these files any more: delete them after the next sync."""
        with self._lock:
            self._dropped += files

    def take_dropped(self) -> list[str]:
        """What was dropped until now. The caller deletes it."""
        with self._lock:
            taken, self._dropped = self._dropped, []
        return taken

    def sync(self) -> None:
        """Everything that was written until now is on disk afterwards. Raises OSError."""
        with self._lock:
            names = list(self._unsynced)
        if not names:
            return
        if len(names) <= FEW_FILES or not sync_file_system(self.folder):
            self._sync_files(names)
        with self._lock:
            self._unsynced.difference_update(names)

    def _sync_files(self, names: list[str]) -> None:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(SYNCS_AT_ONCE, thread_name_prefix="sync") as pool:
            list(pool.map(self._sync_file, names))
            folders = {self.path(name).parent for name in names} | self._folders
            list(pool.map(sync_path, folders))
        self._folders = set()

    def _sync_file(self, name: str) -> None:
        with suppress(FileNotFoundError):  # deleted meanwhile: no row names it
            sync_path(self.path(name))

    def is_whole(self, body: Body) -> bool:
        """Whether all bytes of a body are there; if not, a power cut has taken them. It is to be synced again."""
        with self._lock:
            self._unsynced |= body.files
        try:
            if body.md5 is not None:
                return self.md5(Body(body.segments)) == body.md5
            return all(self.path(name).stat().st_size >= offset + length for name, offset, length in body.segments)
        except OSError:
            return False

    def sweep(self, named: set[str]) -> int:
        """Delete what no row names. Call it before the first request. Returns how many files went."""
        gone = [file for file in self.folder.glob("??/*") if file.name not in named]
        for file in gone:
            file.unlink(missing_ok=True)
        return len(gone)

    def path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    def _new_name(self) -> str:
        return uuid.uuid4().hex
