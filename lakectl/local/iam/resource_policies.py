"""Policies of the resources themselves, as moto keeps them now: of buckets, queues, functions, and roles (trust)."""

from __future__ import annotations

import logging

from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from lakectl.local import services
from lakectl.local.iam import roles
from lakectl.local.iam.evaluator import Check, Decision, Principal, evaluate
from lakectl.local.iam.grammar import Unjudgeable

log = logging.getLogger(__name__)


def policy_of(check: Check, account: str) -> tuple[str | None, str]:
    """The resource's own policy, if it has one, and the account that owns the resource."""
    parts = check.resource.split(":", 5)
    if len(parts) < 6:
        return None, account
    service, region, owner, name = parts[2], parts[3], parts[4] or account, parts[5]
    if service == "s3":
        return _of_bucket(name.partition("/")[0], account)
    if service == "sqs":
        queue = sqs_backends[owner][region].queues.get(name) if region else None
        return (queue.policy if queue is not None else None), owner
    if service == "iam" and check.action.startswith("sts:"):
        role = roles.find_role(check.resource, owner)
        trust = role.assume_role_policy_document if role is not None else None
        return (roles.as_text(trust) if trust else None), owner
    return (services.lambda_service().policy(check.resource) if service == "lambda" else None), owner


def lets_service(service: str, action: str, resource: str, source_arn: str, account: str) -> bool:
    """Whether the resource's policy lets an AWS service do this for ``source_arn``, both of ``account``."""
    context = {
        "aws:sourcearn": (source_arn,),
        "aws:sourceaccount": (account,),
        "aws:securetransport": ("true",),
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (service,),
        "aws:resourceaccount": (account,),
    }
    check = Check(action, resource, context)
    document, _ = policy_of(check, account)
    try:
        return document is not None and evaluate([document], check, Principal(service=service)) is Decision.ALLOW
    except Unjudgeable as reason:
        log.warning("%s does not reach %s: %s", service, resource, reason)
        return False


def has_policy(bucket: str) -> bool:
    return bool(_of_bucket(bucket, "")[0])


def _of_bucket(name: str, account: str) -> tuple[str | None, str]:
    where = s3_backends.bucket_accounts.get(name)
    bucket = s3_backends[where[1]][where[0]].buckets.get(name) if where else None
    policy: bytes | str | None = getattr(bucket, "policy", None)
    return (policy.decode() if isinstance(policy, bytes) else policy), bucket.account_id if bucket else account
