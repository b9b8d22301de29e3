"""The files of an external table, and reading them line by line as Hadoop does."""

from __future__ import annotations

import bz2
import gzip
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from botocore.exceptions import ClientError

from lakectl.core.csv_files import GZIP_ERRORS, lines
from lakectl.local.athena import many_objects
from lakectl.local.athena.access import Access
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import hivetypes
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type

PATH = "$path"
SMALL_BYTES = 256 * 1024
MANY_FILES = 50  # more small ones than these are fetched many at once
# Hadoop unpacks a text file by its name. https://docs.aws.amazon.com/athena/latest/ug/compression-formats.html
_OTHERWISE_PACKED = (".snappy", ".lz4", ".zst", ".deflate", ".lzo")


@dataclass(frozen=True)
class File:
    """``values``: of the partition that it belongs to, as text; None is NULL."""

    etag: str
    size: int
    values: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Landed:
    """An external table's files at this moment. ``fields``: its columns, without those of the partition."""

    label: str
    access: Access
    fields: Mapping[str, Type]
    files: Mapping[str, File]

    def small(self) -> list[str]:
        """Files to fetch many at once; none unless there are many."""
        found = [path for path, file in self.files.items() if file.size <= SMALL_BYTES]
        return found if len(found) > MANY_FILES else []

    def bodies(self, session: Session, paths: list[str]) -> Iterator[tuple[str, Any]]:
        """Each of the ``paths`` with a stream of its bytes, unpacked by the end of its name. The query has scanned
        them."""
        for path, stream in self.packed(session, paths):
            yield path, _unpacked(path, stream, self.label)

    def packed(self, session: Session, paths: list[str]) -> Iterator[tuple[str, Any]]:
        """Each of the ``paths`` with a stream of its bytes as they are."""
        small = [path for path in paths if self.files[path].size <= SMALL_BYTES] if len(paths) > MANY_FILES else []
        for path, body in many_objects.fetch(self.access, small):
            session.count_scanned(len(body))
            yield path, io.BytesIO(body)
        fetched = set(small)
        s3 = self.access.client("s3")
        for path in (path for path in paths if path not in fetched):
            bucket, _, key = path.removeprefix("s3://").partition("/")
            session.count_scanned(self.files[path].size)
            yield path, s3.get_object(Bucket=bucket, Key=key)["Body"]

    def rows(self, found: Mapping[str, list[list[Any]]]) -> pa.Table:
        """The rows of each file, of values of Python, as a table with the paths in its last column."""
        columns: list[list[Any]] = [[] for _ in self.fields]
        for rows in found.values():
            for column, values in zip(columns, zip(*rows, strict=True), strict=False):
                column.extend(values)
        arrays = [
            pa.array(column, hivetypes.arrow(kind)) for column, kind in zip(columns, self.fields.values(), strict=True)
        ]
        return self.with_paths(arrays, {path: len(rows) for path, rows in found.items()})

    def with_paths(self, arrays: list[Any], counts: Mapping[str, int]) -> pa.Table:
        """``arrays``: one for each field; ``counts``: the rows of each file, in order."""
        places = pa.array([at for at, count in enumerate(counts.values()) for _ in range(count)], pa.int32())
        paths = pa.DictionaryArray.from_arrays(places, pa.array(list(counts), pa.string()))
        return pa.table([*arrays, paths.cast(pa.string())], names=[*self.fields, PATH])


def listed(access: Access, root: str) -> Iterator[tuple[str, str, int]]:
    """Path, ETag and size of every file under ``root``, subfolders too; Athena sees neither empty ones nor ``_x`` and
    ``.x``. Raises QueryError where the bucket is not there."""
    bucket, _, prefix = root.removeprefix("s3://").partition("/")
    try:
        for key, etag, size in many_objects.listing(access, bucket, prefix):
            if size and not any(part.startswith(("_", ".")) for part in key.removeprefix(prefix).split("/")):
                yield f"s3://{bucket}/{key}", etag, size
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise QueryError("HIVE_FILESYSTEM_ERROR", f"The specified bucket does not exist: {bucket}") from None


def _unpacked(path: str, stream: Any, label: str) -> Any:
    if path.endswith(".gz"):
        return gzip.GzipFile(fileobj=stream)
    if path.endswith(".bz2"):
        return bz2.BZ2File(io.BytesIO(stream.read()))
    if path.endswith(_OTHERWISE_PACKED):
        raise unread(label, f"{path} is packed otherwise than with gzip or bzip2")
    return stream


def text_lines(path: str, stream: Any) -> Iterator[str]:
    """The lines of a text file: U+FFFD in the place of bytes that are not UTF-8 (Hadoop's LineRecordReader and
    Text.decode). Raises QueryError for a packed file that is not whole."""
    try:
        for line in lines(stream):
            yield line.decode("utf-8", "replace")
    except (*GZIP_ERRORS, OSError) as error:
        raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read file at {path}: {error}") from error


def line_count(parameters: Mapping[str, str], name: str) -> int:
    """``skip.header.line.count`` and its like. Raises QueryError for what is no number of lines."""
    value = parameters.get(name, "0").strip()
    if not value.isdigit():
        raise QueryError("HIVE_INVALID_METADATA", f"Invalid value for '{name}' property: {value}")
    return int(value)


def sql_text(value: str) -> str:
    """A text as a literal of DuckDB's SQL."""
    return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def unread(label: str, why: str) -> QueryError:
    return QueryError(
        "NOT_SUPPORTED", f"the table {label} is not supported by the local Athena; it works on AWS: {why}"
    )
