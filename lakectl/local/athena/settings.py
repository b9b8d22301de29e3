"""WITH (name = value, …) of CREATE TABLE AS and UNLOAD."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from lakectl.local.athena.errors import QueryError


@dataclass
class Settings:
    """``texts``: values that are one text, number or truth value; ``lists``: those that are ARRAY['…'].

    Names are in lower case.
    """

    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def take(self, name: str) -> str | None:
        return self.texts.pop(name, None)

    def take_list(self, name: str) -> list[str]:
        return self.lists.pop(name, [])

    def end(self, what: str) -> None:
        """Raises QueryError for a setting that nobody has taken."""
        left = next(iter((*self.texts, *self.lists)), None)
        if left is not None:
            raise QueryError("INVALID_TABLE_PROPERTY", f"{what} property '{left}' does not exist")


def of(properties: exp.Properties | None) -> Settings:
    found = Settings()
    for item in properties.expressions if properties is not None else []:
        if isinstance(item, exp.WithDataProperty):
            continue
        name, value = _pair(item)
        if name in found.texts or name in found.lists:
            raise QueryError("DUPLICATE_PROPERTY", f"Duplicate property: {name}")
        if isinstance(value, exp.Array):
            found.lists[name] = [_text(part, name) for part in value.expressions]
        else:
            found.texts[name] = _text(value, name)
    return found


def _pair(item: Any) -> tuple[str, Any]:
    names = {
        exp.LocationProperty: "location",
        exp.FileFormatProperty: "format",
        exp.PartitionedByProperty: "partitioned_by",
    }
    for kind, name in names.items():
        if isinstance(item, kind):
            return name, item.this
    if type(item) is not exp.Property:
        raise QueryError("NOT_SUPPORTED", f"{item.sql(dialect='trino')} is not supported by the local Athena")
    return str(item.name).lower(), item.args["value"]


def _text(value: Any, name: str) -> str:
    if isinstance(value, exp.Boolean):
        return "true" if value.this else "false"
    if not isinstance(value, exp.Literal | exp.Var | exp.UnicodeString):
        raise QueryError("INVALID_TABLE_PROPERTY", f"Unable to set property '{name}' to {value.sql(dialect='trino')}")
    return str(value.name)
