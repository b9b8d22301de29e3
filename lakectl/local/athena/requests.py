"""Whether a request is as the API's model says, in the words in which AWS refuses it."""

from __future__ import annotations

import re
from typing import Any

from lakectl.local.athena.errors import RequestError
from lakectl.local.iam import models


def check(operation: str, request: dict[str, Any]) -> None:
    """Raises RequestError for what is missing, of another type, too long or too short, or no value of an enum.

    A null is as good as nothing, and is taken out.
    """
    model = models.service("athena").operation_model(operation)
    for name in [name for name, value in request.items() if value is None]:
        del request[name]
    if model.input_shape is None:
        return
    problems = [
        problem for problem in _problems(model.input_shape, request, "") if problem != _LATER.get(operation, "")
    ]
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise RequestError(count + "; ".join(problems), athena_error_code="INVALID_INPUT")


# What Athena looks at after it has found the query.
_LATER = {
    "GetQueryResults": "Value at 'maxResults' failed to satisfy constraint: "
    "Member must have value less than or equal to 1000"
}


def _problems(shape: Any, value: Any, place: str) -> list[str]:
    kind = shape.type_name
    if not isinstance(value, _TYPES.get(kind, object)) or (kind != "boolean" and isinstance(value, bool)):
        return [_says(place, f"be of type {kind}")]
    found: list[str] = []
    if kind == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                found.append(
                    f"Value null at '{_below(place, name)}' failed to satisfy constraint: Member must not be null"
                )
        for name, member in shape.members.items():
            if value.get(name) is not None:
                found += _problems(member, value[name], _below(place, name))
        return found
    if kind == "list":
        for at, item in enumerate(value, start=1):
            found += _problems(shape.member, item, f"{place}.{at}.member")
    if kind == "map":
        for key, item in value.items():
            found += _problems(shape.value, item, f"{place}.{key}.value")
    return found + _bounds(shape, value, place)


_TYPES: dict[str, Any] = {
    "structure": dict,
    "list": list,
    "map": dict,
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
}


def _bounds(shape: Any, value: Any, place: str) -> list[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    number = isinstance(value, int)
    size, what = (value, "value") if number else (len(value), "length") if hasattr(value, "__len__") else (0, "")
    found = []
    if low is not None and size < low:
        found.append(_says(place, f"have {what} greater than or equal to {low}"))
    if high is not None and size > high:
        found.append(_says(place, f"have {what} less than or equal to {high}"))
    enum, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if enum and value not in enum:
        found.append(_says(place, f"satisfy enum value set: [{', '.join(enum)}]"))
    if pattern and isinstance(value, str) and not _matches(pattern, value):
        found.append(_says(place, f"satisfy regular expression pattern: {pattern}"))
    return found


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # a pattern of Java's that Python does not read: surrogates
        return True


def _says(place: str, rule: str) -> str:
    """Athena does not repeat the value (measured on AWS: docs/api.md of aoyagikouhei/athena-local)."""
    return f"Value at '{place}' failed to satisfy constraint: Member must {rule}"


def _below(place: str, name: str) -> str:
    """AWS writes the names of members with a small letter."""
    small = name[:1].lower() + name[1:]
    return f"{place}.{small}" if place else small
