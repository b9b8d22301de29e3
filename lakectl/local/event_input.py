"""What an EventBridge target gets: Input, InputPath, InputTransformer [EventBridge user guide, "Input transformation"].

How values are put into a template is as localstack's tests recorded it on AWS (tests/aws/services/events/
test_events_inputs.snapshot.json): into a template that is a quoted text as text, a structure without its quotes; into
any other one as JSON. A path that leads nowhere gives an empty text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(?:'([^']+)'|\"([^\"]+)\"|(\d+))\]")
_OWN = (
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event",
    "aws.events.event.json",
    "aws.events.event.ingestion-time",
)


def target_input(target: dict[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    """What ``target`` gets for ``event``. Raises ValueError where what a template gives is no JSON."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath") is not None:
        return json.dumps(json_path(event, target["InputPath"]))
    transformer = target.get("InputTransformer")
    if transformer:
        return transform(transformer["InputTemplate"], transformer.get("InputPathsMap") or {}, event, rule_arn)
    return json.dumps(event)


def json_path(event: dict[str, Any], path: str) -> Any:
    """The value at a path such as ``$.detail.object.key`` or ``$.resources[0]``; None if there is none."""
    value: Any = event
    position = 1
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise ValueError(f"invalid path {path!r}")
        position = step.end()
        name = step[1] or step[2] or step[3]
        try:
            value = value[name] if name is not None else value[int(step[4])]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def unknown_placeholders(template: str, paths: Iterable[str]) -> list[str]:
    """Names in ``<>`` that neither ``paths`` nor EventBridge itself gives a value."""
    return [name for name in _PLACEHOLDER.findall(template) if name not in paths and name not in _OWN]


def transform(template: str, paths: dict[str, str], event: dict[str, Any], rule_arn: str) -> str:
    """Fill an InputTemplate. Raises ValueError where the result is no JSON."""
    values = {name: json_path(event, path) for name, path in paths.items()}
    values["aws.events.rule-arn"] = rule_arn
    values["aws.events.rule-name"] = rule_arn.rpartition("/")[2]
    head = {name: value for name, value in event.items() if name not in ("detail", "detail-type")}
    values["aws.events.event"] = {**head, "detailType": event.get("detail-type")}
    values["aws.events.event.json"] = event
    values["aws.events.event.ingestion-time"] = event.get("time")
    if template.lstrip().startswith('"'):
        return _PLACEHOLDER.sub(lambda found: _as_text(values[found[1]]) if found[1] in values else found[0], template)

    def as_json(found: re.Match[str]) -> str:
        if found[1] not in values:  # of a target that was put before PutTargets refused it
            return found[0]
        value = values[found[1]]
        if value is None:
            value = ""
        text = json.dumps(value)
        return text[1:-1] if isinstance(value, str) and _inside_string(template, found.start()) else text

    filled = _PLACEHOLDER.sub(as_json, template)
    json.loads(filled)
    return filled


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return json.dumps(value)[1:-1]
    return json.dumps(value, separators=(",", ":")).replace('"', "")


def _inside_string(template: str, position: int) -> bool:
    before = re.sub(r"\\.", "", template[:position])
    return before.count('"') % 2 == 1
