"""SQS: a queue keeps its policy when another attribute is set, tells who waits for its messages, and costs the same
with many of them.

Wrapped: ``Queue._set_attributes``. moto drops the policy with every SetQueueAttributes that does not name it.
Wrapped: ``SQSBackend.send_message``, and the counts of messages, which it makes and does not use. Replaced:
``Queue.messages``, ``Queue.delete_message`` and ``SQSBackend.is_message_valid_based_on_retention_period``: with 600
messages moto takes 20 ms to send one, and 90 ms to receive and delete one, most of it to read the clock 8,000 times.
``Queue.add_message`` is wrapped: Lambda's pollers hear of a message once it is on disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend

from lakectl.local.context import LocalContext

COUNTS = (
    "approximate_number_of_messages",
    "approximate_number_of_messages_delayed",
    "approximate_number_of_messages_not_visible",
)

on_message: list[Callable[[str], None]] = []  # called with a queue's ARN
_sending = threading.local()


def install(context: LocalContext) -> None:
    Queue._set_attributes = _keeping_policy(Queue._set_attributes)
    Queue.add_message = _telling(Queue.add_message, context)
    SQSBackend.send_message = _uncounted(SQSBackend.send_message)
    for name in COUNTS:
        setattr(Queue, name, property(_count(getattr(Queue, name).fget)))
    Queue.messages = property(_messages)
    Queue.delete_message = _delete_message
    SQSBackend.is_message_valid_based_on_retention_period = _is_retained


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


def _uncounted(original: Callable[..., Message]) -> Callable[..., Message]:
    def send_message(self: SQSBackend, *args: Any, **kwargs: Any) -> Message:
        _sending.uncounted = True
        try:
            return original(self, *args, **kwargs)
        finally:
            _sending.uncounted = False

    return send_message


def _count(original: Callable[[Queue], int]) -> Callable[[Queue], int]:
    return lambda queue: 0 if getattr(_sending, "uncounted", False) else original(queue)


def _messages(self: Queue) -> list[Message]:
    """Those that can be received now."""
    now = time.time() * 1000
    return [each for each in self._messages if now > each.visible_at and now >= each.delayed_until]


def _delete_message(self: Queue, receipt_handle: str) -> None:
    if receipt_handle in self.deleted_messages:
        return
    found = next((each for each in self._messages if _has(each, receipt_handle)), None)
    if found is None:
        raise ReceiptHandleIsInvalid()
    self.pending_messages.discard(found)
    self.deleted_messages.update(found.all_receipt_handles)
    self._messages = [message for message in self._messages if message is not found]


def _has(message: Message, receipt_handle: str) -> bool:
    return message.receipt_handle == receipt_handle or receipt_handle in message._old_receipt_handles


def _is_retained(self: SQSBackend, queue_name: str, message: Message) -> bool:
    retained_seconds: int = self.get_queue(queue_name).message_retention_period
    return bool(retained_seconds + message.sent_timestamp / 1000 > time.time())
