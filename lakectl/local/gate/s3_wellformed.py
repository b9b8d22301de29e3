"""Requests to S3 that can't be read: numbers in the query string, and bodies of XML (S3 API, "Error responses").

S3 compares a body with its schema before it looks for the bucket: a wrong root, a missing element and an element of
another type are all MalformedXML.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from xml.etree import ElementTree

from lakectl.local.gate import forms, shapes
from lakectl.local.iam import models
from lakectl.local.iam.calls import Call
from lakectl.local.iam.refusals import Refusal, bad_request
from lakectl.local.iam.s3_deletion import MALFORMED

NUMBERS = ("max-keys", "max-uploads", "max-parts", "part-number-marker")
MOST = 2**31 - 1
EMPTY = bad_request("Request Body is empty", "MissingRequestBodyError", "", "")
PART_NUMBER = bad_request("Part number must be an integer between 1 and 10000, inclusive", "InvalidArgument", "", "")
# What may have no body.
OPTIONAL = (
    "CreateBucket",
    "PutObjectAcl",
    "PutBucketAcl",
    "PutObjectLockConfiguration",
    "PutBucketNotificationConfiguration",
)


def refusal(call: Call, operation: str) -> Refusal | None:
    """None for a request that can be read."""
    query = call.parameters["query"]
    if query:
        for name in NUMBERS:
            text = query.get(name)
            if text and not (text.isascii() and text.isdecimal() and int(text) <= MOST):
                message = f"Provided {name} not an integer or within integer range"
                return bad_request(message, "InvalidArgument", "", "")
        part = query.get("partNumber")
        if part is not None and not (part.isascii() and part.isdecimal() and 1 <= int(part) <= 10_000):
            return PART_NUMBER
    read = _reader(operation) if call.address is not None and call.address.method in ("PUT", "POST") else None
    return read(call.body) if read is not None else None


@cache
def _reader(operation: str) -> Callable[[bytes], Refusal | None] | None:
    """What reads the body of an operation whose body is XML."""
    if operation == "PostObject":
        return None
    shape = models.service("s3").operation_model(operation).input_shape
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload is None or shape.members[payload].type_name != "structure":
        return None
    root, body = shapes.wire_name(payload, shape.members[payload]), shape.members[payload]
    fits = shapes.check(body, enums=False)

    def read(data: bytes) -> Refusal | None:
        if not data:
            return None if operation in OPTIONAL else EMPTY
        try:
            element = ElementTree.fromstring(data)  # noqa: S314 - bounded in size, and expat has limits of its own
        except (ElementTree.ParseError, ValueError, LookupError):
            return MALFORMED
        if _name(element) != root or not fits(_value(body, element)):
            return MALFORMED
        if operation == "CompleteMultipartUpload" and not len(element):
            return MALFORMED
        return None

    return read


def _value(shape: Any, element: ElementTree.Element) -> Any:
    """An element as a value of its shape; elements that the shape does not have are left out."""
    kind = shape.type_name
    if kind == "structure":
        found: dict[str, Any] = {}
        for name, member in shape.members.items():
            spelled = shapes.wire_name(name, member)
            children = [child for child in element if _name(child) == spelled]
            if member.serialization.get("flattened") and member.type_name == "list":
                if children:
                    found[spelled] = [_value(member.member, child) for child in children]
            elif member.serialization.get("xmlAttribute"):
                continue
            elif children:
                found[spelled] = _value(member, children[0])
        return found
    if kind == "list":
        return [_value(shape.member, child) for child in element]
    return forms.of_text(shape, (element.text or "").strip() if kind != "string" else element.text or "")


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
