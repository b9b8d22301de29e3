"""SQS: a queue keeps its policy when another attribute is set.

Wrapped: ``Queue._set_attributes``. moto drops the policy with every SetQueueAttributes that does not name it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.sqs.models import Queue

from lakectl.local.context import LocalContext


def install(context: LocalContext) -> None:  # noqa: ARG001 - all seams are installed alike
    Queue._set_attributes = _keeping_policy(Queue._set_attributes)


def _keeping_policy(original: Callable[..., None]) -> Callable[..., None]:
    def set_attributes(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        if "Policy" not in attributes and getattr(self, "_policy_json", None):
            attributes = {**attributes, "Policy": self.policy}
        original(self, attributes, now)

    return set_attributes
