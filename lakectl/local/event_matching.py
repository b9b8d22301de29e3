"""Whether an event matches an EventBridge pattern [EventBridge user guide, "Event patterns"; aws/event-ruler, README].

An event is what its leaves are: a path with a value. The entries of an array are under the array's own path, so a
pattern of ``{"a": {"b": […]}}`` looks into each object of the array ``a``. All that a pattern asks for in one array has
to be in the same entry of it. An empty array and an empty object have no leaves, and so they do not exist.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Path = tuple[str, ...]
Array = tuple[Path, int]  # the path of an array of objects, and how many arrays it is in itself at that path
Entries = frozenset[tuple[Array, int]]  # which entry of each array
Field = tuple[Path, list[Any]]  # a leaf with this path has to fit one of the filters


@dataclass(frozen=True, eq=False)
class _Leaf:
    value: Any
    entries: Entries


@dataclass(frozen=True)
class _Or:
    choices: list[list[Field | _Or]]


Asked = list[Field | _Or]  # all of them


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """``pattern``: one that :func:`lakectl.local.validation.event_patterns.check` takes; an empty one matches all."""
    leaves: dict[Path, list[_Leaf]] = {}
    _collect(event, (), 0, frozenset(), leaves)
    return bool(_Search(leaves).reached(_asked(pattern, ()), {frozenset()}, frozenset()))


def _collect(value: Any, path: Path, depth: int, entries: Entries, leaves: dict[Path, list[_Leaf]]) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            _collect(each, (*path, *key.split(".")), 0, entries, leaves)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            inside = entries | {((path, depth), place)} if isinstance(each, dict | list) else entries
            _collect(each, path, depth + 1, inside, leaves)
    else:
        leaves.setdefault(path, []).append(_Leaf(value, entries))


def _asked(node: Mapping[str, Any], path: Path) -> Asked:
    """Fields by their path, so that those of one array come one after the other; then the choices."""
    fields: list[Field] = []
    choices: list[_Or] = []
    for key, value in node.items():
        below = (*path, *key.split("."))
        if key == "$or" and isinstance(value, list) and all(isinstance(each, dict) for each in value):
            choices.append(_Or([_asked(each, path) for each in value]))
        elif isinstance(value, dict):
            inside = _asked(value, below)
            fields += [each for each in inside if not isinstance(each, _Or)]
            choices += [each for each in inside if isinstance(each, _Or)]
        else:
            fields.append((below, value))
    return [*sorted(fields, key=lambda field: field[0]), *choices]


class _Search:
    """Follows all ways at once in which leaves fit what is asked for: as sets of entries that they are in.

    Of these only arrays are kept that are asked about again, so the work grows neither with the ways through several
    ``$or`` nor with the entries of one array times those of another.
    """

    def __init__(self, leaves: Mapping[Path, list[_Leaf]]) -> None:
        self._leaves = leaves
        self._arrays = {path: _arrays(each.entries for each in found) for path, found in leaves.items()}

    def reached(self, asked: Asked, ways: set[Entries], later: frozenset[Array]) -> set[Entries]:
        """What ``ways`` lead to; empty if none does. ``later``: arrays that are asked about after this."""
        for place, each in enumerate(asked):
            matter = later.union(*(self._asked_about(other) for other in asked[place + 1 :]))
            if isinstance(each, _Or):
                found = {way for choice in each.choices for way in self.reached(choice, ways, matter)}
            else:
                found = self._fitting(*each, ways)
            ways = {_only(way, matter) for way in found}
        return ways

    def _asked_about(self, each: Field | _Or) -> frozenset[Array]:
        if isinstance(each, _Or):
            return frozenset(array for choice in each.choices for one in choice for array in self._asked_about(one))
        return self._arrays.get(each[0], frozenset())

    def _fitting(self, path: Path, filters: list[Any], ways: set[Entries]) -> set[Entries]:
        """The ways that go on through a fitting leaf in the same entries. Or without any leaf, where that is asked."""
        found: set[Entries] = set()
        without = set(ways)
        leaves = self._leaves.get(path, ())
        fitting = {leaf for leaf in leaves if any(_fits(leaf.value, each) for each in filters)}
        for arrays, group in _by_arrays(ways, lambda way: way).items():
            for others, there in _by_arrays(leaves, lambda leaf: leaf.entries).items():
                shared = arrays & others
                at: dict[Entries, list[_Leaf]] = {}
                for leaf in there:
                    at.setdefault(_only(leaf.entries, shared), []).append(leaf)
                for way in group:
                    agreeing = at.get(_only(way, shared), ())
                    without -= {way} if agreeing else set()
                    found.update(way | leaf.entries for leaf in agreeing if leaf in fitting)
        return found | without if {"exists": False} in filters else found


def _by_arrays(each_of: Iterable[T], entries_of: Callable[[T], Entries]) -> dict[frozenset[Array], list[T]]:
    found: dict[frozenset[Array], list[T]] = {}
    for each in each_of:
        found.setdefault(_arrays([entries_of(each)]), []).append(each)
    return found


def _arrays(each_of: Iterable[Entries]) -> frozenset[Array]:
    return frozenset(array for entries in each_of for array, _ in entries)


def _only(entries: Entries, arrays: frozenset[Array]) -> Entries:
    return frozenset(each for each in entries if each[0] in arrays)


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
