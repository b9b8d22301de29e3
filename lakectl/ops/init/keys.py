"""Which columns tell the rows of a source apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from lakectl.ops.init.draft import Draft
from lakectl.ops.init.names import singular, words
from lakectl.ops.init.tables import FILE
from lakectl.ops.init.types import is_id

_CODES = frozenset(("id", "key", "code", "uuid", "guid", "sku", "iata", "icao", "isbn", "symbol", "number", "no", "nr"))
_TIMES = frozenset(("date", "day", "month", "year", "week", "hour", "time", "timestamp", "at", "period"))
_TYPES = ("bigint", "int", "string", "date", "timestamp")
# Columns from which pairs are made: 45 of them.
_FOR_PAIRS = 10
# Columns whose rank is beyond this are rather facts about a row than its name.
_NAMES, _NEVER = 4, 9
FEW_ROWS = 20


def infer(connection: Any, draft: Draft) -> None:
    """Set the draft's keys; ``loading: append`` where there are none. What is unsure becomes a note."""
    counts = _distinct(connection, draft)
    ranks = {name: _rank(draft, name) for name in counts}
    rows = _distinct_rows(connection, draft)
    unique = sorted((name for name in counts if counts[name] == rows), key=lambda name: ranks[name])
    sure = [name for name in unique if ranks[name] <= _NAMES]
    pairs = [] if sure else _pairs(connection, draft, counts, ranks, rows)
    others: Sequence[str] = ()
    if sure:
        draft.keys, others = (sure[0],), unique[1:]
        if ranks[sure[0]] == _NAMES:
            draft.note("keys", f"unique in {rows:,} rows: is it the key?")
    elif pairs:
        draft.keys, others = pairs[0], [*unique, *(" and ".join(pair) for pair in pairs[1:3])]
        draft.note("keys", f"no column alone, but these together are unique in {rows:,} rows: are they the key?")
    elif unique:
        draft.keys, others = (unique[0],), unique[1:]
        draft.note("keys", f"unique, but it does not look like a key: look whether {unique[0]} names a row")
    else:
        draft.loading = "append"
        draft.note("loading", "no column and no pair of columns is unique and never empty: every row is kept")
    if not sure and (name := _unique_in_files(connection, draft)):
        place = "keys" if draft.keys else "loading"
        draft.note(place, f"{name} is unique in each file, not in all: is it the key?")
    if not draft.keys:
        return
    if others:
        draft.note("keys", f"unique, too: {', '.join(others[:3])}{', …' if len(others) > 3 else ''}")
    if rows < draft.rows:
        twice = draft.rows - rows
        draft.note("keys", f"{twice:,} {'row is' if twice == 1 else 'rows are'} there twice, with the same content")
    if rows < FEW_ROWS:
        draft.note("keys", f"seen in {rows} {'row' if rows == 1 else 'rows'} only")


def _distinct(connection: Any, draft: Draft) -> dict[str, int]:
    """Distinct values of each column that is never empty and may be a key."""
    candidates = draft.columns_of(_TYPES)
    if not candidates:
        return {}
    counts = ", ".join(f'count("{name}"), count(DISTINCT "{name}")' for name in candidates)
    row = connection.execute(f'SELECT {counts} FROM "{draft.table}"').fetchone()  # noqa: S608 - cleaned names
    return {name: row[2 * place + 1] for place, name in enumerate(candidates) if row[2 * place] == draft.rows}


def _distinct_rows(connection: Any, draft: Draft) -> int:
    """A row that is there twice with the same content is one row to an upsert."""
    own = ", ".join(f'"{column.name}"' for column in draft.columns)
    found = connection.execute(f'SELECT count(*) FROM (SELECT DISTINCT {own} FROM "{draft.table}")')  # noqa: S608
    return int(found.fetchone()[0])


def _pairs(
    connection: Any, draft: Draft, counts: dict[str, int], ranks: dict[str, int], rows: int
) -> list[tuple[str, ...]]:
    """Pairs that are unique, the likeliest first."""
    order = [column.name for column in draft.columns]
    likely = sorted((name for name in counts if ranks[name] < _NEVER and counts[name] > 1), key=lambda n: ranks[n])
    pairs = [
        tuple(sorted(pair, key=order.index))
        for pair in combinations(likely[:_FOR_PAIRS], 2)
        if counts[pair[0]] * counts[pair[1]] >= rows and rows not in (counts[pair[0]], counts[pair[1]])
    ]
    pairs.sort(key=lambda pair: (sum(ranks[name] for name in pair), [order.index(name) for name in pair]))
    found: list[tuple[str, ...]] = []
    for one, other in pairs:
        count = connection.execute(
            f'SELECT count(*) FROM (SELECT DISTINCT "{one}", "{other}" FROM "{draft.table}")'  # noqa: S608
        ).fetchone()[0]
        if count == rows:
            found.append((one, other))
    return found


def _rank(draft: Draft, name: str) -> int:
    """How little a column of this name and type looks like a key: 0 is the likeliest."""
    kind, place = draft.column(name).type, [column.name for column in draft.columns].index(name)
    own = {draft.name, singular(draft.name)}
    if name == "id" or (is_id(name) and any(name.startswith(each) for each in own)):
        return 0
    if is_id(name) or words([name]) & _CODES:
        return 1
    if kind in ("date", "timestamp") or words([name]) & _TIMES:
        return 3 if place else 2
    if kind == "string":
        return 4 if place == 0 else 6
    return 4 if place == 0 else _NEVER


def _unique_in_files(connection: Any, draft: Draft) -> str:
    """A column that is unique in each file, but not in all of them; empty when there is none."""
    for name in draft.columns_of(_TYPES) if len(draft.files) > 1 else ():
        row = connection.execute(
            f'SELECT count(*) FROM (SELECT DISTINCT "{FILE}", "{name}" FROM "{draft.table}" '  # noqa: S608
            f'WHERE "{name}" IS NOT NULL)'
        ).fetchone()
        if row[0] == draft.rows:
            return name
    return ""
