"""How AWS words and shapes a refusal, in each protocol (IAM user guide, "Troubleshoot access denied messages")."""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lakectl.local.iam.evaluator import Check, Decision

ANSWERED_AS_JSON = ("json", "rest", "cbor")


@dataclass(frozen=True)
class Refusal:
    """``s3``, ``query`` and ``json`` are the error's code in these protocols, each with its HTTP status."""

    message: str
    s3: tuple[str, int] = ("AccessDenied", 403)
    query: tuple[str, int] = ("AccessDenied", 403)
    json: tuple[str, int] = ("AccessDeniedException", 400)


def denied(who: str, check: Check, decision: Decision, kind: str) -> Refusal:
    """``User: … is not authorized to perform: …``, and whether for want of an allow or by a deny in which policy."""
    resource = f'"{check.resource}"' if check.action.startswith("s3:") else check.resource
    if decision is Decision.EXPLICIT_DENY:
        a = "an" if kind[0] in "aeiou" else "a"
        why = f"with an explicit deny in {a} {kind}"
    else:
        why = f"because no {kind} allows the {check.action} action"
    return Refusal(f"User: {who} is not authorized to perform: {check.action} on resource: {resource} {why}")


def unmapped(who: str, service: str, operation: str) -> Refusal:
    """For what the local endpoint can't judge: it would have to guess, and a guess is no permission."""
    return Refusal(
        f"User: {who} is not authorized to perform: {service}:{operation}: the local endpoint does not know which "
        "permissions this call needs, and lets no role make it"
    )


def unjudgeable(who: str, check: Check, why: str) -> Refusal:
    """For a policy of which can't be told what it says about the request."""
    return Refusal(f"User: {who} is not authorized to perform: {check.action} on resource: {check.resource}: {why}")


UNKNOWN_KEY = Refusal(
    "The security token included in the request is invalid.",
    s3=("InvalidAccessKeyId", 403),
    query=("InvalidClientTokenId", 403),
    json=("UnrecognizedClientException", 400),
)
EXPIRED = Refusal(
    "The security token included in the request is expired",
    s3=("ExpiredToken", 400),
    query=("ExpiredToken", 403),
    json=("ExpiredTokenException", 400),
)
ANONYMOUS = Refusal("Access Denied", query=("MissingAuthenticationToken", 403))
S3_MESSAGES = {
    "InvalidAccessKeyId": "The AWS Access Key Id you provided does not exist in our records.",
    "ExpiredToken": "The provided token has expired.",
}

Answer = tuple[int, list[tuple[str, str]], bytes]


def answer(refusal: Refusal, service: str, protocol: str, *, head: bool = False) -> Answer:
    """Status, headers and body."""
    request_id = str(uuid.uuid4())
    if protocol == "s3":
        return _s3(refusal, head)
    if protocol in ANSWERED_AS_JSON:
        return _json(refusal, service, protocol, request_id)
    code, status = refusal.query
    body = (
        f'<ErrorResponse xmlns="https://{service}.amazonaws.com/doc/"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(refusal.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()
    return status, [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)], body


def _s3(refusal: Refusal, head: bool) -> Answer:
    code, status = refusal.s3
    request_id = secrets.token_hex(8).upper()
    message = S3_MESSAGES.get(code, refusal.message)
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{escape(message)}</Message>'
        f"<RequestId>{request_id}</RequestId></Error>"
    ).encode()
    headers = [("Content-Type", "application/xml"), ("x-amz-request-id", request_id)]
    return status, headers, b"" if head else body


def _json(refusal: Refusal, service: str, protocol: str, request_id: str) -> Answer:
    code, status = refusal.json
    headers = [("x-amzn-RequestId", request_id), ("x-amzn-ErrorType", code)]
    if service in ("sqs", "cloudwatch"):  # once query services: their clients read the old code here
        headers.append(("x-amzn-query-error", f"{refusal.query[0]};Sender"))
    if protocol == "rest" and code == "AccessDeniedException":
        status = 403
    kind = f"com.amazon.coral.service#{code}" if service in ("dynamodb", "sqs") else code
    if protocol == "cbor":
        from lakectl.local.iam.cbor import encode_map

        headers += [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        return status, headers, encode_map({"__type": code, "message": refusal.message})
    headers.append(("Content-Type", "application/json" if protocol == "rest" else "application/x-amz-json-1.1"))
    # Java's SDK reads "message", Python's either.
    text = {"__type": kind, "Message": refusal.message, "message": refusal.message}
    return status, headers, json.dumps(text).encode()
