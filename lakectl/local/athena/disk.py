"""How DuckDB reads S3: from the endpoint's own disk, with the caller's permissions.

DuckDB has no HTTP client here. It asks this file system for ``s3://bucket/key``; the endpoint says whether the caller
may read the object, as it judges a GetObject, and where its bytes are. A request for each object costs 3 ms, and DuckDB
would make several for each file: so a query asks once for many objects, those that it names and those beside one.
"""

from __future__ import annotations

import datetime
import os
import threading
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError
from fsspec import AbstractFileSystem  # type: ignore[import-untyped]

from lakectl.local.athena import many_objects
from lakectl.local.athena.access import Access
from lakectl.local.athena.errors import QueryError, path_denied
from lakectl.local.athena.many_objects import Place

# Files of Iceberg's metadata, which Athena does not bill.
_METADATA = (".avro", ".json")


class Disk(AbstractFileSystem):
    """The objects that one query may read. ``failure``: why the last one could not be read; ``scanned``: bytes."""

    protocol = "s3"
    cachable = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._access: Access | None = None
        self._lock = threading.RLock()
        self.forget()

    def use(self, access: Access) -> None:
        """Begin a query of this caller: what another one might read is forgotten."""
        with self._lock:
            self._access = access
            self.forget()

    def forget(self) -> None:
        self._places: dict[str, Place] = {}
        self._roots: set[str] = set()
        self.failure: QueryError | None = None
        self.scanned = 0

    def expect(self, root: str) -> None:
        """Objects below ``root`` will be read: they are asked for many at once."""
        self._roots.add(root.rstrip("/") + "/")

    def expect_files(self, paths: Iterable[str]) -> None:
        """These objects will be read."""
        assert self._access is not None  # noqa: S101 - a query has begun
        missing = [path for path in paths if path not in self._places]
        with self._lock:
            self._places.update(many_objects.places(self._access, missing))

    def _place(self, path: str) -> Place:
        """Raises OSError, and keeps the QueryError in ``failure``."""
        path = path if path.startswith("s3://") else f"s3://{path}"
        with self._lock:
            if path not in self._places:
                self._ask(path)
            return self._places[path]

    def _ask(self, path: str) -> None:
        if self._access is None:
            raise OSError(f"no query reads {path}")
        root = next((root for root in self._roots if path.startswith(root)), None)
        found = many_objects.near(self._access, path, root) if root else many_objects.places(self._access, [path])
        self._places.update(found)
        if path in found:
            return
        bucket, _, key = path.removeprefix("s3://").partition("/")
        try:
            self._access.client("s3").head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            denied = error.response["Error"]["Code"] in ("403", "AccessDenied", "InvalidAccessKeyId")
            message = f"Error opening Iceberg split {path}"
            self.failure = path_denied(path) if denied else QueryError("ICEBERG_CANNOT_OPEN_SPLIT", message)
        raise OSError(f"{path} can't be read")

    def count(self, path: str, size: int) -> None:
        if "/metadata/" in path and path.endswith(_METADATA):
            return
        with self._lock:
            self.scanned += size

    # What DuckDB calls: https://duckdb.org/docs/stable/guides/python/filesystems

    def open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        if mode != "rb":
            raise OSError("the local Athena's DuckDB writes nothing")
        return _File(self, path, self._place(path))

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        size = sum(length for _, _, length in self._place(path))
        return {"name": path, "size": size, "type": "file"}

    def exists(self, path: str, **_: Any) -> bool:
        try:
            self._place(path)
        except OSError:
            return False
        return True

    def glob(self, path: str, **_: Any) -> list[str]:
        return [path]  # a name is a name: it holds no pattern

    def modified(self, path: str) -> datetime.datetime:  # noqa: ARG002
        return datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)  # DuckDB keeps nothing of a file for the next query


class _File:
    """An object's bytes, which may lie in several files."""

    def __init__(self, disk: Disk, path: str, place: Place) -> None:
        self._disk, self._path, self._place = disk, path, place
        self._size = sum(length for _, _, length in place)
        self._at = 0
        self._opened: dict[str, int] = {}
        for name, _, _ in place:
            if name not in self._opened:
                self._opened[name] = os.open(name, os.O_RDONLY)

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._size, self._at + size)
        pieces, position = [], 0
        for name, offset, length in self._place:
            first, last = max(self._at, position), min(end, position + length)
            while first < last:
                piece = os.pread(self._opened[name], last - first, offset + first - position)
                if not piece:
                    raise OSError(f"{self._path} is shorter than it was written")
                pieces.append(piece)
                first += len(piece)
            position += length
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._disk.count(self._path, len(data))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = {0: 0, 1: self._at, 2: self._size}[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def flush(self) -> None:
        """Nothing is written."""

    def close(self) -> None:
        while self._opened:
            os.close(self._opened.popitem()[1])

    def __del__(self) -> None:
        self.close()
