"""Lists in DuckDB's SQL, in a time that grows as the list does.

An expression within a lambda's body is computed anew for each element, so what is used there is bound to a name first.
"""

from __future__ import annotations

from collections.abc import Callable

from lakectl.local.athena.analysis.casts import fresh


def bound(sql: str, body: Callable[[str], str]) -> str:
    """``body`` of a name that stands for ``sql``, which is computed once."""
    name = fresh()
    return f"(list_transform([{sql}], lambda {name}: {body(name)}))[1]"


def _sorted(items: str, key: Callable[[str], str]) -> str:
    """``{k, i}`` of each element: by key, and of equal keys by place."""
    item, at = fresh(), fresh()
    return f"list_sort(list_transform({items}, lambda {item}, {at}: struct_pack(k := {key(item)}, i := {at})))"


def _begins(pairs: str, at: str, key: str) -> str:
    return f"{at} = 1 OR {pairs}[{at} - 1].k IS DISTINCT FROM {key}"


def distinct(sql: str) -> str:
    """The first of each, one NULL among them, in the order in which they come."""
    return bound(sql, lambda items: _at(items, _firsts(items, lambda item: item)))


def _at(items: str, places: str) -> str:
    place = fresh()
    return f"list_transform({places}, lambda {place}: {items}[{place}])"


def _firsts(items: str, key: Callable[[str], str]) -> str:
    def body(pairs: str) -> str:
        pair, at, kept = fresh(), fresh(), fresh()
        first = f"list_filter({pairs}, lambda {pair}, {at}: {_begins(pairs, at, f'{pair}.k')})"
        return f"list_sort(list_transform({first}, lambda {kept}: {kept}.i))"

    return bound(_sorted(items, key), body)


def first_of_each(entries: str, key: str, value: str) -> str:
    """A map of entries whose keys may stand twice: of the first value."""

    def body(items: str) -> str:
        place = fresh()
        entry = f"struct_pack(key := {items}[{place}].{key}, value := {items}[{place}].{value})"
        places = _firsts(items, lambda item: f"{item}.{key}")
        return f"map_from_entries(list_transform({places}, lambda {place}: {entry}))"

    return bound(entries, body)


def all_of_each(entries: str, key: str, value: str) -> str:
    """A map of entries whose keys may stand twice: of an array of all values."""

    def of_items(items: str) -> str:
        return bound(_sorted(items, lambda item: f"{item}.{key}"), lambda pairs: of_pairs(items, pairs))

    def of_pairs(items: str, pairs: str) -> str:
        at = fresh()
        begins = _begins(pairs, at, f"{pairs}[{at}].k")
        starts = f"list_filter(range(1, len({pairs}) + 1), lambda {at}: {begins})"
        return bound(starts, lambda starts: of_starts(items, pairs, starts))

    def of_starts(items: str, pairs: str, starts: str) -> str:
        start, at, group, pair = fresh(), fresh(), fresh(), fresh()
        end = f"coalesce({starts}[{at} + 1] - 1, len({pairs}))"
        span = f"struct_pack(i := {pairs}[{start}].i, s := {start}, e := {end})"
        groups = f"list_sort(list_transform({starts}, lambda {start}, {at}: {span}))"
        # Not a slice: DuckDB would copy the whole list for each.
        inner = f"range({group}.s, {group}.e + 1)"
        values = f"list_transform({inner}, lambda {pair}: {items}[{pairs}[{pair}].i].{value})"
        entry = f"struct_pack(key := {pairs}[{group}.s].k, value := {values})"
        return f"map_from_entries(list_transform({groups}, lambda {group}: {entry}))"

    return bound(entries, of_items)


def holds(items: str, item: str) -> str:
    """Whether a list has an element that is not distinct from ``item``. ``items``: a name."""
    each = fresh()
    null = f"list_contains(list_transform({items}, lambda {each}: {each} IS NULL), true)"
    return f"CASE WHEN {item} IS NULL THEN {null} ELSE list_contains({items}, {item}) END"
