"""Whether somebody may do something, by all policies as they are at this moment, and what they are told if not."""

from __future__ import annotations

from dataclasses import replace

from lakectl.local.iam import refusals, resource_policies
from lakectl.local.iam.decision import decide
from lakectl.local.iam.evaluator import Check, Decision
from lakectl.local.iam.grammar import Unjudgeable
from lakectl.local.iam.identities import Identity, context
from lakectl.local.iam.refusals import Refusal
from lakectl.local.iam.usage import USAGE

TRUST = {"sts:AssumeRole", "sts:TagSession"}  # asked of the role that is assumed


def refusal(identity: Identity, check: Check) -> Refusal | None:
    """None when it may; a role's action is then recorded as used. ``check.context``: the request's condition keys."""
    document, owner = resource_policies.policy_of(check, identity.account)
    full = replace(check, context={**context(identity), "aws:resourceaccount": (owner,), **check.context})
    policies = replace(identity.policies, resource=document)
    try:
        verdict = decide(policies, full, identity.principal, owner, trust=check.action in TRUST)
    except Unjudgeable as reason:
        return refusals.unjudgeable(identity.arn, check, str(reason))
    if verdict.decision is not Decision.ALLOW:
        return refusals.denied(identity.arn, check, verdict.decision, verdict.kind)
    if identity.role_arn:
        USAGE.record(identity.role_arn, check.action)
    return None
