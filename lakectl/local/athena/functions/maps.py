"""Map functions, with and without lambdas."""

from __future__ import annotations

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis.casts import fresh
from lakectl.local.athena.analysis.values import Value
from lakectl.local.athena.functions.arrays import plain
from lakectl.local.athena.functions.lists import all_of_each
from lakectl.local.athena.functions.registry import Family, applied
from lakectl.local.athena.sqltypes import Type

maps = Family("map")


def made_of(keys: str, values: str) -> str:
    """A map of two lists. DuckDB refuses a key that is NULL or stands twice, and lists of different lengths."""
    return f"map({keys}, {values})"


def _map(keys: Value, values: Value) -> str:
    plain(keys.type.items[0])
    return f"(CASE WHEN {keys.sql} IS NOT NULL AND {values.sql} IS NOT NULL THEN {made_of(keys.sql, values.sql)} END)"


def _concat(*values: Value) -> str:
    missing = " OR ".join(f"{value.sql} IS NULL" for value in values)
    return f"(CASE WHEN {missing} THEN NULL ELSE map_concat({', '.join(value.sql for value in values)}) END)"


def _entries(value: Value) -> str:
    entry = fresh()
    return (
        f"list_transform(map_entries({value.sql}), lambda {entry}: struct_pack(f0 := {entry}.key, f1 := {entry}.value))"
    )


def _entries_type(kind: Type) -> Type:
    return sqltypes.array(sqltypes.row(kind.items))


def _from_entries(value: Value) -> str:
    entry = fresh()
    pair = f"struct_pack(key := {entry}.f0, value := {entry}.f1)"
    return f"map_from_entries(list_transform({value.sql}, lambda {entry}: {pair}))"


def _multimap(value: Value) -> str:
    plain(value.type.items[0].items[0])
    return all_of_each(value.sql, "f0", "f1")


def _transformed(value: Value, change: Value, of_keys: bool) -> str:
    entry = fresh()
    made = (
        f"list_transform(map_entries({value.sql}), lambda {entry}: {applied(change, f'{entry}.key', f'{entry}.value')})"
    )
    return made_of(made, f"map_values({value.sql})") if of_keys else made_of(f"map_keys({value.sql})", made)


def _keys(value: Value, change: Value) -> str:
    return f"(CASE WHEN {value.sql} IS NOT NULL THEN {_transformed(value, change, True)} END)"


def _values(value: Value, change: Value) -> str:
    return f"(CASE WHEN {value.sql} IS NOT NULL THEN {_transformed(value, change, False)} END)"


def _filter(value: Value, test: Value) -> str:
    entry = fresh()
    kept = applied(test, f"{entry}.key", f"{entry}.value")
    return f"map_from_entries(list_filter(map_entries({value.sql}), lambda {entry}: {kept}))"


def _zip_with(one: Value, other: Value, join: Value) -> str:
    name, key = fresh(), fresh()
    more = f"list_filter(map_keys({other.sql}), lambda {key}: NOT list_contains(map_keys({one.sql}), {key}))"
    keys = f"list_concat(map_keys({one.sql}), {more})"
    parts = [f"list_extract(map_extract({each.sql}, {name}), 1)" for each in (one, other)]
    values = f"list_transform({keys}, lambda {name}: {applied(join, name, *parts)})"
    return f"(CASE WHEN {one.sql} IS NOT NULL AND {other.sql} IS NOT NULL THEN {made_of(keys, values)} END)"


maps.add("cardinality(map(K,V)) -> bigint", "CAST(cardinality({0}) AS BIGINT)")
maps.add("element_at(map(K,V), K) -> V", "list_extract(map_extract({0}, {1}), 1)")
maps.add("map() -> map(unknown,unknown)", "map(CAST([] AS INTEGER[]), CAST([] AS INTEGER[]))")
maps.add("map(array(K), array(V)) -> map(K,V)", _map)
maps.add("map_concat(map(K,V), map(K,V)...) -> map(K,V)", _concat)
maps.add("map_entries(map(K,V)) -> array(row(K,V))", _entries, _entries_type)
maps.add("map_from_entries(array(row(K,V))) -> map(K,V)", _from_entries)
maps.add("multimap_from_entries(array(row(K,V))) -> map(K,array(V))", _multimap)
maps.add("map_keys(map(K,V)) -> array(K)", "map_keys({0})")
maps.add("map_values(map(K,V)) -> array(V)", "map_values({0})")
maps.add("map_filter(map(K,V), function(K,V,boolean)) -> map(K,V)", _filter)
maps.add("transform_keys(map(K,V), function(K,V,R)) -> map(R,V)", _keys)
maps.add("transform_values(map(K,V), function(K,V,R)) -> map(K,R)", _values)
maps.add("map_zip_with(map(K,V), map(K,W), function(K,V,W,R)) -> map(K,R)", _zip_with)
