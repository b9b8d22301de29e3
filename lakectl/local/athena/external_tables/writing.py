"""Writes a query's rows under a folder of S3, in one format, split by partition.

https://docs.aws.amazon.com/athena/latest/ug/ctas-insert-into-partitions.html: 100 partitions at most in one statement.
What was written before a failure is deleted.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from botocore.exceptions import ClientError

from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import partitions
from lakectl.local.athena.external_tables.buckets import Buckets
from lakectl.local.athena.external_tables.formats import FORMATS
from lakectl.local.athena.external_tables.writers import Writer, open_writer, text_of
from lakectl.local.athena.results import split
from lakectl.local.athena.sqltypes import Type

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

MOST_PARTITIONS = 100
_SPOOLED_BYTES = 1 << 20
_KEYS = ("varchar", "char", "tinyint", "smallint", "integer", "bigint", "date", "timestamp", "boolean", "decimal")
_SUFFIXES = {"GZIP": ".gz", "BZIP2": ".bz2"}  # of text files: Hadoop unpacks them by it


@dataclass(frozen=True)
class Target:
    """Where rows go. ``fields``: columns of the files; ``keys``: those of the partitions, behind them.

    ``folder_of``: a partition's folder by its values; without one, they lie as Hive has them below ``location``.
    """

    location: str
    format: str
    codec: str
    fields: Mapping[str, Type]
    keys: Mapping[str, Type]
    settings: Mapping[str, str] = field(default_factory=dict)
    folder_of: Callable[[tuple[str | None, ...]], str | None] = lambda _: None
    buckets: Buckets | None = None

    def folder(self, values: tuple[str | None, ...]) -> str:
        return self.folder_of(values) or self.location.rstrip("/") + "/" + partitions.folder(
            list(self.keys), list(values)
        )


@dataclass
class Written:
    """``partitions``: values -> folder; ``paths``: of the files."""

    rows: int = 0
    partitions: dict[tuple[str | None, ...], str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)


def codec_of(format_name: str, wanted: str | None) -> str:
    """The compression to write with. Raises QueryError for one that the format does not have."""
    codecs = FORMATS[format_name].codecs
    if wanted is None:
        return codecs[0]
    name = "NONE" if wanted.upper() == "UNCOMPRESSED" else wanted.upper()
    if name in codecs:
        return name
    if name in ("GZIP", "DEFLATE", "LZ4", "SNAPPY", "ZLIB", "ZSTD", "BZIP2", "LZO", "BROTLI"):
        raise QueryError(
            "NOT_SUPPORTED",
            f"{format_name} with {name} compression is not supported by the local Athena; it works on AWS",
        )
    raise QueryError("INVALID_TABLE_PROPERTY", f"Unsupported compression: {wanted}")


def check_keys(keys: Mapping[str, Type]) -> None:
    for name, kind in keys.items():
        if kind.name not in _KEYS:
            raise QueryError("NOT_SUPPORTED", f"Unsupported type [{kind}] for partition: {name}")


def write(run: Run, rows: Iterable[Any], target: Target) -> Written:
    """Write the batches of an Arrow reader. Raises QueryError for too many partitions; nothing is left behind then."""
    written = Written()
    opened: dict[tuple[tuple[str | None, ...], int | None], _File] = {}
    width = len(target.fields)
    try:
        for batch in rows:
            run.check_cancelled()
            table = pa.Table.from_batches([batch])
            written.rows += table.num_rows
            for place, part in _split(table, target, width):
                if place not in opened:
                    if len(opened) >= MOST_PARTITIONS:
                        raise QueryError(
                            "HIVE_TOO_MANY_OPEN_PARTITIONS",
                            f"Exceeded limit of {MOST_PARTITIONS} open writers for partitions/buckets",
                        )
                    opened[place] = _File(target, part.schema)
                opened[place].write(part)
        for (values, number), file in opened.items():
            folder = target.folder(values) if target.keys else target.location.rstrip("/") + "/"
            path = f"{folder.rstrip('/')}/{_file_name(target, number)}"
            file.upload(run.s3, path)
            written.paths.append(path)
            if target.keys:
                written.partitions[values] = folder
    except BaseException:
        remove(run.s3, written.paths)
        raise
    finally:
        for file in opened.values():
            file.drop()
    return written


def _file_name(target: Target, bucket: int | None) -> str:
    number = "" if bucket is None else f"{bucket:06}_0_"  # as Hive finds a bucket's file
    suffix = _SUFFIXES.get(target.codec, "") if target.format in ("JSON", "TEXTFILE") else ""
    return f"{number}{uuid.uuid4()}{suffix}"


def remove(s3: Any, paths: list[str]) -> None:
    """Delete files that no table will have."""
    for path in paths:
        bucket, key = split(path)
        s3.delete_object(Bucket=bucket, Key=key)


class _File:
    """One file, on the local disk until it is whole."""

    def __init__(self, target: Target, schema: pa.Schema) -> None:
        self._file: Any = tempfile.SpooledTemporaryFile(_SPOOLED_BYTES)  # noqa: SIM115 - closed by drop
        self._writer: Writer = open_writer(
            target.format, target.codec, self._file, target.fields, schema, target.settings
        )
        self._closed = False

    def write(self, rows: pa.Table) -> None:
        self._writer.write(rows)

    def upload(self, s3: Any, path: str) -> None:
        from boto3.exceptions import S3UploadFailedError
        from boto3.s3.transfer import TransferConfig

        self._close()
        self._file.seek(0)
        bucket, key = split(path)
        try:
            s3.upload_fileobj(self._file, bucket, key, Config=TransferConfig(max_concurrency=2))
        except (ClientError, S3UploadFailedError) as error:
            if "AccessDenied" in str(error):
                raise QueryError("PERMISSION_DENIED", f"Access Denied when writing to location: {path}") from None
            raise QueryError("HIVE_WRITER_CLOSE_ERROR", f"Error committing write to Hive: {path}") from None

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            self._writer.close()

    def drop(self) -> None:
        self._close()
        self._file.close()


def _split(
    table: pa.Table, target: Target, width: int
) -> Iterable[tuple[tuple[tuple[str | None, ...], int | None], pa.Table]]:
    """((values of the partition, number of the bucket), its rows)"""
    if not target.keys and target.buckets is None:
        return [(((), None), table)]
    kinds = list(target.keys.values())
    columns = [
        [_key_text(value, kind) for value in column.to_pylist()]
        for column, kind in zip(table.columns[width:], kinds, strict=True)
    ]
    values = list(zip(*columns, strict=True)) if columns else [()] * table.num_rows
    numbers: list[int] | list[None] = [None] * table.num_rows
    if target.buckets is not None:
        names = list(target.fields)
        spread = [table.columns[names.index(name)].to_pylist() for name in target.buckets.columns]
        numbers = target.buckets.numbers(spread)
    places: dict[tuple[tuple[str | None, ...], int | None], list[int]] = {}
    for at, place in enumerate(zip(values, numbers, strict=True)):
        places.setdefault(place, []).append(at)
    data = table.select(range(width))
    return [(place, data.take(pa.array(rows, pa.int64()))) for place, rows in places.items()]


def _key_text(value: Any, kind: Type) -> str | None:
    if value is None or value == "":
        return None  # Hive has no empty value of a partition
    text = text_of(value, kind)
    if kind.name == "timestamp" and "." in text:  # as Trino's HiveWriteUtils writes it in a path
        text = text.rstrip("0").rstrip(".")
    if not all(" " <= char <= "~" for char in text):
        raise QueryError(
            "HIVE_INVALID_PARTITION_VALUE",
            "Hive partition keys can only contain printable ASCII characters (0x20 - 0x7E). Invalid value: "
            + text.encode("utf-8").hex(" ").upper(),
        )
    return text
