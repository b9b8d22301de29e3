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
    for each in settings:
        for value in _values(call, each.path):
            if not _is_taken(value, each.taken):
                return ".".join(each.path)
    return ""


def _values(call: Call, path: tuple[str, ...]) -> Iterator[Any]:
    if call.protocol == "s3":
        yield call.parameters["headers"].get(path[0])
    elif call.protocol in ("query", "ec2"):
        place = ".".join(path)
        for name, value in call.parameters.items():
            if name == place or name.startswith(f"{place}."):
                yield value
    else:
        yield from _below(call.parameters, path)


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
