"""JSON Lines, as the Hive JSON SerDe reads them: https://docs.aws.amazon.com/athena/latest/ug/hive-json-serde.html

Trino's ``line/json/JsonDeserializer``: strict where the OpenX SerDe is lenient.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import text_values
from lakectl.local.athena.external_tables.files import Landed, text_lines
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type

_DECODER = json.JSONDecoder(parse_float=Decimal)
_SIZES = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}
_BY_PLACE = re.compile(r"_col(\d+)")

Read = Callable[[Any], Any]


class HiveJson:
    """A table of JSON Lines."""

    LIBRARY = "org.apache.hive.hcatalog.data.JsonSerDe"

    def __init__(self, fields: Mapping[str, Type], settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:  # noqa: ARG002
        self._names = list(fields)
        self._readers = [_reader(kind) for kind in fields.values()]
        self._lenient = settings.get("ignore.malformed.json", "").lower() == "true"

    @staticmethod
    def refusal(fields: Mapping[str, Type], settings: Mapping[str, str]) -> str:  # noqa: ARG004
        """Why such a table can't be read; empty if it can."""
        unknown = next((name for name in settings if name not in ("ignore.malformed.json", "paths")), None)
        return f"the SerDe's {unknown} is not known; known is ignore.malformed.json" if unknown else ""

    def scan(self, session: Session, name: str, landed: Landed) -> str:
        """See ``source.Reader``."""
        rows = {
            path: [self._row(path, line) for line in text_lines(path, stream)]
            for path, stream in landed.bodies(session, list(landed.files))
        }
        session.register(name, landed.rows(rows))
        return f'"{name}"'

    def _row(self, path: str, line: str) -> list[Any]:
        try:
            found = _DECODER.decode(line)
            if not isinstance(found, dict):
                raise ValueError("Invalid JSON: row must be a json object")
            return _members(found, self._names, self._readers)
        except (ValueError, RecursionError) as error:
            if self._lenient:
                return [None] * len(self._names)
            why = "it can't be parsed" if isinstance(error, json.JSONDecodeError | RecursionError) else error
            raise QueryError("HIVE_CURSOR_ERROR", f"Row is not a valid JSON Object: {why} (in {path})") from None


def _members(found: dict[str, Any], names: list[str], readers: list[Read]) -> list[Any]:
    values = {key.lower(): value for key, value in found.items()}
    for key, value in found.items():  # Hive writes _col0 for a column that it does not know the name of
        place = _BY_PLACE.fullmatch(key.lower())
        if place and int(place[1]) < len(names):
            values.setdefault(names[int(place[1])], value)
    return [None if values.get(name) is None else read(values[name]) for name, read in zip(names, readers, strict=True)]


def _reader(kind: Type) -> Read:
    """Raises ValueError for JSON that is no value of the type."""
    if kind.name == "array":
        item = _reader(kind.items[0])
        return lambda value: [None if each is None else item(each) for each in _a(list, value, kind)]
    if kind.name == "map":
        key, each = text_values.reader(kind.items[0]), _reader(kind.items[1])
        return lambda value: [
            (key(name), None if part is None else each(part)) for name, part in _a(dict, value, kind).items()
        ]
    if kind.name == "row":
        names, readers = [str(name) for name in kind.fields], [_reader(part) for part in kind.items]
        return lambda value: dict(zip(names, _members(_a(dict, value, kind), names, readers), strict=True))
    if kind.name in _SIZES:
        return lambda value: _integer(value, kind)
    if kind.name in ("real", "double"):
        return lambda value: float(_number(value, kind))
    if kind.name == "varbinary":
        return lambda value: _base64(_text(value, kind))
    plain = text_values.reader(kind)

    def read(value: Any) -> Any:
        text = _text(value, kind)
        found = text.lower() == "true" if kind.name == "boolean" else plain(text)
        if found is None and kind.name in ("date", "timestamp"):
            raise ValueError(f"Text '{text}' could not be parsed as {kind}")
        return found

    return read


def _a(wanted: type, value: Any, kind: Type) -> Any:
    if not isinstance(value, wanted):
        raise ValueError(f"Invalid JSON: {kind} value must be a json {'array' if wanted is list else 'object'}")
    return value


def _text(value: Any, kind: Type) -> str:
    if isinstance(value, dict | list):
        raise ValueError(f"Invalid JSON: {kind} value must be a scalar json value")
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, bool) else str(value)


def _number(value: Any, kind: Type) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"Current token is not numeric, can not use numeric value accessors: {kind}")
    return value


def _integer(value: Any, kind: Type) -> int:
    number, most = int(_number(value, kind)), 1 << (_SIZES[kind.name] - 1)
    if not -most <= number < most:
        raise ValueError(f"Numeric value ({value}) out of range of {kind}")
    return number


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()
