"""Landed files to typed rows, each row tied to its landing. The formats have a module each; the rest is here.

A record of CSV and JSON Lines is a line: a line break inside quotes is not read. Spark would have to read each file
with one task, and Athena's tables do not read it either.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from functools import cached_property, reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lake import joined, reading_csv, reading_json, reading_parquet
from lake.derived import with_derived
from lake.files import check_header, header_of
from lake.landings import Item
from lake.names import CONTENT, CORRUPT, FLAGS, LANDING_NO, RAW, quoted, spark_type
from lake.policies import BITS, FURTHER, Checks
from lakectl.core.columns import LINEAGE
from lakectl.core.csv_files import REPLACEMENT
from lakectl.core.values import check_of
from lakectl.spec.model import SourceSpec

_SCHEME = "^[a-z0-9]+:/*"
_JUDGED = (LANDING_NO, FLAGS, CONTENT)
# What a format's module gives each row beside CORRUPT, the RAW texts and the typed columns: the object that it is of,
# and whether it has fields that are not the source's.
OBJECT, MORE = "_lake_object", "_lake_further"
_OF_THE_LANDING = {name: kind for name, kind in LINEAGE.items() if name != "_lake_loaded_at"}
_MOST_LITERALS = 200


@dataclass(frozen=True)
class Rows:
    """Rows of the landings ``items``, all of one source. ``judged``: columns, LANDING_NO, FLAGS (bits of the
    checks that a row fails), CONTENT hash; kept on local disk once computed, so that the checks and the commit read
    S3 once. ``again``: reads landings once more, from copies of the claimed versions.
    """

    source: SourceSpec
    judged: DataFrame
    items: list[Item]
    again: Callable[[list[Item]], DataFrame]

    @cached_property
    def typed(self) -> DataFrame:
        """``judged`` with the lineage columns."""
        return _with_lineage(self.judged, self.items)

    def raw(self, items: list[Item]) -> DataFrame:
        """All that is known of the rows of some of the landings, with the RAW texts and the line of a broken row,
        and the lineage columns: to name what is wrong."""
        return _with_lineage(self.again(items), items)


def read(
    spark: SparkSession,
    s3: Any,
    checks: Checks,
    items: Iterable[Item],
    optional: tuple[str, ...] = (),
    copy: Callable[[list[Item]], None] = lambda _: None,
    put: Callable[[str, bytes], str] | None = None,
) -> Rows | None:
    """The rows of these landings, which are all of one source.

    A landing whose header won't do gets a problem instead of rows; None when no landing is left. ``optional``: columns
    that a file may lack. ``copy``: gives landings their ``copy``, which no one overwrites; ``put``: (name, content) ->
    path of an object of ours, for the lines of many small landings.
    """
    source, good = checks.source, []
    for item in items:
        try:
            problem = check_header(source, header_of(s3, item, source), optional)
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
        return _read_all(spark, checks, wanted)

    rows = _read_all(spark, checks, good, put)
    # In memory it would raise the job's peak by more than half.
    judged = rows.select(*(column.name for column in source.columns), *_JUDGED).persist(StorageLevel.DISK_ONLY)
    return Rows(source, judged, good, again)


def _read_all(
    spark: SparkSession, checks: Checks, items: list[Item], put: Callable[[str, bytes], str] | None = None
) -> DataFrame:
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Item]] = defaultdict(list)
    for item in items:
        alike[item.header, item.kinds].append(item)
    frames = []
    for group in alike.values():
        small = [item for item in group if item.content and not item.copy]
        if put and len(small) >= joined.FEWEST:
            paths = joined.join(small, checks.source, put)
            frames.append(judged(_raw(spark, checks.source, small[0], paths, is_joined=True), checks))
        rest = [item for item in group if not (put and item.joined)]
        if rest:
            raw = _raw(spark, checks.source, rest[0], [item.copy or item.path for item in rest])
            frames.append(judged(_numbered(spark, raw, rest), checks))
    return reduce(DataFrame.unionByName, frames)


def _raw(
    spark: SparkSession, source: SourceSpec, item: Item, paths: list[str], *, is_joined: bool = False
) -> DataFrame:
    """The rows in ``paths``, whose columns are those of ``item``."""
    if source.file.format == "csv":
        return reading_csv.raw(spark, source, item.header, paths, is_joined=is_joined)
    if source.file.format == "jsonl":
        return reading_json.raw(spark, source, paths, is_joined=is_joined)
    return reading_parquet.raw(spark, source, item.header, item.kinds, paths)


def judged(rows: DataFrame, checks: Checks) -> DataFrame:
    """``rows`` of a format's module with FLAGS and CONTENT."""
    source = checks.source
    flagged = with_derived(rows, source, checks.known_early) if checks.early else rows
    return flagged.select(*rows.columns, _flags(checks).alias(FLAGS), _content(source).alias(CONTENT))


