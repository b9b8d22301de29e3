"""Input transformation of an EventBridge target: Input, InputPath, InputTransformer."""

from __future__ import annotations

import json
import re
from typing import Any

_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(?:'([^']+)'|\"([^\"]+)\"|(\d+))\]")
_MISSING = object()


def target_input(target: dict[str, Any], event: dict[str, Any]) -> str:
    """What ``target`` gets for ``event``: JSON text (or, from a template in quotes, a JSON string)."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath") is not None:
        return json.dumps(json_path(event, target["InputPath"]))
    transformer = target.get("InputTransformer")
    if transformer:
        return transform(transformer["InputTemplate"], transformer.get("InputPathsMap") or {}, event)
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


def transform(template: str, paths: dict[str, str], event: dict[str, Any]) -> str:
    """Fill an InputTemplate. Inside a JSON string a value is inserted as text, elsewhere as JSON."""
    values = {name: json_path(event, path) for name, path in paths.items()}
    values["aws.events.event"] = {name: value for name, value in event.items() if name != "detail"}
    values["aws.events.event.json"] = event
    values["aws.events.event.ingestion-time"] = event.get("time")

    def fill(found: re.Match[str]) -> str:
        value = values.get(found[1], _MISSING)
        if value is _MISSING:
            return found[0]
        quoted = _inside_string(template, found.start())
        if isinstance(value, str) and quoted:
            return json.dumps(value)[1:-1]
        text = json.dumps(value)
        return json.dumps(text)[1:-1] if quoted else text

    filled = _PLACEHOLDER.sub(fill, template)
    json.loads(filled)
    return filled


def _inside_string(template: str, position: int) -> bool:
    before = re.sub(r"\\.", "", template[:position])
    return before.count('"') % 2 == 1
