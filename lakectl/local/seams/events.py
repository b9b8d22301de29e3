"""EventBridge: moto keeps buses, rules and targets; matching, delivery and schedules are ours.

Replaced: ``Rule.send_to_targets``, which PutEvents calls for each rule (a schedule-only rule matches everything, a
Lambda target is HTTP 500), and ``EventsHandler.test_event_pattern`` (answers nothing). Wrapped:
``EventsBackend.put_rule``, for the expression's syntax and because AWS ignores the tags of a rule that exists.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend, Rule
from moto.events.responses import EventsHandler

from lakectl.local import event_bus, event_matching, schedule
from lakectl.local.context import LocalContext
from lakectl.local.validation import event_patterns


def install(context: LocalContext) -> None:
    Rule.send_to_targets = _send_to_targets(context)
    EventsBackend.put_rule = _checked_rule(EventsBackend.put_rule)
    EventsHandler.test_event_pattern = _test_event_pattern
    event_bus.register(context)
    scheduler = event_bus.Scheduler(context)
    context.on_load.append(scheduler.load)
    context.on_start.append(scheduler.start)


def _send_to_targets(context: LocalContext) -> Callable[..., None]:
    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:  # noqa: ARG001
        event = {**original_event, "time": _iso(original_event.get("time"))}
        event.pop("ingestion-time", None)
        if event_bus.matches(self, event):
            event_bus.send_to_targets(context, self, event)

    return send_to_targets


def _test_event_pattern(self: EventsHandler) -> Any:
    event_patterns.check(self._get_param("EventPattern"))
    pattern, event = (json.loads(self._get_param(name)) for name in ("EventPattern", "Event"))
    return self._create_response({"Result": event_matching.matches(pattern, event)})


def _checked_rule(original: Callable[..., Rule]) -> Callable[..., Rule]:
    def put_rule(self: EventsBackend, name: str, **kwargs: Any) -> Rule:
        expression = kwargs.get("scheduled_expression")
        if expression:
            try:
                schedule.parse(expression)
            except ValueError as error:
                raise ValidationException("Parameter ScheduleExpression is not valid.") from error
        bus = self.event_buses.get((kwargs.get("event_bus_arn") or "default").rpartition("/")[2])
        if bus is not None and name in bus.rules:
            kwargs["tags"] = None
        return original(self, name, **kwargs)

    return put_rule


def _iso(when: Any) -> str:
    if isinstance(when, str) and not when.replace(".", "").isdigit():
        return when
    moment = datetime.fromtimestamp(float(when), UTC) if when else datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
