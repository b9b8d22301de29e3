"""Policies of the resources themselves, as moto keeps them now: buckets, queues, functions."""

from __future__ import annotations

import json

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from lakectl.local.iam.evaluator import Check, Decision, Principal, evaluate


def decide(check: Check, principal: Principal) -> Decision:
    """What the resource's own policy says to a caller of its account.

    A statement that names the whole account only passes the question on to the caller's own policies: it allows nothing
    by itself, but denies (IAM user guide, "How AWS enforcement code logic evaluates requests").
    """
    document = _policy_of(check.resource, principal.account)
    if document is None:
        return Decision.IMPLICIT_DENY
    if evaluate([document], check, principal) is Decision.EXPLICIT_DENY:
        return Decision.EXPLICIT_DENY
    return evaluate([document], check, Principal(arns=principal.arns))


def lets_service(service: str, action: str, resource: str, source_arn: str, account: str) -> bool:
    """Whether the resource's policy lets an AWS service do this for ``source_arn``, both of ``account``."""
    document = _policy_of(resource, account)
    context = {
        "aws:sourcearn": (source_arn,),
        "aws:sourceaccount": (account,),
        "aws:securetransport": ("true",),
    }
    check = Check(action, resource, context)
    return document is not None and evaluate([document], check, Principal(service=service)) is Decision.ALLOW


def _policy_of(arn: str, account: str) -> str | None:
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return None
    service, region, name = parts[2], parts[3], parts[5]
    if service == "s3":
        return _of_bucket(name.partition("/")[0])
    if service == "sqs":
        queue = sqs_backends[account][region].queues.get(name) if region else None
        policy: str | None = queue.policy if queue is not None else None
        return policy
    return _of_function(arn, account, region) if service == "lambda" else None


def _of_bucket(name: str) -> str | None:
    where = s3_backends.bucket_accounts.get(name)
    bucket = s3_backends[where[1]][where[0]].buckets.get(name) if where else None
    policy: bytes | str | None = getattr(bucket, "policy", None)
    return policy.decode() if isinstance(policy, bytes) else policy


def _of_function(arn: str, account: str, region: str) -> str | None:
    try:
        function = lambda_backends[account][region].get_function(arn)
    except UnknownFunctionException:
        return None
    return json.dumps({"Statement": function.policy.statements})
