"""Text files that DuckDB refuses, or reads otherwise than Athena: not UTF-8, or of mixed line ends.

Athena reads lines that end with LF, CR LF or CR, and puts U+FFFD in the place of bytes that are not UTF-8 (Hadoop's
LineRecordReader and Text.decode).
"""

from __future__ import annotations

import codecs
import gzip
from typing import Any

from lakectl.core.csv_files import CHUNK, GZIP_ERRORS

_PLAIN: dict[tuple[str, str, bytes], bool] = {}  # (path, ETag, escape)


def is_plain(s3: Any, path: str, etag: str, escape: bytes) -> bool:
    """Whether DuckDB reads the file as Athena does: it holds no ``escape`` either. Each version of a file is looked
    through once."""
    if (path, etag, escape) not in _PLAIN:
        _PLAIN[path, etag, escape] = _look(s3, path, escape)
    return _PLAIN[path, etag, escape]


def _look(s3: Any, path: str, escape: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    stream, rest, line_feeds, lone_crs = _open(s3, path), b"", False, False
    try:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            decoder.decode(chunk)
            if escape in chunk:
                return False
            data = rest + chunk
            rest = data[-1:] if data.endswith(b"\r") else b""
            data = data[: len(data) - len(rest)]
            line_feeds = line_feeds or b"\n" in data
            lone_crs = lone_crs or data.count(b"\r") > data.count(b"\r\n")
        decoder.decode(b"", final=True)
    except (UnicodeDecodeError, *GZIP_ERRORS):
        return False
    return not (line_feeds and (lone_crs or rest))


def _open(s3: Any, path: str) -> Any:
    """An object's bytes, unpacked if its name ends with .gz."""
    bucket, _, key = path.removeprefix("s3://").partition("/")
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    return gzip.GzipFile(fileobj=body) if key.endswith(".gz") else body
