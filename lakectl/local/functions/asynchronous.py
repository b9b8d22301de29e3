"""Asynchronous invocation: a queue for each function, retries, then the destination or dead-letter queue."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakectl.local.context import LocalContext, LoggingExecutor
from lakectl.local.functions.invoke_configs import ACTIONS
from lakectl.local.functions.process import FunctionSpec, Invocation, Outcome
from lakectl.local.functions.runtime import WORKERS_PER_FUNCTION, LambdaRuntime, Throttled
from lakectl.local.iam import roles

INVOCATION = "invocation"  # an asynchronous invocation, from its acceptance to its end
DEFAULT_RETRIES = 2
DEFAULT_MAX_AGE_SECONDS = 21_600
THROTTLED_SECONDS = 1.0  # on AWS it grows from one second to five minutes
PENDING_SECONDS = 0.1  # between two looks at a function that is being created

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AsyncTarget:
    """A function as it is now, with what AWS calls its event invoke config and its DeadLetterConfig."""

    spec: FunctionSpec
    pending: bool = False  # it is being created
    max_retries: int = DEFAULT_RETRIES
    max_age_seconds: int = DEFAULT_MAX_AGE_SECONDS
    reserved: int | None = None  # concurrent executions
    on_success: str | None = None  # ARNs
    on_failure: str | None = None
    dead_letter: str | None = None


@dataclass
class Delivery:
    """One event on its way to one function; the request id stays the same over all attempts, as on AWS."""

    delivery: str  # its id in the outbox
    arn: str
    payload: str
    request_id: str
    attempts: int
    accepted: float

    def fields(self) -> dict[str, Any]:
        """What it begins again with after a restart."""
        return {name: value for name, value in vars(self).items() if name != "delivery"}


def retry_delay_seconds() -> float:
    """How long the first retry waits; the second waits twice as long. On AWS: one minute, two minutes."""
    return float(os.environ.get("LAKECTL_LAMBDA_RETRY_DELAY", "60"))


class AsyncInvoker:
    """Accepts events and never loses one in silence: it ends in success, a destination, or the server's log."""

    def __init__(
        self, context: LocalContext, runtime: LambdaRuntime, find: Callable[[str], AsyncTarget | None]
    ) -> None:
        """``find`` gives the function with an ARN as it is at each attempt."""
        self.context = context
        self._find = find
        self.runtime = runtime
        self._queues: dict[str, LoggingExecutor] = {}
        self._lock = threading.Lock()
        context.outbox.register(INVOCATION, self._begin, own_end=True)

    def submit(self, arn: str, payload: str) -> str:
        """Queue an event: when this returns it is on disk. Returns the request id."""
        request_id = str(uuid.uuid4())
        self.context.outbox.post(
            INVOCATION, arn=arn, payload=payload, request_id=request_id, attempts=0, accepted=time.time()
        )
        return request_id

    def _begin(self, **fields: Any) -> None:
        delivery = Delivery(**fields)
        self._queue(delivery.arn).submit(self._attempt, delivery)

    def _queue(self, arn: str) -> LoggingExecutor:
        # A queue of its own for each function: a slow one must not hold up the others.
        with self._lock:
            if arn not in self._queues:
                self._queues[arn] = LoggingExecutor(WORKERS_PER_FUNCTION, f"async-{arn.rpartition(':')[2]}")
            return self._queues[arn]

    def _attempt(self, delivery: Delivery) -> None:
        target = self._find(delivery.arn)
        if target is None:
            log.warning("event %s dropped: %s does not exist any more", delivery.request_id, delivery.arn)
            self._done(delivery)
            return
        if target.pending:
            self._later(PENDING_SECONDS, delivery)
            return
        delivery.attempts += 1
        try:
            outcome = self._run(target, delivery)
        except Throttled:
            self._throttled(target, delivery)
            return
        if self.context.outbox.stopping:
            return  # its process may have been killed: it is tried again after the next start
        if not outcome.error:
            self._send(target, target.on_success, delivery, outcome, "Success")
            self._done(delivery)
            return
        delay = retry_delay_seconds() * delivery.attempts
        if delivery.attempts > target.max_retries:
            self._give_up(target, delivery, outcome, "RetriesExhausted")
        elif time.time() + delay - delivery.accepted > target.max_age_seconds:
            self._give_up(target, delivery, outcome, "EventAgeExceeded")
        else:
            self.context.outbox.update(INVOCATION, delivery.delivery, **delivery.fields())
            self._later(delay, delivery)

    def _throttled(self, target: AsyncTarget, delivery: Delivery) -> None:
        """No attempt of the function's: it is tried again for as long as the event may grow old."""
        delivery.attempts -= 1
        if time.time() + THROTTLED_SECONDS - delivery.accepted <= target.max_age_seconds:
            self._later(THROTTLED_SECONDS, delivery)
            return
        failure = {"errorType": "TooManyRequestsException", "errorMessage": "Rate Exceeded."}
        outcome = Outcome(delivery.request_id, json.dumps(failure), True, [], False)
        self._give_up(target, delivery, outcome, "EventAgeExceeded")

    def _later(self, seconds: float, delivery: Delivery) -> None:
        timer = threading.Timer(seconds, lambda: self._queue(delivery.arn).submit(self._attempt, delivery))
        timer.daemon = True
        timer.start()

    def _done(self, delivery: Delivery) -> None:
        self.context.outbox.done(INVOCATION, delivery.delivery)

    def _run(self, target: AsyncTarget, delivery: Delivery) -> Outcome:
        try:
            invocation = Invocation(delivery.payload, delivery.arn, delivery.request_id)
            return self.runtime.invoke(target.spec, invocation, target.reserved)
        except Throttled:
            raise
        except Exception as error:
            # No process could be started (a full disk, say): for AWS a service error, retried like the function's.
            log.exception("event %s for %s: no process", delivery.request_id, target.spec.name)
            failure = {"errorType": "ServiceException", "errorMessage": f"{type(error).__name__}: {error}"}
            return Outcome(delivery.request_id, json.dumps(failure), True, [], False)

    def _give_up(self, target: AsyncTarget, delivery: Delivery, outcome: Outcome, condition: str) -> None:
        log.warning("event %s for %s: %s", delivery.request_id, target.spec.name, condition)
        self._send(target, target.on_failure, delivery, outcome, condition)
        if target.dead_letter is not None:
            error = json.loads(outcome.payload)
            attributes = {
                "RequestID": {"DataType": "String", "StringValue": delivery.request_id},
                "ErrorCode": {"DataType": "Number", "StringValue": "200"},
                "ErrorMessage": {"DataType": "String", "StringValue": str(error.get("errorMessage"))[:1024]},
            }
            if self._may_send(target.spec, target.dead_letter):
                send(self.context, target.dead_letter, delivery.payload, attributes)
        self._done(delivery)

    def _send(self, target: AsyncTarget, arn: str | None, delivery: Delivery, outcome: Outcome, condition: str) -> None:
        if not arn or not self._may_send(target.spec, arn):
            return
        record = destination_record(target.spec, delivery, outcome, condition)
        if arn.split(":")[2] == "events":
            from lakectl.local import event_bus

            kind = "Success" if condition == "Success" else "Failure"
            detail_type = f"Lambda Function Invocation Result - {kind}"
            event = event_bus.new_event(
                self.context, "lambda", detail_type, record, [target.spec.arn], target.spec.region
            )
            event_bus.publish(self.context, event, bus=arn.rpartition("/")[2])
        else:
            send(self.context, arn, json.dumps(record))

    def _may_send(self, spec: FunctionSpec, arn: str) -> bool:
        refusal = roles.refusal(spec.role, spec.name, ACTIONS[arn.split(":")[2]][0].lower(), arn)
        if refusal:
            log.warning("event of %s lost: %s", spec.name, refusal)
        return not refusal


