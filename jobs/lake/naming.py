"""Bad rows in words: line, column, value and what was expected, the first ten for each check."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.landings import Item
from lake.lines import LINE, find_lines
from lake.reading import CORRUPT, RAW, Rows
from lake.schemas import CONTENT, FLAGS, Source
from lake.settings import BITS
from lakectl.core.columns import RESERVED_PREFIX
from lakectl.core.csv_files import REPLACEMENT
from lakectl.core.values import EXPECTED

NAMED = 10
_CLASH = RESERVED_PREFIX + "clash"


def name_rows(rows: Rows, source: Source, item: Item, s3: Any, checks: list[str]) -> list[str]:
    """The landing's rows that fail ``checks``, in the order of the file."""
    found: dict[tuple[int, str], str] = {}
    unplaced: list[str] = []
    for check in checks:
        texts = _texts(_of(rows, item), source, check)
        wanted = [{column: text} for column, text in texts]
        placed = 0
        for line, sought in find_lines(s3, item, wanted, NAMED):
            ((column, text),) = sought.items()
            found[line, column] = f"line {line}: {texts[column, text]}"
            placed += 1
        if not placed:  # the text was there for Spark and isn't for us: still say what we know
            unplaced.extend(list(texts.values())[:NAMED])
    return [found[place] for place in sorted(found)] + unplaced


def _texts(frame: DataFrame, source: Source, check: str) -> dict[tuple[str, str], str]:
    """(column, text) -> what is wrong with it, for the first rows that fail the check."""
    raw = [RAW + name for name in source.columns]
    unread = [F.col(name).isNull().alias(name) for name in source.columns]
    failing = frame.where(F.col(FLAGS).bitwiseAND(F.lit(BITS[check])) != 0)
    texts = {}
    for row in failing.select(CORRUPT, *raw, *unread).limit(NAMED).collect():
        if check == "broken_rows" and row[CORRUPT] is not None:
            texts[LINE, row[CORRUPT]] = f"{row[CORRUPT]!r} does not have as many fields as the header"
            continue
        for name in _columns(source, check):
            text = row[RAW + name] or ""
            if check == "broken_rows":
                if REPLACEMENT in text:
                    texts[name, text] = f"{name} is {text!r}, expected UTF-8 text"
            elif check == "quantities":
                texts[name, text] = f"{name} is {text!r}, expected more than 0"
            elif row[name] and (text or name in source.required):
                shown = repr(text) if text else "empty"
                texts[name, text] = f"{name} is {shown}, expected {EXPECTED[source.columns[name]]}"
    return texts


def _of(rows: Rows, item: Item) -> DataFrame:
    return rows.raw([item])


def _columns(source: Source, check: str) -> list[str]:
    """The columns that a check looks at."""
    if check == "quantities":
        return ["qty"]
    if check == "null_keys":
        return list(source.keys)
    kinds = {"broken_rows": ("string",), "dates": ("date",), "numbers": ("bigint", "int", "double")}[check]
    keys = () if check == "broken_rows" else source.keys
    return [name for name, kind in source.columns.items() if kind in kinds and name not in keys]


def name_clashes(rows: Rows, source: Source, item: Item, s3: Any, count: int) -> str:
    """Which keys occur with different content, and where."""
    texts = [F.first(RAW + key).alias(RAW + key) for key in source.keys]
    keys = (
        _of(rows, item)
        .dropna(subset=list(source.keys))
        .groupBy(*source.keys)
        .agg((F.min(CONTENT) != F.max(CONTENT)).alias(_CLASH), *texts)
        .where(_CLASH)
        .orderBy(*source.keys)
        .limit(NAMED)
        .collect()
    )
    wanted = [{key: row[RAW + key] for key in source.keys} for row in keys]
    lines: dict[tuple[str, ...], list[str]] = {}
    for line, sought in find_lines(s3, item, wanted, limit=3 * NAMED):
        lines.setdefault(tuple(sought.values()), []).append(str(line))
    named = ", ".join(
        f"{'/'.join(key.values())} (lines {', '.join(lines.get(tuple(key.values()), ['?']))})" for key in wanted
    )
    return f"{count} {', '.join(source.keys)} occur more than once with different content: {named}"
