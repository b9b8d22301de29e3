"""IAM: trust policies, names of roles, and the words for a role that isn't there.

Wrapped: ``IAMBackend.create_role``, ``get_role``, ``update_assume_role_policy``, ``get_role_policy`` and
``delete_role_policy``.
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
    IAMBackend.update_assume_role_policy = _trusting(IAMBackend.update_assume_role_policy)
    for name in ("get_role_policy", "delete_role_policy"):
        setattr(IAMBackend, name, _of_policy(getattr(IAMBackend, name)))


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


def _trusting(original: Callable[..., Any]) -> Callable[..., Any]:
    def update_assume_role_policy(self: IAMBackend, role_name: str, policy_document: str) -> Any:
        self.get_role(role_name)
        try:
            document = json.loads(policy_document)
        except ValueError as error:
            raise MalformedPolicyDocument("This policy contains invalid Json") from error
        statements = document.get("Statement", []) if isinstance(document, dict) else []
        for statement in statements if isinstance(statements, list) else [statements]:
            actions = statement.get("Action", [])
            for action in actions if isinstance(actions, list) else [actions]:
                if not str(action).lower().startswith("sts:"):
                    told = "AssumeRole policy may only specify STS AssumeRole actions."
                    raise MalformedPolicyDocument(told)
        return original(self, role_name, policy_document)

    return update_assume_role_policy


def _of_policy(original: Callable[..., Any]) -> Callable[..., Any]:
    def handle(self: IAMBackend, role_name: str, policy_name: str) -> Any:
        if policy_name not in self.get_role(role_name).policies:
            raise NotFoundException(f"The role policy with name {policy_name} cannot be found.")
        return original(self, role_name, policy_name)

    return handle


def _refusal(rule: str) -> str:
    return f"1 validation error detected: Value at 'roleName' failed to satisfy constraint: Member must {rule}"


def _getting(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_role(self: IAMBackend, role_name: str) -> Any:
        try:
            return original(self, role_name)
        except NotFoundException as error:
            raise NotFoundException(f"The role with name {role_name} cannot be found.") from error

    return get_role
