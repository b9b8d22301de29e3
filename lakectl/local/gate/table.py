"""The table of services: which operations run, which only store, and which settings are refused.

A file ``services/<botocore's name>.toml`` for each service. ``runs``: the operation does what it does on AWS.
``stored``: its sole effect on AWS is to be read back (tags, descriptions), or it reads what can't be set here.
An operation in neither is refused, and a service without a file is refused as a whole.

``[settings]``: ``"Operation.Parameter.Member"`` → the values that are taken; ``*`` for every operation, ``arn:*:sqs:*``
as in a shell. Others would have to change what the operation does, and can't. Left out, null, "" and empty lists are
always taken.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "services"
RUNS, STORED, REFUSED = "runs", "stored only", "refused"
# Signing name → botocore's names, where they differ and the service is in the table.
SIGNED_AS = {"monitoring": "cloudwatch"}


@dataclass(frozen=True)
class Setting:
    """``path``: from the parameter to the member, through lists; ``taken``: the values that do what they say here."""

    path: tuple[str, ...]
    taken: tuple[Any, ...]


@dataclass(frozen=True)
class Service:
    """``settings``: operation → its settings; "*" → those of every operation."""

    name: str
    runs: frozenset[str]
    stored: frozenset[str]
    settings: Mapping[str, tuple[Setting, ...]]

    def kind(self, operation: str) -> str:
        """RUNS, STORED or REFUSED."""
        return RUNS if operation in self.runs else STORED if operation in self.stored else REFUSED


@cache
def names() -> frozenset[str]:
    """botocore's names of the services in the table."""
    return frozenset(path.stem for path in FOLDER.glob("*.toml"))


@cache
def service(name: str) -> Service | None:
    """By botocore's name; None for a service that is refused as a whole."""
    if name not in names():
        return None
    found = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    settings: dict[str, list[Setting]] = {}
    for place, taken in found.get("settings", {}).items():
        operation, *path = place.split(".")
        settings.setdefault(operation, []).append(Setting(tuple(path), tuple(taken)))
    return Service(
        name,
        frozenset(found.get("runs", "").split()),
        frozenset(found.get("stored", "").split()),
        {operation: tuple(each) for operation, each in settings.items()},
    )


def is_signed_for(signing_name: str) -> bool:
    """Whether some service of the table has requests with this signing name."""
    return SIGNED_AS.get(signing_name, signing_name) in names()
