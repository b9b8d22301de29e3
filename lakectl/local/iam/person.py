"""What a bucket's policy denies to the person whose endpoint this is.

Their own keys may do everything, as an administrator's; a Deny holds for them, too [IAM user guide, "Policy evaluation
logic"]. The policy itself they may always read, write and delete, as the root user of an account may.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from lakectl.local.iam import identities, needs, refusals, resource_policies
from lakectl.local.iam.calls import Call
from lakectl.local.iam.decision import RESOURCE, Policies
from lakectl.local.iam.evaluator import Decision, says
from lakectl.local.iam.grammar import Unjudgeable
from lakectl.local.iam.identities import Identity
from lakectl.local.iam.refusals import Refusal

ALWAYS = {"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}

log = logging.getLogger(__name__)


def refusal(call: Call, account: str) -> Refusal | None:
    """None when no policy of a bucket denies the call. DeleteObjects is answered for each key, by the service."""
    bucket = call.parameters.get("bucket") if call.protocol == "s3" else None
    if not bucket or call.parameters["method"] == "OPTIONS" or "delete" in call.parameters["query"]:
        return None
    if not resource_policies.has_policy(str(bucket)):
        return None
    me = Identity(f"arn:aws:iam::{account}:root", Policies())
    known = identities.context(me) | needs.context(call)
    for check in needs.checks(call, account) or ():
        if check.action in ALWAYS:
            continue
        document, owner = resource_policies.policy_of(check, account)
        full = replace(check, context={**known, "aws:resourceaccount": (owner,), **check.context})
        try:
            if document and says("Deny", (document,), full, me.principal):
                return refusals.denied(me.arn, check, Decision.EXPLICIT_DENY, RESOURCE)
        except Unjudgeable as reason:
            log.warning("bucket policy: not applied to %s: %s", check.action, reason)
    return None
