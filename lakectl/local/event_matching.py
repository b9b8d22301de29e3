"""Whether an event matches an EventBridge pattern [EventBridge user guide, "Event patterns"; aws/event-ruler, README].

An event is what its leaves are: a path with a value. The entries of an array are under the array's own path, so a
pattern of ``{"a": {"b": […]}}`` looks into each object of the array ``a``. All that a pattern asks for in one array has
to be in the same entry of it. An empty array and an empty object have no leaves, and so they do not exist.
"""

from __future__ import annotations

import ipaddress
import itertools
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]
Asked = list[tuple[Path, list[Any]]]  # leaves that there have to be: each with a path, and fitting one of the filters


@dataclass(frozen=True)
class _Leaf:
    """``entries``: number of an array of objects -> of the entry of it that the leaf is in."""

    value: Any
    entries: Mapping[int, int]


Leaves = dict[Path, list[_Leaf]]


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """``pattern``: one that :func:`lakectl.local.validation.event_patterns.check` takes; an empty one matches all."""
    leaves: Leaves = {}
    _collect(event, (), {}, leaves, itertools.count())
    return any(_Search(asked, leaves).finds(0, {}) for asked in _alternatives(pattern, ()))


def _collect(value: Any, path: Path, entries: Mapping[int, int], leaves: Leaves, numbers: Iterator[int]) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            _collect(each, (*path, *key.split(".")), entries, leaves, numbers)
    elif isinstance(value, list):
        array = next(numbers)
        for place, each in enumerate(value):
            inside = {**entries, array: place} if isinstance(each, dict | list) else entries
            _collect(each, path, inside, leaves, numbers)
    else:
        leaves.setdefault(path, []).append(_Leaf(value, entries))


def _alternatives(node: Mapping[str, Any], path: Path) -> Iterator[Asked]:
    """What a pattern asks for, once for each way through its ``$or``."""
    for chosen in itertools.product(*(list(_alternatives_of(key, value, path)) for key, value in node.items())):
        yield list(itertools.chain.from_iterable(chosen))


def _alternatives_of(key: str, value: Any, path: Path) -> Iterator[Asked]:
    if key == "$or" and isinstance(value, list) and all(isinstance(each, dict) for each in value):
        for each in value:
            yield from _alternatives(each, path)
    elif isinstance(value, dict):
        yield from _alternatives(value, (*path, *key.split(".")))
    else:
        yield [((*path, *key.split(".")), value)]


class _Search:
    """For leaves that fit all that is asked for, and are in the same entries of the arrays that they share."""

    def __init__(self, asked: Asked, leaves: Leaves) -> None:
        self._asked = asked
        self._leaves = leaves
        self._failed: set[tuple[int, frozenset[tuple[int, int]]]] = set()
        # Arrays that matter from a place on: so one array's entries are not tried for each of another's.
        self._matter: list[frozenset[int]] = [frozenset()]
        for path, _ in reversed(asked):
            arrays = {array for leaf in leaves.get(path, ()) for array in leaf.entries}
            self._matter.insert(0, self._matter[0] | arrays)

    def finds(self, place: int, entries: Mapping[int, int]) -> bool:
        if place == len(self._asked):
            return True
        state = (place, frozenset(each for each in entries.items() if each[0] in self._matter[place]))
        if state in self._failed:
            return False
        path, filters = self._asked[place]
        there = [leaf for leaf in self._leaves.get(path, ()) if _agree(leaf.entries, entries)]
        if not there and {"exists": False} in filters and self.finds(place + 1, entries):
            return True
        for leaf in there:
            if any(_fits(leaf.value, each) for each in filters) and self.finds(place + 1, {**entries, **leaf.entries}):
                return True
        self._failed.add(state)
        return False


def _agree(one: Mapping[int, int], other: Mapping[int, int]) -> bool:
    return all(other.get(array, entry) == entry for array, entry in one.items())


def _fits(value: Any, asked: Any) -> bool:
    if not isinstance(asked, dict):
        return _equal(value, asked)
    ((kind, operand),) = asked.items()
    return _COMPARISONS[kind](value, operand)


def _equal(value: Any, asked: Any) -> bool:
    """Numbers by their value; everything else by type, too."""
    if _is_number(value) and _is_number(asked):
        return bool(value == asked)
    return type(value) is type(asked) and bool(value == asked)


def _anything_but(value: Any, operand: Any) -> bool:
    if isinstance(operand, dict):
        ((kind, inner),) = operand.items()
        return not any(_COMPARISONS[kind](value, each) for each in (inner if isinstance(inner, list) else [inner]))
    return not any(_equal(value, each) for each in (operand if isinstance(operand, list) else [operand]))


def _numeric(value: Any, operand: list[Any]) -> bool:
    if not _is_number(value):
        return False
    return all(_OPERATORS[name](value, bound) for name, bound in zip(operand[::2], operand[1::2], strict=True))


def _cidr(value: Any, operand: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


def _affix(at: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def compare(value: Any, operand: Any) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(operand, dict):
            return at(value.lower(), operand["equals-ignore-case"].lower())
        return at(value, operand)

    return compare


def _ignoring_case(value: Any, operand: str) -> bool:
    return isinstance(value, str) and value.lower() == operand.lower()


def _wildcard(value: Any, operand: str) -> bool:
    if not isinstance(value, str):
        return False
    pieces = [""]
    for each in re.findall(r"\\[*\\]|.", operand, re.DOTALL):
        if each == "*":
            pieces.append("")
        else:
            pieces[-1] += each[-1]
    if len(pieces) == 1:
        return value == pieces[0]
    first, *middle, last = pieces
    place, end = len(first), len(value) - len(last)
    if end < place or not value.startswith(first) or not value.endswith(last):
        return False
    for piece in middle:  # the first place is the best one
        found = value.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_OPERATORS = {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "equals-ignore-case": _ignoring_case,
    "exists": lambda _, operand: bool(operand),
    "numeric": _numeric,
    "prefix": _affix(str.startswith),
    "suffix": _affix(str.endswith),
    "wildcard": _wildcard,
}
