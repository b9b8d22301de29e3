"""CSV files to typed rows, each row tied to its landing. All columns are read as text: no inference pass.

A record is a line: a line break inside quotes is not read. Spark would have to read each file with one task,
and Athena's CSV tables do not read it either.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date
from functools import cached_property, reduce
from typing import Any

from botocore.exceptions import ClientError
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from lakectl.core import csv_files
from lakectl.core.columns import RESERVED_PREFIX
from lakectl.core.csv_files import HEADER_BYTES, REPLACEMENT
from retail import joined
from retail.landings import Item
from retail.parsing import clean, parse
from retail.schemas import CONTENT, FLAGS, LANDING_NO, Source
from retail.settings import BITS, ODD_QUOTES, OPEN_QUOTE

_THREADS = 16
_SCHEME = "^[a-z0-9]+:/*"
# Spark puts the whole line here when a row has more or fewer fields than the header.
CORRUPT = RESERVED_PREFIX + "line"
RAW = RESERVED_PREFIX + "raw_"
_FIELD, _OBJECT, _TEXT_HASH = (RESERVED_PREFIX + name for name in ("field_", "object", "text_hash"))
_ODD = RESERVED_PREFIX + "odd_quotes"
_JUDGED = (LANDING_NO, FLAGS, CONTENT)
# What S3 answers for this object alone: 400 (encrypted with a key of the customer's), 403 (with a KMS key that we may
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


def header_of(s3: Any, item: Item) -> tuple[str, ...]:
    """``item.header``, read when it is first asked for. Raises ValueError with a one-line reason when the first line
    is no header, and ClientError."""
    if not item.header:
        if not item.landing.size:
            raise ValueError("empty: 0 bytes")
        data = body(s3, item, Range=f"bytes=0-{HEADER_BYTES - 1}").read(HEADER_BYTES)
        item.header = csv_files.header(data, compressed=item.landing.key.endswith(".gz"))
        if joined.is_small(item):
            item.content = data
    return item.header


def read_headers(s3: Any, items: list[Item]) -> None:
    """All at once. A landing whose header can't be read gets a problem. Raises ClientError when S3 refuses every one:
    then it is not the landings' fault."""
    refused: dict[int, ClientError] = {}

    def look(place: int) -> None:
        try:
            header_of(s3, items[place])
        except ValueError as error:
            items[place].problems.append(str(error))
        except ClientError as error:
            if status_of(error) not in OF_THE_OBJECT:
                raise
            refused[place] = error

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(look, range(len(items))))
    if refused and len(refused) == len(items):
        raise next(iter(refused.values()))
    for place, error in refused.items():
        items[place].problems.append(f"S3 does not give it: {error}")


def check_header(source: Source, names: tuple[str, ...]) -> str | None:
    """Why these columns won't do, or None."""
    problems = csv_files.header_problems(names, source.columns, source.added)
    return f"line 1: wrong header: {'; '.join(problems)}; it has {_shown(names)}" if problems else None


def _shown(names: tuple[str, ...]) -> str:
    return ", ".join(names[:20]) + (" and more" if len(names) > 20 else "") if names else "nothing"


@dataclass(frozen=True)
class Rows:
    """Rows of the landings ``items``, all of one source. ``judged``: columns, LANDING_NO, FLAGS (bits of the
    checks that a row fails), CONTENT hash; kept on local disk once computed, so that the gate and the MERGE read
    S3 once. ``again``: reads landings once more, from copies of the claimed versions.
    """

    judged: DataFrame
    items: list[Item]
    again: Callable[[list[Item]], DataFrame]

    @cached_property
    def typed(self) -> DataFrame:
        """``judged`` with source_file and stamp."""
        return _stamped(self.judged, self.items)

    def raw(self, items: list[Item]) -> DataFrame:
        """All that is known of the rows of some of the landings, with the RAW texts and the line of a broken row,
        source_file and stamp: to name what is wrong."""
        return _stamped(self.again(items), items)


def read(
    spark: SparkSession,
    s3: Any,
    source: Source,
    items: Iterable[Item],
    copy: Callable[[list[Item]], None] = lambda _: None,
    put: Callable[[str, bytes], str] | None = None,
) -> Rows | None:
    """The rows of these landings, which are all of ``source``.

    A landing whose header won't do gets a problem instead of rows; None when no landing is left.
    ``copy``: gives landings their ``copy``, which no one overwrites; ``put``: (name, content) -> path of an object of
    ours, for the lines of many small landings.
    """
    good = []
    for item in items:
        try:
            problem = check_header(source, header_of(s3, item))
        except ValueError as error:
            problem = str(error)
        if problem:
            item.problems.append(problem)
        else:
            good.append(item)
    if not good:
        return None

    def again(wanted: list[Item]) -> DataFrame:
        copy(wanted)
        return _read_all(spark, source, wanted)

    rows = _read_all(spark, source, good, put)
    # In memory it would raise the job's peak by more than half.
    judged = rows.select(*source.columns, *_JUDGED).persist(StorageLevel.DISK_ONLY)
    return Rows(judged, good, again)


def _read_all(
    spark: SparkSession, source: Source, items: list[Item], put: Callable[[str, bytes], str] | None = None
) -> DataFrame:
    by_header: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in items:
        by_header[item.header].append(item)
    frames = []
    for names, alike in by_header.items():
        small = [item for item in alike if item.content and not item.copy]
        if put and len(small) >= joined.FEWEST:
            frames.append(_read_joined(spark, source, names, joined.join(small, put)))
            alike = [item for item in alike if not item.joined]
        if alike:
            frames.append(_read_alike(spark, source, names, alike))
    return reduce(DataFrame.unionByName, frames)


