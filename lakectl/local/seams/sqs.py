"""SQS: a queue keeps its policy when another attribute is set, and tells who waits for its messages.

Wrapped: ``Queue._set_attributes``. moto drops the policy with every SetQueueAttributes that does not name it.
``Queue.add_message``: Lambda's pollers hear of a message once it is on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.sqs.models import Message, Queue

from lakectl.local.context import LocalContext

on_message: list[Callable[[str], None]] = []  # called with a queue's ARN


def install(context: LocalContext) -> None:
    Queue._set_attributes = _keeping_policy(Queue._set_attributes)
    Queue.add_message = _telling(Queue.add_message, context)


def _telling(original: Callable[..., None], context: LocalContext) -> Callable[..., None]:
    def add_message(self: Queue, message: Message) -> None:
        original(self, message)
        arn = self.queue_arn

        def tell() -> None:
            for each in on_message:
                each(arn)

        context.database.after_commit(tell)

    return add_message


def _keeping_policy(original: Callable[..., None]) -> Callable[..., None]:
    def set_attributes(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        if "Policy" not in attributes and getattr(self, "_policy_json", None):
            attributes = {**attributes, "Policy": self.policy}
        original(self, attributes, now)

    return set_attributes
