"""Bucket policies on a loopback endpoint."""

from __future__ import annotations

import json
import logging
from typing import Any

log = logging.getLogger(__name__)

# moto names the action after the HTTP method.
ACTIONS = {"s3:PostObject": "s3:PutObject", "s3:HeadObject": "s3:GetObject"}


def effective_policy(policy: bytes) -> str | None:
    """The statements that apply to a request to the loopback endpoint; None if none does.

    moto ignores conditions, so that the usual "deny what is not TLS" would deny everything. A loopback address
    counts as secure transport. A Deny on any other condition is left out: nothing here could meet or fail it.
    """
    document = json.loads(policy)
    statements = document.get("Statement", [])
    kept = [each for each in _as_list(statements) if _applies(each)]
    return json.dumps(document | {"Statement": kept}) if kept else None


def _applies(statement: dict[str, Any]) -> bool:
    for operator, conditions in (statement.get("Condition") or {}).items():
        for key, wanted in conditions.items():
            if key.lower() == "aws:securetransport" and operator.startswith("Bool"):
                if "true" not in [str(each).lower() for each in _as_list(wanted)]:
                    return False
            elif statement.get("Effect") == "Deny":
                log.info("bucket policy: Deny %s not applied: its condition on %s", statement.get("Sid"), key)
                return False
    return True


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
