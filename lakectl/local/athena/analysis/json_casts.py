"""Casts to and from JSON, whose value is held as text.

https://trino.io/docs/current/functions/json.html#cast-to-json
"""

from __future__ import annotations

import itertools

from lakectl.local.athena.analysis import texts
from lakectl.local.athena.analysis.values import Value, text
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import INTEGRAL, Type

_SCALARS = (*INTEGRAL, "boolean", "real", "double", "decimal", "varchar", "json", "date", "timestamp", "unknown")
_KEYS = (*INTEGRAL, "boolean", "real", "double", "decimal", "varchar", "unknown")
_counter = itertools.count()


def can_be_json(kind: Type) -> bool:
    if kind.name == "map":
        return kind.items[0].name in _KEYS and can_be_json(kind.items[1])
    if kind.name in ("array", "row"):
        return all(can_be_json(item) for item in kind.items)
    return kind.name in _SCALARS


def can_come_of_json(kind: Type) -> bool:
    if kind.name == "map":
        return kind.items[0].name in _KEYS and can_come_of_json(kind.items[1])
    if kind.name in ("array", "row"):
        return all(can_come_of_json(item) for item in kind.items)
    return kind.name in _SCALARS and kind.name not in ("date", "timestamp", "unknown")


def to_json(sql: str, kind: Type) -> str:
    """The JSON text of a value; NULL for NULL."""
    if kind.name in ("json", "unknown"):
        return sql
    if kind.name == "varchar":
        return f"athena_json_string({sql})"
    if kind.is_float:
        shown = f"athena_double_text({sql})"
        return f"(CASE WHEN isfinite({sql}) THEN {shown} ELSE '\"' || {shown} || '\"' END)"
    if kind.name in ("date", "timestamp"):
        return f"('\"' || {texts.plain(Value(sql, kind))} || '\"')"
    if kind.name == "array":
        item = _fresh()
        parts = f"list_transform({sql}, lambda {item}: {_or_null(item, kind.items[0])})"
        return f"('[' || array_to_string({parts}, ',') || ']')"
    if kind.name == "row":
        members = [
            f"{text(_member(name))} || {_or_null(f'({sql}).f{at}', item)}"
            for at, (name, item) in enumerate(zip(kind.fields, kind.items, strict=True))
        ]
        joined = " || ',' || ".join(members)
        return f"(CASE WHEN ({sql}) IS NOT NULL THEN '{{' || {joined} || '}}' END)"
    if kind.name == "map":
        entry = _fresh()
        pair = (
            f"athena_json_string({_key(f'{entry}.key', kind.items[0])}) || ':' || "
            f"{_or_null(f'{entry}.value', kind.items[1])}"
        )
        ordered = f"list_sort(list_transform(map_entries({sql}), lambda {entry}: {pair}))"
        return f"(CASE WHEN ({sql}) IS NOT NULL THEN '{{' || array_to_string({ordered}, ',') || '}}' END)"
    return texts.plain(Value(sql, kind))


def _key(sql: str, kind: Type) -> str:
    """Java's text of a number, where a CAST to varchar has the SQL standard's."""
    return f"athena_double_text({sql})" if kind.is_float else texts.plain(Value(sql, kind))


def _member(name: str | None) -> str:
    shown = (name or "").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}":'


def _or_null(sql: str, kind: Type) -> str:
    return f"coalesce({to_json(sql, kind)} || '', 'null')"


def of_json(sql: str, kind: Type) -> str:
    """A value out of JSON text; NULL for JSON's null."""
    if kind.name == "json":
        return sql
    if kind.name == "array":
        item = _fresh()
        items = f"athena_json_items({sql}, {text(str(kind))})"
        return f"list_transform({items}, lambda {item}: {_of_item(item, kind.items[0])})"
    if kind.name == "map":
        entry = _fresh()
        key = of_json(f"athena_json_string({entry}.key)", kind.items[0])
        pair = f"struct_pack(key := {key}, value := {_of_item(f'{entry}.value', kind.items[1])})"
        return (
            f"map_from_entries(list_transform(athena_json_members({sql}, {text(str(kind))}), lambda {entry}: {pair}))"
        )
    if kind.name == "row":
        names = "[" + ", ".join(text(name or "") for name in kind.fields) + "]"
        fields = f"athena_json_fields({sql}, {names}, {text(str(kind))})"
        parts = [f"f{at} := {_of_item(f'{fields}[{at + 1}]', item)}" for at, item in enumerate(kind.items)]
        return f"(CASE WHEN {fields} IS NOT NULL THEN struct_pack({', '.join(parts)}) END)"
    scalar = f"athena_json_scalar({sql}, {text(str(kind))})"
    if kind.name == "varchar":
        return f"left({scalar}, {kind.numbers[0]})" if kind.numbers else scalar
    if kind.name in ("boolean", *INTEGRAL, "real", "double", "decimal"):
        return f"CAST({scalar} AS {kind.physical})"
    raise QueryError("NOT_SUPPORTED", f"CAST of json to {kind} is not supported by the local Athena; it works on AWS")


def _of_item(sql: str, kind: Type) -> str:
    """Within an array, a map or a row, JSON's null stays a value of type json."""
    return f"coalesce({sql}, 'null')" if kind.name == "json" else of_json(sql, kind)


def _fresh() -> str:
    return f"j{next(_counter)}"
