"""CSV files to typed rows, each row tied to its landing. All columns are read as text: no inference pass.

A record is a line: a line break inside quotes is not read. Spark would have to read each file with one task,
and Athena's CSV tables do not read it either.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date
from functools import cached_property, reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from retail.landings import Item
from retail.parsing import clean, parse
from retail.schemas import Source
from retail.settings import BITS, OPEN_QUOTE

_THREADS = 16
_SCHEME = "^[a-z0-9]+:/*"
_HEAD_BYTES = 64 * 1024
# Spark puts the whole line here when a row has more or fewer fields than the header.
CORRUPT = "_corrupt_line"
RAW = "raw_"
_JUDGED = ("landing_no", "flags", "content")
# What Spark reads in place of bytes that are not UTF-8.
NOT_UTF8 = "\ufffd"


def header(s3: Any, item: Item) -> tuple[str, ...]:
    """Column names as the file orders them: trimmed, lower case, without a byte order mark.

    Raises ValueError with a one-line reason when the first line is no header.
    """
    answer = s3.get_object(Bucket=item.landing.bucket, Key=item.landing.key, Range=f"bytes=0-{_HEAD_BYTES - 1}")
    data: bytes = answer["Body"].read()
    if item.landing.key.endswith(".gz"):
        try:
            data = zlib.decompressobj(wbits=31).decompress(data, _HEAD_BYTES)
        except zlib.error as error:
            raise ValueError(f"not a gzip file: {error}") from error
    line = data.split(b"\n", 1)[0]
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"line 1 is not UTF-8: {error.reason} at byte {error.start}") from error
    return tuple(name.strip().lower() for name in next(csv.reader([text]), []))


def header_of(s3: Any, item: Item) -> tuple[str, ...]:
    """``item.header``, read when it is first asked for. Raises ValueError as ``header`` does."""
    item.header = item.header or header(s3, item)
    return item.header


def read_headers(s3: Any, items: list[Item]) -> None:
    """All at once. Whoever asks for one that could not be read gets its ValueError."""

    def look(item: Item) -> None:
        with suppress(ValueError):
            header_of(s3, item)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(look, items))


def check_header(source: Source, names: tuple[str, ...]) -> str | None:
    """Why these columns won't do, or None."""
    missing = [name for name in source.columns if name not in names and name not in source.added]
    twice = sorted({name for name in names if names.count(name) > 1})
    if missing:
        return f"line 1: the header lacks {', '.join(missing)}; it has {', '.join(names) or 'nothing'}"
    if twice:
        return f"line 1: the header names {', '.join(twice)} twice"
    if "" in names:
        return f"line 1: column {names.index('') + 1} has no name"
    return None


@dataclass(frozen=True)
class Rows:
    """Rows of the landings ``items``, all of one source. ``judged``: columns, ``landing_no``, ``flags`` (bits of the
    checks that a row fails), ``content`` hash; kept on local disk once computed, so that the gate and the MERGE read
    S3 once. ``whole``: as read from S3, with the ``raw_*`` texts and the line of a broken row.
    """

    judged: DataFrame
    whole: DataFrame
    items: list[Item]

    @cached_property
    def typed(self) -> DataFrame:
        """``judged`` with source_file and stamp."""
        return _stamped(self.judged, self.items)

    @cached_property
    def raw(self) -> DataFrame:
        """``whole`` with source_file and stamp: read again, to name what is wrong."""
        return _stamped(self.whole, self.items)


def read(spark: SparkSession, s3: Any, source: Source, items: Iterable[Item]) -> Rows | None:
    """The rows of these landings, which are all of ``source``.

    A landing whose header won't do gets a problem instead of rows; None when no landing is left.
    """
    by_header: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in items:
        try:
            names = header_of(s3, item)
            problem = check_header(source, names)
        except ValueError as error:
            problem = str(error)
        if problem:
            item.problems.append(problem)
        else:
            by_header[names].append(item)
    frames = [_read_alike(spark, source, names, group) for names, group in by_header.items()]
    if not frames:
        return None
    rows = reduce(DataFrame.unionByName, frames)
    # In memory it would raise the job's peak by more than half.
    judged = rows.select(*source.columns, *_JUDGED).persist(StorageLevel.DISK_ONLY)
    return Rows(judged, rows, [item for group in by_header.values() for item in group])


