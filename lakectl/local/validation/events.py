"""EventBridge: rule names, targets, what an event may be and whose it is.

Wrapped: ``EventsBackend.put_rule``, ``describe_rule``, ``put_targets``, ``put_events``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.events.exceptions import ResourceNotFoundException, ValidationException
from moto.events.models import EventsBackend

from lakectl.local import event_input
from lakectl.local.validation import constraint, event_patterns

NAME = re.compile(r"[\.\-_A-Za-z0-9]+")  # of rules, and ids of targets
INPUTS = ("Input", "InputPath", "InputTransformer")
MAX_NAME = 64
MAX_TARGETS = 5
MAX_ENTRIES = 10
MAX_BYTES = 1_048_576
TIME_BYTES = 14  # what "Calculating PutEvents event entry size" counts for Time


def install() -> None:
    EventsBackend.put_rule = _rule(EventsBackend.put_rule)
    EventsBackend.describe_rule = _described(EventsBackend.describe_rule)
    EventsBackend.put_targets = _targets(EventsBackend.put_targets)
    EventsBackend.put_events = _events(EventsBackend.put_events)


def _rule(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_rule(self: EventsBackend, name: str, **fields: Any) -> Any:
        _check_name(name or "", "name")
        if fields.get("event_pattern"):
            event_patterns.check(fields["event_pattern"])
        return original(self, name, **fields)

    return put_rule


def _check_name(name: str, place: str) -> None:
    if len(name) > MAX_NAME:
        raise ValidationException(constraint.text(name, place, f"have length less than or equal to {MAX_NAME}"))
    if not NAME.fullmatch(name):
        rule = f"satisfy regular expression pattern: {NAME.pattern}"
        raise ValidationException(constraint.text(name, place, rule))


def _described(original: Callable[..., Any]) -> Callable[..., Any]:
    def describe_rule(self: EventsBackend, name: str, event_bus_arn: str | None) -> Any:
        bus_name = (event_bus_arn or "default").rpartition("/")[2]
        bus = self.event_buses.get(bus_name)
        if bus is not None and name not in bus.rules:
            raise ResourceNotFoundException(f"Rule {name} does not exist on EventBus {bus_name}.")
        return original(self, name, event_bus_arn)

    return describe_rule


def _targets(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_targets(self: EventsBackend, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> Any:
        for number, target in enumerate(targets, 1):
            _check_name(target["Id"], f"targets.{number}.member.id")
            _check_input(target)
        bus = self.event_buses.get((event_bus_arn or "default").rpartition("/")[2])
        rule = bus.rules.get(name) if bus is not None else None
        if rule is not None:
            known = {target["Id"] for target in rule.targets}
            if len(known | {target["Id"] for target in targets}) > MAX_TARGETS:
                message = "The requested resource exceeds the maximum number allowed."
                raise JsonRESTError("LimitExceededException", message)
        return original(self, name, event_bus_arn, targets)

    return put_targets


def _check_input(target: dict[str, Any]) -> None:
    if sum(target.get(name) is not None for name in INPUTS) > 1:
        raise ValidationException(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
        )
    transformer = target.get("InputTransformer") or {}
    unknown = event_input.unknown_placeholders(
        transformer.get("InputTemplate", ""), (transformer.get("InputPathsMap") or {}).keys()
    )
    if unknown:
        raise ValidationException(f"InputTemplate for target {target['Id']} contains invalid placeholder {unknown[0]}.")


def _events(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_events(self: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(events) > MAX_ENTRIES:
            refused: list[dict[str, Any]] = original(self, events)
            return refused
        if sum(map(_size, events)) >= MAX_BYTES:
            raise ValidationException("Total size of the entries in the request is over the limit.")
        refusals = [_refusal(event) for event in events]
        taken = [event for event, refusal in zip(events, refusals, strict=True) if refusal is None]
        answers = iter(original(self, taken) if taken else [])
        return [next(answers) if refusal is None else refusal for refusal in refusals]

    return put_events


def _size(event: dict[str, Any]) -> int:
    texts = [event.get(name) or "" for name in ("Source", "DetailType", "Detail")]
    size = sum(len(str(text).encode()) for text in [*texts, *(event.get("Resources") or [])])
    return size + (TIME_BYTES if event.get("Time") else 0)


def _refusal(event: dict[str, Any]) -> dict[str, Any] | None:
    """Why this entry alone is not taken. What else is wrong with one is left to moto."""
    if str(event.get("Source", "")).startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    try:
        detail = json.loads(event.get("Detail") or "{}")
    except ValueError:
        return None
    if isinstance(detail, dict):
        return None
    return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
