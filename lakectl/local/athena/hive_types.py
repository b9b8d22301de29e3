"""Types as Glue's columns name them, in Hive's notation, and what Athena calls them in queries.

https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

from __future__ import annotations

import re

_NAMES = {"int": "integer", "string": "varchar", "float": "real", "binary": "varbinary"}
_TOKEN = re.compile(r"\s*([<>(),:]|[^<>(),:]+)")


def to_trino(kind: str, iceberg: bool = False) -> str:
    """``array<struct<a:int>>`` → ``array(row(a integer))``; a text that is no type of Hive's stays as it is.

    An Iceberg table's timestamps have microseconds, those of other tables milliseconds.
    """
    tokens = [token.strip() for token in _TOKEN.findall(kind.strip())]
    try:
        found, at = _parse(tokens, 0, 6 if iceberg else 3)
    except IndexError:
        return kind
    return found if at == len(tokens) else kind


def _parse(tokens: list[str], at: int, precision: int) -> tuple[str, int]:
    name = tokens[at].lower()
    at += 1
    if name in ("array", "map") and tokens[at] == "<":
        inner, at = _listed(tokens, at + 1, precision)
        return f"{name}({', '.join(inner)})", at
    if name == "struct" and tokens[at] == "<":
        fields = []
        at += 1
        while True:
            field = tokens[at]
            inner_type, at = _parse(tokens, at + 2, precision)
            fields.append(f"{field} {inner_type}")
            at += 1
            if tokens[at - 1] == ">":
                return f"row({', '.join(fields)})", at
    if at < len(tokens) and tokens[at] == "(":
        end = tokens.index(")", at)
        return f"{name}({','.join(part for part in tokens[at + 1 : end] if part != ',')})", end + 1
    if name == "decimal":
        return "decimal(10,0)", at
    if name == "timestamp":
        return f"timestamp({precision})", at
    if name in ("timestamptz", "timestamp with time zone"):
        return f"timestamp({precision}) with time zone", at
    return _NAMES.get(name, name), at


def _listed(tokens: list[str], at: int, precision: int) -> tuple[list[str], int]:
    found = []
    while True:
        inner, at = _parse(tokens, at, precision)
        found.append(inner)
        at += 1
        if tokens[at - 1] == ">":
            return found, at
