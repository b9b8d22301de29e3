"""Columns whose values are the keys of another source."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import Any

from lakectl.ops.init.draft import Draft
from lakectl.ops.init.names import singular
from lakectl.spec.model import Lookup, SourceSpec
from lakectl.spec.names import column_problem

# At least so many of a column's distinct values must be keys of the other source.
_ENOUGH = 0.9
_TAKE = 3
_WHOLE = ("int", "bigint")
# Keys that say nothing of their source.
_GENERAL = ("id", "key", "code", "name", "number")


def infer(connection: Any, drafts: list[Draft]) -> None:
    """Add the lookups of each draft into the others. A lookup that would close a circle is left out, with a note."""
    for draft in drafts:
        for other in drafts:
            on = _on(draft, other)
            if not on or draft is other or on == draft.keys:
                continue
            share = _share(connection, draft, on, other)
            if share < _ENOUGH:
                if share > 0:
                    draft.note(
                        f"columns.{on[0]}", f"no lookup of {other.name}: only {share:.0%} of the values are keys there"
                    )
                continue
            draft.lookups.append(Lookup(other.name, other.name, on, ()))
            if _is_circle(drafts):
                draft.lookups.pop()
                draft.note(f"columns.{on[0]}", f"no lookup of {other.name}: it looks up {draft.name}")
            elif share < 1:
                draft.note(f"lookups.{other.name}", f"{1 - share:.1%} of the values are no keys of {other.name}")
        _ask(connection, draft, drafts)
    for draft in drafts:
        _take(draft, {other.name: other for other in drafts})


def _ask(connection: Any, draft: Draft, drafts: list[Draft]) -> None:
    """Notes of texts that are all keys of another source, though the column's name does not say so. (Of small whole
    numbers that says nothing: 1 to 5 are keys nearly everywhere.)"""
    seen = {name for lookup in draft.lookups for name in lookup.on}
    for name in draft.columns_of(("string",)):
        for other in drafts:
            if other is draft or name in seen or len(other.keys) != 1 or other.column(other.keys[0]).type != "string":
                continue
            if (name,) != draft.keys and _share(connection, draft, (name,), other) == 1:
                draft.note(f"columns.{name}", f"every value is a key of {other.name}: a lookup?")


def propose(draft: Draft, known: Iterable[SourceSpec]) -> None:
    """Notes of lookups into sources whose rows can't be seen: a person has to say whether they are meant."""
    for other in known:
        on = _fitting(draft, other.name, {key: other.by_name[key].type for key in other.keys}) if other.keys else ()
        facts = [column.name for column in other.columns if column.name not in other.keys]
        if on and facts:
            columns = on[0] if len(on) == 1 else f"[{', '.join(on)}]"
            draft.note("lookups", f"a lookup? lookups: {{{other.name}: {{on: {columns}, take: [{facts[0]}]}}}}")


def _fitting(draft: Draft, name: str, keys: dict[str, str]) -> tuple[str, ...]:
    """The draft's columns that fit the ``keys`` (column -> type) of a source ``name``, in their order; empty when not
    all of them do."""
    types = {column.name: column.type for column in draft.columns}
    found = []
    for key, kind in keys.items():
        names = _names(key, name, list(types)) if len(keys) == 1 else [key]
        column = next((each for each in names if _comparable(types.get(each), kind)), None)
        if column is None:
            return ()
        found.append(column)
    return tuple(found)


def _names(key: str, source: str, columns: list[str]) -> list[str]:
    """What a column may be called that holds the ``key`` of a ``source``, the likeliest name first."""
    short = singular(source)
    # drivers.id: driver_id, drivers_id, driver. drivers.driver_id: that, driver.
    own = (f"{short}_{key}", f"{source}_{key}") if key in _GENERAL else (key, f"{short}_{key}")
    ends = (*own, short)
    return [*ends, *(each for each in columns if any(each.endswith(f"_{end}") for end in ends))]


def _comparable(ours: str | None, theirs: str) -> bool:
    return ours == theirs or (ours in _WHOLE and theirs in _WHOLE)


def _on(draft: Draft, other: Draft) -> tuple[str, ...]:
    return _fitting(draft, other.name, {key: other.column(key).type for key in other.keys})


def _share(connection: Any, draft: Draft, on: tuple[str, ...], other: Draft) -> float:
    """How many of the distinct values of ``on`` are keys of ``other``, from 0 to 1."""
    ours = ", ".join(f'"{name}"' for name in on)
    theirs = ", ".join(f'"{name}"' for name in other.keys)
    filled = " AND ".join(f'"{name}" IS NOT NULL' for name in on)
    values = f'(SELECT DISTINCT {ours} FROM "{draft.table}" WHERE {filled})'  # noqa: S608
    row = connection.execute(
        f'SELECT count(*), count(*) FILTER (WHERE ({ours}) IN (SELECT ({theirs}) FROM "{other.table}")) '  # noqa: S608
        f"FROM {values}"
    ).fetchone()
    return row[1] / row[0] if row[0] else 0.0


def _is_circle(drafts: list[Draft]) -> bool:
    try:
        TopologicalSorter({draft.name: {each.source for each in draft.lookups} for draft in drafts}).prepare()
    except CycleError:
        return True
    return False


def _take(draft: Draft, drafts: dict[str, Draft]) -> None:
    """What each lookup takes: the first columns of the other source that are text, else any but its keys."""
    taken = {column.name for column in draft.columns}
    for place, lookup in enumerate(draft.lookups):
        other = drafts[lookup.source]
        facts = [column for column in other.columns if column.name not in other.keys]
        facts.sort(key=lambda column: column.type != "string")
        chosen: list[tuple[str, str]] = []
        for column in facts[:_TAKE]:
            ours = column.name if column.name not in taken else f"{singular(other.name)}_{column.name}"
            if ours not in taken and not column_problem(ours):
                taken.add(ours)
                chosen.append((column.name, ours))
        rest = [column.name for column in facts if column.name not in dict(chosen)]
        if rest and chosen:
            more = f"{', '.join(rest[:6])}{', …' if len(rest) > 6 else ''}"
            draft.note(f"lookups.{lookup.name}", f"{other.name} has more to take: {more}")
        draft.lookups[place] = Lookup(lookup.name, lookup.source, lookup.on, tuple(chosen), lookup.missing)
    draft.lookups = [lookup for lookup in draft.lookups if lookup.take]
