"""JSON Lines, as the OpenX SerDe reads them: https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html

How values become text is Trino's (its ``lib/trino-hive-formats``, ``openxjson/README.md``). Trino's parser also takes
text that is no JSON, such as names without quotes; such a line is malformed here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_files import PATH, Landed, text_lines
from lakectl.local.athena.session import Session

_KNOWN = ("ignore.malformed.json", "case.insensitive", "dots.in.keys", "explicit.null", "paths")
_DEFAULTS = {"case.insensitive": "true", "dots.in.keys": "false"}
MAPPING = "mapping."
# BigDecimal and Decimal write the same text.
_DECODER = json.JSONDecoder(parse_int=Decimal, parse_float=Decimal, strict=False)


class JsonSource:
    """An external table of JSON Lines whose columns are all text."""

    LIBRARY = "org.openx.data.jsonserde.JsonSerDe"
    hidden = frozenset((PATH,))

    def __init__(self, landed: Landed, settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:  # noqa: ARG002
        self.landed = landed
        self.label = landed.label
        self.columns = dict.fromkeys((*landed.fields, *landed.extra), "varchar")
        self._keys = [settings.get(MAPPING + field, field).lower() for field in landed.fields]
        self._lenient = settings.get("ignore.malformed.json", "").lower() == "true"

    @staticmethod
    def refusal(columns: Mapping[str, str], settings: Mapping[str, str]) -> str:
        """Why such a table can't be read; empty if it can."""
        other = next((f"{name} {kind}" for name, kind in columns.items() if kind != "string"), None)
        if other:
            return f"column {other}: columns of JSON are read as string only"
        unknown = next((name for name in settings if name not in _KNOWN and not name.startswith(MAPPING)), None)
        if unknown:
            return f"the SerDe's {unknown} is not known; known are {', '.join(_KNOWN)} and {MAPPING}COLUMN"
        changed = next((name for name, value in _DEFAULTS.items() if settings.get(name, value).lower() != value), None)
        return f"the SerDe's {changed} must be {_DEFAULTS[changed]}" if changed else ""

    def relation(self, session: Session, name: str) -> str:
        """See ``tables.Source``."""
        rows = {
            path: [self._row(path, line) for line in text_lines(path, stream)]
            for path, stream in self.landed.bodies(session, list(self.landed.files))
        }
        session.register(name, self.landed.texts(rows))
        return f'"{name}"'

    def _row(self, path: str, line: str) -> list[str | None]:
        """An object by its names, an array by place; any other line is a row of NULLs."""
        text = line.strip()
        found: Any = None
        if text.startswith(("{", "[")):
            try:
                found = _DECODER.raw_decode(text)[0]
            except (ValueError, RecursionError) as error:
                if not self._lenient:
                    message = f"Row is not a valid JSON Object - JSONException: {error} (in {path})"
                    raise QueryError("HIVE_CURSOR_ERROR", message) from None
        if isinstance(found, dict):
            values = {key.lower(): value for key, value in found.items()}
            return [_text(values.get(key)) for key in self._keys]
        width = len(self._keys)
        in_order = found[:width] if isinstance(found, list) else []
        return [*map(_text, in_order), *[None] * (width - len(in_order))]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _canonical(value)


def _canonical(value: Any) -> str:
    """JSON without white space, numbers as they were written."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key, ensure_ascii=False)}:{_canonical(each)}" for key, each in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
