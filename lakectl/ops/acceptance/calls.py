"""The calls of AWS that a step makes: how many, and the request ids of those that write or fail."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from lakectl.aws import AwsCall

# The beginnings of operations that only read (AWS's own verbs).
READS = ("Get", "List", "Describe", "BatchGet", "Head", "Simulate")
# What a read answers of something that is not there, which most of them ask for.
ABSENT = frozenset(
    ("404", "NoSuchBucket", "NoSuchEntity", "ResourceNotFoundException", "EntityNotFoundException")
    + ("AWS.SimpleQueueService.NonExistentQueue", "NoSuchLifecycleConfiguration", "NoSuchBucketPolicy", "NoSuchTagSet")
)
MOST_KEPT = 200  # of one step


class Calls:
    """Takes calls from any thread, in the order in which they end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[AwsCall] = []

    def take(self, call: AwsCall) -> None:
        with self._lock:
            self._calls.append(call)

    def count(self) -> int:
        """So many calls by now; for :meth:`since`."""
        with self._lock:
            return len(self._calls)

    def since(self, start: int) -> list[AwsCall]:
        with self._lock:
            return self._calls[start:]

    def writes(self, start: int) -> list[AwsCall]:
        return [call for call in self.since(start) if not call.operation.startswith(READS)]

    def told(self, start: int, *, brief: bool = False) -> dict[str, Any]:
        """The calls since ``start``: their number by operation; unless ``brief``, those that write or fail one by one,
        at most the last :data:`MOST_KEPT`; a read that finds nothing is no failure."""
        made = self.since(start)
        counts = Counter(f"{call.service} {call.operation}" for call in made)
        told: dict[str, Any] = {"count": len(made), "by_operation": dict(sorted(counts.items()))}
        if not brief:
            kept = [call for call in made if not call.operation.startswith(READS) or _failed(call)]
            told["requests"] = [_as_data(call) for call in kept[-MOST_KEPT:]]
        return told


def _failed(call: AwsCall) -> bool:
    return bool(call.error) or call.code not in ABSENT | {""}


def _as_data(call: AwsCall) -> dict[str, Any]:
    answer = call.code or call.error or "ok"
    operation = f"{call.service} {call.operation}"
    return {
        "operation": operation,
        "answer": answer,
        "status": call.status,
        "request_id": call.request_id,
        "seconds": round(call.seconds, 3),
    }
