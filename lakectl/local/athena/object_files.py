"""S3 as DuckDB reads it: from the endpoint's disk, without HTTP.

The endpoint says where the bytes of an object are once it has judged the caller's GetObject (``many_objects``). Through
HTTP each file costs several requests; so a scan of 97 small files takes 14 requests in all, and 0.07 s of a core.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import fsspec
from botocore.exceptions import ClientError

from lakectl.local.athena import many_objects
from lakectl.local.athena.access import Access
from lakectl.local.athena.errors import QueryError, path_denied
from lakectl.local.athena.many_objects import Place

ONE_BY_ONE = 8  # objects that a query asks for alone, before all that it may need are asked for at once
FIRST_AT_ONCE = 16  # where it is known which files a table has
_DENIED = {"AccessDenied", "403", "InvalidAccessKeyId", "ExpiredToken"}
_TRIES = 2
_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class ObjectFiles(fsspec.AbstractFileSystem):
    """A read-only file system for one query at a time, with the permissions of its caller. Thread-safe."""

    protocol = "s3"
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._counting = threading.Lock()  # of its own: who counts does not wait for who asks
        self._access: Access | None = None
        self._places: dict[str, Place] = {}
        self._expected: list[Callable[[], Iterable[str]]] = []
        self._beside: dict[str, tuple[tuple[str, ...], int]] = {}  # of a file: the list that it is in, and its place
        self._at_once = FIRST_AT_ONCE
        self._alone = 0
        self.scanned_bytes = 0
        self.failure: QueryError | None = None

    def use(self, access: Access) -> None:
        """Begin a query of this caller. What an earlier one was allowed to read is forgotten."""
        with self._lock:
            self._access = access
            self._places = {}
            self._expected = []
            self._beside = {}
            self._at_once = FIRST_AT_ONCE
            self._alone = 0
            self.scanned_bytes = 0
            self.failure = None

    def expect(self, paths: Callable[[], Iterable[str]], known: tuple[str, ...] | None = None) -> None:
        """Files that the query may read. They are listed only when it has read a few, unless they are ``known``."""
        if known is None:
            self._expected.append(paths)
        else:
            self._beside |= {path: (known, at) for at, path in enumerate(known)}

    def open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        """Raises QueryError for an object that is not there or may not be read."""
        if mode != "rb":
            raise self._failed(QueryError("NOT_SUPPORTED", "the local Athena writes no files through DuckDB"))
        count = self._count if _is_data(path) else _no_count
        for _attempt in range(_TRIES):
            try:
                return ObjectFile(self._needed(path), count)
            except FileNotFoundError:
                with self._lock:  # replaced since we asked
                    self._places.pop(path, None)
        raise self._failed(_missing(path))

    def size(self, path: str) -> int:
        return self._needed(path).size

    def modified(self, path: str) -> datetime:  # noqa: ARG002 - nothing is cached, so nothing compares it
        return _UNKNOWN_TIME

    def exists(self, path: str, **_: Any) -> bool:
        try:
            self._place(path)
        except QueryError:
            return False
        return True

    def isfile(self, path: str) -> bool:
        return self.exists(path)

    def isdir(self, path: str) -> bool:  # noqa: ARG002 - S3 has none
        return False

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        return {"name": path, "size": self.size(path), "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:
        """A key is a name and no pattern, whatever characters it has."""
        return [path]

    def _needed(self, path: str) -> Place:
        try:
            return self._place(path)
        except QueryError as error:
            raise self._failed(error) from error

    def _place(self, path: str) -> Place:
        with self._lock:
            found = self._places.get(path)
            if found is not None:
                return found
            assert self._access is not None  # noqa: S101 - a query has begun
            if path in self._beside:
                self._ask_for_next(self._access, path)
            elif self._alone >= ONE_BY_ONE:
                self._ask_for_expected(self._access)
            if path in self._places:
                return self._places[path]
            self._alone += 1
            try:
                found = self._places[path] = many_objects.place(self._access, path)
            except ClientError as error:
                raise _refused(path, error) from error
            return found

    def _ask_for_next(self, access: Access, path: str) -> None:
        """Of a known list: this file and those behind it, twice as many each time. Files that are left after a table's
        partitions were pruned are neighbours."""
        files, at = self._beside[path]
        wanted = [each for each in files[at : at + self._at_once] if each not in self._places]
        self._at_once *= 2
        self._places |= many_objects.places(access, wanted)

    def _ask_for_expected(self, access: Access) -> None:
        """An object that is refused here is asked for again when it is read, and the refusal is told then."""
        expected, self._expected = self._expected, []
        wanted = sorted({path for paths in expected for path in paths()} - self._places.keys())
        self._places |= many_objects.places(access, wanted)

    def _count(self, size: int) -> None:
        with self._counting:
            self.scanned_bytes += size

    def _failed(self, error: QueryError) -> QueryError:
        self.failure = self.failure or error  # DuckDB gives the text of an exception only
        return error


class ObjectFile(io.RawIOBase):
    """The bytes of one object, which lie in one file or several. They stay readable if the object is deleted."""

    def __init__(self, place: Place, count: Callable[[int], None]) -> None:
        """Raises FileNotFoundError for an object that has gone."""
        self._count = count
        self._position = 0
        self._size = place.size
        self._segments: list[tuple[int, int, int]] = []  # descriptor, offset, length
        try:
            for path, offset, length in place.segments:
                self._segments.append((os.open(path, os.O_RDONLY), offset, length))
        except BaseException:
            self.close()
            raise

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        end = self._size if size is None or size < 0 else min(self._size, self._position + size)
        pieces, begin = [], 0
        for descriptor, offset, length in self._segments:
            first, last = max(self._position, begin), min(end, begin + length)
            if first < last:
                pieces.append(os.pread(descriptor, last - first, offset + first - begin))
            begin += length
        found = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if len(found) < end - self._position:
            raise OSError("an object is shorter on disk than it was written")
        self._position += len(found)
        self._count(len(found))
        return found

    def close(self) -> None:
        segments, self._segments = self._segments, []
        for descriptor, _, _ in segments:
            os.close(descriptor)
        super().close()


def _is_data(path: str) -> bool:
    """Whether its bytes are billed: those of metadata are not."""
    return not (path.endswith((".json", ".avro")) and "/metadata/" in path)


def _no_count(size: int) -> None:
    pass


def _refused(path: str, error: ClientError) -> QueryError:
    if error.response["Error"]["Code"] in _DENIED:
        return path_denied(path)
    return _missing(path)


def _missing(path: str) -> QueryError:
    return QueryError("ICEBERG_CANNOT_OPEN_SPLIT", f"Error opening Iceberg split {path}")
