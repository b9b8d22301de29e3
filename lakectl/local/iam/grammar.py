"""The form of a policy (IAM user guide, "Grammar of the IAM JSON policy language"), as far as judging needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Statement = Mapping[str, Any]
WITH_VARIABLES = "2012-10-17"  # a policy without a version is one of 2008-10-17, which has no variables
LISTS = ("Action", "NotAction", "Resource", "NotResource")
SCALARS = (str, int, float)  # a bool is an int


class Unjudgeable(Exception):
    """What a policy says about a request can't be told; the message says why."""


class Malformed(Unjudgeable):
    def __init__(self) -> None:
        super().__init__("a policy that concerns it is malformed")


class UnknownKey(Unjudgeable):
    """Whether a policy applies depends on a condition key that the local endpoint does not know."""

    def __init__(self, key: str) -> None:
        super().__init__(f"a policy has a condition on {key}, which the local endpoint does not know")


@dataclass(frozen=True)
class Policy:
    statements: tuple[Statement, ...]
    variables: bool


@lru_cache(maxsize=1024)
def parsed(document: str) -> Policy:
    """A policy document in JSON, parsed once for each text: a changed policy is another text. Raises Malformed."""
    try:
        found = json.loads(document)
        statements = tuple(as_list(found.get("Statement", [])))
    except (ValueError, AttributeError):
        raise Malformed from None
    if not all(map(_well_formed, statements)):
        raise Malformed
    return Policy(statements, found.get("Version") == WITH_VARIABLES)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _well_formed(statement: Any) -> bool:
    if not isinstance(statement, Mapping):
        return False
    conditions = statement.get("Condition") or {}
    return (
        all(_are(statement[key], str) for key in LISTS if key in statement)
        and all(_names(statement[key]) for key in ("Principal", "NotPrincipal") if key in statement)
        and isinstance(conditions, Mapping)
        and all(isinstance(tests, Mapping) for tests in conditions.values())
        and all(_are(wanted, SCALARS) for tests in conditions.values() for wanted in tests.values())
    )


def _names(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, Mapping) and all(_are(each, str) for each in principal.values()))


def _are(value: Any, kinds: type | tuple[type, ...]) -> bool:
    return all(isinstance(each, kinds) for each in as_list(value))
