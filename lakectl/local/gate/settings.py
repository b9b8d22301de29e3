"""Whether a call asks for a setting that would have no effect here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from lakectl.local.gate.table import Setting
from lakectl.local.iam.calls import Call

_NOTHING: tuple[Any, ...] = (None, "", [], {})


def refused(call: Call, settings: tuple[Setting, ...]) -> str:
    """The first of ``settings`` whose value in the call is not taken, as ``SnapStart.ApplyOn``; "" when all are."""
    given = call.parameters["headers"] if call.protocol == "s3" else call.parameters
    for each in settings:
        name = each.path[0]
        if call.protocol in ("query", "ec2"):
            values = _in_form(given, ".".join(each.path))
        elif given.get(name) is None:
            continue
        else:
            values = _below(given[name], each.path[1:])
        if not all(_is_taken(value, each.taken) for value in values):
            return ".".join(each.path)
    return ""


def _in_form(form: Mapping[str, Any], place: str) -> Iterator[Any]:
    return (value for name, value in form.items() if name == place or name.startswith(f"{place}."))


def _below(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from _below(each, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping):
        yield from _below(value.get(path[0]), path[1:])


def _is_taken(value: Any, taken: tuple[Any, ...]) -> bool:
    if value in _NOTHING and not isinstance(value, bool):
        return True
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower(), value)
    return any(_is_like(value, each) for each in taken)


def _is_like(value: Any, taken: Any) -> bool:
    return fnmatchcase(value, taken) if isinstance(value, str) and isinstance(taken, str) else bool(value == taken)
