"""The parameters of a request as values of the operation's shape, whatever the protocol writes them in.

A form (query protocol) and a query string hold text only: numbers and booleans are read from it, and what can't be read
stays text, which :mod:`shapes` finds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lakectl.local.gate.shapes import wire_name

INTEGER = re.compile(r"[+-]?\d{1,19}")
FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
BOOLEANS = {"true": True, "false": False}
MOST_ELEMENTS = 10_000


def of_text(shape: Any, text: str) -> Any:
    """A scalar's value; the text itself where it is none."""
    kind = shape.type_name
    if kind in ("integer", "long"):
        return int(text) if INTEGER.fullmatch(text) else text
    if kind in ("float", "double"):
        return float(text) if FLOAT.fullmatch(text) else text
    if kind == "boolean":
        return BOOLEANS.get(text.lower(), text)
    return text


def of_query(shape: Any, form: Mapping[str, str], prefix: str = "") -> Any:
    """The value at ``prefix``; None where the form has nothing there (AWS Query protocol, Smithy 2.0)."""
    kind = shape.type_name
    if kind not in ("structure", "list", "map"):
        text = form.get(prefix)
        return None if text is None else of_text(shape, text)
    if prefix and not any(name == prefix or name.startswith(f"{prefix}.") for name in form):
        return None
    if kind == "structure":
        found = {}
        for name, member in shape.members.items():
            spelled = wire_name(name, member)
            place = _flat_name(spelled, member)
            found[spelled] = of_query(member, form, f"{prefix}.{place}" if prefix else place)
        return found
    flat = shape.serialization.get("flattened")
    if kind == "list":
        stem = prefix if flat else f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        return [of_query(shape.member, form, f"{stem}.{number}") for number in _numbers(form, stem)]
    stem = prefix if flat else f"{prefix}.entry"
    key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
    return {
        form.get(f"{stem}.{number}.{key}", ""): of_query(shape.value, form, f"{stem}.{number}.{value}")
        for number in _numbers(form, stem)
    }


def _flat_name(spelled: str, member: Any) -> str:
    """A flattened list is called as its elements are."""
    if member.type_name == "list" and member.serialization.get("flattened"):
        return str(member.member.serialization.get("name", spelled))
    return spelled


def _numbers(form: Mapping[str, str], stem: str) -> list[int]:
    rests = (name[len(stem) + 1 :].partition(".")[0] for name in form if name.startswith(f"{stem}."))
    return sorted({int(each) for each in rests if each.isdecimal() and len(each) < 6})[:MOST_ELEMENTS]
