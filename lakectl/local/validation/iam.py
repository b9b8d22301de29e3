"""IAM: trust policies, names of roles, and the words for a role that isn't there.

Wrapped: ``IAMBackend.create_role`` and ``get_role``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from moto.iam.exceptions import MalformedPolicyDocument, NotFoundException, ValidationError
from moto.iam.models import IAMBackend
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator

NAME = re.compile(r"[\w+=,.@-]+")
MAX_NAME = 64


def install() -> None:
    IAMBackend.create_role = _creating(IAMBackend.create_role)
    IAMBackend.get_role = _getting(IAMBackend.get_role)


def _creating(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_role(
        self: IAMBackend, role_name: str, assume_role_policy_document: str, *rest: Any, **named: Any
    ) -> Any:
        if len(role_name) > MAX_NAME:
            raise ValidationError(_refusal(f"have length less than or equal to {MAX_NAME}"))
        if not NAME.fullmatch(role_name):
            raise ValidationError(_refusal(f"satisfy regular expression pattern: {NAME.pattern}"))
        _check_trust(assume_role_policy_document)
        return original(self, role_name, assume_role_policy_document, *rest, **named)

    return create_role


def _check_trust(document: str) -> None:
    IAMTrustPolicyDocumentValidator(document).validate()
    statements = json.loads(document)["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if "Principal" not in statement:
            raise MalformedPolicyDocument("Missing required field Principal")


def _refusal(rule: str) -> str:
    return f"1 validation error detected: Value at 'roleName' failed to satisfy constraint: Member must {rule}"


def _getting(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_role(self: IAMBackend, role_name: str) -> Any:
        try:
            return original(self, role_name)
        except NotFoundException as error:
            raise NotFoundException(f"The role with name {role_name} cannot be found.") from error

    return get_role
