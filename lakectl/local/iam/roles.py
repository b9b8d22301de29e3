"""Roles and users as moto keeps them now: their policies, who may assume them, and what an action is answered."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import Role, User, iam_backends

from lakectl.local.iam.credentials import session_arn
from lakectl.local.iam.evaluator import Check, Decision, Principal, evaluate
from lakectl.local.iam.refusals import denied
from lakectl.local.iam.usage import USAGE


def find_role(arn_or_name: str, account: str, partition: str = "aws") -> Role | None:
    """The role with this ARN or name, or None."""
    name = arn_or_name.rpartition("/")[2] if arn_or_name.startswith("arn:") else arn_or_name
    for role in list(iam_backends[account][partition].roles.values()):
        if role.name == name and (not arn_or_name.startswith("arn:") or role.arn == arn_or_name):
            return role
    return None


def role_policies(role_arn: str) -> list[str]:
    """The documents of a role's inline and attached policies; none when it is gone."""
    role = find_role(role_arn, role_arn.split(":")[4], role_arn.split(":")[1])
    if role is None:
        return []
    return _documents(role)


def user_policies(user: User) -> list[str]:
    """The documents of a user's policies and of the user's groups."""
    groups = iam_backends[user.account_id]["aws"].groups.values()
    return [*_documents(user), *(each for group in groups if user in group.users for each in _documents(group))]


def _documents(holder: Any) -> list[str]:
    managed = [
        version.document
        for policy in holder.managed_policies.values()
        for version in policy.versions
        if version.version_id == policy.default_version_id
    ]
    documents = [*holder.policies.values(), *managed]
    return [each if isinstance(each, str) else json.dumps(each) for each in documents]


def decide(role_arn: str, check: Check) -> Decision:
    """What the role's own policies say to the action. A granted one is recorded as used."""
    decision = evaluate(role_policies(role_arn), check)
    if decision is Decision.ALLOW:
        USAGE.record(role_arn, check.action)
    return decision


def refusal(role_arn: str, session: str, action: str, resource: str) -> str:
    """Why the role may not, in AWS's words; empty when it may. For what a service does itself in a role's name."""
    context = {
        "aws:securetransport": ("true",),
        "aws:principalarn": (role_arn,),
        "aws:principalaccount": (role_arn.split(":")[4],),
    }
    check = Check(action, resource, context)
    decision = decide(role_arn, check)
    return "" if decision is Decision.ALLOW else denied(session_arn(role_arn, session), check, decision).message


def may_be_assumed(role: Role, service: str) -> bool:
    """Whether the role's trust policy lets ``service`` (``lambda.amazonaws.com``) take it on."""
    check = Check("sts:AssumeRole", role.arn)
    trust = role.assume_role_policy_document
    return bool(trust) and evaluate([trust], check, Principal(service=service)) is Decision.ALLOW