def _read_alike(spark: SparkSession, source: Source, names: tuple[str, ...], items: list[Item]) -> DataFrame:
    fields = [StructField(name, StringType()) for name in (*names, CORRUPT)]
    lines = (
        spark.read.schema(StructType(fields))
        .option("header", True)
        .option("quote", '"')
        .option("escape", '"')
        .option("columnNameOfCorruptRecord", CORRUPT)
        # Otherwise ingest_date= in the path becomes a column.
        .option("recursiveFileLookup", True)
        .csv([item.path for item in items])
    )
    texts = {name: clean(F.col("`" + name.replace("`", "``") + "`")) for name in names}
    raw = lines.select(
        *(texts.get(name, F.lit(None).cast("string")).alias(RAW + name) for name in source.columns),
        F.col(CORRUPT),
        F.xxhash64(*texts.values()).alias("text_hash"),
        # Without the scheme: what was asked for as s3:// may be reported as s3a://.
        F.regexp_replace(F.col("_metadata.file_path"), _SCHEME, "").alias("object"),
    )
    typed = [parse(F.col(RAW + name), kind).alias(name) for name, kind in source.columns.items()]
    rows = _numbered(spark, raw.select("*", *typed), items)
    return rows.select("*", _flags(source).alias("flags"), _content(source).alias("content"))


def _numbered(spark: SparkSession, rows: DataFrame, items: list[Item]) -> DataFrame:
    """``rows`` with the landing_no of the landing that each came from."""
    if len(items) == 1:
        return rows.withColumn("landing_no", F.lit(items[0].number))
    objects = [(f"'{_quoted(re.sub(_SCHEME, '', item.path))}'", str(item.number)) for item in items]
    return rows.join(F.broadcast(_literals(spark, ("object", "landing_no"), objects)), "object", "left")


def _stamped(rows: DataFrame, items: list[Item]) -> DataFrame:
    """``rows`` with source_file and stamp. They are not kept with each row: landings are few."""
    if len(items) > 1:
        names = ("landing_no", "source_file", "ingest_batch", "ingest_date", "source_version", "landed_at")
        stamps = _literals(rows.sparkSession, names, map(_stamp_literals, items))
        return rows.join(F.broadcast(stamps), "landing_no", "left")
    item = items[0]
    return rows.select(
        "*",
        F.lit(item.path).alias("source_file"),
        F.lit(item.batch).alias("ingest_batch"),
        F.lit(date.fromisoformat(item.landing.ingest_date)).alias("ingest_date"),
        F.lit(item.landing.version_id).alias("source_version"),
        F.lit(item.landed_at).alias("landed_at"),
    )


def _literals(spark: SparkSession, names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> DataFrame:
    """A relation of SQL literals: Spark needs no job to broadcast it."""
    values = ", ".join(f"({', '.join(row)})" for row in rows)
    return spark.sql(f"SELECT * FROM VALUES {values} AS landing({', '.join(names)})")  # noqa: S608 - quoted


def _stamp_literals(item: Item) -> tuple[str, ...]:
    landed_at = f"{item.landed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
    return (
        str(item.number),
        f"'{_quoted(item.path)}'",
        f"'{item.batch}'",
        f"DATE '{item.landing.ingest_date}'",
        f"'{item.landing.version_id}'",
        f"TIMESTAMP '{landed_at}'",
    )


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _flags(source: Source) -> Column:
    """The bits of the checks that the row fails."""
    broken = F.col(CORRUPT).isNotNull()
    failed = {"null_keys": F.lit(False), "dates": F.lit(False), "numbers": F.lit(False)}
    for name, kind in source.columns.items():
        missing = F.col(name).isNull()
        if name not in source.required:
            missing = missing & F.col(RAW + name).isNotNull()
        if name in source.keys:
            failed["null_keys"] = failed["null_keys"] | missing
        if kind == "string":
            broken = broken | F.coalesce(F.col(name).contains(NOT_UTF8), F.lit(False))
        elif name not in source.keys:
            check = "dates" if kind == "date" else "numbers"
            failed[check] = failed[check] | missing
    if source.name == "orders":
        failed["quantities"] = F.coalesce(F.col("qty") <= 0, F.lit(False))
    # The fields of a broken row are no one's: what they look like says nothing more.
    whole = sum((F.when(test, F.lit(BITS[check])).otherwise(0) for check, test in failed.items()), F.lit(0))
    odd_quotes = F.length(F.regexp_replace(F.col(CORRUPT), '[^"]', "")) % 2 == 1
    torn = F.when(odd_quotes, F.lit(BITS["broken_rows"] | OPEN_QUOTE)).otherwise(F.lit(BITS["broken_rows"]))
    return F.when(broken, torn).otherwise(whole)


def _content(source: Source) -> Column:
    """Equal for equal rows. Orders compare by value (1,5 is 1.5); dimensions by every column of the file."""
    if source.name != "orders":
        return F.col("text_hash")
    return F.xxhash64(*source.columns)