def _numbered(spark: SparkSession, rows: DataFrame, items: list[Item]) -> DataFrame:
    """``rows`` with the LANDING_NO of the landing that each came from."""
    if len(items) == 1:
        return rows.withColumn(LANDING_NO, F.lit(items[0].number)).drop(OBJECT)
    # Without the scheme: what was asked for as s3:// may be reported as s3a://.
    rows = rows.withColumn(OBJECT, F.regexp_replace(F.col(OBJECT), _SCHEME, ""))
    objects = [(re.sub(_SCHEME, "", item.copy or item.path), item.number) for item in items]
    numbers = _relation(spark, {OBJECT: "string", LANDING_NO: "int"}, objects)
    return rows.join(F.broadcast(numbers), OBJECT, "left").drop(OBJECT)


def _with_lineage(rows: DataFrame, items: list[Item]) -> DataFrame:
    """``rows`` with the lineage columns. They are not kept with each row: landings are few."""
    if len(items) > 1:
        lineage = _relation(rows.sparkSession, {LANDING_NO: "int", **_OF_THE_LANDING}, list(map(_row_version, items)))
        return rows.join(F.broadcast(lineage), LANDING_NO, "left")
    item = items[0]
    return rows.select(
        "*",
        F.lit(item.path).alias("_lake_file"),
        F.lit(item.landing.version_id).alias("_lake_version"),
        F.lit(date.fromisoformat(item.landing.ingest_date)).alias("_lake_ingest_date"),
        F.lit(item.batch).alias("_lake_batch"),
        F.lit(_moment(item)).cast("timestamp_ntz").alias("_lake_landed_at"),
    )


def _relation(spark: SparkSession, columns: dict[str, str], rows: Sequence[tuple[str | int, ...]]) -> DataFrame:
    """``columns``: name -> type. Few rows are SQL literals, which Spark broadcasts without a job. Thousands take its
    parser seconds, so many rows are one text."""
    if len(rows) <= _MOST_LITERALS:
        values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
        made = spark.sql(f"SELECT * FROM VALUES {values} AS landing({', '.join(columns)})")  # noqa: S608 - quoted
    else:
        text = json.dumps([dict(zip(columns, row, strict=True)) for row in rows])
        fields = ", ".join(f"{name} {'int' if kind == 'int' else 'string'}" for name, kind in columns.items())
        made = spark.range(1).select(F.inline(F.from_json(F.lit(text), f"array<struct<{fields}>>")))
    return made.select(*(F.col(name).cast(spark_type(kind)).alias(name) for name, kind in columns.items()))


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else f"'{quoted(value)}'"


def _row_version(item: Item) -> tuple[str | int, ...]:
    landing = item.landing
    return item.number, item.path, landing.version_id, landing.ingest_date, item.batch, _moment(item)


def _moment(item: Item) -> str:
    """UTC, as the text of a timestamp without a zone."""
    return f"{item.landed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def _flags(checks: Checks) -> Column:
    """The bits of the checks that the row fails."""
    source = checks.source
    broken = F.col(CORRUPT).isNotNull()
    failed: dict[str, Column] = {}

    def fails(check: str, test: Column) -> None:
        failed[check] = failed[check] | test if check in failed else test

    for column in source.columns:
        name, empty = column.name, F.col(RAW + column.name).isNull()
        if column.name in source.keys:
            fails("null_keys", F.col(name).isNull())
        else:
            if name in source.required:
                fails("required", empty)
            if column.type != "string":
                fails(check_of(column.type), F.col(name).isNull() & ~empty)
        if column.type == "string":
            broken = broken | F.coalesce(F.col(name).contains(REPLACEMENT), F.lit(False))
    for check in checks.early:
        # NULL passes.
        failed[check.name] = ~F.coalesce(F.expr(check.sql.spark), F.lit(True))
    # The fields of a broken row are no one's: what they look like says nothing more.
    tests = [F.when(test, F.lit(checks.bits[check]).cast("bigint")).otherwise(0) for check, test in failed.items()]
    whole = reduce(Column.__add__, tests, F.lit(0).cast("bigint"))
    flags = F.when(broken, F.lit(BITS["broken_rows"]).cast("bigint")).otherwise(whole)
    return flags + F.when(F.col(MORE), FURTHER).otherwise(0)


def _content(source: SourceSpec) -> Column:
    """Equal for rows whose values are equal (1,5 is 1.5)."""
    may_lack = [column.name for column in source.columns if column.name not in source.required]
    # NULLs are left out by xxhash64, whatever their place.
    places = [F.when(F.col(name).isNull(), F.lit(2.0**place)).otherwise(0.0) for place, name in enumerate(may_lack)]
    lacking = [reduce(Column.__add__, places)] if places else []
    return F.xxhash64(*(column.name for column in source.columns), *lacking)
