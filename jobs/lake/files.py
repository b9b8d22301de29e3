"""Landed files in S3: the bytes of the claimed version, and their columns before Spark reads a row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from lake import joined
from lake.landings import Item
from lakectl.core import csv_files, parquet_files
from lakectl.core.csv_files import HEADER_BYTES
from lakectl.spec.model import SourceSpec

_THREADS = 16
# What S3 answers for this object alone: 400 (encrypted with a key of its owner), 403 (with a KMS key that we may
# not use, or archived), 404 (deleted for good), 412 (other bytes, in a bucket without versions).
OF_THE_OBJECT = (400, 403, 404, 412)


def body(s3: Any, item: Item, **more: str) -> Any:
    """The stream of the claimed version, whatever the object is now. Raises ClientError."""
    landing = item.landing
    where = {"Bucket": landing.bucket, "Key": landing.key, "IfMatch": f'"{landing.etag}"', **more}
    try:
        return s3.get_object(VersionId=landing.version_id, **where)["Body"]
    except ClientError as error:
        if status_of(error) != 404:
            raise
        return s3.get_object(**where)["Body"]  # the same bytes may have landed again


def status_of(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def is_compressed(item: Item) -> bool:
    return item.landing.key.endswith(".gz")


def header_of(s3: Any, item: Item, source: SourceSpec) -> tuple[str, ...]:
    """``item.header``, read when it is first asked for. JSON Lines have none: it is the source's columns.

    Raises ValueError with a one-line reason when the file has no header, and ClientError.
    """
    if not item.header:
        if not item.landing.size:
            raise ValueError("empty: 0 bytes")
        item.header = csv_files.named(_names(s3, item, source), source)
    return item.header


def _names(s3: Any, item: Item, source: SourceSpec) -> tuple[str, ...]:
    if source.file.format == "jsonl":
        if joined.is_small(item):
            item.content = body(s3, item).read()
        return tuple(column.name for column in source.columns)
    if source.file.format == "parquet":
        names, item.kinds = parquet_files.header(lambda first, size: _range(s3, item, first, size), item.landing.size)
        return names
    data = _range(s3, item, 0, HEADER_BYTES)
    if joined.is_small(item):
        item.content = data
    return csv_files.header(data, source.file, compressed=is_compressed(item))


def _range(s3: Any, item: Item, first: int, size: int) -> bytes:
    found: bytes = body(s3, item, Range=f"bytes={first}-{first + size - 1}").read(size)
    return found


def read_headers(s3: Any, items: list[tuple[Item, SourceSpec]]) -> None:
    """All at once. A landing whose header can't be read gets a problem. Raises ClientError when S3 refuses every one:
    then it is not the landings' fault."""
    refused: dict[int, ClientError] = {}

    def look(place: int) -> None:
        item, source = items[place]
        try:
            header_of(s3, item, source)
        except ValueError as error:
            item.problems.append(str(error))
        except ClientError as error:
            if status_of(error) not in OF_THE_OBJECT:
                raise
            refused[place] = error

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(look, range(len(items))))
    if refused and len(refused) == len(items):
        raise next(iter(refused.values()))
    for place, error in refused.items():
        items[place][0].problems.append(f"S3 does not give it: {error}")


def check_header(source: SourceSpec, names: tuple[str, ...], optional: tuple[str, ...] = ()) -> str | None:
    """Why these columns won't do, or None. ``optional``: columns that a file may lack."""
    problems = csv_files.header_problems(names, [column.name for column in source.columns], optional)
    where = "wrong columns" if source.file.format == "parquet" else "line 1: wrong header"
    return f"{where}: {'; '.join(problems)}; it has {_shown(names)}" if problems else None


def _shown(names: tuple[str, ...]) -> str:
    return ", ".join(names[:20]) + (" and more" if len(names) > 20 else "") if names else "nothing"