def send(context: LocalContext, arn: str, body: str, attributes: dict[str, Any] | None = None) -> None:
    """Send to a queue, a topic or a function. Whether somebody may is for the caller to ask."""
    _, _, service, region, _, name = arn.split(":", 5)
    if service == "lambda":
        context.client("lambda", region).invoke(FunctionName=arn, InvocationType="Event", Payload=body)
    elif service == "sqs":
        client = context.client("sqs", region)
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes or {})
    else:
        context.client("sns", region).publish(TopicArn=arn, Message=body, MessageAttributes=attributes or {})


def destination_record(spec: FunctionSpec, delivery: Delivery, outcome: Outcome, condition: str) -> dict[str, Any]:
    """The record that Lambda sends to a destination [AWS: "Capturing records of asynchronous invocations"]."""
    response: dict[str, Any] = {"statusCode": 200, "executedVersion": spec.version}
    if outcome.error:
        response["functionError"] = "Unhandled"
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": delivery.request_id,
            "functionArn": f"{spec.arn}:{delivery.arn.removeprefix(spec.arn).removeprefix(':') or '$LATEST'}",
            "condition": condition,
            "approximateInvokeCount": delivery.attempts,
        },
        "requestPayload": json.loads(delivery.payload),
        "responseContext": response,
        "responsePayload": json.loads(outcome.payload),
    }
