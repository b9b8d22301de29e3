"""Columns that files have and the specification does not name: what ``schema_evolution`` says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lake import reading_json
from lake.files import check_header
from lake.landings import Item
from lake.policies import ADD, FAIL
from lake.table import ADDED
from lake.work import Work
from lakectl.core.columns import unfit
from lakectl.core.csv_files import MAX_COLUMNS
from lakectl.spec.model import SourceSpec


def evolve(work: Work, items: Iterable[Item]) -> None:
    """Fill in ``work.added``: the columns, all text, that the sources of ``items`` have beside those of the
    specification: new ones with ``add``, and those that silver was given before. A landing may be without them: NULL.

    New is what neither the specification nor silver names; with ``fail`` a landing that has it is refused. The headers
    of ``items`` must be readable.
    """
    by_source: dict[str, list[Item]] = {}
    for item in items:
        if not item.problems:
            by_source.setdefault(item.landing.source, []).append(item)
    for name, landed in by_source.items():
        loaded = work.table(name).find()
        given = loaded.properties().get(ADDED) if loaded else ""
        work.added[name] = tuple(each for each in (given or "").split(",") if each)
        there = [column.name() for column in loaded.schema().columns()] if loaded else []
        _evolve(work, work.source(name), landed, there)


def _evolve(work: Work, source: SourceSpec, items: list[Item], there: list[str]) -> None:
    """``there``: the columns that the silver table has."""
    known, policy = work.added[source.name], work.spec.schema_evolution
    named = {column.name for column in source.columns}
    taken = {*work.spec.silver_columns(source.name), *there} - named
    more: set[str] = set()
    further_of = _further(work, source, items)
    for item in items:
        if problem := check_header(source, item.header, known):
            item.problems.append(problem)
            continue
        new = further_of[item.number]
        if policy == FAIL and new:
            item.problems.append(
                f"line 1: {', '.join(new)}: not in the configuration; name it there, or set schema_evolution to add "
                "or ignore"
            )
        elif policy == ADD:
            if names_unfit := unfit(new, taken):
                item.problems.append(f"line 1: {', '.join(names_unfit)}: no column of silver can be called that")
            elif len({*taken, *named, *more, *new}) > MAX_COLUMNS:
                item.problems.append(f"line 1: with its columns silver would have more than {MAX_COLUMNS:,}")
            else:
                more.update(new)
    work.added[source.name] = (*known, *sorted(more))


def _further(work: Work, source: SourceSpec, items: list[Item]) -> dict[int, list[str]]:
    """Number of a landing -> its columns that neither the specification nor silver names."""
    if source.file.format != "jsonl":
        named = {column.name for column in source.columns}
        return {item.number: [name for name in item.header if name and name not in named] for item in items}
    found: dict[int, list[str]] = {item.number: [] for item in items}
    if work.spec.schema_evolution == ADD:
        # Each line names its own, so all must be read; otherwise the checks see those that have more.
        numbers = {_bare(item.copy or item.path): item.number for item in items}
        rows = reading_json.further(work.spark, source, [item.copy or item.path for item in items]).collect()
        for row in sorted(rows, key=lambda row: str(row["name"])):
            found[numbers[_bare(row["_lake_object"])]].append(row["name"])
    return found


def _bare(path: str) -> str:
    """Without the scheme: what was asked for as s3:// may be reported as s3a://."""
    return re.sub("^[a-z0-9]+:/*", "", path)