def _read_alike(spark: SparkSession, source: Source, names: tuple[str, ...], items: list[Item]) -> DataFrame:
    lines = _lines(spark, _fields(names), [item.copy or item.path for item in items], header=True)
    # Without the scheme: what was asked for as s3:// may be reported as s3a://.
    path = F.regexp_replace(F.col("_metadata.file_path"), _SCHEME, "")
    return _judged(_numbered(spark, _texts(lines, source, names, path.alias(_OBJECT)), items), source)


def _read_joined(spark: SparkSession, source: Source, names: tuple[str, ...], paths: list[str]) -> DataFrame:
    lines = _lines(spark, [LANDING_NO, *_fields(names)], paths, header=False)
    prefix = "^[0-9]+,"
    whole = lines.withColumns(
        {
            LANDING_NO: F.col(LANDING_NO).cast("int"),
            CORRUPT: F.regexp_replace(CORRUPT, prefix, ""),
        }
    )
    return _judged(_texts(whole, source, names, F.lit("").alias(_OBJECT), F.col(LANDING_NO)), source)


def _fields(names: tuple[str, ...]) -> list[str]:
    """By place: Spark knows nothing of the file's own names."""
    return [f"{_FIELD}{place}" for place in range(len(names))]


def _lines(spark: SparkSession, fields: list[str], paths: list[str], *, header: bool) -> DataFrame:
    return (
        spark.read.schema(StructType([StructField(field, StringType()) for field in (*fields, CORRUPT)]))
        .option("header", header)
        .option("quote", '"')
        .option("escape", '"')
        .option("columnNameOfCorruptRecord", CORRUPT)
        # Otherwise ingest_date= in the path becomes a column.
        .option("recursiveFileLookup", True)
        .csv(paths)
    )


def _texts(lines: DataFrame, source: Source, names: tuple[str, ...], *more: Column) -> DataFrame:
    """The RAW texts of the source's columns, what is odd about the line, and ``more``."""
    fields = dict(zip(names, _fields(names), strict=True))
    texts = {name: clean(F.col(field)) for name, field in fields.items()}
    quoted = reduce(Column.__or__, (F.coalesce(F.col(field).contains('"'), F.lit(False)) for field in fields.values()))
    odd = reduce(Column.__or__, (_count_quotes(F.col(field)) % 2 == 1 for field in fields.values()))
    return lines.select(
        *(texts.get(name, F.lit(None).cast("string")).alias(RAW + name) for name in source.columns),
        F.col(CORRUPT),
        F.when(quoted, F.coalesce(odd, F.lit(False))).otherwise(F.lit(False)).alias(_ODD),
        F.xxhash64(*texts.values()).alias(_TEXT_HASH),
        *more,
    )


def _judged(rows: DataFrame, source: Source) -> DataFrame:
    """Numbered ``rows`` of texts with the typed columns, FLAGS and CONTENT."""
    typed = [parse(F.col(RAW + name), kind).alias(name) for name, kind in source.columns.items()]
    return rows.select("*", *typed).select("*", _flags(source).alias(FLAGS), _content(source).alias(CONTENT))


def _count_quotes(text: Column) -> Column:
    return F.length(F.regexp_replace(F.coalesce(text, F.lit("")), '[^"]', ""))


def _numbered(spark: SparkSession, rows: DataFrame, items: list[Item]) -> DataFrame:
    """``rows`` with the LANDING_NO of the landing that each came from."""
    if len(items) == 1:
        return rows.withColumn(LANDING_NO, F.lit(items[0].number))
    objects = [(f"'{_quoted(re.sub(_SCHEME, '', item.copy or item.path))}'", str(item.number)) for item in items]
    return rows.join(F.broadcast(_literals(spark, (_OBJECT, LANDING_NO), objects)), _OBJECT, "left")


def _stamped(rows: DataFrame, items: list[Item]) -> DataFrame:
    """``rows`` with source_file and stamp. They are not kept with each row: landings are few."""
    if len(items) > 1:
        names = (LANDING_NO, "source_file", "ingest_batch", "ingest_date", "source_version", "landed_at")
        stamps = _literals(rows.sparkSession, names, map(_stamp_literals, items))
        return rows.join(F.broadcast(stamps), LANDING_NO, "left")
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
            broken = broken | F.coalesce(F.col(name).contains(REPLACEMENT), F.lit(False))
        elif name not in source.keys:
            check = "dates" if kind == "date" else "numbers"
            failed[check] = failed[check] | missing
    if source.name == "orders":
        failed["quantities"] = F.coalesce(F.col("qty") <= 0, F.lit(False))
    # The fields of a broken row are no one's: what they look like says nothing more.
    whole = sum((F.when(test, F.lit(BITS[check])).otherwise(0) for check, test in failed.items()), F.lit(0))
    open_quote = _count_quotes(F.col(CORRUPT)) % 2 == 1
    torn = F.when(open_quote, F.lit(BITS["broken_rows"] | OPEN_QUOTE)).otherwise(F.lit(BITS["broken_rows"]))
    return F.when(broken, torn).otherwise(whole) + F.when(F.col(_ODD), F.lit(ODD_QUOTES)).otherwise(0)


def _content(source: Source) -> Column:
    """Equal for equal rows. Orders compare by value (1,5 is 1.5); dimensions by every column of the file."""
    if source.name != "orders":
        return F.col(_TEXT_HASH)
    return F.xxhash64(*source.columns)
