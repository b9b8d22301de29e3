"""Policies against one request: explicit deny, then allow, then implicit deny (IAM user guide, "Evaluation logic").

Identity policies and resource policies of the same account: an allow in either is enough, a deny in either wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from lakectl.local.iam import conditions
from lakectl.local.iam.conditions import as_list
from lakectl.local.iam.patterns import matches, matches_with_variables

Statement = Mapping[str, Any]


class Decision(Enum):
    ALLOW = "allow"
    IMPLICIT_DENY = "implicit deny"
    EXPLICIT_DENY = "explicit deny"


@dataclass(frozen=True)
class Principal:
    """Who asks: ARNs that a policy may name it by (role and session), its account, or an AWS service."""

    arns: tuple[str, ...] = ()
    account: str = ""
    service: str = ""


@dataclass(frozen=True)
class Check:
    """One action on one resource. ``context``: condition keys in lower case; a missing key is not borne."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@lru_cache(maxsize=1024)
def statements(document: str) -> tuple[Statement, ...]:
    """The statements of a policy document in JSON, parsed once for each text: a changed policy is another text."""
    found = json.loads(document).get("Statement", [])
    return tuple(each for each in as_list(found))


def evaluate(documents: Iterable[str], check: Check, principal: Principal | None = None) -> Decision:
    """What the policies say together. With ``principal`` they are resource policies, and must name it."""
    decision = Decision.IMPLICIT_DENY
    for document in documents:
        for statement in statements(document):
            if applies(statement, check, principal):
                if statement.get("Effect") == "Deny":
                    return Decision.EXPLICIT_DENY
                decision = Decision.ALLOW
    return decision


def applies(statement: Statement, check: Check, principal: Principal | None) -> bool:
    """Whether the statement is about this request, whatever its effect."""
    return (
        (principal is None or _names(statement, principal))
        and _covers_action(statement, check.action)
        and _covers_resource(statement, check)
        and conditions.holds(statement.get("Condition") or {}, check.context)
    )


def _covers_action(statement: Statement, action: str) -> bool:
    if "NotAction" in statement:
        return not any(matches(action, each, ignore_case=True) for each in as_list(statement["NotAction"]))
    return any(matches(action, each, ignore_case=True) for each in as_list(statement.get("Action", [])))


def _covers_resource(statement: Statement, check: Check) -> bool:
    if "NotResource" in statement:
        return not any(_is_resource(check, each) for each in as_list(statement["NotResource"]))
    # A trust policy has no resource: it is about the role that bears it.
    return any(_is_resource(check, each) for each in as_list(statement.get("Resource", ["*"])))


def _is_resource(check: Check, pattern: str) -> bool:
    return matches_with_variables(check.resource, pattern, check.context)


def _names(statement: Statement, principal: Principal) -> bool:
    if "NotPrincipal" in statement:
        return not _is_principal(statement["NotPrincipal"], principal)
    return _is_principal(statement.get("Principal", {}), principal)


def _is_principal(named: Any, principal: Principal) -> bool:
    if named == "*":
        return True
    for each in as_list(named.get("AWS", [])):
        root = each == principal.account or each.endswith(f":iam::{principal.account}:root")
        if each == "*" or each in principal.arns or (principal.account and root):
            return True
    services = as_list(named.get("Service", []))
    return bool(principal.service) and ("*" in services or principal.service in services)
