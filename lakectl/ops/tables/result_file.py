"""The CSV file that Athena leaves of a query, read a part at a time.

Each value is in quotes and NULL is nothing at all, so an empty text (``""``) can be told from NULL; the ``csv`` module
can't do that. GetQueryResults gives a thousand rows a request, which makes minutes of a million rows
(https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lakectl.errors import LakectlError

PART = 4 << 20  # bytes of a request
_FIELD = re.compile(rb'(?:"([^"]*(?:""[^"]*)*)"|([^",\n]*))([,\n])')


def rows(s3: Any, location: str) -> Iterator[list[str | None]]:
    """The rows of the file at ``location`` (``s3://…``), the row of names first; ``None`` for NULL.

    Holds one part of the file, and a row, in memory. Raises what boto3 raises, and :class:`LakectlError` for a file
    that is no such CSV.
    """
    rest = b""
    for part in _parts(s3, location):
        buffer, place, whole = rest + part, 0, 0
        row: list[str | None] = []
        while field := _FIELD.match(buffer, place):
            quoted, bare, end = field.groups()
            row.append(quoted.replace(b'""', b'"').decode() if quoted is not None else bare.decode() or None)
            place = field.end()
            if end == b"\n":
                yield row
                row, whole = [], place
        rest = buffer[whole:]
    if rest:
        raise LakectlError(f"the result file {location} ends within a row", "run the query again")


def _parts(s3: Any, location: str) -> Iterator[bytes]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    start, size = 0, 1
    same: dict[str, str] = {}
    while start < size:
        answer = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{start + PART - 1}", **same)
        part = answer["Body"].read()
        start += len(part)
        size = int(answer["ContentRange"].rpartition("/")[2])
        same = {"IfMatch": answer["ETag"]}  # all parts are of one file
        yield part
