"""Query results as Athena keeps them: a file in S3, of which GetQueryResults reads pages.

Nothing of a result stays in memory: a page is read from the file, from the byte that the token names.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from lakectl.local.athena.errors import QueryError, RequestError, exhausted

PAGE = 1000  # rows, the header row among them: the most that GetQueryResults gives at once
_CHUNK = 256 * 1024
_SMALL = 4 << 20
MOST_BYTES = 4 << 30  # a result that has no end must not fill the disk
_OCTETS = {"ContentType": "application/octet-stream"}
_FIELD = re.compile(rb'(?:"((?:[^"]|"")*)")?([,\n])')


@dataclass(frozen=True)
class Column:
    """One entry of ResultSetMetadata.ColumnInfo."""

    name: str
    type: str
    precision: int = 0
    scale: int = 0
    says_name: bool = False  # of SHOW and DESCRIBE: texts about names, which have no case

    def info(self) -> dict[str, Any]:
        return {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": self.type,
            "Precision": self.precision,
            "Scale": self.scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": self.type in ("varchar", "char") and not self.says_name,
        }


@dataclass
class Result:
    """What a statement gave. ``rows`` may be lazy; ``header`` says whether the file begins with the names."""

    columns: list[Column] = field(default_factory=list)
    rows: Iterator[Sequence[str | None]] | list[tuple[str | None, ...]] = field(default_factory=list)
    header: bool = False
    update_count: int | None = None
    has_file: bool = True
    row_count: int = 0
    manifest: str | None = None  # where the list of the files is that the query wrote
    subtype: str | None = None  # the SubstatementType, where it is known only once the catalog was asked


def split(location: str) -> tuple[str, str]:
    """``s3://bucket/key`` → (bucket, key)."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def write(s3: Any, location: str, result: Result) -> int:
    """Write a result to its file; returns the file's size in bytes. Raises QueryError if S3 refuses it."""
    from boto3.exceptions import S3UploadFailedError
    from boto3.s3.transfer import TransferConfig

    bucket, key = split(location)
    with tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024) as file:
        if result.header:
            file.write(_line([column.name for column in result.columns]))
        for row in result.rows:
            file.write(_line(row) if result.header else ("\t".join(item or "" for item in row) + "\n").encode())
            result.row_count += 1
            if file.tell() > MOST_BYTES:
                raise exhausted()
        size = file.tell()
        file.seek(0)
        try:
            if size <= _SMALL:  # without the threads of a transfer, which cost more than the request
                s3.put_object(Bucket=bucket, Key=key, Body=file.read(), **_OCTETS)
            else:
                s3.upload_fileobj(file, bucket, key, _OCTETS, Config=TransferConfig(max_concurrency=2))
        except (ClientError, S3UploadFailedError) as error:
            raise _not_written(location, error) from None
    return size


def _not_written(location: str, error: Exception) -> QueryError:
    if "AccessDenied" in str(error):
        return QueryError(
            "PERMISSION_DENIED",
            f"Access denied when writing output to url: {location} . Please ensure you are allowed to access the S3 "
            "bucket. If you are encrypting query results with KMS key, please ensure you are allowed to access your "
            "KMS key",
        )
    return QueryError("GENERIC_USER_ERROR", f"could not write the result to {location}: {error}")


def _line(row: Sequence[str | None]) -> bytes:
    return (",".join("" if item is None else '"' + item.replace('"', '""') + '"' for item in row) + "\n").encode()


def page(
    s3: Any, location: str, *, csv: bool, token: str | None, limit: int
) -> tuple[list[list[str | None]], str | None]:
    """``limit`` rows of a result file from ``token`` on, and the token of the page after them."""
    start = _offset(token)
    rows: list[list[str | None]] = []
    buffer, position, ended = b"", start, False
    while len(rows) <= limit and not ended:
        more = _range(s3, location, start + len(buffer))
        ended = len(more) < _CHUNK
        buffer += more
        rows, ends = _parse(buffer, limit + 1, csv)
    if len(rows) > limit:
        position = start + ends[limit - 1]
        return rows[:limit], str(position)
    return rows, None


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    if not token.isdigit():
        raise RequestError(f"Malformed nextPageToken {token}")
    return int(token)


def _range(s3: Any, location: str, start: int) -> bytes:
    bucket, key = split(location)
    try:
        body = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{start + _CHUNK - 1}")["Body"]
        return bytes(body.read())
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("InvalidRange", "416"):
            return b""
        raise RequestError(f"Could not find results at {location}: {code}") from None


def _parse(buffer: bytes, limit: int, csv: bool) -> tuple[list[list[str | None]], list[int]]:
    """The whole rows in ``buffer``, at most ``limit``, and the offset behind each."""
    rows: list[list[str | None]] = []
    ends: list[int] = []
    if not csv:
        at = 0
        while len(rows) < limit and (end := buffer.find(b"\n", at)) >= 0:
            rows.append([buffer[at:end].decode()])
            at = end + 1
            ends.append(at)
        return rows, ends
    row: list[str | None] = []
    at = 0
    while len(rows) < limit and (found := _FIELD.match(buffer, at)):
        quoted = found.group(1)
        row.append(None if quoted is None else quoted.replace(b'""', b'"').decode())
        at = found.end()
        if found.group(2) == b"\n":
            rows.append(row)
            ends.append(at)
            row = []
    return rows, ends
