"""The gate: each landing is judged by itself, all of them in one pass, before anything is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.landings import Item
from lake.lines import open_quote
from lake.naming import name_clashes, name_rows
from lake.reading import Rows
from lake.schemas import CONTENT, FLAGS, LANDING_NO, Source
from lake.settings import BITS, FAIL, IGNORE, ODD_QUOTES, OPEN_QUOTE, QUARANTINE, WARN, Settings

_WHOLE = ("bigint", "int")


@dataclass
class Totals:
    """What the gate counted. ``keys`` and the bounds of the leading key column (None: no row has one): over the
    orders that passed;
    ``checks``: check -> rows; ``named``: which rows go on though a check failed.
    """

    keys: int = 0
    lowest: Any = None
    highest: Any = None
    checks: Counter[str] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)


def gate(frames: dict[str, Rows], items: list[Item], s3: Any, settings: Settings) -> Totals:
    """Fill in each item's ``rows``, ``set_aside``, ``warned``, ``problems``. ``frames``: source name -> its rows."""
    counted = _count(frames, settings) if frames else {}
    totals, passed = Totals(), []
    for item in items:
        row = counted.get(item.number)
        if item.problems:
            continue
        if row is None:
            item.problems.append("no rows below the header")
            continue
        source = settings.sources[item.landing.source]
        _judge(item, row, frames[source.name], source, s3, settings, totals)
        if not item.problems and source.name == "orders":
            passed.append(row)
    bounds = [row for row in passed if row["lowest"] is not None]
    totals.keys = sum(row["keys"] for row in passed)
    totals.lowest = min((row["lowest"] for row in bounds), default=None)
    totals.highest = max((row["highest"] for row in bounds), default=None)
    return totals


def _judge(item: Item, row: Any, rows: Rows, source: Source, s3: Any, settings: Settings, totals: Totals) -> None:
    duplicates = settings.checks["duplicate_keys"]
    item.rows, item.set_aside = row["rows"], row["set_aside"]
    found = {check: row[check] for check in BITS if settings.checks[check] != IGNORE and row[check]}
    if row["clashes"] and duplicates != IGNORE:
        found["duplicate_keys"] = row["clash_rows"]
    failing = [check for check in found if settings.checks[check] == FAIL]
    by_row = [check for check in failing if check in BITS]
    if row["open_quotes"]:
        item.problems.append(
            f"{row['open_quotes']} lines have a quote without its partner (a line break inside quotes is not read)"
        )
        by_row = by_row or ["broken_rows"]
    elif row["odd_quotes"] and (problem := open_quote(s3, item)):
        item.problems.append(problem)
    if by_row:
        named = name_rows(rows, source, item, s3, by_row)
        item.problems.extend([f"{row['failed']} bad rows", *named] if row["failed"] > len(named) else named)
    if "duplicate_keys" in failing:
        item.problems.append(name_clashes(rows, source, item, s3, row["clashes"]))
    news = item.claimed or source.name == "orders"  # dimensions that are only read again have been reported
    if news:
        totals.checks.update(found)
    if item.problems:
        item.set_aside = 0
        return
    item.clashing = bool(row["clashes"]) and duplicates == QUARANTINE
    item.set_aside += row["clash_rows"] if item.clashing else 0
    item.warned = row["warned"] if news else 0
    warned = [check for check in found if settings.checks[check] == WARN]
    if warned and item.claimed:
        named = name_rows(rows, source, item, s3, [check for check in warned if check in BITS])
        if "duplicate_keys" in warned:
            named.append(name_clashes(rows, source, item, s3, row["clashes"]))
        totals.named.extend(f"{item.path}: {text}" for text in named)


def _count(frames: dict[str, Rows], settings: Settings) -> dict[int, dict[str, Any]]:
    """landing_no -> what it holds. The only action that the good case costs."""
    aside = _has(settings.mask(QUARANTINE))
    warned = _has(settings.mask(WARN)) & ~aside
    sources = [settings.sources[name] for name in frames]
    simple = all(len(source.keys) == 1 and source.columns[source.keys[0]] in _WHOLE for source in sources)
    narrow = [
        frames[source.name].judged.select(
            LANDING_NO, _key(source, simple).alias("key"), _lead(source, settings).alias("lead"), CONTENT, FLAGS
        )
        for source in sources
    ]
    rows = reduce(DataFrame.union, narrow)
    counts = {check: _has(bit) for check, bit in BITS.items()}
    counts |= {"open_quotes": _has(OPEN_QUOTE), "odd_quotes": _has(ODD_QUOTES)}
    counts |= {"set_aside": aside, "warned": warned, "failed": _has(settings.mask(FAIL))}
    by_landing = rows.groupBy(LANDING_NO).agg(
        F.count("*").alias("rows"),
        F.min("lead").alias("lowest"),
        F.max("lead").alias("highest"),
        *(F.sum(test.cast("int")).alias(name) for name, test in counts.items()),
    )
    # Two aggregates, as most of this need not be known for each key.
    found: dict[int, dict[str, Any]] = {}
    for row in by_landing.unionByName(_clashes(rows, aside), allowMissingColumns=True).collect():
        known = {name: value for name, value in row.asDict().items() if value is not None}
        found.setdefault(row[LANDING_NO], {"lowest": None, "highest": None}).update(known)
    return found


def _clashes(rows: DataFrame, aside: Column) -> DataFrame:
    """For each landing: how many keys it has, keys that occur with different content, and the rows of these."""
    content = F.when(~aside, F.col(CONTENT))  # quarantined rows clash with nothing
    by_key = rows.groupBy(LANDING_NO, "key").agg(
        F.count(content).alias("rows"), F.coalesce(F.min(content) != F.max(content), F.lit(False)).alias("clash")
    )
    # Rows without a key are bad as they are; they do not clash with each other.
    clash = F.col("clash") & F.col("key").isNotNull()
    return by_key.groupBy(LANDING_NO).agg(
        F.count("*").alias("keys"),
        F.sum(clash.cast("int")).alias("clashes"),
        F.sum(F.when(clash, F.col("rows")).otherwise(0)).alias("clash_rows"),
    )


def _key(source: Source, simple: bool) -> Column:
    """The key as one column, NULL when a part of it is. Numbers stay numbers: they group faster than text."""
    if simple:
        return F.col(source.keys[0])
    parts = [F.col(name).cast("string") for name in source.keys]
    present = reduce(lambda one, other: one & other, (part.isNotNull() for part in parts))
    return F.when(present, F.to_json(F.array(*parts)))


def _lead(source: Source, settings: Settings) -> Column:
    """The orders' leading key column, whose bounds let Iceberg skip files."""
    orders = settings.sources["orders"]
    name = orders.keys[0]
    return F.col(name) if source.name == "orders" else F.lit(None).cast(orders.columns[name])


def _has(mask: int) -> Column:
    return F.col(FLAGS).bitwiseAND(F.lit(mask)) != 0
