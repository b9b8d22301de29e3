"""Hive's names of types, in which Glue keeps columns, and what a column of such a type is in a query and in a file.

https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

from __future__ import annotations

import re
from functools import lru_cache

import pyarrow as pa

from lakectl.local.athena import sqltypes
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import Type

_TOKEN = re.compile(r"\s*(`[^`]*`|[\w$.]+|[<>(),:])")
_NAMES = {
    "boolean": sqltypes.BOOLEAN,
    "tinyint": sqltypes.TINYINT,
    "smallint": sqltypes.SMALLINT,
    "int": sqltypes.INTEGER,
    "integer": sqltypes.INTEGER,
    "bigint": sqltypes.BIGINT,
    "float": sqltypes.REAL,
    "double": sqltypes.DOUBLE,
    "string": sqltypes.VARCHAR,
    "binary": sqltypes.VARBINARY,
    "date": sqltypes.DATE,
    "timestamp": sqltypes.timestamp(3),
}
_HIVE = {kind.name: name for name, kind in _NAMES.items() if name != "integer"}
_ARROW = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "char": pa.string(),
    "varbinary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


@lru_cache(maxsize=4096)
def parse(text: str) -> Type:
    """A type's text: ``struct<a:int,b:array<string>>``. Raises ValueError for one that is not known."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text) or not tokens:
        raise ValueError(f"not a type: {text}")
    try:
        kind, at = _parse(tokens, 0)
    except IndexError:
        raise ValueError(f"not a type: {text}") from None
    if at != len(tokens):
        raise ValueError(f"not a type: {text}")
    return kind


def _parse(tokens: list[str], at: int) -> tuple[Type, int]:
    name = tokens[at].lower()
    at += 1
    if name == "struct":
        fields: list[str | None] = []
        items = []
        while tokens[at] in "<,":
            fields.append(tokens[at + 1].strip("`").lower())
            if tokens[at + 2] != ":":
                raise ValueError("a field of a struct has no type")
            item, at = _parse(tokens, at + 3)
            items.append(item)
        return sqltypes.row(tuple(items), tuple(fields)), _after(tokens, at, ">")
    if name == "array":
        item, at = _parse(tokens, _after(tokens, at, "<"))
        return sqltypes.array(item), _after(tokens, at, ">")
    if name == "map":
        key, at = _parse(tokens, _after(tokens, at, "<"))
        value, at = _parse(tokens, _after(tokens, at, ","))
        return sqltypes.map_of(key, value), _after(tokens, at, ">")
    numbers: list[int] = []
    if at < len(tokens) and tokens[at] == "(":
        while tokens[at] in "(,":
            numbers.append(int(tokens[at + 1]))
            at += 2
        at = _after(tokens, at, ")")
    if name == "decimal" and len(numbers) <= 2:
        precision, scale = (*numbers, *(10, 0)[len(numbers) :])
        return sqltypes.decimal(precision, scale), at
    if name in ("varchar", "char") and len(numbers) == 1:
        return Type(name, tuple(numbers)), at
    if name not in _NAMES or numbers:
        raise ValueError(f"the type {name} is not known")
    return _NAMES[name], at


def _after(tokens: list[str], at: int, wanted: str) -> int:
    if tokens[at] != wanted:
        raise ValueError(f"{wanted} is missing")
    return at + 1


def text_of(kind: Type) -> str:
    """Hive's name for a type of a query. Raises QueryError for a type that Hive does not have."""
    if kind.name == "row":
        if any(name is None for name in kind.fields):
            raise QueryError("NOT_SUPPORTED", f"Anonymous row type is not supported in Hive. Type: {kind}")
        fields = zip(kind.fields, kind.items, strict=True)
        return f"struct<{','.join(f'{name}:{text_of(item)}' for name, item in fields)}>"
    if kind.items:
        return f"{kind.name}<{','.join(map(text_of, kind.items))}>"
    if kind.name == "decimal":
        return "decimal({},{})".format(*kind.numbers)
    if kind.name in ("varchar", "char") and kind.numbers:
        return f"{kind.name}({kind.numbers[0]})"
    if kind.name not in _HIVE or (kind.name == "timestamp" and kind.precision > 3):
        if kind.name == "timestamp":
            message = f"Incorrect timestamp precision for {kind}; the configured precision is MILLISECONDS"
            raise QueryError("NOT_SUPPORTED", message)
        raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {kind}")
    return _HIVE[kind.name]


def physical(kind: Type) -> str:
    """DuckDB's type of a stored column: a row is a struct with the names of its fields."""
    if kind.name == "row":
        parts = (f"{_quoted(str(name))} {physical(item)}" for name, item in zip(kind.fields, kind.items, strict=True))
        return f"STRUCT({', '.join(parts)})"
    if kind.name == "array":
        return f"{physical(kind.items[0])}[]"
    if kind.name == "map":
        return f"MAP({physical(kind.items[0])}, {physical(kind.items[1])})"
    return kind.physical


def arrow(kind: Type) -> pa.DataType:
    """Arrow's type of a stored column."""
    if kind.name == "row":
        return pa.struct([(str(name), arrow(item)) for name, item in zip(kind.fields, kind.items, strict=True)])
    if kind.name == "array":
        return pa.list_(arrow(kind.items[0]))
    if kind.name == "map":
        return pa.map_(arrow(kind.items[0]), arrow(kind.items[1]))
    if kind.name == "decimal":
        return pa.decimal128(*kind.numbers)
    return _ARROW[kind.name]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
