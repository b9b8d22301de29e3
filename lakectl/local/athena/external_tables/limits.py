"""What a query's WHERE says about the partition columns of one table: which partitions it can't need."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from lakectl.local.athena import pruning
from lakectl.local.athena.pruning import Span
from lakectl.local.athena.sqltypes import Type


@dataclass
class Limits:
    """The ranges that are left of each column, by lower-case name."""

    spans: Mapping[str, list[Span]] = field(default_factory=dict)

    def points(self, key: str) -> list[Any] | None:
        """The values that ``key`` must have one of; None unless it is limited to single values."""
        found = self.spans.get(key)
        if found is None or any(span.low is None or span.low != span.high for span in found):
            return None
        return [span.low for span in found]

    def hold(self, keys: Mapping[str, Type], values: Iterable[str | None]) -> bool:
        """Whether the query may need the partition with these values."""
        for (key, kind), text in zip(keys.items(), values, strict=True):
            found = self.spans.get(key)
            if found is not None and not _holds(found, kind, text):
                return False
        return True


def of(tree: exp.Expr, stand_in: str) -> Limits:
    """Of the table that ``stand_in`` names in an analyzed query: its columns are qualified there."""
    for table in tree.find_all(exp.Table):
        select = table.find_ancestor(exp.Select)
        if table.name == stand_in and select is not None and table.find_ancestor(exp.Join, exp.From):
            return Limits(pruning.spans(pruning.conjuncts(select, table.alias_or_name)))
    return Limits()


def _holds(spans: list[Span], kind: Type, text: str | None) -> bool:
    if text is None:
        return False  # NULL is in no range
    value: Any
    if kind.name in ("varchar", "char"):
        value = text
    elif kind.is_integral:
        value = int(text) if text.removeprefix("-").isdigit() else None
    elif kind.name == "date":
        try:
            value = datetime.date.fromisoformat(text).isoformat()
        except ValueError:
            value = None
    else:
        return True
    if value is None:
        return True  # reading it will say what is wrong with it
    if kind.name == "date" and not all(_is_date(bound) for span in spans for bound in (span.low, span.high)):
        return True  # '2025-1-5', or a timestamp: not to be compared as text
    return any(_within(value, span) for span in spans)


def _is_date(bound: Any) -> bool:
    return bound is None or bool(isinstance(bound, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", bound))


def _within(value: Any, span: Span) -> bool:
    number = isinstance(value, int)
    for bound in (span.low, span.high):
        if bound is not None and isinstance(bound, str) == number:
            return True  # not of the same kind: no statement about the partition
    above = span.low is None or (value >= span.low if span.low_included else value > span.low)
    below = span.high is None or (value <= span.high if span.high_included else value < span.high)
    return above and below
