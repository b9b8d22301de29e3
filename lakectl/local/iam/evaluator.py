"""Policies against one request: explicit deny, then allow, then implicit deny (IAM user guide, "Evaluation logic")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from lakectl.local.iam import conditions
from lakectl.local.iam.grammar import Statement, as_list, parsed
from lakectl.local.iam.patterns import Unresolved, matches, matches_with_variables


class Decision(Enum):
    ALLOW = "allow"
    IMPLICIT_DENY = "implicit deny"
    EXPLICIT_DENY = "explicit deny"


@dataclass(frozen=True)
class Principal:
    """Who asks: ARNs that a policy may name it by (session and role, or user), its account, or an AWS service.

    ``bounded``: it has a permissions boundary.
    """

    arns: tuple[str, ...] = ()
    account: str = ""
    service: str = ""
    bounded: bool = False


@dataclass(frozen=True)
class Check:
    """One action on one resource. ``context``: condition keys in lower case; a missing key is not borne."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def evaluate(documents: Iterable[str], check: Check, principal: Principal | None = None) -> Decision:
    """What the policies say together. With ``principal`` they are resource policies, and must name it.

    Raises Unjudgeable.
    """
    documents = tuple(documents)
    if says("Deny", documents, check, principal):
        return Decision.EXPLICIT_DENY
    return Decision.ALLOW if says("Allow", documents, check, principal) else Decision.IMPLICIT_DENY


def says(effect: str, documents: Iterable[str], check: Check, principal: Principal | None = None) -> bool:
    """Whether a statement of this effect is about the request. Raises Unjudgeable."""
    for document in documents:
        policy = parsed(document)
        for statement in policy.statements:
            if statement.get("Effect") == effect and _applies(statement, check, principal, policy.variables):
                return True
    return False


def _applies(statement: Statement, check: Check, principal: Principal | None, variables: bool) -> bool:
    return (
        (principal is None or _names(statement, principal))
        and _covers_action(statement, check.action)
        and _covers_resource(statement, check, variables)
        and conditions.holds(statement.get("Condition") or {}, check.context, variables=variables)
    )


def _covers_action(statement: Statement, action: str) -> bool:
    if "NotAction" in statement:
        return not any(matches(action, each, ignore_case=True) for each in as_list(statement["NotAction"]))
    return any(matches(action, each, ignore_case=True) for each in as_list(statement.get("Action", [])))


def _covers_resource(statement: Statement, check: Check, variables: bool) -> bool:
    if "NotResource" in statement:
        return all(_is_resource(check, each, variables) is False for each in as_list(statement["NotResource"]))
    # A trust policy has no resource: it is about the role that bears it.
    return any(_is_resource(check, each, variables) for each in as_list(statement.get("Resource", ["*"])))


def _is_resource(check: Check, pattern: str, variables: bool) -> bool | None:
    """None when a policy variable has no value: then it is neither the resource nor another one."""
    try:
        return matches_with_variables(check.resource, pattern, check.context if variables else None)
    except Unresolved:
        return None


def _names(statement: Statement, principal: Principal) -> bool:
    if "NotPrincipal" not in statement:
        return _is_principal(statement.get("Principal", {}), principal)
    # IAM user guide, "NotPrincipal": not supported with Allow. With Deny, the account, the role and the session are
    # each asked for, and a principal with a permissions boundary is always denied.
    if statement.get("Effect") != "Deny":
        return False
    parts = [Principal(arns=(arn,)) for arn in principal.arns]
    parts += [Principal(account=principal.account)] if principal.account else []
    parts += [Principal(service=principal.service)] if principal.service else []
    return principal.bounded or not all(_is_principal(statement["NotPrincipal"], part) for part in parts)


def _is_principal(named: Any, principal: Principal) -> bool:
    if named == "*":
        return True
    for each in as_list(named.get("AWS", [])):
        root = each == principal.account or each.endswith(f":iam::{principal.account}:root")
        if each == "*" or each in principal.arns or (principal.account and root):
            return True
    return bool(principal.service) and principal.service in as_list(named.get("Service", []))
