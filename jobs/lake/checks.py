"""Each landing is judged by itself, all of them in one pass, before anything is written."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.landings import Item
from lake.lines import further_fields, quote_problem
from lake.names import CONTENT, FLAGS, LANDING_NO, spark_type
from lake.naming import name_clashes, name_rows
from lake.policies import FAIL, FURTHER, IGNORE, QUARANTINE, WARN, Checks
from lake.reading import Rows
from lake.work import Work
from lakectl.spec.model import SourceSpec

_WHOLE = ("bigint", "int")
_OF_LINES = {FURTHER: "further"}
# Files whose quotes are looked at beside each other, while Spark reads the rows.
_AT_ONCE = 4


@dataclass
class Totals:
    """What the checks counted of one source. ``keys`` and the bounds of the leading key column (None: no row has one):
    over the landings that passed; ``checks``: check -> rows; ``named``: which rows go on though a check failed.
    """

    keys: int = 0
    lowest: Any = None
    highest: Any = None
    checks: Counter[str] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)


def check_landings(work: Work, frames: dict[str, Rows], items: list[Item]) -> dict[str, Totals]:
    """Fill in each item's ``rows``, ``set_aside``, ``warned``, ``problems``. ``frames``: source name -> its rows.

    Returns what was counted for each source of ``items``.
    """
    checks = {name: work.checks(name) for name in frames}
    totals = {item.landing.source: Totals() for item in items}
    with ThreadPoolExecutor(_AT_ONCE) as beside:
        looks = {
            item.number: beside.submit(quote_problem, work.inbox.s3, item, work.source_of(item))
            for item in items
            if not item.problems
        }
        try:
            counted = _count(frames, checks) if frames else {}
        except BaseException:
            beside.shutdown(cancel_futures=True)
            raise
    for item in items:
        name, row = item.landing.source, counted.get(item.number)
        if item.problems:
            continue
        if row is None:
            _empty(item, work.source(name))
            continue
        row = _named(row, checks[name])
        if problem := looks[item.number].result():
            item.problems.append(problem)
        _judge(work, item, row, frames[name], checks[name], totals[name])
        if not item.problems:
            _pass(totals[name], row)
    return totals


def _empty(item: Item, source: SourceSpec) -> None:
    if source.loading != "snapshot":
        item.problems.append("no rows below the header" if source.file.format == "csv" else "no rows")
    elif source.policies["empty_snapshot"] == FAIL:
        item.problems.append("no rows: loaded as a snapshot it would delete all that silver has")


def _pass(totals: Totals, row: dict[str, Any]) -> None:
    totals.keys += row["keys"]
    if row["lowest"] is not None:
        known = totals.lowest is not None
        totals.lowest = min(totals.lowest, row["lowest"]) if known else row["lowest"]
        totals.highest = max(totals.highest, row["highest"]) if known else row["highest"]


def _judge(work: Work, item: Item, row: dict[str, Any], rows: Rows, checks: Checks, totals: Totals) -> None:
    source, policies, s3 = checks.source, checks.policies, work.inbox.s3
    duplicates = policies["duplicate_keys"]
    item.rows, item.set_aside = row["rows"], row["set_aside"]
    found = {check: row[check] for check in checks.bits if policies[check] != IGNORE and row[check]}
    if row["clashes"] and duplicates != IGNORE:
        found["duplicate_keys"] = row["clash_rows"]
    failing = [check for check in found if policies[check] == FAIL]
    by_row = [check for check in failing if check in checks.bits]
    if row["further"] and work.spec.schema_evolution == FAIL:
        item.problems.append(
            f"{further_fields(s3, item, source)}: not in the configuration; name it there, or set schema_evolution to "
            "add or ignore"
        )
    if by_row:
        named = name_rows(rows, checks, item, s3, by_row)
        item.problems.extend([f"{row['failed']} bad rows", *named] if row["failed"] > len(named) else named)
    if "duplicate_keys" in failing:
        item.problems.append(name_clashes(rows, source, item, s3, row["clashes"]))
    totals.checks.update(found)
    if item.problems:
        item.set_aside = 0
        return
    item.clashing = bool(row["clashes"]) and duplicates == QUARANTINE
    item.set_aside += row["clash_rows"] if item.clashing else 0
    item.warned = row["warned"]
    warned = [check for check in found if policies[check] == WARN]
    if warned and item.claimed:
        named = name_rows(rows, checks, item, s3, [check for check in warned if check in checks.bits])
        if "duplicate_keys" in warned:
            named.append(name_clashes(rows, source, item, s3, row["clashes"]))
        totals.named.extend(f"{item.path}: {text}" for text in named)


def _count(frames: dict[str, Rows], checks: dict[str, Checks]) -> dict[int, dict[str, Any]]:
    """landing_no -> what it holds. The only action that the good case costs."""
    # Bounds keep their type, so there is a column for each type of leading keys.
    kinds = list(dict.fromkeys(_lead(each.source) for each in checks.values() if each.source.keys))
    is_whole = all(len(each.source.keys) <= 1 and _lead(each.source) in (*_WHOLE, "") for each in checks.values())
    narrow = [_narrow(frame.judged, checks[name], kinds, is_whole) for name, frame in frames.items()]
    rows = reduce(DataFrame.union, narrow)
    bits = sorted({*_OF_LINES, *(bit for each in checks.values() for bit in each.bits.values())})
    bounds = [made(f"lead_{place}") for place in range(len(kinds)) for made in (F.min, F.max)]
    by_landing = rows.groupBy(LANDING_NO).agg(
        F.count("*").alias("rows"),
        *(bound.alias(f"bound_{place}") for place, bound in enumerate(bounds)),
        *(F.sum(F.col(name).cast("int")).alias(name) for name in ("set_aside", "warned", "failed")),
        *(F.sum(_has(bit).cast("int")).alias(f"bit_{bit}") for bit in bits),
    )
    # Two aggregates, as most of this need not be known for each key.
    found: dict[int, dict[str, Any]] = {}
    for row in by_landing.unionByName(_clashes(rows), allowMissingColumns=True).collect():
        known = {name: value for name, value in row.asDict().items() if value is not None}
        found.setdefault(row[LANDING_NO], {}).update(known)
    return found


def _named(row: dict[str, Any], checks: Checks) -> dict[str, Any]:
    """A landing's counts by the names of its source's checks."""
    # Those of other sources' types are NULL.
    bounds = [value for name, value in sorted(row.items()) if name.startswith("bound_")]
    return {
        **{check: row.get(f"bit_{bit}", 0) for check, bit in checks.bits.items()},
        **{name: row[f"bit_{bit}"] for bit, name in _OF_LINES.items()},
        **{
            name: row.get(name, 0)
            for name in ("rows", "set_aside", "warned", "failed", "keys", "clashes", "clash_rows")
        },
        "lowest": bounds[0] if bounds else None,
        "highest": bounds[1] if bounds else None,
    }


def _narrow(rows: DataFrame, checks: Checks, kinds: list[str], is_whole: bool) -> DataFrame:
    """What is counted of a source's rows, in the same columns for every source."""
    source = checks.source
    leads = [
        F.col(source.keys[0]) if source.keys and kind == _lead(source) else F.lit(None).cast(spark_type(kind))
        for kind in kinds
    ]
    aside = _has(checks.mask(QUARANTINE))
    return rows.select(
        LANDING_NO,
        _key(source, is_whole).alias("key"),
        *(lead.alias(f"lead_{place}") for place, lead in enumerate(leads)),
        CONTENT,
        FLAGS,
        aside.alias("set_aside"),
        (_has(checks.mask(WARN)) & ~aside).alias("warned"),
        _has(checks.mask(FAIL)).alias("failed"),
    )


def _lead(source: SourceSpec) -> str:
    """The type of the leading key column, whose bounds let Iceberg skip files; ``""`` without keys."""
    return source.by_name[source.keys[0]].type if source.keys else ""


def _clashes(rows: DataFrame) -> DataFrame:
    """For each landing: how many keys it has, keys that occur with different content, and the rows of these."""
    content = F.when(~F.col("set_aside"), F.col(CONTENT))  # quarantined rows clash with nothing
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


def _key(source: SourceSpec, is_whole: bool) -> Column:
    """The key as one column, NULL when a part of it is, and where there is none. Numbers stay numbers: they group
    faster than text."""
    if not source.keys:
        return F.lit(None).cast("bigint" if is_whole else "string")
    if is_whole:
        return F.col(source.keys[0]).cast("bigint")
    parts = [F.col(name).cast("string") for name in source.keys]
    present = reduce(lambda one, other: one & other, (part.isNotNull() for part in parts))
    return F.when(present, F.to_json(F.array(*parts)))


def _has(mask: int) -> Column:
    return F.col(FLAGS).bitwiseAND(F.lit(mask).cast("bigint")) != 0
