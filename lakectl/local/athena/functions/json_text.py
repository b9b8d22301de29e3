"""JSON as Trino reads and writes it: one canonical text for each value.

Trino reads JSON with Jackson and sorts the members of objects; numbers with a fraction or an exponent are doubles.
"""

from __future__ import annotations

import json
import re
from typing import Any

from lakectl.local.athena.render import double

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_ESCAPED = re.compile(r'["\\\x00-\x1f]')


class BadJson(ValueError):
    """Not JSON."""


def _refuse(text: str) -> Any:
    raise BadJson(text)


class Exact(float):
    """A double that remembers its digits, of which a decimal needs all."""

    written = ""


def _exact(text: str) -> Exact:
    value = Exact(text)
    value.written = text
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_exact)


def read(text: str) -> Any:
    """The value of a JSON text. Raises BadJson."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise BadJson(text) from None


def string(value: str) -> str:
    return '"' + _ESCAPED.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04X}", value) + '"'


def write(value: Any, ordered: bool = True, exact: bool = False) -> str:
    """The text of a value; ``ordered``: members by their names; ``exact``: numbers with all their digits."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return string(value)
    if isinstance(value, float):
        return value.written if exact and isinstance(value, Exact) else double(value)
    if isinstance(value, list):
        return "[" + ",".join(write(item, ordered, exact) for item in value) + "]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be")) if ordered else list(value)
        return "{" + ",".join(f"{string(name)}:{write(value[name], ordered, exact)}" for name in names) + "}"
    return str(value)


def canonical(text: str) -> str:
    return write(read(text))


def unpacked(texts: str) -> list[str | None]:
    """Texts that were put together with chr(30) between, and chr(29) for NULL."""
    return [None if each == "\x1d" else each for each in texts.split("\x1e")] if texts else []
