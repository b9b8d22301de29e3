"""A request with its policies, and what AWS's documentation says of it: a row of ``test_policy_cases``.

``page`` is a page of the IAM user guide, https://docs.aws.amazon.com/IAM/latest/UserGuide/.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ACCOUNT, OTHER = "123456789012", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/me"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BUCKET, KEY = "arn:aws:s3:::lake", "arn:aws:s3:::lake/raw/a.csv"
ALLOW, DENY, IMPLICIT = "allow", "explicit deny", "implicit deny"

LOGIC = "reference_policies_evaluation-logic_policy-eval-denyallow.html"
BASICS = "reference_policies_evaluation-logic_policy-eval-basics.html"
CROSS = "reference_policies_evaluation-logic-cross-account.html"
ACTIONS = "reference_policies_elements_action.html"
NOT_ACTION = "reference_policies_elements_notaction.html"
RESOURCES = "reference_policies_elements_resource.html"
NOT_RESOURCE = "reference_policies_elements_notresource.html"
PRINCIPALS = "reference_policies_elements_principal.html"
NOT_PRINCIPAL = "reference_policies_elements_notprincipal.html"
OPERATORS = "reference_policies_elements_condition_operators.html"
CONDITIONS = "reference_policies_condition-logic-multiple-context-keys-or-values.html"
SETS = "reference_policies_condition-single-vs-multi-valued-context-keys.html"
SET_EXAMPLES = "reference_policies_condition_examples-multi-valued-context-keys.html"
KEYS = "reference_policies_condition-keys.html"
VARIABLES = "reference_policies_variables.html"
VERSION = "reference_policies_elements_version.html"
BOUNDARIES = "access_policies_boundaries.html"
SESSIONS = "access_policies.html#policies_session"
TRUST = "id_roles_create_for-user_externalid.html"
PASS_ROLE = "id_roles_use_passrole.html"


@dataclass(frozen=True)
class Case:
    """Documents hold statements; ``version`` is that of all of them. ``who``: ARNs as a Principal has them."""

    name: str
    page: str
    expected: str
    identity: list[dict[str, Any]] = field(default_factory=list)
    resource: list[dict[str, Any]] | None = None
    boundary: list[dict[str, Any]] | None = None
    session: list[dict[str, Any]] | None = None
    action: str = "s3:GetObject"
    on: str = KEY
    context: dict[str, Any] = field(default_factory=dict)
    who: tuple[str, ...] = (SESSION, ROLE)
    owner: str = ACCOUNT
    version: str | None = "2012-10-17"
    trust: bool = False


def allow(action: Any = "s3:GetObject", on: Any = "*", /, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": on, **more}


def deny(action: Any = "s3:GetObject", on: Any = "*", /, **more: Any) -> dict[str, Any]:
    return {**allow(action, on), "Effect": "Deny", **more}


def when(operator: str, key: str, *values: Any, context: Any = None) -> dict[str, Any]:
    """An allowing policy with one condition, and a request that bears ``context`` for its key."""
    return {
        "identity": [allow(Condition={operator: {key: list(values)}})],
        "context": {} if context is None else {key: context},
    }


def to(who: Any, **more: Any) -> dict[str, Any]:
    """A statement of a resource's policy."""
    return allow(Principal=who if who == "*" else {"AWS": who}, **more)


NOTHING_ELSE = {"Action": "s3:GetObject", "Resource": "*"}
