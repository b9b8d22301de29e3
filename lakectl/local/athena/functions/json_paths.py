"""json_exists, json_value and json_query on values: SQL/JSON paths evaluated.

https://trino.io/docs/current/functions/json.html#json-path-language
"""

from __future__ import annotations

import math
from typing import Any

from lakectl.local.athena.functions.json_functions import _cast_scalar
from lakectl.local.athena.functions.json_path_syntax import Node, parsed
from lakectl.local.athena.functions.json_text import BadJson, read, unpacked, write
from lakectl.local.athena.functions.python import Failure, function

VALUE, EMPTY, ERROR = "v", "e", "x"  # the first letter of what the functions give; then the value or the error
_MISSING = object()  # a parameter without a value
_NO_SCALAR = "JSON_VALUE_RESULT_ERROR: cannot extract SQL scalar from JSON: "
_NO_OUTPUT = "JSON_OUTPUT_CONVERSION_ERROR: conversion from JSON failed: "


class PathError(Exception):
    """The path can't be evaluated on this value."""

    def __str__(self) -> str:
        return f"PATH_EVALUATION_ERROR: path evaluation failed: {super().__str__()}"


class InputError(PathError):
    """What the path is applied to is no JSON."""

    def __str__(self) -> str:
        return "JSON_INPUT_CONVERSION_ERROR: conversion to JSON failed: "


