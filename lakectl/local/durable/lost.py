"""Parts of a backend whose rows can't be read: taken out of all that names them, so that the rest can be used."""

from __future__ import annotations

from typing import Any

OURS = ("moto.", "lakectl.")  # modules whose objects may hold parts


class Lost:
    """Stands for such a part while its backend is read."""


def remove_lost(state: dict[str, Any]) -> None:
    """Take every Lost out of the dictionaries, lists and sets below ``state``; an attribute becomes None."""
    seen: set[int] = set()
    todo: list[Any] = [state]
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            for name in [name for name, each in value.items() if isinstance(each, Lost)]:
                del value[name]
            todo += value.values()
        elif isinstance(value, list):
            value[:] = [each for each in value if not isinstance(each, Lost)]
            todo += value
        elif isinstance(value, set):
            value -= {each for each in value if isinstance(each, Lost)}
            todo += value
        elif isinstance(value, tuple):
            todo += value
        elif type(value).__module__.startswith(OURS) and hasattr(value, "__dict__"):
            for name, each in vars(value).items():
                if isinstance(each, Lost):
                    vars(value)[name] = None
            todo += vars(value).values()
