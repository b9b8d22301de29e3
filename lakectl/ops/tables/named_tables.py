"""The tables that a query names, and where in its text. sqlglot parses; the text itself stays as it is."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

DIALECT = "trino"
_READS = re.compile(r"\b(FROM|TABLE)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Named:
    """``database`` is empty where the query names none. ``end``: where the name ends in the text. ``travels``: the
    query says as of when. ``times``: how often it is read at most, as each use of a WITH is evaluated by itself."""

    catalog: str
    database: str
    name: str
    end: int
    travels: bool
    times: int


class NotUnderstood(Exception):
    """No SELECT, or none that sqlglot can read."""


def names_none(sql: str) -> bool:
    """Whether a statement reads no table for certain, which is told without parsing it."""
    return _READS.search(sql) is None


def of(sql: str) -> list[Named]:
    """The tables of a SELECT (or WITH, VALUES, TABLE), in the order of the text; names in lower case.

    Raises :class:`NotUnderstood`.
    """
    # Imported here: it costs more than the rest of the command.
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
    from sqlglot.optimizer.scope import traverse_scope

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect=DIALECT) if tree is not None]
        if len(trees) != 1 or not isinstance(trees[0], exp.Query):
            raise NotUnderstood
        # Trino compares names without case, in quotes, too.
        scopes = traverse_scope(normalize_identifiers(trees[0], dialect=DIALECT))
        times = _times(scopes)
        sources = [(source, times[id(scope)]) for scope in scopes for _, source in scope.selected_sources.values()]
    except (SqlglotError, RecursionError) as error:
        raise NotUnderstood from error
    found = {}
    for table, often in sources:
        if isinstance(table, exp.Table) and isinstance(table.this, exp.Identifier):
            end = int(table.this.meta["end"]) + 1
            travels = table.args.get("version") is not None
            found[end] = Named(table.catalog, table.db, table.name, end, travels, often)
    return [found[end] for end in sorted(found)]


def _times(scopes: Iterable[Any]) -> Counter[int]:
    """How often each scope is evaluated: once, or as often as what uses it. Users stand behind what they use."""
    times: Counter[int] = Counter()
    for scope in reversed(list(scopes)):
        own = times[id(scope)] = max(1, times[id(scope)])
        within = [*scope.subquery_scopes, *scope.derived_table_scopes, *scope.set_operation_scopes, *scope.udtf_scopes]
        within += [source for _, source in scope.selected_sources.values() if getattr(source, "is_cte", False)]
        for each in within:
            times[id(each)] += own
    return times
