"""Which service, by botocore's name and by AWS's full name, a call is for.

A signing name may be that of several services. ``names.json`` is made of botocore's models (tests/pages).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lakectl.local.iam.calls import Call


class Named(NamedTuple):
    """``name``: botocore's; ``target``: what an ``X-Amz-Target`` begins with; ``protocol``: botocore's word for it."""

    name: str
    full_name: str
    target: str
    protocol: str


@cache
def _all() -> dict[str, tuple[Named, ...]]:
    text = (Path(__file__).parent / "names.json").read_text(encoding="utf-8")
    return {signing: tuple(Named(*row) for row in rows) for signing, rows in json.loads(text).items()}


def candidates(signing_name: str) -> tuple[Named, ...]:
    """The services of a signing name, first the one that botocore calls so too; none for a name that nobody has."""
    found = _all().get(signing_name.lower(), ())
    return tuple(sorted(found, key=lambda each: each.name != signing_name))


@cache
def by_name(name: str) -> tuple[str, Named] | None:
    """Signing name and service, by botocore's name or, where it is one service's alone, by signing name."""
    for signing, rows in _all().items():
        for each in rows:
            if each.name == name:
                return signing, each
    found = _all().get(name, ())
    return (name, found[0]) if len(found) == 1 else None


def service_of(call: Call) -> str:
    """botocore's name of a call's service, if that is in the table; else the signing name."""
    if call.service == "s3":
        return "s3" if call.address is not None else "s3control"
    if call.service == "dynamodb" and str(call.wire.get("HTTP_X_AMZ_TARGET", "")).startswith("DynamoDBStreams"):
        return "dynamodbstreams"
    return call.service


def full_name(name: str) -> str:
    found = by_name(name)
    return found[1].full_name if found is not None else name
