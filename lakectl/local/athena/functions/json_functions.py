"""The JSON functions' Python side.

https://trino.io/docs/current/functions/json.html; paths: Trino's JsonPathTokenizer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from lakectl.local.athena.functions.json_text import BadJson, Exact, read, string, write
from lakectl.local.athena.functions.python import Failure, function
from lakectl.local.athena.render import double, scientific

_MISSING = object()
_STEP = re.compile(
    r"""\.(?P<name>[\w@:-]+)|\[(?P<index>-?\d+)\]|\[(?P<quote>["'])(?P<quoted>(?:\\.|[^\\])*?)(?P=quote)\]|\[(?P<bare>[\w:-]+)\]"""
)


@lru_cache(maxsize=512)
def steps(path: str) -> tuple[str | int, ...]:
    """The names and indexes of a path. Raises INVALID_FUNCTION_ARGUMENT."""
    bad = Failure(f"Invalid JSON path: '{path}'")
    if not path.startswith("$"):
        raise bad
    text = path
    found: list[str | int] = []
    at = 1
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise bad
        if step["index"] is not None:
            if step["index"].startswith("-"):
                raise bad
            found.append(int(step["index"]))
        elif step["quoted"] is not None:
            found.append(re.sub(r"\\(.)", r"\1", step["quoted"]))
        else:
            found.append(step["name"] or step["bare"])
        at = step.end()
    return tuple(found)


def _walk(text: str, path: str) -> Any:
    wanted = steps(path)
    try:
        value = read(text)
    except BadJson:
        return _MISSING
    for step in wanted:
        if isinstance(value, list) and not isinstance(step, bool):
            index = step if isinstance(step, int) else int(step) if step.isdigit() else -1
            value = value[index] if 0 <= index < len(value) else _MISSING
        elif isinstance(value, dict):
            value = value.get(str(step), _MISSING)
        else:
            return _MISSING
        if value is _MISSING:
            return _MISSING
    return value


def _scalar(value: Any) -> str | None:
    if value is _MISSING or value is None or isinstance(value, list | dict):
        return None
    return value if isinstance(value, str) else write(value)


@function("athena_json_parse", "VARCHAR -> VARCHAR")
def _parse(text: str) -> str:
    try:
        return write(read(text))
    except BadJson:
        raise Failure(f"Cannot convert value to JSON: '{text}'") from None


@function("athena_json_extract", "VARCHAR, VARCHAR -> VARCHAR")
def _extract(text: str, path: str) -> str | None:
    value = _walk(text, path)
    return None if value is _MISSING else write(value, ordered=False)


@function("athena_json_extract_scalar", "VARCHAR, VARCHAR -> VARCHAR")
def _extract_scalar(text: str, path: str) -> str | None:
    return _scalar(_walk(text, path))


@function("athena_json_size", "VARCHAR, VARCHAR -> BIGINT")
def _size(text: str, path: str) -> int | None:
    value = _walk(text, path)
    if value is _MISSING:
        return None
    return len(value) if isinstance(value, list | dict) else 0


@function("athena_json_array_length", "VARCHAR -> BIGINT")
def _array_length(text: str) -> int | None:
    value = _read_or_none(text)
    return len(value) if isinstance(value, list) else None


@function("athena_json_array_get", "VARCHAR, BIGINT -> VARCHAR")
def _array_get(text: str, index: int) -> str | None:
    """https://trino.io/docs/current/functions/json.html: of strings, the text without quotes."""
    value = _read_or_none(text)
    if not isinstance(value, list) or not -len(value) <= index < len(value):
        return None
    item = value[index]
    return item if isinstance(item, str) else None if item is None else write(item, ordered=False)


@function("athena_json_array_contains", "VARCHAR, VARCHAR, VARCHAR -> BOOLEAN")
def _array_contains(text: str, kind: str, wanted: str) -> bool | None:
    """``wanted``: the value as JSON; ``kind``: boolean, bigint, double or varchar."""
    value = _read_or_none(text)
    if not isinstance(value, list):
        return None
    sought = read(wanted)
    types: dict[str, Any] = {"boolean": bool, "bigint": int, "double": Exact, "varchar": str}
    return any(type(item) is types[kind] and item == sought for item in value)


@function("athena_is_json_scalar", "VARCHAR -> BOOLEAN")
def _is_scalar(text: str) -> bool:
    try:
        return not isinstance(read(text), list | dict)
    except BadJson:
        raise Failure(f"Invalid JSON value: {text}") from None


def _read_or_none(text: str) -> Any:
    try:
        return read(text)
    except BadJson:
        return None


@function("athena_json_string", "VARCHAR -> VARCHAR")
def _string(text: str) -> str:
    return string(text)


def _cast_failure(text: str, kind: str, why: str) -> Failure:
    return Failure(f"Cannot cast to {kind}. {why}\n{text}".split("\n")[0], "INVALID_CAST_ARGUMENT")


@function("athena_json_scalar", "VARCHAR, VARCHAR -> VARCHAR")
def _cast_scalar(text: str, kind: str) -> str | None:
    """The text of a JSON scalar that DuckDB then casts to ``kind``."""
    base = kind.partition("(")[0]
    try:
        value = read(text)
    except BadJson:  # a number beyond doubles
        raise _cast_failure(text, kind, f"Cannot cast '{text}'") from None
    if value is None:
        return None
    if isinstance(value, list | dict):
        token = "START_ARRAY" if isinstance(value, list) else "START_OBJECT"
        raise _cast_failure(text, kind, f"Unexpected token when cast to {base}: {token}")
    if base == "varchar":
        return value if isinstance(value, str) else scientific(value) if isinstance(value, float) else write(value)
    if base == "decimal" and not isinstance(value, str | bool):
        return text.strip()  # as a double, it would lose digits
    try:
        return _TARGETS[base](value) if base in _TARGETS else _fitting(value, base)
    except (ValueError, OverflowError):
        raise Failure(f"Cannot cast '{value}' to {kind.upper()}", "INVALID_CAST_ARGUMENT") from None


def _boolean(value: Any) -> str:
    if isinstance(value, str):
        if value.lower() in ("true", "t", "1"):
            return "true"
        if value.lower() in ("false", "f", "0"):
            return "false"
        raise ValueError(value)
    return "true" if value else "false"


_BITS = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}


def _fitting(value: Any, base: str) -> str:
    made = int(_integer(value))
    if base in _BITS and not -(1 << (_BITS[base] - 1)) <= made < 1 << (_BITS[base] - 1):
        raise ValueError(value)
    return str(made)


def _integer(value: Any) -> str:
    if isinstance(value, str):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value + 0.5) if value >= 0 else -int(-value + 0.5))
    return str(int(value))


