"""What the programs of the clients share: parts by name, run one after the other, their answers as one JSON object.

A program runs in the environment of its client, which has no lakectl: only the standard library is here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

PARTS: dict[str, Callable[[], Any]] = {}


def part(made: Callable[[], Any]) -> Callable[[], Any]:
    PARTS[made.__name__] = made
    return made


def answer(wanted: list[str]) -> None:
    """Prints ``{part: what it gave}``, as the last line."""
    print(json.dumps({name: PARTS[name]() for name in wanted}, default=str))
