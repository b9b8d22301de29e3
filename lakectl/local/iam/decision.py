"""All policies that concern a request, put together.

IAM user guide: "Policy evaluation for requests within a single account", "Cross-account policy evaluation logic",
"Permissions boundaries for IAM entities", "Principal".
"""

from __future__ import annotations

from dataclasses import dataclass

from lakectl.local.iam.evaluator import Check, Decision, Principal, evaluate, says

IDENTITY, RESOURCE = "identity-based policy", "resource-based policy"
BOUNDARY, SESSION = "permissions boundary", "session policy"


@dataclass(frozen=True)
class Policies:
    """Documents in JSON. ``session``: none means no restriction; ``resource``: None when the resource has none."""

    identity: tuple[str, ...] = ()
    boundary: str | None = None
    session: tuple[str, ...] = ()
    resource: str | None = None


@dataclass(frozen=True)
class Verdict:
    """``kind``: of the policy that denied, or lacked the allow, as AWS's messages name it."""

    decision: Decision
    kind: str = ""


def decide(policies: Policies, check: Check, principal: Principal, owner: str, *, trust: bool = False) -> Verdict:
    """The verdict on a request of ``principal``. Raises Unjudgeable.

    ``principal.arns``: of the session and its role, or of the user. ``owner``: the account of the resource.
    ``trust``: the resource is a role that shall be assumed, and its policy has to allow it in any case.
    """
    limits = (((policies.boundary,) if policies.boundary else (), BOUNDARY), (policies.session, SESSION))
    resource = (policies.resource,) if policies.resource else ()
    for documents, kind in ((policies.identity, IDENTITY), *limits):
        if says("Deny", documents, check):
            return Verdict(Decision.EXPLICIT_DENY, kind)
    if says("Deny", resource, check, principal):
        return Verdict(Decision.EXPLICIT_DENY, RESOURCE)

    own = says("Allow", policies.identity, check)
    if owner == principal.account:
        # A user, a session or everybody is given the permission itself, whatever the caller's own policies lack.
        if says("Allow", resource, check, Principal(arns=principal.arns[:1])):
            return Verdict(Decision.ALLOW)
        # A role that is named gets it as if by a policy of its own; an account that is named passes the question on.
        named = says("Allow", resource, check, Principal(arns=principal.arns))
        if trust and not (named or says("Allow", resource, check, principal)):
            return Verdict(Decision.IMPLICIT_DENY, RESOURCE)
        own = own or named
    elif evaluate(resource, check, principal) is not Decision.ALLOW:
        return Verdict(Decision.IMPLICIT_DENY, RESOURCE)
    if not own:
        return Verdict(Decision.IMPLICIT_DENY, IDENTITY)
    for documents, kind in limits:
        if documents and not says("Allow", documents, check):
            return Verdict(Decision.IMPLICIT_DENY, kind)
    return Verdict(Decision.ALLOW)
