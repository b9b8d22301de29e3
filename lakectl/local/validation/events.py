"""EventBridge: rule names, patterns, the number of targets, whose events they are.

Wrapped: ``EventsBackend.put_rule``, ``put_targets``, ``put_events``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.models import EventsBackend

from lakectl.local.validation import constraint

RULE_NAME = re.compile(r"[\.\-_A-Za-z0-9]{1,64}")
MAX_TARGETS = 5
MAX_ENTRIES = 10
COMPARISONS = {"prefix", "suffix", "anything-but", "numeric", "exists", "cidr", "equals-ignore-case", "wildcard"}


def install() -> None:
    EventsBackend.put_rule = _rule(EventsBackend.put_rule)
    EventsBackend.put_targets = _targets(EventsBackend.put_targets)
    EventsBackend.put_events = _events(EventsBackend.put_events)


def _rule(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_rule(self: EventsBackend, name: str, **fields: Any) -> Any:
        if not RULE_NAME.fullmatch(name or ""):
            rule = f"satisfy regular expression pattern: {RULE_NAME.pattern}"
            raise ValidationException(constraint.text(name, "name", rule))
        if fields.get("event_pattern"):
            _check_pattern(fields["event_pattern"])
        return original(self, name, **fields)

    return put_rule


def _check_pattern(text: str) -> None:
    try:
        pattern = json.loads(text)
    except ValueError:
        return  # moto refuses it itself
    _check_node(pattern)


def _check_node(node: Any) -> None:
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "$or" and isinstance(value, list):
            for each in value:
                _check_node(each)
        elif isinstance(value, dict):
            _check_node(value)
        elif isinstance(value, list):
            for each in value:
                if isinstance(each, dict) and not each.keys() <= COMPARISONS:
                    raise InvalidEventPatternException(f"Unrecognized match type {next(iter(each))}")


def _targets(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_targets(self: EventsBackend, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> Any:
        bus = self.event_buses.get((event_bus_arn or "default").rpartition("/")[2])
        rule = bus.rules.get(name) if bus is not None else None
        if rule is not None:
            known = {target["Id"] for target in rule.targets}
            if len(known | {target["Id"] for target in targets}) > MAX_TARGETS:
                message = "The requested resource exceeds the maximum number allowed."
                raise JsonRESTError("LimitExceededException", message)
        return original(self, name, event_bus_arn, targets)

    return put_targets


def _events(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_events(self: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(events) > MAX_ENTRIES:
            refused: list[dict[str, Any]] = original(self, events)
            return refused
        allowed = [event for event in events if not str(event.get("Source", "")).startswith("aws.")]
        answers = iter(original(self, allowed) if allowed else [])
        denied = {
            "ErrorCode": "NotAuthorizedForSourceException",
            "ErrorMessage": "Not authorized for the source.",
        }
        return [next(answers) if event in allowed else dict(denied) for event in events]

    return put_events