class _Evaluation:
    def __init__(self, lax: bool, root: Any, variables: dict[str, Any]) -> None:
        self.lax, self.root, self.variables = lax, root, variables

    def items(self, node: Node, current: Any = None, last: int | None = None) -> list[Any]:
        return list(getattr(self, f"_{node[0]}")(node, current, last))

    def _root(self, *_: Any) -> list[Any]:
        return [self.root]

    def _current(self, _: Node, current: Any, __: Any) -> list[Any]:
        return [current]

    def _literal(self, node: Node, *_: Any) -> list[Any]:
        return [node[1]]

    def _variable(self, node: Node, *_: Any) -> list[Any]:
        if node[1] not in self.variables:
            raise Failure(f"no value passed for parameter {node[1]}", "INVALID_PATH")
        value = self.variables[node[1]]
        return [] if value is _MISSING else [value]

    def _last(self, _: Node, __: Any, last: int | None) -> list[Any]:
        if last is None:
            raise Failure("accessor last outside of a subscript", "INVALID_PATH")
        return [last]

    def _unwrapped(self, items: list[Any]) -> list[Any]:
        if not self.lax:
            return items
        return [inner for item in items for inner in (item if isinstance(item, list) else [item])]

    def _member(self, node: Node, current: Any, last: Any) -> list[Any]:
        made = []
        for item in self._unwrapped(self.items(node[1], current, last)):
            if isinstance(item, dict) and node[2] in item:
                made.append(item[node[2]])
            elif not self.lax:
                raise PathError(node[2])
        return made

    def _members(self, node: Node, current: Any, last: Any) -> list[Any]:
        made = []
        for item in self._unwrapped(self.items(node[1], current, last)):
            if isinstance(item, dict):
                made += list(item.values())
            elif not self.lax:
                raise PathError("*")
        return made

    def _arrays(self, node: Node, current: Any, last: Any) -> list[list[Any]]:
        made = []
        for item in self.items(node[1], current, last):
            if not isinstance(item, list) and not self.lax:
                raise PathError("[]")
            made.append(item if isinstance(item, list) else [item])
        return made

    def _items(self, node: Node, current: Any, last: Any) -> list[Any]:
        return [item for array in self._arrays(node, current, last) for item in array]

    def _subscript(self, node: Node, current: Any, last: Any) -> list[Any]:
        made = []
        for array in self._arrays(node, current, last):
            for first, second in node[2]:
                low = self._index(first, current, len(array) - 1)
                high = low if second is None else self._index(second, current, len(array) - 1)
                if not self.lax and not (0 <= low <= high < len(array)):
                    raise PathError("subscript")
                made += array[max(0, low) : max(0, high + 1)]
        return made

    def _index(self, node: Node, current: Any, last: int) -> int:
        found = self.items(node, current, last)
        if len(found) != 1 or not _is_number(found[0]):
            raise PathError("subscript")
        return int(found[0])

    def _filter(self, node: Node, current: Any, last: Any) -> list[Any]:
        items = self._unwrapped(self.items(node[1], current, last))
        return [item for item in items if self.test(node[2], item) is True]

    def _sign(self, node: Node, current: Any, last: Any) -> list[Any]:
        items = self._unwrapped(self.items(node[2], current, last))
        if not all(_is_number(item) for item in items):
            raise PathError("sign")
        return [-item if node[1] == "-" else item for item in items]

    def _arithmetic(self, node: Node, current: Any, last: Any) -> list[Any]:
        sides = [self._unwrapped(self.items(side, current, last)) for side in node[2:]]
        if any(len(side) != 1 or not _is_number(side[0]) for side in sides):
            raise PathError("arithmetic")
        left, right = sides[0][0], sides[1][0]
        whole = isinstance(left, int) and isinstance(right, int)
        try:
            if node[1] == "/":
                return [int(left / right) if whole else left / right]
            if node[1] == "%":
                return [int(math.fmod(left, right)) if whole else math.fmod(left, right)]
        except ZeroDivisionError:
            raise PathError("division by zero") from None
        return [left + right if node[1] == "+" else left - right if node[1] == "-" else left * right]

    def _method(self, node: Node, current: Any, last: Any) -> list[Any]:
        items = self.items(node[1], current, last)
        if node[2] == "type":
            return [_type_of(item) for item in items]
        if node[2] == "size":
            if not self.lax and not all(isinstance(item, list) for item in items):
                raise PathError("size")
            return [len(item) if isinstance(item, list) else 1 for item in items]
        return [made for item in self._unwrapped(items) for made in self._applied(node[2], item)]

    def _applied(self, name: str, item: Any) -> list[Any]:
        if name == "keyvalue":
            if not isinstance(item, dict):
                raise PathError(name)
            return [{"name": key, "value": value, "id": 0} for key, value in item.items()]
        if name == "double" and isinstance(item, str):
            try:
                return [float(item)]
            except ValueError:
                raise PathError(name) from None
        if not _is_number(item):
            raise PathError(name)
        made = {"double": float, "ceiling": math.ceil, "floor": math.floor, "abs": abs}[name](item)  # type: ignore[operator]
        return [float(made) if isinstance(item, float) else made]

    def test(self, node: Node, current: Any) -> bool | None:
        """A predicate: True, False, or None for unknown."""
        kind = node[0]
        if kind in ("and", "or"):
            tests = [self.test(side, current) for side in node[1:]]
            decisive = kind == "or"
            return decisive if decisive in tests else None if None in tests else not decisive
        if kind == "not":
            inner = self.test(node[1], current)
            return None if inner is None else not inner
        if kind == "unknown":
            return self.test(node[1], current) is None
        try:
            if kind == "exists":
                return bool(self.items(node[1], current))
            left, right = (self._unwrapped(self.items(side, current)) for side in node[-2:])
        except PathError:
            return None
        if kind == "starts":
            pairs = [
                a.startswith(b) if isinstance(a, str) and isinstance(b, str) else None for a in left for b in right
            ]
        else:
            pairs = [_compared(node[1], a, b) for a in left for b in right]
        if not self.lax:
            return None if None in pairs else True in pairs
        return True if True in pairs else None if None in pairs else False


def _is_number(item: Any) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool)


def _type_of(item: Any) -> str:
    if item is None:
        return "null"
    if isinstance(item, bool):
        return "boolean"
    names = ((int | float, "number"), (str, "string"), (list, "array"))
    return next((name for kind, name in names if isinstance(item, kind)), "object")


