"""EventBridge: who gets an event, what they get, and what happens when they can't be reached."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.events.models import EventsBackend, Rule, events_backends

from lakectl.local import event_input, event_matching, schedule, services
from lakectl.local.context import LocalContext
from lakectl.local.durable.outbox import Again
from lakectl.local.iam import resource_policies, roles

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
MOST_RETRIES, MOST_SECONDS = 185, 86_400  # of a target without a RetryPolicy
MOST_DELAY_SECONDS = 600.0
NOT_RETRIED = "not retried"
EVENT = "event"  # an event on its way to the rules of a bus
TARGET = "event-target"  # an event on its way to one target
DUE = "schedule"


def register(context: LocalContext) -> None:
    context.outbox.register(EVENT, lambda event, bus: publish(context, event, bus))
    context.outbox.register(TARGET, lambda **delivery: _send_or_bury(context, **delivery))


def new_event(
    context: LocalContext,
    source: str,
    detail_type: str,
    detail: dict[str, Any],
    resources: list[str],
    region: str,
    when: datetime | None = None,
) -> dict[str, Any]:
    """An event's envelope, as it arrives at a target."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": context.account_id,
        "time": (when or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def publish(context: LocalContext, event: dict[str, Any], bus: str = "default") -> None:
    """Offer an event to every rule of a bus in the event's region. Targets are reached in the background."""
    backend: EventsBackend = events_backends[context.account_id][event["region"]]
    event_bus = backend.event_buses.get(bus)
    if event_bus is None:
        log.warning("event %s dropped: no event bus %s in %s", event["id"], bus, event["region"])
        return
    for rule in list(event_bus.rules.values()):
        if matches(rule, event):
            send_to_targets(context, rule, event)


def matches(rule: Rule, event: dict[str, Any]) -> bool:
    """A rule without a pattern has a schedule instead, and matches no event."""
    if rule.state == "DISABLED" or not rule.event_pattern.get_pattern():
        return False
    try:
        return event_matching.matches(rule.event_pattern.get_pattern(), event)
    except Exception:  # of a rule that was made before patterns were checked: the others get the event
        log.exception("rule %s: its pattern can't be evaluated, and matches no event", rule.name)
        return False


def send_to_targets(context: LocalContext, rule: Rule, event: dict[str, Any]) -> None:
    for target in list(rule.targets):
        context.outbox.post(TARGET, rule_name=rule.name, rule_arn=rule.arn, target=target, event=event)


class TargetError(Exception):
    """A target could not be reached; ``code`` is what EventBridge writes on the dead letter."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _send_or_bury(
    context: LocalContext,
    rule_name: str,
    rule_arn: str,
    target: dict[str, Any],
    event: dict[str, Any],
    attempts: int = 0,
    since: float = 0.0,
) -> None:
    """Try once. Raises Again while the target's RetryPolicy lets it; else the event goes to the dead-letter queue."""
    since = since or time.time()
    try:
        _send(context, rule_arn, target, event)
    except Exception as error:
        if context.outbox.stopping:
            raise
        delay = retry_delay_seconds(attempts)
        exhausted = _exhausted(target.get("RetryPolicy") or {}, error, attempts, time.time() + delay - since)
        if not exhausted:
            log.info("rule %s: target %s: %s; again in %.1f s", rule_name, target["Arn"], error, delay)
            same = {"rule_name": rule_name, "rule_arn": rule_arn, "target": target, "event": event}
            raise Again(delay, same | {"attempts": attempts + 1, "since": since}) from None
        code = str(getattr(error, "code", None) or "SDK_CLIENT_ERROR")
        log.warning("rule %s: target %s: %s: %s", rule_name, target["Arn"], code, error)
        dead_letter = (target.get("DeadLetterConfig") or {}).get("Arn")
        if dead_letter is not None and not _may_send(dead_letter, rule_arn, target):
            log.warning(
                "rule %s: event %s lost: %s does not let it send to it", rule_name, event.get("id"), dead_letter
            )
        elif dead_letter is not None:
            attributes = {
                "RULE_ARN": rule_arn,
                "TARGET_ARN": target["Arn"],
                "ERROR_CODE": code,
                "ERROR_MESSAGE": str(error)[:1024] or code,
                "RETRY_ATTEMPTS": str(attempts),
            }
            if exhausted != NOT_RETRIED:
                attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
            _send_to_queue(context, dead_letter, json.dumps(event), attributes)


def retry_delay_seconds(attempts: int) -> float:
    """EventBridge backs off exponentially, with jitter."""
    return min(2.0**attempts, MOST_DELAY_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret


def _exhausted(policy: dict[str, Any], error: Exception, attempts: int, age_seconds: float) -> str:
    """Why it is not tried again; empty: it is."""
    if not _may_pass(error):
        return NOT_RETRIED
    if attempts >= policy.get("MaximumRetryAttempts", MOST_RETRIES):
        return "MaximumRetryAttempts"
    return "MaximumEventAgeInSeconds" if age_seconds > policy.get("MaximumEventAgeInSeconds", MOST_SECONDS) else ""


def _may_pass(error: Exception) -> bool:
    """Want of a permission or of the target does not pass by itself: that is not tried again, as on AWS."""
    if isinstance(error, TargetError):
        return False
    status = getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return bool(status >= 500 or status == 429)


def _send(context: LocalContext, rule_arn: str, target: dict[str, Any], event: dict[str, Any]) -> None:
    arn = target["Arn"]
    service, region = arn.split(":")[2:4]
    payload = event_input.target_input(target, event, rule_arn)
    if service == "lambda":
        _send_to_function(arn, rule_arn, payload)
    elif service == "sqs":
        if not _may_send(arn, rule_arn, target):
            raise TargetError("NO_PERMISSIONS", f"{arn} does not let {rule_arn} send to it, or does not exist")
        group = (target.get("SqsParameters") or {}).get("MessageGroupId")
        _send_to_queue(context, arn, payload, {}, group)
    elif service == "sns":
        context.client("sns", region).publish(TopicArn=arn, Message=payload)
    elif service == "logs":
        _send_to_log_group(context, arn, payload)
    elif service == "events" and ":event-bus/" in arn:
        publish(context, {**event, "region": region}, arn.rpartition("/")[2])
    else:
        raise TargetError("UNSUPPORTED_TARGET", f"the local endpoint can't reach a target of {service}")


def _send_to_function(arn: str, rule_arn: str, payload: str) -> None:
    service = services.lambda_service()
    if service.find(arn) is None:
        raise TargetError("RESOURCE_NOT_FOUND", f"Function not found: {arn}")
    if not service.may_invoke(arn, "events.amazonaws.com", rule_arn):
        raise TargetError("NO_PERMISSIONS", f"{arn} does not let {rule_arn} invoke it")
    service.invoke_async(arn, payload)


def _may_send(queue_arn: str, rule_arn: str, target: dict[str, Any]) -> bool:
    """Whether the queue's policy lets the rule send to it, or the role that the target names may."""
    role = target.get("RoleArn")
    if role and not roles.refusal(role, "EventBridge", "sqs:SendMessage", queue_arn):
        return True
    account = rule_arn.split(":")[4]
    return resource_policies.lets_service("events.amazonaws.com", "sqs:SendMessage", queue_arn, rule_arn, account)


def _send_to_queue(
    context: LocalContext, arn: str, body: str, attributes: dict[str, str], group: str | None = None
) -> None:
    _, _, _, region, _, name = arn.split(":")
    client = context.client("sqs", region)
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    typed = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
    fifo = {"MessageGroupId": group} if group else {}
    client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=typed, **fifo)


def _send_to_log_group(context: LocalContext, arn: str, payload: str) -> None:
    region, name = arn.split(":")[3], arn.split(":log-group:")[1].removesuffix(":*")
    client = context.client("logs", region)
    stream = str(uuid.uuid4())
    client.create_log_stream(logGroupName=name, logStreamName=stream)
    entry = {"timestamp": int(time.time() * 1000), "message": payload}
    client.put_log_events(logGroupName=name, logStreamName=stream, logEvents=[entry])


class Scheduler:
    """Fires the rules that have a ScheduleExpression. ``tick`` is all it does; tests call it with their clock.

    A rate starts to count when the rule is first seen, as on AWS, where it is when the rule is created.
    """

    def __init__(self, context: LocalContext, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.context = context
        self.clock = clock
        self._due: dict[tuple[str, str], datetime | None] = {}

    def load(self) -> None:
        """When what earlier servers have seen falls due. For the start, before the first request."""

        def read(arn: str, expression: str, value: bytes) -> None:
            self._due[arn, expression] = datetime.fromisoformat(value.decode()) if value else None

        self.context.database.load(DUE, read)

    def start(self) -> None:
        threading.Thread(target=self._run, name="scheduler", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self.tick()
            except Exception:
                log.exception("the scheduler failed once")
            time.sleep(TICK_SECONDS)

    def tick(self) -> None:
        now = self.clock()
        seen = set()
        for region, rule in self._scheduled_rules():
            key = (rule.arn, rule.scheduled_expression)
            seen.add(key)
            every = schedule.parse(rule.scheduled_expression)
            if key not in self._due:
                self._set(key, every.next_after(now))
            due = self._due[key]
            if due is None or due > now:
                continue
            # A machine that slept fires once, not once for each missed time; so does a server that was stopped.
            with self.context.database.transaction():
                self._set(key, every.next_after(now))
                if rule.state != "DISABLED":
                    log.info("schedule %s fires", rule.name)
                    event = new_event(self.context, "aws.events", "Scheduled Event", {}, [rule.arn], region, when=due)
                    send_to_targets(self.context, rule, event)
        for key in self._due.keys() - seen:
            del self._due[key]
            self.context.database.delete(DUE, *key)

    def _set(self, key: tuple[str, str], due: datetime | None) -> None:
        self._due[key] = due
        self.context.database.put(DUE, *key, due.isoformat().encode() if due else b"")

    def _scheduled_rules(self) -> list[tuple[str, Rule]]:
        backends = events_backends[self.context.account_id]
        return [
            (region, rule)
            for region, backend in list(dict.items(backends))
            for rule in list(backend.event_buses["default"].rules.values())
            if rule.scheduled_expression
        ]
