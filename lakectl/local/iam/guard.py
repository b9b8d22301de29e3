"""The door of the endpoint: who signed a request, whether the signature holds, and whether their policies let them.

The person's own keys open everything; their signature is verified like any other. Everybody else is a role or a user
of this account, and each of their calls is judged by the policies as they are at that moment.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lakectl.local.http_body import OutOfMemory
from lakectl.local.iam import calls, identities, judge, needs, person, refusals, s3_address, signature
from lakectl.local.iam.calls import Call
from lakectl.local.iam.credentials import SESSIONS, Keys
from lakectl.local.iam.evaluator import Check
from lakectl.local.iam.identities import Identity
from lakectl.local.iam.refusals import Refusal, Refused
from lakectl.local.iam.s3_address import Address
from lakectl.local.iam.signature import Seal, Signature
from lakectl.local.s3 import body as s3_body
from lakectl.local.s3 import intake, posts

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Guard:
    """WSGI in front of moto. ``keys`` are the person's own."""

    def __init__(self, application: Application, keys: Keys, account: str) -> None:
        self.application = application
        self.keys = keys
        self.account = account
        self.posts = posts.Posts()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        signed: Signature | None = None
        try:
            signed = signature.read(environ)
            if signed is None and posts.is_form(environ):
                return self.posts(environ, start_response, self)
            if signed is None:
                raise Refused(refusals.ANONYMOUS)
            identity, secret = self.identify(signed)
            call = self._read(environ, signed, secret)
        except Refused as refused:
            service = signed.service if signed is not None else "s3"
            log.info("refused a request to %s: %s", service, refused.refusal.message)
            protocol = calls.protocol_of(environ, signed)
            return refusals.respond(refused.refusal, service, protocol, environ, start_response)
        refusal = self.judge(call, identity)
        calls.rewrite(environ, call)
        if refusal is not None:
            log.info("refused %s %s: %s", call.service, call.operation, refusal.message)
            return _refuse(refusal, call, environ, start_response)
        if identity is not None and call.protocol == "s3" and call.operation in ("GET", "HEAD"):
            return self._hiding(call, identity, environ, start_response)
        return self.application(environ, start_response)

    def identify(self, signed: Signature) -> tuple[Identity | None, str]:
        """Who it is, None for the person, and the secret. Raises Refused."""
        key_id = signed.access_key_id
        if key_id == self.keys.access_key_id and not signed.token:
            return None, self.keys.secret_access_key
        session = SESSIONS.find(key_id)
        if session is None:
            return _of_moto(key_id, signed.token, self.account)
        if signed.token != session.keys.session_token:
            raise Refused(refusals.UNKNOWN_KEY)
        if session.expires <= time.time():
            raise Refused(refusals.EXPIRED)
        return identities.of_role(session.role_arn, session.name), session.keys.secret_access_key

    def _read(self, environ: dict[str, Any], signed: Signature, secret: str) -> Call:
        """Verify the signature and read the call. The body of an object is left where it is. Raises Refused."""
        address = _address(environ, signed)
        if address is not None:
            payload = s3_body.payload_sum(environ, signed.expires >= 0) if signed.version == 4 else ""
            seal = signature.verify(environ, signed, secret, payload)
            if address.is_upload(environ):
                environ[intake.SEAL] = seal
                body = b""
            else:
                body = _small_body(environ, seal, address)
        else:
            try:
                body = calls.read_body(environ, signed)
            except OutOfMemory:
                raise Refused(refusals.BUSY) from None
            signature.verify(environ, signed, secret, hashlib.sha256(body).hexdigest())
        return calls.read(environ, signed, body, address, self.account)

    def judge(self, call: Call, identity: Identity | None) -> Refusal | None:
        """None when they may make the call. ``identity``: None for the person."""
        if identity is None:
            return person.refusal(call, self.account)
        needed = needs.checks(call, self.account)
        if needed is None:
            return refusals.unmapped(identity.arn, call.service, call.operation)
        context = needs.context(call)
        for check in needed:
            refusal = judge.refusal(identity, replace(check, context=context | dict(check.context)))
            if refusal is not None:
                return refusal
        return None

    def _hiding(
        self, call: Call, identity: Identity, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Who may not list a bucket is not told that an object is missing: 403 instead of 404 [GetObject, S3 API]."""
        started: list[Any] = []

        def start(*arguments: Any) -> Callable[[bytes], None]:
            started[:] = arguments
            return lambda _: None  # moto's answers come as what the call returns

        parts = self.application(environ, start)
        if started[0].startswith("404") and call.parameters["key"]:
            check = Check("s3:ListBucket", f"arn:aws:s3:::{call.parameters['bucket']}", needs.context(call))
            refusal = judge.refusal(identity, check)
            if refusal is not None:
                return _refuse(refusal, call, environ, start_response)
        start_response(*started)
        return parts


def _address(environ: dict[str, Any], signed: Signature) -> Address | None:
    """What a request to S3 names. None for other services, and for S3 Control, whose requests name the account."""
    control = environ["PATH_INFO"].startswith("/v20180820/") and "HTTP_X_AMZ_ACCOUNT_ID" in environ
    if signed.service not in ("s3", "s3express") or control:
        return None
    return s3_address.read(environ, calls.query(environ))


def _small_body(environ: dict[str, Any], seal: Seal | None, address: Address) -> bytes:
    """A body of S3 that is no object: XML, with its checksums compared. Raises Refused.

    Those in the headers of CompleteMultipartUpload are the object's.
    """
    if not environ.get("CONTENT_LENGTH") and not environ.get("wsgi.input_terminated"):
        return b""
    completes = address.method == "POST" and "uploadId" in address.query
    incoming = s3_body.Incoming(environ, seal, compares=not completes)
    pieces: list[bytes] = []
    for piece in incoming:
        pieces.append(piece)
        if sum(map(len, pieces)) > calls.MAX_XML:
            raise Refused(refusals.TOO_LARGE)
    body = b"".join(pieces)
    incoming.agreed(hashlib.md5(body, usedforsecurity=False).hexdigest())
    return body


def _of_moto(key_id: str, token: str, account: str) -> tuple[Identity, str]:
    """A session that somebody got by sts:AssumeRole, or a user's key. Raises Refused."""
    assumed = identities.find_assumed(key_id, account)
    if assumed is not None:
        if token != assumed.session_token:
            raise Refused(refusals.UNKNOWN_KEY)
        if assumed.expiration.replace(tzinfo=assumed.expiration.tzinfo or UTC) < datetime.now(UTC):
            raise Refused(refusals.EXPIRED)
        return identities.of_assumed(assumed), assumed.secret_access_key
    found = identities.find_user(key_id, account)
    if found is None or token:
        raise Refused(refusals.UNKNOWN_KEY)
    user, secret = found
    return identities.of_user(user), secret


def _refuse(
    refusal: Refusal, call: Call, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    return refusals.respond(refusal, call.service, call.protocol, environ, start_response)
