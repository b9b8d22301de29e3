"""The files of an external table, and reading them line by line as Hadoop does."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lakectl.core.csv_files import GZIP_ERRORS, lines
from lakectl.local.athena import many_objects
from lakectl.local.athena.access import Access
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.session import Session

PATH = "$path"
SMALL_BYTES = 256 * 1024
MANY_FILES = 50  # more small ones than these are fetched many at once


@dataclass(frozen=True)
class Landed:
    """An external table at this moment. ``fields``: name -> Hive type; ``files``: path -> (ETag, bytes);
    ``date_at``: where the date of ``partition`` begins in a path."""

    label: str
    access: Access
    fields: Mapping[str, str]
    partition: str | None
    files: Mapping[str, tuple[str, int]]
    date_at: int

    @property
    def extra(self) -> tuple[str, ...]:
        """Columns that come from the path."""
        return (self.partition, PATH) if self.partition else (PATH,)

    def texts(self, rows: dict[str, list[list[str | None]]]) -> pa.Table:
        """Rows of text by the file that they are from, as a table with the columns of the path."""
        columns: list[list[str | None]] = [[] for _ in self.fields]
        ends: list[list[str]] = [[] for _ in self.extra]
        for path, found in rows.items():
            for column, values in zip(columns, zip(*found, strict=True), strict=False):
                column.extend(values)
            values = (path[self.date_at : self.date_at + 10], path) if self.partition else (path,)
            for end, value in zip(ends, values, strict=True):
                end.extend([value] * len(found))
        names = (*self.fields, *self.extra)
        return pa.table(
            {name: pa.array(column, pa.string()) for name, column in zip(names, (*columns, *ends), strict=True)}
        )

    def small(self) -> list[str]:
        """Files to fetch many at once; none unless there are many."""
        found = [path for path, (_, size) in self.files.items() if size <= SMALL_BYTES]
        return found if len(found) > MANY_FILES else []

    def bodies(self, session: Session, paths: list[str]) -> Iterator[tuple[str, Any]]:
        """Each of the ``paths`` with a stream of its bytes, unpacked if its name ends with .gz. The query has scanned
        them."""
        small = [path for path in paths if self.files[path][1] <= SMALL_BYTES] if len(paths) > MANY_FILES else []
        for path, body in many_objects.fetch(self.access, small):
            session.count_scanned(len(body))
            yield path, _unpacked(path, io.BytesIO(body))
        fetched = set(small)
        s3 = self.access.client("s3")
        for path in (path for path in paths if path not in fetched):
            bucket, _, key = path.removeprefix("s3://").partition("/")
            session.count_scanned(self.files[path][1])
            yield path, _unpacked(path, s3.get_object(Bucket=bucket, Key=key)["Body"])


def _unpacked(path: str, stream: Any) -> Any:
    return gzip.GzipFile(fileobj=stream) if path.endswith(".gz") else stream


def text_lines(path: str, stream: Any) -> Iterator[str]:
    """The lines of a text file: U+FFFD in the place of bytes that are not UTF-8 (Hadoop's LineRecordReader and
    Text.decode). Raises QueryError for a gzip file that is not whole."""
    try:
        for line in lines(stream):
            yield line.decode("utf-8", "replace")
    except GZIP_ERRORS as error:
        raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read file at {path}: {error}") from error


def sql_text(value: str) -> str:
    """A text as a literal of DuckDB's SQL."""
    return "'" + value.replace("'", "''") + "'"
