"""Every condition in every policy of the lake is on a key that AWS promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from condition_keys import PROMISED

from lakectl import lake, project
from lakectl.config import Config
from lakectl.contract.sources import KINDS
from lakectl.engine.model import Resource
from lakectl.naming import Names, Place
from lakectl.resources.bucket import Bucket
from lakectl.resources.permission import Grant, Permissions
from lakectl.resources.queue import Queue
from lakectl.resources.role import Role

# The settings that add policies to the defaults.
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"landing": {"enforce_immutable": True, "notifications": "per-source"}, "suffix_names": True},
)


def resources() -> list[Resource]:
    found: list[Resource] = []
    for settings in SETTINGS:
        names = Names(Config.model_validate({"name": "x", **settings}), "123456789012", "eu-west-1")
        found += lake.resources(names, project.find())
    return found


def policies(resource: Resource) -> list[dict[str, Any]]:
    """The statements of whatever policies the resource has."""
    wanted = resource.desired()
    if isinstance(resource, Bucket):
        # The one that a `down` adds is in no plan of `up`.
        return [*wanted["policy"].values(), resource._deny_writes()]
    if isinstance(resource, Queue):
        return list(wanted["policy"].values())
    if isinstance(resource, Permissions):
        return list(wanted["statements"].values())
    if isinstance(resource, Role):
        return [*resource.trust["Statement"], *resource.policy["Statement"]]
    return []


def keys(found: Sequence[Resource]) -> Iterator[tuple[str, str, str]]:
    """(who sends, the policy's service, key) of every condition."""
    for resource in found:
        for statement in policies(resource):
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            principal = statement.get("Principal", "role")
            sender = principal if isinstance(principal, str) else principal["Service"]
            for tests in statement.get("Condition", {}).values():
                yield from ((sender, action.partition(":")[0], key.lower()) for action in actions for key in tests)


def test_every_condition_is_on_a_key_that_aws_promises() -> None:
    """Item 27: a condition on a key that AWS doesn't send closes a path without a word."""
    assert set(keys(resources())) == set(PROMISED)


def test_a_condition_on_another_key_is_found() -> None:
    """Item 27: the test above fails for a trigger that is not in the table."""
    grant = Grant("scheduler.amazonaws.com", "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/x")
    other = Permissions("f", step="s", place=Place("123456789012", "eu-west-1"), grants={"lakectl-x": grant})
    assert {key for key in keys([other]) if key not in PROMISED} == {
        ("scheduler.amazonaws.com", "lambda", "aws:sourceaccount"),
        ("scheduler.amazonaws.com", "lambda", "aws:sourcearn"),
    }


def test_every_policy_of_the_lake_is_walked() -> None:
    """Item 27: a resource that has a policy, by the name of a field, is one that `policies` knows."""
    with_policies = {r.kind for r in resources() if {"policy", "statements", "trust"} & set(r.desired())}
    assert with_policies == {r.kind for r in resources() if policies(r)}


@pytest.mark.parametrize("source", sorted(set(PROMISED.values())))
def test_every_key_names_a_page(source: str) -> None:
    """Item 27: a row of the table has a source."""
    assert all(each.startswith(KINDS) for each in source.split("; "))
