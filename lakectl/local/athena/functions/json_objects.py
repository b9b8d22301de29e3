"""json_object: its members come in the order of Java's HashMap, which is what Trino builds it in.

https://trino.io/docs/current/functions/json.html#json-object; Trino's JsonObjectFunction.
"""

from __future__ import annotations

import json

from lakectl.local.athena.functions.json_text import unpacked
from lakectl.local.athena.functions.python import Failure, function


@function("athena_json_object", "VARCHAR, VARCHAR -> VARCHAR")
def _object(keys: str, values: str) -> str:
    """Both: JSON texts; a member of NULL is left out."""
    members: dict[str, str] = {}
    for key, value in zip(unpacked(keys), unpacked(values), strict=True):
        if key is None:
            raise Failure("null value passed for JSON object key to JSON_OBJECT function")
        if value is None:
            continue
        if key in members:
            raise Failure("cannot construct a JSON object with duplicate key", "NOT_SUPPORTED")
        members[key] = value
    slots = 16
    while len(members) > slots * 0.75:  # HashMap's load factor
        slots *= 2
    ordered = sorted(members, key=lambda name: _spread(json.loads(name)) & (slots - 1))
    return "{" + ",".join(f"{name}:{members[name]}" for name in ordered) + "}"


def _spread(text: str) -> int:
    """String.hashCode, and its upper half mixed in, as HashMap does it."""
    units = text.encode("utf-16-be")
    code = 0
    for at in range(0, len(units), 2):
        code = (31 * code + int.from_bytes(units[at : at + 2], "big")) & 0xFFFFFFFF
    return code ^ (code >> 16)
