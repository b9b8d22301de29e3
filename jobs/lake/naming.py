"""Bad rows in words: line, column, value and what was expected, the first ten for each check."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.landings import Item
from lake.lines import LINE, find_lines
from lake.names import CONTENT, CORRUPT, FLAGS, RAW
from lake.policies import Checks
from lake.reading import Rows
from lakectl.core.columns import RESERVED_PREFIX
from lakectl.core.csv_files import REPLACEMENT, shown
from lakectl.core.values import check_of, expected
from lakectl.spec.model import SourceSpec

NAMED = 10
_CLASH = RESERVED_PREFIX + "clash"
# Column -> text of the rows that are meant.
_Sought = tuple[tuple[str, str], ...]


def name_rows(rows: Rows, checks: Checks, item: Item, s3: Any, failed: list[str]) -> list[str]:
    """The landing's rows that fail the checks ``failed``, in the order of the file."""
    found: dict[tuple[int, _Sought], str] = {}
    unplaced: list[str] = []
    for check in failed:
        texts = _texts(rows.raw([item]), checks, check)
        placed = 0
        for line, sought in find_lines(s3, item, checks.source, [dict(each) for each in texts], NAMED):
            place = tuple(sought.items())
            found[line, place] = f"line {line}: {texts[place]}"
            placed += 1
        if not placed:  # the text was there for Spark and isn't for us: still say what we know
            unplaced.extend(list(texts.values())[:NAMED])
    return [found[place] for place in sorted(found)] + unplaced


def _texts(frame: DataFrame, checks: Checks, check: str) -> dict[_Sought, str]:
    """Texts of columns -> what is wrong with them, for the first rows that fail the check."""
    source = checks.source
    raw = [RAW + column.name for column in source.columns]
    unread = [F.col(column.name).isNull().alias(column.name) for column in source.columns]
    failing = frame.where(F.col(FLAGS).bitwiseAND(F.lit(checks.bits[check])) != 0)
    own = next((each for each in checks.early if each.name == check), None)
    texts: dict[_Sought, str] = {}
    for row in failing.select(CORRUPT, *raw, *unread).limit(NAMED).collect():
        if check == "broken_rows" and row[CORRUPT] is not None:
            why = "does not have as many fields as the header" if source.file.format == "csv" else "is no plain object"
            texts[((LINE, row[CORRUPT]),)] = f"{row[CORRUPT]!r} {why}"
        elif own:
            names = _file_columns(checks, own.sql.columns)
            values = tuple((name, row[RAW + name] or "") for name in names)
            told = ", ".join(f"{name} is {_value(text)}" for name, text in values)
            texts[values] = f"{told}, expected {own.sql.text}"
        else:
            texts |= _built_in(row, source, check)
    return texts


def _file_columns(checks: Checks, names: tuple[str, ...]) -> list[str]:
    """The columns of the file that ``names`` are, or are derived of."""
    derived = {each.name: each.sql.columns for each in checks.source.derive}
    found: list[str] = []
    for name in names:
        found += _file_columns(checks, derived[name]) if name in derived else [name]
    return list(dict.fromkeys(found))


def _built_in(row: Any, source: SourceSpec, check: str) -> dict[_Sought, str]:
    texts: dict[_Sought, str] = {}
    for column in source.columns:
        name, text = column.name, row[RAW + column.name] or ""
        if check == "broken_rows":
            if column.type == "string" and REPLACEMENT in text:
                texts[((name, text),)] = f"{name} is {text!r}, expected {shown(source.file)} text"
        elif row[name] and _looks_at(check, name, source, is_empty=not text):
            texts[((name, text),)] = f"{name} is {_value(text)}, expected {expected(column)}"
    return texts


def _looks_at(check: str, name: str, source: SourceSpec, *, is_empty: bool) -> bool:
    """Whether a column without a value fails the check."""
    if name in source.keys:
        return check == "null_keys"
    if is_empty:
        return check == "required" and name in source.required
    return check == check_of(source.by_name[name].type)


def _value(text: str) -> str:
    return repr(text) if text else "empty"


def name_clashes(rows: Rows, source: SourceSpec, item: Item, s3: Any, count: int) -> str:
    """Which keys occur with different content, and where."""
    texts = [F.first(RAW + key).alias(RAW + key) for key in source.keys]
    keys = (
        rows.raw([item])
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
    for line, sought in find_lines(s3, item, source, wanted, limit=3 * NAMED):
        lines.setdefault(tuple(sought.values()), []).append(str(line))
    named = ", ".join(
        f"{'/'.join(key.values())} (lines {', '.join(lines.get(tuple(key.values()), ['?']))})" for key in wanted
    )
    return f"{count} {', '.join(source.keys)} occur more than once with different content: {named}"