def _compared(sign: str, left: Any, right: Any) -> bool | None:
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        return None
    if left is None or right is None:
        same = left is None and right is None
        return {"==": same, "<>": not same, "!=": not same}.get(sign, False if not same else sign in ("<=", ">="))
    alike = (_is_number(left) and _is_number(right)) or type(left) is type(right)
    if not alike:
        return None
    tests = {
        "==": left == right, "<>": left != right, "!=": left != right, "<": left < right, "<=": left <= right,
        ">": left > right, ">=": left >= right,
    }  # fmt: skip
    return tests[sign]


def _evaluated(text: str, path: str, names: str, values: str) -> list[Any]:
    """Raises PathError, also for what is not JSON."""
    lax, node = parsed(path)
    try:
        root = read(text)
        passed = {
            str(name): _MISSING if value is None else read(value)
            for name, value in zip(unpacked(names), unpacked(values), strict=True)
        }
    except BadJson:
        raise InputError from None
    return _Evaluation(lax, root, passed).items(node)


_GIVEN = "VARCHAR, VARCHAR, VARCHAR, VARCHAR"


@function("athena_json_exists", f"{_GIVEN} -> VARCHAR")
def _exists(text: str, path: str, names: str, values: str) -> str:
    try:
        return VALUE if _evaluated(text, path, names, values) else EMPTY
    except PathError as error:
        return ERROR + str(error)


@function("athena_json_value", f"{_GIVEN}, VARCHAR -> VARCHAR")
def _value(text: str, path: str, names: str, values: str, kind: str) -> str | None:
    """The text of a scalar that DuckDB then casts to ``kind``."""
    try:
        items = _evaluated(text, path, names, values)
        if not items:
            return f"{EMPTY}{_NO_SCALAR}JSON path found no items"
        if len(items) > 1 or isinstance(items[0], list | dict):
            return f"{ERROR}{_NO_SCALAR}JSON path found {'multiple items' if len(items) > 1 else 'no scalar'}"
        made = _cast_scalar(write(items[0]), kind)
    except (PathError, Failure) as error:
        if isinstance(error, Failure) and not str(error).startswith("INVALID_CAST_ARGUMENT"):
            raise
        return f"{ERROR}{error if isinstance(error, PathError) else _NO_SCALAR + 'the value can not be converted'}"
    return None if made is None else VALUE + made


@function("athena_json_query", f"{_GIVEN}, VARCHAR, BOOLEAN -> VARCHAR")
def _query(text: str, path: str, names: str, values: str, wrapper: str, omit: bool) -> str:
    try:
        items = _evaluated(text, path, names, values)
    except PathError as error:
        return ERROR + str(error)
    if not items:
        return f"{EMPTY}{_NO_OUTPUT}JSON path found no items"
    if wrapper == "unconditional" or (
        wrapper == "conditional" and (len(items) > 1 or not isinstance(items[0], list | dict))
    ):
        return VALUE + write(items, ordered=False)
    if len(items) > 1:
        return f"{ERROR}{_NO_OUTPUT}JSON path found multiple items"
    if omit and isinstance(items[0], str):
        return VALUE + items[0]
    return VALUE + write(items[0], ordered=False)


@function("athena_json_tree", "VARCHAR -> VARCHAR")
def _tree(text: str) -> str:
    try:
        return write(read(text), ordered=False)
    except BadJson:
        raise Failure(f"conversion to JSON failed: {text}", "JSON_INPUT_CONVERSION_ERROR") from None


_CODECS = {"UTF8": "utf-8", "UTF16": "utf-16-le", "UTF32": "utf-32-le"}


@function("athena_json_decoded", "BLOB, VARCHAR -> VARCHAR")
def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(_CODECS[encoding])
    except UnicodeDecodeError:
        raise Failure("conversion to JSON failed", "JSON_INPUT_CONVERSION_ERROR") from None


@function("athena_json_encoded", "VARCHAR, VARCHAR -> BLOB")
def _encoded(text: str, encoding: str) -> bytes:
    return text.encode(_CODECS[encoding])
