"""How AWS words and shapes a refusal, in each protocol (IAM user guide, "Troubleshoot access denied messages")."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

from lakectl.local.iam.evaluator import Check, Decision

ANSWERED_AS_JSON = ("json", "rest", "cbor", "unknown")


@dataclass(frozen=True)
class Refusal:
    """``s3``, ``query`` and ``json`` are the error's code in these protocols, each with its HTTP status."""

    message: str
    s3: tuple[str, int] = ("AccessDenied", 403)
    query: tuple[str, int] = ("AccessDenied", 403)
    json: tuple[str, int] = ("AccessDeniedException", 400)
    s3_message: str = ""  # where S3 words it in another way


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


class Refused(Exception):
    """A request that is not let through."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _signature(message: str, code: str = "SignatureDoesNotMatch", s3_message: str = "", status: int = 403) -> Refusal:
    return Refusal(
        message,
        s3=(code, status),
        query=("SignatureDoesNotMatch", 403),
        json=("InvalidSignatureException", 400),
        s3_message=s3_message,
    )


MISMATCH = _signature(
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details.",
    s3_message="The request signature we calculated does not match the signature you provided. Check your key and "
    "signing method.",
)
NOT_SIGNED = _signature("There were headers present in the request which were not signed", "AccessDenied")
REQUEST_EXPIRED = _signature("Request has expired", "AccessDenied")
NOT_YET_VALID = _signature("Request is not valid yet", "AccessDenied")


def skewed(moment: str, now: float) -> Refusal:
    """For a request whose clock is more than 15 minutes away. ``now`` is in seconds since the epoch."""
    ours = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    told = f"Signature not yet current: {moment} is still later than {ours} + 15 min."
    if moment < ours:
        told = f"Signature expired: {moment} is now earlier than {ours} - 15 min."
    s3 = "The difference between the request time and the current time is too large."
    return _signature(told, "RequestTimeTooSkewed", s3)


def bad_request(message: str, s3: str, query: str, json: str, status: int = 400) -> Refusal:
    """For a request that can't be read: the error's code in each protocol."""
    return Refusal(message, s3=(s3, status), query=(query, status), json=(json, status))


INCOMPLETE = bad_request(
    "The request signature does not conform to AWS standards.",
    "AuthorizationHeaderMalformed",
    "IncompleteSignature",
    "IncompleteSignatureException",
)
INCOMPLETE_QUERY = bad_request(
    "Query-string authentication requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, "
    "X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    "AuthorizationQueryParametersError",
    "IncompleteSignature",
    "IncompleteSignatureException",
)
TWO_MECHANISMS = bad_request(
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or "
    "the Authorization header should be specified",
    "InvalidArgument",
    "IncompleteSignature",
    "IncompleteSignatureException",
)
UNKNOWN_OPERATION = bad_request(
    "The requested operation is not recognized by the service.",
    "MethodNotAllowed",
    "InvalidAction",
    "UnknownOperationException",
)
NO_SUCH_METHOD = bad_request(
    "The specified method is not allowed against this resource.", "MethodNotAllowed", "", "", 405
)
TOO_LARGE = bad_request(
    "Request size exceeded the limit of the service.",
    "MaxMessageLengthExceeded",
    "RequestEntityTooLarge",
    "RequestEntityTooLargeException",
    413,
)
BUSY = bad_request(
    "Please reduce your request rate.", "SlowDown", "ServiceUnavailable", "ServiceUnavailableException", 503
)


def malformed(message: str) -> Refusal:
    """For parameters that can't be read, or are given twice."""
    return bad_request(message, "InvalidArgument", "MalformedQueryString", "SerializationException")


UNKNOWN_KEY = Refusal(
    "The security token included in the request is invalid.",
    s3=("InvalidAccessKeyId", 403),
    s3_message="The AWS Access Key Id you provided does not exist in our records.",
    query=("InvalidClientTokenId", 403),
    json=("UnrecognizedClientException", 400),
)
EXPIRED = Refusal(
    "The security token included in the request is expired",
    s3=("ExpiredToken", 400),
    s3_message="The provided token has expired.",
    query=("ExpiredToken", 403),
    json=("ExpiredTokenException", 400),
)
ANONYMOUS = Refusal("Access Denied", query=("MissingAuthenticationToken", 403))

Answer = tuple[int, list[tuple[str, str]], bytes]


def answer(refusal: Refusal, service: str, protocol: str, *, head: bool = False) -> Answer:
    """Status, headers and body."""
    request_id = str(uuid.uuid4())
    if protocol == "s3":
        return _s3(refusal, head)
    if protocol in ANSWERED_AS_JSON:
        return _json(refusal, service, protocol, request_id)
    code, status = refusal.query
    if protocol == "ec2":
        return _ec2(code, status, refusal.message, request_id)
    body = (
        f'<ErrorResponse xmlns="https://{service}.amazonaws.com/doc/"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(refusal.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()
    return status, [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)], body


def _ec2(code: str, status: int, message: str, request_id: str) -> Answer:
    body = (
        f"<Response><Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    ).encode()
    return status, [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)], body


def respond(
    refusal: Refusal, service: str, protocol: str, environ: Mapping[str, Any], start_response: Callable[..., Any]
) -> list[bytes]:
    """Answer a WSGI request with the refusal."""
    status, headers, body = answer(refusal, service, protocol, head=environ["REQUEST_METHOD"] == "HEAD")
    start_response(f"{status} {HTTPStatus(status).phrase}", [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _s3(refusal: Refusal, head: bool) -> Answer:
    code, status = refusal.s3
    request_id = secrets.token_hex(8).upper()
    message = refusal.s3_message or refusal.message
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
    if protocol == "rest" and code in ("AccessDeniedException", "InvalidSignatureException"):
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
