"""A queue as an event source: receive, invoke, delete. What the function fails on comes back when its visibility
timeout has passed, and goes to the dead-letter queue by the queue's own redrive policy.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from moto.sqs.models import Queue, sqs_backends

from lakectl.local.context import LocalContext, LoggingExecutor
from lakectl.local.functions.asynchronous import AsyncTarget
from lakectl.local.functions.event_sources import filters, responses, rules
from lakectl.local.functions.process import Invocation
from lakectl.local.functions.runtime import WORKERS_PER_FUNCTION, Throttled
from lakectl.local.functions.service import LambdaService
from lakectl.local.iam import roles

AT_ONCE = 10  # messages that ReceiveMessage and DeleteMessageBatch take
FULL_BYTES = 3 << 20  # of bodies; with ten more messages it is still less than the 6 MB of an invocation
THROTTLED_SECONDS = 0.5
POLL_SECONDS = 0.2  # within a batching window

log = logging.getLogger(__name__)


class QueueSource:
    """One mapping's. ``step`` is called by one thread; batches run in others."""

    def __init__(self, context: LocalContext, service: LambdaService, stop: threading.Event) -> None:
        self._context = context
        self._service = service
        self._stop = stop
        self._running = 0
        self._told = ""
        self._lock = threading.Lock()
        self._pool = LoggingExecutor(WORKERS_PER_FUNCTION, "event-source")

    @property
    def working(self) -> bool:
        return self._running > 0

    def close(self) -> None:
        self._pool.shutdown(wait=False)

    def step(self, mapping: Mapping[str, Any], target: AsyncTarget) -> bool:
        """Begin one batch. False when there is nothing to do now."""
        queue, most = _queue(mapping), (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency")
        if queue is None or self._running >= min(most or WORKERS_PER_FUNCTION, WORKERS_PER_FUNCTION):
            return False
        if not queue.messages or self._refused(mapping, target):
            return False
        records = self._receive(mapping, queue)
        if not records:
            return False
        visible_again = time.monotonic() + float(queue.visibility_timeout)
        with self._lock:
            self._running += 1
        self._pool.submit(self._run, mapping, target, records, visible_again)
        return True

    def _refused(self, mapping: Mapping[str, Any], target: AsyncTarget) -> bool:
        spec, arn = target.spec, mapping["EventSourceArn"]
        each = (roles.refusal(spec.role, spec.name, f"sqs:{action.lower()}", arn) for action in rules.SQS_ACTIONS)
        refusal = next(filter(None, each), "")
        if refusal and refusal != self._told:  # asked each second
            log.warning("event source mapping %s: %s", mapping["UUID"], refusal)
        self._told = refusal
        return bool(refusal)

    def _client(self, mapping: Mapping[str, Any]) -> tuple[Any, str]:
        _, _, _, region, account, name = mapping["EventSourceArn"].split(":", 5)
        return self._context.client("sqs", region), f"{self._context.endpoint_url}/{account}/{name}"

    def _receive(self, mapping: Mapping[str, Any], queue: Queue) -> list[dict[str, Any]]:
        """Up to BatchSize messages, or what comes within the batching window after the first."""
        client, url = self._client(mapping)
        found: list[dict[str, Any]] = []
        until = time.monotonic() + mapping["MaximumBatchingWindowInSeconds"]
        while len(found) < mapping["BatchSize"] and sum(len(each["Body"]) for each in found) < FULL_BYTES:
            answer = client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(AT_ONCE, mapping["BatchSize"] - len(found)),
                WaitTimeSeconds=0,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            messages = answer.get("Messages", [])
            found += messages
            if not messages and (not found or time.monotonic() >= until or self._stop.wait(POLL_SECONDS)):
                break
            if messages and not queue.messages and time.monotonic() >= until:
                break
        return found

    def _run(
        self, mapping: Mapping[str, Any], target: AsyncTarget, messages: list[dict[str, Any]], visible_again: float
    ) -> None:
        try:
            wanted: list[dict[str, Any]] = []
            unwanted: list[dict[str, Any]] = []
            for message in messages:
                record = event_record(mapping, message)
                (wanted if filters.let_through(mapping.get("FilterCriteria"), record) else unwanted).append(record)
            self._delete(mapping, unwanted)
            if wanted:
                self._invoke(mapping, target, wanted, visible_again)
        finally:
            with self._lock:
                self._running -= 1

    def _invoke(
        self, mapping: Mapping[str, Any], target: AsyncTarget, records: list[dict[str, Any]], visible_again: float
    ) -> None:
        payload = json.dumps({"Records": records})
        while True:
            try:
                outcome = self._service.invoke(target, Invocation(payload, mapping["FunctionArn"]))
                break
            except Throttled:
                if time.monotonic() + THROTTLED_SECONDS > visible_again or self._stop.wait(THROTTLED_SECONDS):
                    return  # they come back
        if self._context.outbox.stopping:
            return  # its process may have been killed
        again = responses.failed(mapping, outcome, [record["messageId"] for record in records])
        self._delete(mapping, [record for record in records if record["messageId"] not in again])

    def _delete(self, mapping: Mapping[str, Any], records: list[dict[str, Any]]) -> None:
        client, url = self._client(mapping)
        for start in range(0, len(records), AT_ONCE):
            entries = [
                {"Id": str(at), "ReceiptHandle": record["receiptHandle"]}
                for at, record in enumerate(records[start : start + AT_ONCE])
            ]
            client.delete_message_batch(QueueUrl=url, Entries=entries)


def _queue(mapping: Mapping[str, Any]) -> Queue | None:
    _, _, _, region, account, name = mapping["EventSourceArn"].split(":", 5)
    return sqs_backends[account][region].queues.get(name)


def event_record(mapping: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as a function gets it, as recorded on AWS."""
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping["EventSourceArn"],
        "awsRegion": mapping["EventSourceArn"].split(":")[3],
    }
    if message.get("MD5OfMessageAttributes"):
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        found["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        found["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return found
