"""STS: roles are assumed by whom their trust policies let, for as long as they may, and with the policies given.

Wrapped: ``TokenResponse.assume_role`` (moto gives keys of any role to anybody, also of one that does not exist, and
drops PolicyArns and Tags), ``STSBackend.get_caller_identity`` (moto takes the endpoint's own keys for those of a user
that IAM does not have). Replaced, as nothing here could check what they are given or take the keys that moto gives:
AssumeRoleWithWebIdentity, AssumeRoleWithSAML, GetFederationToken and GetSessionToken are refused.

The guard has asked the policies already when a role or a user calls; for the keys of the endpoint it is asked here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from moto.core.responses import ActionResult
from moto.iam.models import Role, iam_backends
from moto.sts.exceptions import STSClientError, STSValidationError
from moto.sts.models import STSBackend
from moto.sts.responses import TokenResponse

from lakectl.local.context import LocalContext
from lakectl.local.iam import judge, roles
from lakectl.local.iam.decision import Policies
from lakectl.local.iam.evaluator import Check
from lakectl.local.iam.identities import EVERYTHING, Identity

SHORTEST_SECONDS, LONGEST_SECONDS, DEFAULT_SECONDS = 900, 43_200, 3600
CHAINED_SECONDS = 3600  # a role that assumes a role
MOST_POLICIES, MOST_CHARACTERS = 10, 2048
MOTO = ":user/moto"  # whom moto takes the holder of keys for that it did not give
NOT_HERE = ("assume_role_with_web_identity", "assume_role_with_saml", "get_federation_token", "get_session_token")


class AccessDenied(STSClientError):
    code = 403

    def __init__(self, message: str) -> None:
        super().__init__("AccessDenied", message)


def install(context: LocalContext) -> None:
    STSBackend.get_caller_identity = _caller(STSBackend.get_caller_identity)
    TokenResponse.assume_role = _assuming(TokenResponse.assume_role, context.access_key_id)
    for name in NOT_HERE:
        setattr(TokenResponse, name, _refused)


def _refused(self: TokenResponse) -> ActionResult:
    raise AccessDenied(f"The local endpoint has no {self._get_action()}: take AssumeRole")


def _assuming(original: Callable[..., ActionResult], own_key: str) -> Callable[..., ActionResult]:
    def assume_role(self: TokenResponse) -> ActionResult:
        arn = str(self._get_param("RoleArn"))
        tags = {str(tag["Key"]): str(tag["Value"]) for tag in self._get_param("Tags") or []}
        if self.access_key == own_key:
            _ask(_person(self.current_account), self, arn, tags)
        role = roles.find_role(arn, self.current_account, self.partition)
        if role is None or not arn.startswith("arn:"):
            # AWS does not tell whether a role exists.
            raise AccessDenied(f"User is not authorized to perform: sts:AssumeRole on resource: {arn}")
        _check_duration(self, role)
        policies = _session_policies(self)
        result = original(self)
        assumed = result.result["Credentials"]
        assumed.session_policies, assumed.session_tags, assumed.issued = policies, tags, time.time()
        return result

    return assume_role


def _root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


def _caller(original: Callable[..., tuple[str, str, str]]) -> Callable[..., tuple[str, str, str]]:
    """The endpoint's own keys may do everything: they are the root user's."""

    def get_caller_identity(self: STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:
        user_id, arn, account = original(self, access_key_id, region)
        return (account, _root(account), account) if arn.endswith(MOTO) else (user_id, arn, account)

    return get_caller_identity


def _person(account: str) -> Identity:
    """Whoever has the keys of the endpoint: an administrator, whom a trust policy names by the account."""
    return Identity(_root(account), Policies(identity=(EVERYTHING,)))


def _ask(person: Identity, request: TokenResponse, arn: str, tags: dict[str, str]) -> None:
    named = {"sts:externalid": "ExternalId", "sts:rolesessionname": "RoleSessionName"}
    given = {key: request._get_param(name) for key, name in named.items()}
    context: dict[str, tuple[str, ...]] = {key: (str(value),) for key, value in given.items() if value is not None}
    context["aws:requestedregion"] = (request.region,)
    context |= {f"aws:requesttag/{name.lower()}": (value,) for name, value in tags.items()}
    if tags:
        context["aws:tagkeys"] = tuple(tags)
    for action in ("sts:AssumeRole", *(("sts:TagSession",) if tags else ())):
        refusal = judge.refusal(person, Check(action, arn, context))
        if refusal is not None:
            raise AccessDenied(refusal.message)


def _check_duration(request: TokenResponse, role: Role) -> None:
    """[STS API, AssumeRole, DurationSeconds]"""
    seconds = request._get_int_param("DurationSeconds", DEFAULT_SECONDS)
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        bound = SHORTEST_SECONDS if seconds < SHORTEST_SECONDS else LONGEST_SECONDS
        than = "greater" if seconds < SHORTEST_SECONDS else "less"
        raise STSValidationError(
            f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: "
            f"Member must have value {than} than or equal to {bound}"
        )
    if seconds > CHAINED_SECONDS and request.access_key.startswith("ASIA"):
        told = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        raise STSValidationError(told)
    if seconds > int(role.max_session_duration or DEFAULT_SECONDS):
        raise STSValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def _session_policies(request: TokenResponse) -> tuple[str, ...]:
    """The documents of Policy and PolicyArns. Raises what STS answers for one that is none."""
    found = []
    policy = request._get_param("Policy")
    if policy:
        if len(policy) > MOST_CHARACTERS:
            raise STSClientError("PackedPolicyTooLarge", "Packed size of session policies exceeds the limit")
        _check_policy(policy)
        found.append(str(policy))
    arns = [str(each["arn"]) for each in request._get_param("PolicyArns") or []]
    if len(arns) > MOST_POLICIES:
        raise STSValidationError(f"A session can have {MOST_POLICIES} managed policies at most")
    managed = iam_backends[request.current_account][request.partition].managed_policies
    for arn in arns:
        if arn not in managed:
            raise STSClientError("MalformedPolicyDocument", f"Policy {arn} does not exist or is not attachable")
        found.append(roles.default_version(managed[arn]))
    return tuple(found)


def _check_policy(document: str) -> None:
    from moto.iam.exceptions import MalformedPolicyDocument
    from moto.iam.policy_validation import IAMPolicyDocumentValidator

    try:
        IAMPolicyDocumentValidator(document).validate()
    except MalformedPolicyDocument as error:
        raise STSClientError("MalformedPolicyDocument", str(error)) from error
