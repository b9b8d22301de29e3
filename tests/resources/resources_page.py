"""docs/resources.md, made of the lake's list of resources: `python tests/resources/resources_page.py` writes it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lakectl import lake, project
from lakectl.config import Config
from lakectl.engine.model import Resource
from lakectl.lake.policies import writers
from lakectl.naming import Names

PAGE = Path(__file__).parents[2] / "docs" / "resources.md"
# With everything that a lake may have.
SETTINGS = {
    "views": ["daily_sales"],
    "maintenance": {"optimizers": True},
    "alerts": {"alarms": True, "budget_usd": 20.0, "notify": "arn:aws:sns:eu-west-1:111122223333:lake"},
}
NAMES = Names(Config.model_validate(SETTINGS), "111122223333", "eu-west-1")
RESOURCES = lake.resources(NAMES, project.find())

HEADER = """\
# What a lake consists of

This page is made of the list that `plan`, `explain`, `status` and `down` walk (`lakectl/lake/`), so it can't be out of
date: a test compares them. Names are those of the shipped `config/lake.yaml`.

A new type of AWS resource touches two files: its own in `lakectl/resources/`, which holds all that is known of it (how
it is read, compared, made, changed and deleted, its ARN, why a lake has it, what it is to the data, what it costs, the
actions that read and write it, and its forms for `export`), and the place in the lake's list where one is made of the
specification. What AWS does with each type that its documentation does not say is in [the notes](aws-notes.md).

## Kinds

*Data*: `lakectl down --keep-data` leaves what holds data, or says where it is. *Idle*: what is paid while nothing
happens, by the pricing pages of the services; requests, runs and scanned bytes are paid as they come. *Tag*: the
permission that creating it needs besides its own, as it is tagged in the same call.

| Kind | Count | Why | Data | Idle | Tag |
|---|---|---|---|---|---|
"""

WRITERS = """
## Who writes what

The roles whose policies let them write what a resource holds. Nothing else of the lake can. Only what some role
writes is listed; the raw bucket is filled by whoever lands files, and no role of the lake may.

| Resource | Roles |
|---|---|
"""


def page() -> str:
    """The whole page."""
    return HEADER + "".join(map(_kind, Counter(map(type, RESOURCES)).items())) + WRITERS + "".join(_writers())


def _kind(found: tuple[type[Resource], int]) -> str:
    kind, count = found
    tag = ", ".join(f"`{permission}`" for permission in kind.tagging.values())
    data = "" if kind.data.value == "none" else kind.data.value
    return f"| `{kind.kind}` | {count} | {kind.why} | {data} | {kind.idle_cost} | {tag} |\n"


def _writers() -> list[str]:
    found = {resource: writers(resource, RESOURCES) for resource in RESOURCES}
    return [
        f"| `{resource.id}` | {', '.join(f'`{role}`' for role in roles)} |\n"
        for resource, roles in found.items()
        if roles
    ]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