def _float(value: Any) -> str:
    return double(float(value))


def _decimal(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else write(value) if not isinstance(value, str) else value


_TARGETS = {"boolean": _boolean, "real": _float, "double": _float, "decimal": _decimal}


@function("athena_json_items", "VARCHAR, VARCHAR -> VARCHAR[]")
def _items(text: str, kind: str) -> list[str | None] | None:
    value = read(text)
    if value is None:
        return None
    if not isinstance(value, list):
        raise _cast_failure(text, kind, f"Expected a json array, but got {write(value)}")
    return [None if item is None else write(item, exact=True) for item in value]


@function("athena_json_members", "VARCHAR, VARCHAR -> STRUCT(key VARCHAR; value VARCHAR)[]")
def _members(text: str, kind: str) -> list[dict[str, str | None]] | None:
    value = read(text)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _cast_failure(text, kind, f"Expected a json object, but got {write(value)}")
    return [{"key": name, "value": None if item is None else write(item, exact=True)} for name, item in value.items()]


@function("athena_json_fields", "VARCHAR, VARCHAR[], VARCHAR -> VARCHAR[]")
def _fields(text: str, names: list[str], kind: str) -> list[str | None] | None:
    """An object's members by name, or an array's by place."""
    value = read(text)
    if value is None:
        return None
    if isinstance(value, list):
        if len(value) != len(names):
            raise _cast_failure(
                text, kind, "Expected a json array or object with as many members as the row has fields"
            )
        found = value
    elif isinstance(value, dict):
        lower = {name.lower(): item for name, item in value.items()}
        found = [lower.get(name.lower()) for name in names]
    else:
        raise _cast_failure(text, kind, f"Expected a json array or object, but got {write(value)}")
    return [None if item is None else write(item, exact=True) for item in found]
