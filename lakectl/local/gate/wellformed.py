"""Requests that don't fit the operation's shape: answered with AWS's 400, before anything looks at them.

AWS's services read a request by its model: what has the wrong type is a SerializationException, what lacks a required
member or is outside of an enum or a bound fails "1 validation error detected". The codes differ by service [common
errors of each API reference].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from lakectl.local.gate import forms, s3_wellformed, shapes
from lakectl.local.gate.shapes import Problem
from lakectl.local.iam import models, refusals
from lakectl.local.iam.calls import Call
from lakectl.local.iam.refusals import Refusal

# botocore's name → the code of an unmet constraint; others: ValidationException, in a form ValidationError.
CONSTRAINT = {
    "lakeformation": "InvalidInputException",
    "logs": "InvalidParameterException",
    "sns": "InvalidParameter",
    "sqs": "InvalidParameterValue",
}
MISSING = {"sqs": "MissingParameter", "cloudwatch": "MissingParameter"}
# Services that look at enums later, or in words of their own.
OWN_ENUMS = ("lambda", "sqs", "sns", "cloudwatch")

Look = Callable[[Call], bool]


def refusal(call: Call, service: str, operation: str) -> Refusal | None:
    """None for a request that fits. ``service``: botocore's name."""
    if service == "s3":
        return s3_wellformed.refusal(call, operation)
    if service == "athena":  # it looks itself, in words of its own
        return None
    looks = _looks(service, operation, call.protocol)
    if looks is None or looks(call):
        return None
    found = list(_problems(call, _input(service, operation), service not in OWN_ENUMS))
    return _worded(found, service, call.protocol) if found else None


@cache
def _input(service: str, operation: str) -> Any:
    return models.service(service).operation_model(operation).input_shape


@cache
def _looks(service: str, operation: str, protocol: str) -> Look | None:
    """What tells quickly whether a call of this operation fits; None where there is nothing to look at."""
    shape = _input(service, operation)
    if shape is None or (service == "sqs" and protocol == "query"):
        return None
    enums = service not in OWN_ENUMS
    if protocol in ("json", "cbor"):
        fits = shapes.check(shape, enums)
        return lambda call: fits(call.parameters)
    if protocol == "query":
        fits = shapes.check(shape, enums)
        return lambda call: fits(_without_nulls(forms.of_query(shape, call.parameters)))
    if protocol in ("rest", "rest-xml"):
        return _rest_look(shape, enums, protocol)
    return None


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return value


def _rest_look(shape: Any, enums: bool, protocol: str) -> Look:
    in_body = _body_members(shape, protocol)
    checks = {name: shapes.check(member, enums) for name, member in in_body.items()}
    required = tuple(name for name, member in in_body.items() if _is_required(shape, member))
    texts = tuple((name, member, shapes.check(member, enums)) for name, member in _text_members(shape))

    def look(call: Call) -> bool:
        body = call.in_body
        for name, each in body.items():
            fits = checks.get(name)
            if fits is not None and each is not None and not fits(each):
                return False
        for name, member, fits in texts:
            text = call.parameters.get(name)
            if text is not None and not fits(forms.of_text(member, text)):
                return False
        return all(body.get(name) is not None for name in required)

    return look


def _body_members(shape: Any, protocol: str) -> dict[str, Any]:
    """By what they are called in the body; none where the body is one member's."""
    if protocol == "rest-xml" or "payload" in shape.serialization:
        return {}
    members = shape.members.items()
    return {shapes.wire_name(name, each): each for name, each in members if not each.serialization.get("location")}


def _text_members(shape: Any) -> Iterator[tuple[str, Any]]:
    """Scalars of the path and the query string."""
    for name, member in shape.members.items():
        where = member.serialization.get("location")
        if where in ("uri", "querystring") and member.type_name not in ("list", "map", "timestamp"):
            yield name, member


def _is_required(shape: Any, member: Any) -> bool:
    return any(shape.members[name] is member for name in shape.required_members)


def _problems(call: Call, shape: Any, enums: bool) -> Iterator[Problem]:
    if call.protocol in ("json", "cbor"):
        yield from shapes.problems(shape, call.parameters, enums)
    elif call.protocol == "query":
        yield from shapes.problems(shape, forms.of_query(shape, call.parameters), enums)
    else:
        body = _body_members(shape, call.protocol)
        for name, member in shape.members.items():
            wire, small = shapes.wire_name(name, member), name[:1].lower() + name[1:]
            value = call.in_body.get(wire) if wire in body else None
            if value is not None:
                yield from shapes.problems(member, value, enums, small)
            elif wire in body and name in shape.required_members:
                yield Problem(False, shapes.constraint(None, small, "not be null"), name)
        for name, member in _text_members(shape):
            text = call.parameters.get(name)
            if text is not None:
                yield from shapes.problems(member, forms.of_text(member, text), enums, name[:1].lower() + name[1:])


def _worded(found: list[Problem], service: str, protocol: str) -> Refusal:
    unreadable = next((each for each in found if each.is_type), None)
    if unreadable is not None:
        return refusals.bad_request(unreadable.words, "", "MalformedInput", "SerializationException")
    default = "ValidationError" if protocol == "query" else "ValidationException"
    code = CONSTRAINT.get(service, default)
    missing = found[0].missing
    if missing and service in MISSING:
        return _same(MISSING[service], _lacks(service, missing))
    if missing and service == "sns":
        return _same(code, f"Invalid parameter: {missing} Reason: no value for required parameter")
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
    return _same(code, count + "; ".join(each.words for each in found))


def _lacks(service: str, name: str) -> str:
    if service == "sqs":
        return f"The request must contain the parameter {name}."
    return f"The parameter {name} is required."


def _same(code: str, message: str) -> Refusal:
    return refusals.bad_request(message, code, code, code)
