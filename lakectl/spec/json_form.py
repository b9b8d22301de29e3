"""A specification as JSON, and back: how the job and the functions get it. Needs the standard library only.

The same specification gives the same text, byte for byte, so that a stored one can be compared with the current one.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lakectl.spec.model import LakeSpec, SourceSpec

# Goes up when an older reader could no longer understand what is written.
VERSION = 1


def to_json(spec: LakeSpec) -> str:
    """The whole specification, defaults included: a later default must not change what an old text means."""
    written = {
        "version": VERSION,
        "schema_evolution": spec.schema_evolution,
        "sources": [_plain(source) for source in spec.sources.values()],
    }
    return json.dumps(written, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str | bytes) -> LakeSpec:
    """The specification that :func:`to_json` wrote.

    Raises ValueError with one line when the text is not JSON, has another version, or a key that is not known.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the specification is not JSON: {error}") from None
    if not isinstance(found, dict) or found.get("version") != VERSION:
        version = found.get("version") if isinstance(found, dict) else None
        raise ValueError(f"the specification has version {version!r}; this program reads version {VERSION}")
    sources = [_made(SourceSpec, source) for source in found["sources"]]
    return LakeSpec({source.name: source for source in sources}, found["schema_evolution"])


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _made(kind: Any, value: Any) -> Any:
    """``value``, out of JSON, as ``kind`` (a type as a dataclass of the model names it)."""
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]
        unknown = set(value) - set(hints)
        if unknown:
            raise ValueError(f"the specification has unknown keys: {', '.join(sorted(unknown))}")
        return kind(**{name: _made(hints[name], item) for name, item in value.items()})  # type: ignore[operator]
    if get_origin(kind) is tuple:
        parts = get_args(kind)
        kinds = [parts[0]] * len(value) if len(parts) == 2 and parts[1] is Ellipsis else parts
        return tuple(_made(part, item) for part, item in zip(kinds, value, strict=True))
    if get_origin(kind) is Literal and value not in get_args(kind):
        raise ValueError(f"the specification has {value!r}, expected one of {', '.join(map(str, get_args(kind)))}")
    return value
