"""The lake's resources, and in what they differ from the configuration: what ``status`` and ``plan`` show."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lakectl.engine.model import Change
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.tables import spec_changes
from lakectl.spec.evolution import Evolution

STATES = {"create": "absent", "change": "drifted", "foreign": "not ours", "in place": "in place", "wait": "waits"}
LONGEST_VALUE = 300


@dataclass(frozen=True)
class Difference:
    """A field, what is there and what the configuration wants, as texts."""

    field: str
    there: str
    wanted: str


@dataclass(frozen=True)
class ResourceRow:
    """``state``: absent, drifted, not ours, in place, waits. ``arn``: empty for a sub-resource."""

    kind: str
    name: str
    arn: str
    state: str
    why: str
    differences: Sequence[Difference]


@dataclass(frozen=True)
class Resources:
    """``silver``: what the specification means for silver tables that there are."""

    rows: Sequence[ResourceRow]
    silver: Evolution

    @property
    def in_place(self) -> int:
        return sum(row.state == "in place" for row in self.rows)


def resources(lake: Lake) -> Resources:
    """All resources, those that differ first. Reads each of them, some hundred requests.

    Raises :class:`LakectlError`.
    """
    rows = [
        ResourceRow(
            kind=step.resource.kind,
            name=step.resource.name,
            arn=step.resource.arn,
            state=STATES[step.action.value],
            why=step.resource.why,
            differences=[each for change in step.changes for each in differences(change)],
        )
        for step in provision.plan(lake).steps
    ]
    return Resources(sorted(rows, key=lambda row: row.state == "in place"), spec_changes.pending(lake))


def differences(change: Change) -> Iterator[Difference]:
    """One for each key of a map that differs, else one."""
    if isinstance(change.old, dict) and isinstance(change.new, dict):
        for key in sorted(change.old.keys() | change.new.keys()):
            old, new = change.old.get(key), change.new.get(key)
            if old != new:
                yield Difference(f"{change.field}.{key}", _text(old), _text(new))
    else:
        yield Difference(change.field, _text(change.old), _text(change.new))


def _text(value: Any) -> str:
    text = "absent" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
