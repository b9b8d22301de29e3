"""The door of the endpoint: who signed a request, and whether their policies let them make it.

The person's own keys open everything and cost one comparison. Everybody else is a role or a user of this account, and
each of their calls is judged by the policies as they are at that moment.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from lakectl.local.iam import calls, needs, refusals, resource_policies, roles
from lakectl.local.iam.calls import Call, Signature
from lakectl.local.iam.credentials import SESSIONS
from lakectl.local.iam.evaluator import Check, Decision, Principal, evaluate
from lakectl.local.iam.refusals import Refusal

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class Identity:
    """Who calls: ``role_arn`` for a role's session, else a user with ``documents``."""

    arn: str
    role_arn: str = ""
    user_name: str = ""
    documents: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    def decide(self, check: Check) -> Decision:
        return roles.decide(self.role_arn, check) if self.role_arn else evaluate(self.documents, check)


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
            return Identity(session.arn, session.role_arn) if session.expires > time.time() else refusals.EXPIRED
        return _of_moto(key_id, token, self.account) or refusals.UNKNOWN_KEY

    def _judge(self, call: Call, identity: Identity) -> Refusal | None:
        needed = needs.checks(call, self.account)
        if needed is None:
            return refusals.unmapped(identity.arn, call.service, call.operation)
        context = needs.context(call) | _global_context(identity)
        for check in needed:
            full = replace(check, context=context | dict(check.context))
            decision, kind = _decide(identity, full)
            if decision is not Decision.ALLOW:
                return refusals.denied(identity.arn, full, decision, kind)
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
            check = Check("s3:ListBucket", f"arn:aws:s3:::{call.parameters['bucket']}", _global_context(identity))
            decision, kind = _decide(identity, check)
            if decision is not Decision.ALLOW:
                return _refuse(refusals.denied(identity.arn, check, decision, kind), call, environ, start_response)
        start_response(*started)
        return parts


def _decide(identity: Identity, check: Check) -> tuple[Decision, str]:
    """What the caller's and the resource's policies say together, and which kind decided: a deny in either wins."""
    arns = tuple(each for each in (identity.arn, identity.role_arn) if each)
    theirs = resource_policies.decide(check, Principal(arns=arns, account=identity.account))
    own = identity.decide(check)
    if theirs is Decision.EXPLICIT_DENY and own is not Decision.EXPLICIT_DENY:
        return theirs, "resource-based"
    return (theirs if own is Decision.IMPLICIT_DENY else own), "identity-based"


def _of_moto(key_id: str, token: str, account: str) -> Identity | Refusal | None:
    """A session that somebody got by sts:AssumeRole, or a user's key."""
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    assumed = sts_backends[account]["aws"].get_assumed_role_from_access_key(key_id)
    if assumed is not None:
        if token != assumed.session_token:
            return None
        expired = assumed.expiration.replace(tzinfo=assumed.expiration.tzinfo or UTC) < datetime.now(UTC)
        return refusals.EXPIRED if expired else Identity(assumed.arn, assumed.role_arn)
    for user in list(iam_backends[account]["aws"].users.values()):
        if any(key.access_key_id == key_id and key.status == "Active" for key in user.access_keys):
            return Identity(user.arn, user_name=user.name, documents=tuple(roles.user_policies(user)))
    return None


def _global_context(identity: Identity) -> dict[str, tuple[str, ...]]:
    now = datetime.now(UTC)
    context: dict[str, tuple[str, ...]] = {
        "aws:securetransport": ("true",),  # a loopback address counts as secure transport
        "aws:sourceip": ("127.0.0.1",),
        "aws:principalaccount": (identity.account,),
        "aws:principalarn": (identity.role_arn or identity.arn,),
        "aws:principaltype": ("AssumedRole" if identity.role_arn else "User",),
        "aws:currenttime": (now.strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "aws:viaawsservice": ("false",),
    }
    return context | ({"aws:username": (identity.user_name,)} if identity.user_name else {})


def _refuse(
    refusal: Refusal, call: Call, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    head = environ["REQUEST_METHOD"] == "HEAD"
    status, headers, body = refusals.answer(refusal, call.service, call.protocol, head=head)
    length = [("Content-Length", str(len(body)))]
    start_response(f"{status} {HTTPStatus(status).phrase}", headers + length)
    return [body]
