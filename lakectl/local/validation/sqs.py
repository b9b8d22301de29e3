"""SQS: what the attributes of a queue may be. Wrapped: ``SQSBackend.create_queue`` and ``set_queue_attributes``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.sqs.exceptions import InvalidAttributeValue, QueueAlreadyExists
from moto.sqs.models import SQSBackend

# CreateQueue's "Attributes"
RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}


def install() -> None:
    SQSBackend.create_queue = _creating(SQSBackend.create_queue)
    SQSBackend.set_queue_attributes = _setting(SQSBackend.set_queue_attributes)


def _creating(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_queue(self: SQSBackend, name: str, tags: dict[str, str] | None = None, **attributes: Any) -> Any:
        _check(attributes)
        try:
            return original(self, name, tags, **attributes)
        except QueueAlreadyExists as error:
            there = self.queues[name].attributes
            other = next((key for key, value in attributes.items() if str(there.get(key)) != str(value)), "")
            told = f"A queue already exists with the same name and a different value for attribute {other}"
            raise QueueAlreadyExists(told) from error

    return create_queue


def _setting(original: Callable[..., Any]) -> Callable[..., Any]:
    def set_queue_attributes(self: SQSBackend, queue_name: str, attributes: dict[str, Any]) -> Any:
        self.get_queue(queue_name)
        _check(attributes)
        return original(self, queue_name, attributes)

    return set_queue_attributes


def _check(attributes: dict[str, Any]) -> None:
    for name, (low, high) in RANGES.items():
        value = attributes.get(name)
        if value is not None and not (str(value).isdigit() and low <= int(value) <= high):
            raise InvalidAttributeValue(name)
