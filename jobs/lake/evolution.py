"""Columns that orders files have and the configuration does not name: what ``schema_evolution`` says of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from lake.landings import Item
from lake.reading import check_header, header_of
from lake.schemas import silver_columns
from lake.settings import ADD, FAIL, Settings
from lakectl.core.columns import unfit
from lakectl.core.csv_files import MAX_COLUMNS


def evolve(settings: Settings, s3: Any, items: Iterable[Item], silver: Iterable[str]) -> Settings:
    """``settings`` whose orders are read with more columns, as text: the new ones with ``add``, and those that
    ``silver`` (the columns that orders_silver has) was given before. A landing may be without them: NULL.

    New is what neither the configuration nor silver names; with ``fail`` a landing that has it is refused.
    Of customers and products further columns are never kept. The headers of ``items`` must be readable.
    """
    orders = settings.sources["orders"]
    mine = silver_columns(orders)
    known = {name for name in silver if name not in mine}
    more: set[str] = set()
    for item in items:
        source = settings.sources[item.landing.source]
        if item.problems:
            continue
        names = header_of(s3, item)
        if problem := check_header(source, names):
            item.problems.append(problem)
            continue
        is_order = source.name == orders.name
        further = [name for name in names if name and name not in source.columns]
        new = [name for name in further if not (is_order and name in known)]
        if settings.schema_evolution == FAIL and new:
            item.problems.append(
                f"line 1: {', '.join(new)}: not in the configuration; name it there, or set schema_evolution to add "
                "or ignore"
            )
        elif settings.schema_evolution == ADD and is_order:
            if names_unfit := unfit(new):
                item.problems.append(f"line 1: {', '.join(names_unfit)}: no column of silver can be called that")
            elif len({*silver, *mine, *more, *new}) > MAX_COLUMNS:
                item.problems.append(f"line 1: with its columns silver would have more than {MAX_COLUMNS:,}")
            else:
                more.update(new)
        if is_order:
            more.update(name for name in further if name in known)
    if not more:
        return settings
    columns = {**orders.columns, **dict.fromkeys(sorted(more), "string")}
    evolved = replace(orders, columns=columns, added=tuple(sorted(more)))
    return replace(settings, sources={**settings.sources, orders.name: evolved})
