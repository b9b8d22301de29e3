"""Bucket policies on a loopback endpoint."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)

# moto names the action after the HTTP method.
ACTIONS = {"s3:PostObject": "s3:PutObject", "s3:HeadObject": "s3:GetObject"}


def request_context(method: str, query: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, str | None]:
    """The condition keys that a request to an object's key answers; None for what it does not bear."""
    subresource = query.keys() & {"acl", "tagging", "retention", "legal-hold"}
    creates = (method == "PUT" and not subresource and "partNumber" not in query) or (
        method == "POST" and "uploadId" in query
    )
    return {
        "aws:securetransport": "true",  # a loopback address counts as secure transport
        "s3:if-none-match": headers.get("If-None-Match"),
        "s3:objectcreationoperation": str(creates).lower(),
    }


def effective_policy(policy: bytes, context: Mapping[str, str | None]) -> str | None:
    """The statements that apply to a request with these condition keys; None if none does.

    moto ignores conditions, so that the usual "deny what is not TLS" would deny everything. A Deny on any other
    condition than those in ``context`` is left out: nothing here could meet or fail it.
    """
    document = json.loads(policy)
    statements = document.get("Statement", [])
    kept = [each for each in _as_list(statements) if _applies(each, context)]
    return json.dumps(document | {"Statement": kept}) if kept else None


def _applies(statement: dict[str, Any], context: Mapping[str, str | None]) -> bool:
    for operator, conditions in (statement.get("Condition") or {}).items():
        for key, wanted in conditions.items():
            values = [str(each).lower() for each in _as_list(wanted)]
            if key.lower() in context and (operator == "Null" or operator.startswith("Bool")):
                found = context[key.lower()]
                actual = str(found is None).lower() if operator == "Null" else found
                if actual not in values:
                    return False
            elif statement.get("Effect") == "Deny":
                log.info("bucket policy: Deny %s not applied: its condition on %s", statement.get("Sid"), key)
                return False
    return True


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
