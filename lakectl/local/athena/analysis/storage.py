"""Values as tables hold them: Iceberg's structs have names and its instants no zones."""

from __future__ import annotations

from collections import Counter

from lakectl.local.athena.analysis.casts import fresh
from lakectl.local.athena.analysis.values import Value, unsupported
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import Type


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def column(sql: str, kind: Type) -> Value:
    """A table's column: as DuckDB reads it → as it is held in a query."""
    if kind.is_zoned:
        return Value(_held(sql, kind), kind, instant=sql, zone="'UTC'", simple=True)
    return Value(_held(sql, kind), kind, simple=True)


def _held(sql: str, kind: Type) -> str:
    if not kind.holds("row", "timestamp with time zone", "uuid"):
        return sql
    if kind.is_zoned:
        return f"(CASE WHEN {sql} IS NOT NULL THEN struct_pack(t := {sql}, z := 'UTC') END)"
    if kind.name == "uuid":
        return f"CAST({sql} AS VARCHAR)"
    if kind.name in ("array", "map"):
        return _each(sql, kind, _held)
    names = Counter(kind.fields)
    if any(name is None or names[name] > 1 for name in kind.fields):
        raise unsupported(f"a column of type {kind}")
    parts = [
        f"f{at} := {_held(f'({sql}).{quoted(str(name))}', item)}"
        for at, (name, item) in enumerate(zip(kind.fields, kind.items, strict=True))
    ]
    return f"(CASE WHEN {sql} IS NOT NULL THEN struct_pack({', '.join(parts)}) END)"


def _each(sql: str, kind: Type, change) -> str:  # type: ignore[no-untyped-def]
    """An array or a map with each of its parts changed."""
    if kind.name == "array":
        item = fresh()
        return f"list_transform({sql}, lambda {item}: {change(item, kind.items[0])})"
    entry = fresh()
    parts = [change(f"{entry}.{part}", item) for part, item in zip(("key", "value"), kind.items, strict=True)]
    return (
        f"map_from_entries(list_transform(map_entries({sql}), lambda {entry}: "
        f"struct_pack(key := {parts[0]}, value := {parts[1]})))"
    )


def stored(sql: str, kind: Type) -> str:
    """A query's column as a table takes it. Raises NOT_SUPPORTED for a type that Iceberg does not have."""
    if kind.is_zoned and kind.precision <= 6:
        return f"({sql}).t"
    if kind.name == "char":
        return f"rpad({sql}, {kind.numbers[0]}, ' ')"
    if (
        kind.name in ("json", "ipaddress", "time with time zone")
        or kind.name.startswith("interval")
        or (kind.name.startswith("timestamp") and kind.precision > 6)
    ):
        raise QueryError("NOT_SUPPORTED", f"Type not supported for Iceberg: {kind}")
    if kind.name in ("array", "map") and kind.holds("row", "timestamp with time zone", "char"):
        return _each(sql, kind, stored)
    if kind.name != "row":
        return sql
    if any(name is None for name in kind.fields):
        raise QueryError("NOT_SUPPORTED", "Row type field does not have a name: " + str(kind))
    parts = [
        f"{quoted(str(name))} := {stored(f'({sql}).f{at}', item)}"
        for at, (name, item) in enumerate(zip(kind.fields, kind.items, strict=True))
    ]
    return f"(CASE WHEN {sql} IS NOT NULL THEN struct_pack({', '.join(parts)}) END)"
