"""The gate: each landing is judged by itself, all of them in one pass, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from retail.landings import Item
from retail.parsing import EXPECTED
from retail.reading import CORRUPT, RAW, Rows, find_lines
from retail.schemas import SOURCES, Source

_NAMED = 10  # how many bad values of a landing are named


@dataclass
class Totals:
    """Over the orders landings that passed: distinct keys summed, bounds of order_id, qty <= 0."""

    keys: int = 0
    lowest: int = 0
    highest: int = 0
    odd_quantities: int = 0


def gate(frames: dict[str, Rows], items: list[Item], s3: Any) -> Totals:
    """Fill in ``rows`` and ``problems`` of each item. ``frames``: source name -> its rows."""
    counted = {row["landing_no"]: row for row in _count(frames)} if frames else {}
    passed = []
    for item in items:
        row = counted.get(item.number)
        if item.problems:
            continue
        if row is None:
            item.problems.append("no rows below the header")
            continue
        item.rows = row["rows"]
        source = SOURCES[item.landing.source]
        frame = frames[source.name].raw.where(F.col("landing_no") == item.number)
        if row["bad"]:
            item.problems.extend(_name_bad_rows(frame, source, item, s3, row["bad"]))
        if row["clashes"]:
            item.problems.append(_name_clashes(frame, source, item, s3, row["clashes"]))
        if not item.problems and source.name == "orders":
            passed.append(row)
    return Totals(
        keys=sum(row["keys"] for row in passed),
        lowest=min((row["lowest"] for row in passed), default=0),
        highest=max((row["highest"] for row in passed), default=0),
        odd_quantities=sum(row["odd"] for row in passed),
    )


def _count(frames: dict[str, Rows]) -> list[Any]:
    odd = {name: F.col("qty") <= 0 if name == "orders" else F.lit(False) for name in frames}
    narrow = [
        rows.typed.select("landing_no", F.col(SOURCES[name].key).alias("key"), "content", "bad", odd[name].alias("odd"))
        for name, rows in frames.items()
    ]
    by_key = (
        reduce(DataFrame.union, narrow)
        .groupBy("landing_no", "key")
        .agg(
            F.count("*").alias("rows"),
            (F.min("content") != F.max("content")).alias("clash"),
            F.sum(F.col("bad").cast("int")).alias("bad"),
            F.sum(F.col("odd").cast("int")).alias("odd"),
        )
    )
    # Rows without a key are bad as they are; they do not clash with each other.
    clash = (F.col("clash") & F.col("key").isNotNull()).cast("int")
    return list(
        by_key.groupBy("landing_no")
        .agg(
            F.sum("rows").alias("rows"),
            F.count("*").alias("keys"),
            F.min("key").alias("lowest"),
            F.max("key").alias("highest"),
            F.sum(clash).alias("clashes"),
            F.sum("bad").alias("bad"),
            F.sum("odd").alias("odd"),
        )
        .collect()
    )


def _name_bad_rows(frame: DataFrame, source: Source, item: Item, s3: Any, count: int) -> list[str]:
    raw = [RAW + name for name in source.columns]
    wrong = [F.col(name).isNull().alias(name) for name in source.columns if name not in source.nullable]
    sought: list[tuple[str, str]] = []
    for row in frame.where("bad").select(CORRUPT, *raw, *wrong).limit(_NAMED).collect():
        if row[CORRUPT] is not None:
            sought.append(("", row[CORRUPT]))
            continue
        sought.extend(
            (name, row[RAW + name] or "") for name in source.columns if name not in source.nullable and row[name]
        )
    named = []
    for line, column, value in find_lines(s3, item, sought, _NAMED):
        if not column:
            named.append(f"line {line}: {value!r} does not have as many fields as the header")
        else:
            what = repr(value) if value else "empty"
            named.append(f"line {line}: {column} is {what}, expected {EXPECTED[source.columns[column]]}")
    if not named:  # the text was there for Spark and isn't for us: still refuse, and say what we know
        named = [f"{column or 'line'} {value!r} can't be read" for column, value in sought[:_NAMED]]
    return [f"{count} bad rows", *named] if count > len(named) else named


def _name_clashes(frame: DataFrame, source: Source, item: Item, s3: Any, count: int) -> str:
    keys = (
        frame.where(F.col(source.key).isNotNull())
        .groupBy(source.key)
        .agg((F.min("content") != F.max("content")).alias("clash"), F.first(RAW + source.key).alias("text"))
        .where("clash")
        .orderBy(source.key)
        .limit(_NAMED)
        .collect()
    )
    lines: dict[str, list[int]] = {}
    for line, _, value in find_lines(s3, item, [(source.key, row["text"]) for row in keys], limit=3 * _NAMED):
        lines.setdefault(value, []).append(line)
    named = ", ".join(f"{row['text']} (lines {', '.join(map(str, lines.get(row['text'], ['?'])))})" for row in keys)
    return f"{count} {source.key} occur more than once with different content: {named}"
