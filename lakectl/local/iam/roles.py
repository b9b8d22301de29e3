"""Roles and users as moto keeps them now: their policies, who may assume them, and what an action is answered."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import Role, User, iam_backends

from lakectl.local.iam.evaluator import Check, Decision, Principal, evaluate
from lakectl.local.iam.grammar import Unjudgeable


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
    return documents(role) if role is not None else []


def user_policies(user: User) -> list[str]:
    """The documents of a user's policies and of the user's groups."""
    groups = iam_backends[user.account_id]["aws"].groups.values()
    return [*documents(user), *(each for group in groups if user in group.users for each in documents(group))]


def documents(holder: Any) -> list[str]:
    """Of a role, a user or a group."""
    return [*map(as_text, holder.policies.values()), *map(default_version, holder.managed_policies.values())]


def default_version(policy: Any) -> str:
    """The document of a managed policy."""
    version = next(each for each in policy.versions if each.version_id == policy.default_version_id)
    return as_text(version.document)


def as_text(document: Any) -> str:
    """CloudFormation gives moto a policy as an object, where the API gives its text."""
    return document if isinstance(document, str) else json.dumps(document)


def refusal(role_arn: str, session: str, action: str, resource: str) -> str:
    """Why the role may not, in AWS's words; empty when it may. For what a service does itself in a role's name."""
    from lakectl.local.iam import identities, judge  # they look up their roles here

    refused = judge.refusal(identities.of_role(role_arn, session), Check(action, resource))
    return refused.message if refused else ""


def may_be_assumed(role: Role, service: str) -> bool:
    """Whether the role's trust policy lets ``service`` (``lambda.amazonaws.com``) take it on."""
    context = {"aws:principalisawsservice": ("true",), "aws:principalservicename": (service,)}
    check = Check("sts:AssumeRole", role.arn, context)
    trust = role.assume_role_policy_document
    try:
        return bool(trust) and evaluate([as_text(trust)], check, Principal(service=service)) is Decision.ALLOW
    except Unjudgeable:
        return False
