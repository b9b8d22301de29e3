"""The dead-letter queue: what a function failed on after its retries, and what a rule could not deliver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.core import s3_events
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake

# How long a message that we hold is hidden from others; one that we die with comes back after it.
HIDDEN_S = 120
BATCH = 10  # SQS gives and takes ten messages at a time
# A short poll asks some of SQS's servers only; a long one asks all (SQS developer guide, "Short and long polling").
LONG_POLL_S = 1


@dataclass(frozen=True)
class DeadLetter:
    """An event nobody could handle. ``function`` is where it should have gone, ``""`` when the message does not say."""

    id: str
    function: str
    event: Any
    reason: str
    since: str
    about: str
    receipt: str = field(repr=False, compare=False)


@dataclass(frozen=True)
class DeadLetterQueue:
    """The lake's queue."""

    lake: Lake
    url: str

    def messages(self) -> Iterator[DeadLetter]:
        """Every message in it, each hidden from others for :data:`HIDDEN_S` once it is given out."""
        sqs = self.lake.client("sqs")
        seen: set[str] = set()
        while True:
            answer = sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=BATCH,
                VisibilityTimeout=HIDDEN_S,
                WaitTimeSeconds=LONG_POLL_S,
                AttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            )
            found = [m for m in answer.get("Messages", []) if m["MessageId"] not in seen]
            if not found:
                return
            seen.update(message["MessageId"] for message in found)
            yield from (dead_letter(message) for message in found)

    def delete(self, letter: DeadLetter) -> None:
        self.lake.client("sqs").delete_message(QueueUrl=self.url, ReceiptHandle=letter.receipt)

    def give_back(self, letters: list[DeadLetter]) -> None:
        """Let others see them again at once."""
        for start in range(0, len(letters), BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                for number, letter in enumerate(letters[start : start + BATCH])
            ]
            self.lake.client("sqs").change_message_visibility_batch(QueueUrl=self.url, Entries=entries)


@contextmanager
def opened(lake: Lake) -> Iterator[DeadLetterQueue]:
    """The lake's dead-letter queue. Raises :class:`LakectlError` when it is not there, or AWS rejects a request."""
    name = lake.names.dead_letter_queue
    try:
        yield DeadLetterQueue(lake, str(lake.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]))
    except (ClientError, BotoCoreError) as error:
        if code_of(error) in ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"):
            raise LakectlError(f"there is no queue {name}", "make it with: lakectl up") from error
        raise explain(error, f"reading the queue {name}") from error


def listed(lake: Lake) -> list[DeadLetter]:
    """Everything in the queue, which stays there."""
    with opened(lake) as queue:
        letters: list[DeadLetter] = []
        try:
            letters.extend(queue.messages())
        finally:
            queue.give_back(letters)
    return sorted(letters, key=lambda letter: letter.since)


def dead_letter(message: dict[str, Any]) -> DeadLetter:
    """A message of SQS, in either of the shapes that end in this queue.

    A function's on-failure record (Lambda, "Capturing records of asynchronous invocations") holds the
    event and the error; a rule's dead letter (EventBridge, "Using dead-letter queues") is the event, and
    its attributes say what went wrong.
    """
    try:
        body = json.loads(message["Body"])
    except ValueError:
        body = message["Body"]
    attributes = {k: v.get("StringValue", "") for k, v in message.get("MessageAttributes", {}).items()}
    if isinstance(body, dict) and "requestPayload" in body and "requestContext" in body:
        response = body.get("responsePayload") or {}
        function = str(body["requestContext"].get("functionArn", ""))
        event = body["requestPayload"]
        reason = str(response.get("errorMessage") or body["requestContext"].get("condition", ""))
    else:
        function, event = attributes.get("TARGET_ARN", ""), body
        reason = f"{attributes.get('ERROR_CODE', 'unknown')}: {attributes.get('ERROR_MESSAGE', '')}"
    return DeadLetter(
        id=message["MessageId"],
        # arn:aws:lambda:<region>:<account>:function:<name>[:<version>]
        function=function.split(":")[6] if function.count(":") >= 6 else "",
        event=event,
        reason=" ".join(reason.split()),
        since=_iso(int(message.get("Attributes", {}).get("SentTimestamp", 0))),
        about=about(event),
        receipt=message["ReceiptHandle"],
    )


def about(event: Any) -> str:
    """What an event is about, for people: its keys, or its kind."""
    if not isinstance(event, dict):
        return str(event)[:80]
    keys = [s3_events.key_of(part) or "?" for part in s3_events.parts(event)]
    if not keys:
        return str(event.get("detail-type") or "an event of no known kind")
    return keys[0] if len(keys) == 1 else f"{keys[0]} and {len(keys) - 1} more"


def _iso(milliseconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
