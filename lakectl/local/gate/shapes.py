"""Whether parameters are as botocore's model of the operation says: types, required members, enums, bounds of numbers.

``check`` is made once for a shape and is fast; it only tells that something is wrong. ``problems`` then says what, in
the words of AWS's services (botocore's models hold the constraints that AWS publishes).
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

Check = Callable[[Any], bool]
LAST_SECOND = 253_402_300_799  # of the year 9999
BOUNDS = {"integer": 2**31, "long": 2**63}


class Problem(NamedTuple):
    """``is_type``: the value can't be read at all; else a constraint is not met. ``missing``: a required member."""

    is_type: bool
    words: str
    missing: str = ""


def check(shape: Any, enums: bool) -> Check:
    """True for what is sound. ``enums``: whether the service looks at them."""
    return _made(shape, enums, {})


def _made(shape: Any, enums: bool, made: dict[str, list[Check]]) -> Check:
    kind = shape.type_name
    if kind not in ("structure", "list", "map"):
        return _scalar(shape, enums)
    if shape.name in made:  # an AttributeValue holds AttributeValues
        place = made[shape.name]
        return lambda value: place[0](value)
    place = made[shape.name] = []
    place.append(_structure(shape, enums, made) if kind == "structure" else _collection(shape, enums, made))
    return place[0]


def _structure(shape: Any, enums: bool, made: dict[str, list[Check]]) -> Check:
    members = {wire_name(name, each): _made(each, enums, made) for name, each in shape.members.items()}
    required = tuple(wire_name(name, shape.members[name]) for name in shape.required_members)

    def structure(value: Any) -> bool:
        if value.__class__ is not dict:
            return False
        for name, each in value.items():
            if each is not None:
                member = members.get(name)
                if member is not None and not member(each):
                    return False
        for name in required:  # noqa: SIM110 - a generator is slower
            if value.get(name) is None:
                return False
        return True

    return structure


def _collection(shape: Any, enums: bool, made: dict[str, list[Check]]) -> Check:
    if shape.type_name == "list":
        member = _made(shape.member, enums, made)
        return lambda value: value.__class__ is list and all(map(member, value))
    key, item = _made(shape.key, enums, made), _made(shape.value, enums, made)
    return lambda value: value.__class__ is dict and all(map(key, value)) and all(map(item, value.values()))


def _scalar(shape: Any, enums: bool) -> Check:
    kind = shape.type_name
    readable = _READABLE.get(kind, _anything)
    enum = frozenset(shape.enum) if kind == "string" and enums and shape.enum else None
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if enum is not None:
        return lambda value: value in enum if value.__class__ is str else False
    if kind in NUMBERS and (low is not None or high is not None):
        least = low if low is not None else float("-inf")
        most = high if high is not None else float("inf")
        return lambda value: readable(value) and least <= value <= most
    return readable


def _is_text(value: Any) -> bool:
    if value.__class__ is not str:
        return False
    if value.isascii():
        return True
    try:
        value.encode()  # half of a surrogate pair is no character
    except UnicodeEncodeError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return value.__class__ in (int, float) or value in ("NaN", "Infinity", "-Infinity")


def _is_blob(value: Any) -> bool:
    if value.__class__ is bytes:
        return True
    try:
        for start in range(0, len(value), BASE64_PIECE):  # a function's code may have 67 MB
            binascii.a2b_base64(value[start : start + BASE64_PIECE], strict_mode=True)
    except (binascii.Error, ValueError, TypeError):
        return False
    return True


def _is_moment(value: Any) -> bool:
    if value.__class__ is str:
        try:
            value = float(value) if value.replace(".", "", 1).isdecimal() else datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError):
            return False
    if isinstance(value, datetime):
        return True
    return value.__class__ in (int, float) and -LAST_SECOND <= value <= LAST_SECOND


def _anything(_: Any) -> bool:
    return True


BASE64_PIECE = 1 << 20  # characters; groups of four are not divided
NUMBERS = ("integer", "long", "float", "double")
_READABLE: Mapping[str, Check] = {
    "string": _is_text,
    "character": _is_text,
    "boolean": lambda value: value.__class__ is bool,
    "integer": lambda value: value.__class__ is int and -(2**31) <= value < 2**31,
    "long": lambda value: value.__class__ is int and -(2**63) <= value < 2**63,
    "float": _is_number,
    "double": _is_number,
    "blob": _is_blob,
    "timestamp": _is_moment,
}
_NAMES = {str: "STRING_VALUE", bool: "BOOLEAN_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE"} | {
    list: "Start of list",
    dict: "Start of structure or map",
}


def problems(shape: Any, value: Any, enums: bool, place: str = "") -> Iterator[Problem]:
    """All that is wrong, in the order of the model."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            each, below = value.get(wire_name(name, member)), _below(place, name)
            if each is not None:
                yield from problems(member, each, enums, below)
            elif name in shape.required_members:
                yield Problem(False, constraint(None, below, "not be null"), name)
    elif kind == "list" and isinstance(value, list):
        for at, each in enumerate(value, 1):
            yield from _element(shape.member, each, enums, f"{place}.{at}.member")
    elif kind == "map" and isinstance(value, dict):
        for key, each in value.items():
            yield from _element(shape.key, key, enums, f"{place}.{key}.key")
            yield from _element(shape.value, each, enums, f"{place}.{key}.value")
    elif kind in ("structure", "list", "map") or not _READABLE.get(kind, _anything)(value):
        yield Problem(True, f"{_NAMES.get(type(value), 'The value')} cannot be converted to {_title(kind)}")
    else:
        yield from _unmet(shape, value, enums, place)


def _element(shape: Any, value: Any, enums: bool, place: str) -> Iterator[Problem]:
    if value is None:
        yield Problem(False, constraint(None, place, "not be null"))
    else:
        yield from problems(shape, value, enums, place)


def _unmet(shape: Any, value: Any, enums: bool, place: str) -> Iterator[Problem]:
    if enums and shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield Problem(False, constraint(value, place, f"satisfy enum value set: [{', '.join(shape.enum)}]"))
    if shape.type_name in NUMBERS:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None and value < low:
            yield Problem(False, constraint(value, place, f"have value greater than or equal to {low}"))
        if high is not None and value > high:
            yield Problem(False, constraint(value, place, f"have value less than or equal to {high}"))


def constraint(value: Any, place: str, rule: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:200]}'"
    return f"Value {shown} at '{place}' failed to satisfy constraint: Member must {rule}"


def wire_name(name: str, shape: Any) -> str:
    """What the member is called in the body."""
    return str(shape.serialization.get("name", name))


def _below(place: str, name: str) -> str:
    small = name[:1].lower() + name[1:]  # as AWS writes the names of members
    return f"{place}.{small}" if place else small


def _title(kind: str) -> str:
    return {"structure": "Structure", "timestamp": "Timestamp", "blob": "Blob"}.get(kind, kind.capitalize())
