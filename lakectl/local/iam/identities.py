"""Who calls: a role's session or a user, with its policies and its condition keys."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import Role, User, iam_backends
from moto.sts.models import AssumedRole, sts_backends

from lakectl.local.iam import roles
from lakectl.local.iam.credentials import session_arn
from lakectl.local.iam.decision import Policies
from lakectl.local.iam.evaluator import Principal

Tags = dict[str, str]
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


@dataclass(frozen=True)
class Identity:
    """``role_arn`` for a role's session, else a user; ``unique_id`` as ``aws:userid`` has it."""

    arn: str
    policies: Policies
    role_arn: str = ""
    user_name: str = ""
    unique_id: str = ""
    tags: Tags = field(default_factory=dict)
    issued: float | None = None  # when temporary credentials were; seconds since the epoch

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def principal(self) -> Principal:
        arns = (self.arn, self.role_arn) if self.role_arn else (self.arn,)
        return Principal(arns=arns, account=self.account, bounded=self.policies.boundary is not None)


def of_role(role_arn: str, session: str, issued: float | None = None) -> Identity:
    """A session of the role; one of a role that is gone may do nothing."""
    role = roles.find_role(role_arn, role_arn.split(":")[4], role_arn.split(":")[1])
    arn = session_arn(role_arn, session)
    if role is None:
        return Identity(arn, Policies(), role_arn, issued=issued)
    return Identity(
        arn,
        Policies(tuple(roles.documents(role)), boundary_of(role)),
        role_arn,
        unique_id=f"{role.id}:{session}",
        tags={tag["Key"]: tag["Value"] for tag in role.tags or []},
        issued=issued,
    )


def of_assumed(assumed: AssumedRole) -> Identity:
    """A session that somebody got by AssumeRole, with what that one gave it."""
    session = of_role(assumed.role_arn, assumed.session_name, getattr(assumed, "issued", None))
    limits: tuple[str, ...] = getattr(assumed, "session_policies", ())
    policies = Policies(session.policies.identity, session.policies.boundary, limits)
    tags = session.tags | getattr(assumed, "session_tags", {})
    return Identity(session.arn, policies, session.role_arn, "", session.unique_id, tags, session.issued)


def of_user(user: User) -> Identity:
    backend = iam_backends[user.account_id]["aws"]
    tags = {tag["Key"]: tag["Value"] for tag in backend.list_user_tags(user.name)}
    return Identity(
        user.arn, Policies(tuple(roles.user_policies(user))), user_name=user.name, unique_id=user.id, tags=tags
    )


def find_assumed(key_id: str, account: str) -> AssumedRole | None:
    return sts_backends[account]["aws"].get_assumed_role_from_access_key(key_id)


def find_user(key_id: str, account: str) -> tuple[User, str] | None:
    """The user whose active key it is, and the key's secret."""
    for user in list(iam_backends[account]["aws"].users.values()):
        for key in list(user.access_keys):
            if key.access_key_id == key_id and key.status == "Active":
                return user, key.secret_access_key
    return None


def boundary_of(role: Role) -> str | None:
    """The document of its permissions boundary; one that is gone allows nothing."""
    arn = role.permissions_boundary_arn
    if not arn:
        return None
    policy = iam_backends[role.account_id][role.partition].managed_policies.get(arn)
    return roles.default_version(policy) if policy is not None else json.dumps({"Statement": []})


def context(identity: Identity) -> dict[str, tuple[str, ...]]:
    """The global condition keys of its requests (IAM user guide, "AWS global condition context keys")."""
    now = time.time()
    found: dict[str, Any] = {
        "aws:securetransport": "true",  # a loopback address counts as secure transport
        "aws:sourceip": "127.0.0.1",
        "aws:principalaccount": identity.account,
        "aws:principalarn": identity.role_arn or identity.arn,
        "aws:principaltype": "AssumedRole" if identity.role_arn else "User",
        "aws:currenttime": _iso(now),
        "aws:epochtime": str(int(now)),
        "aws:viaawsservice": "false",
        "aws:principalisawsservice": "false",
    }
    if identity.user_name:
        found["aws:username"] = identity.user_name
    if identity.unique_id:
        found["aws:userid"] = identity.unique_id
    if identity.role_arn:  # long-term keys have no such context key
        found["aws:multifactorauthpresent"] = "false"
    if identity.issued is not None:
        found["aws:tokenissuetime"] = _iso(identity.issued)
    found |= {f"aws:principaltag/{name.lower()}": value for name, value in identity.tags.items()}
    return {key: (value,) for key, value in found.items()}


def _iso(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
