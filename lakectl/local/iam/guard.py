"""The door of the endpoint: who signed a request, and whether their policies let them make it.

The person's own keys open everything and cost one comparison. Everybody else is a role or a user of this account, and
each of their calls is judged by the policies as they are at that moment.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from lakectl.local.iam import calls, identities, judge, needs, refusals
from lakectl.local.iam.calls import Call, Signature
from lakectl.local.iam.credentials import SESSIONS
from lakectl.local.iam.evaluator import Check
from lakectl.local.iam.identities import Identity
from lakectl.local.iam.refusals import Refusal

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Guard:
    """WSGI in front of moto."""

    def __init__(self, application: Application, own_access_key_id: str, account: str) -> None:
        self.application = application
        self.own = own_access_key_id
        self.account = account

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        signed = calls.signature(environ)
        if signed is not None and signed.access_key_id == self.own:
            return self.application(environ, start_response)
        if signed is None:
            return _refuse(refusals.ANONYMOUS, Call("s3", "", "", "s3"), environ, start_response)
        call = calls.read(environ, signed)
        identity = self._identify(signed, environ)
        refusal = identity if isinstance(identity, Refusal) else self._judge(call, identity)
        if refusal is not None:
            log.info("refused %s %s: %s", call.service, call.operation, refusal.message)
            return _refuse(refusal, call, environ, start_response)
        if call.protocol == "s3" and call.operation in ("GET", "HEAD") and isinstance(identity, Identity):
            return self._hiding(call, identity, environ, start_response)
        return self.application(environ, start_response)

    def _identify(self, signed: Signature, environ: dict[str, Any]) -> Identity | Refusal:
        key_id = signed.access_key_id
        token = environ.get("HTTP_X_AMZ_SECURITY_TOKEN") or calls.query(environ).get("X-Amz-Security-Token", "")
        session = SESSIONS.find(key_id)
        if session is not None:
            if token != session.keys.session_token:
                return refusals.UNKNOWN_KEY
            if session.expires <= time.time():
                return refusals.EXPIRED
            return identities.of_role(session.role_arn, session.name)
        return _of_moto(key_id, token, self.account) or refusals.UNKNOWN_KEY

    def _judge(self, call: Call, identity: Identity) -> Refusal | None:
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


def _of_moto(key_id: str, token: str, account: str) -> Identity | Refusal | None:
    """A session that somebody got by sts:AssumeRole, or a user's key."""
    assumed = identities.find_assumed(key_id, account)
    if assumed is not None:
        if token != assumed.session_token:
            return None
        expired = assumed.expiration.replace(tzinfo=assumed.expiration.tzinfo or UTC) < datetime.now(UTC)
        return refusals.EXPIRED if expired else identities.of_assumed(assumed)
    user = identities.find_user(key_id, account)
    return identities.of_user(user) if user else None


def _refuse(
    refusal: Refusal, call: Call, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    head = environ["REQUEST_METHOD"] == "HEAD"
    status, headers, body = refusals.answer(refusal, call.service, call.protocol, head=head)
    length = [("Content-Length", str(len(body)))]
    start_response(f"{status} {HTTPStatus(status).phrase}", headers + length)
    return [body]
