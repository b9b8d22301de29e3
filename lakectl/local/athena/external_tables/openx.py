"""JSON Lines, as the OpenX SerDe reads them: https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html

Which JSON is which value is Trino's (its ``lib/trino-hive-formats``, ``openxjson/README.md``). Trino's parser also
takes text that is no JSON, such as names without quotes; such a line is malformed here.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import text_values
from lakectl.local.athena.external_tables.files import Landed, text_lines
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type

_KNOWN = ("ignore.malformed.json", "case.insensitive", "dots.in.keys", "explicit.null", "paths")
MAPPING = "mapping."
# BigDecimal and Decimal write the same text.
_DECODER = json.JSONDecoder(parse_int=Decimal, parse_float=Decimal, strict=False)
_SIZES = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}
_ZONED = re.compile(r"(.*\d)(Z|[+-]\d\d:?\d\d)", re.I)

Read = Callable[[Any], Any]


class OpenX:
    """A table of JSON Lines."""

    LIBRARY = "org.openx.data.jsonserde.JsonSerDe"

    def __init__(self, fields: Mapping[str, Type], settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:  # noqa: ARG002
        self._folds = settings.get("case.insensitive", "true").lower() == "true"
        self._dots = settings.get("dots.in.keys", "false").lower() == "true"
        self._mapped = {
            field: self._folded(settings[MAPPING + field]) for field in fields if MAPPING + field in settings
        }
        self._keys = list(fields)
        self._readers = [self._reader(kind) for kind in fields.values()]
        self._lenient = settings.get("ignore.malformed.json", "").lower() == "true"

    @staticmethod
    def refusal(fields: Mapping[str, Type], settings: Mapping[str, str]) -> str:  # noqa: ARG004
        """Why such a table can't be read; empty if it can."""
        unknown = next((name for name in settings if name not in _KNOWN and not name.startswith(MAPPING)), None)
        return (
            f"the SerDe's {unknown} is not known; known are {', '.join(_KNOWN)} and {MAPPING}COLUMN" if unknown else ""
        )

    def scan(self, session: Session, name: str, landed: Landed) -> str:
        """See ``source.Reader``."""
        rows = {
            path: [self._row(path, line) for line in text_lines(path, stream)]
            for path, stream in landed.bodies(session, list(landed.files))
        }
        session.register(name, landed.rows(rows))
        return f'"{name}"'

    def _row(self, path: str, line: str) -> list[Any]:
        """An object by its names, an array by place; any other line is a row of NULLs."""
        text = line.strip()
        found: Any = None
        if text.startswith(("{", "[")):
            try:
                found = _DECODER.raw_decode(text)[0]
            except (ValueError, RecursionError):
                if not self._lenient:
                    message = f"Row is not a valid JSON Object - JSONException: it can't be parsed (in {path})"
                    raise QueryError("HIVE_CURSOR_ERROR", message) from None
        if isinstance(found, dict):
            return self._members(found, self._keys, self._readers, self._mapped)
        width = len(self._keys)
        in_order = found[:width] if isinstance(found, list) else []
        values = [read(value) for read, value in zip(self._readers, in_order, strict=False)]
        return [*values, *[None] * (width - len(values))]

    def _folded(self, key: str) -> str:
        return key.lower() if self._folds else key

    def _members(
        self, found: dict[str, Any], keys: list[str], readers: list[Read], mapped: Mapping[str, str]
    ) -> list[Any]:
        values = {self._folded(key): value for key, value in found.items()}
        if self._dots:
            for key, value in list(values.items()):
                values.setdefault(key.replace(".", "_"), value)
        return [read(values.get(mapped.get(key, key))) for key, read in zip(keys, readers, strict=True)]

    def _reader(self, kind: Type) -> Read:
        if kind.name == "array":
            item = self._reader(kind.items[0])

            def array(value: Any) -> Any:
                if value is None or value == "":
                    return None
                return [item(each) for each in value] if isinstance(value, list) else [item(value)]

            return array
        if kind.name == "map":
            key, each = (self._reader(part) for part in kind.items)

            def pairs(value: Any) -> Any:
                if value is None or (isinstance(value, str) and not value.strip()):
                    return None
                if not isinstance(value, dict):
                    raise _not_a("MAP", value)
                found = {key(name): each(item) for name, item in value.items()}
                return [(name, item) for name, item in found.items() if name is not None]

            return pairs
        if kind.name == "row":
            names = [str(name) for name in kind.fields]
            readers = [self._reader(part) for part in kind.items]

            def row(value: Any) -> Any:
                if value is None:
                    return None
                if isinstance(value, str) and not value.strip():
                    return dict.fromkeys(names)
                if isinstance(value, list):
                    values = [read(item) for read, item in zip(readers, value, strict=False)]
                    return dict(zip(names, values + [None] * (len(names) - len(values)), strict=True))
                if not isinstance(value, dict):
                    raise _not_a("ROW", value)
                return dict(zip(names, self._members(value, names, readers, {}), strict=True))

            return row
        return _primitive(kind)


def _not_a(kind: str, value: Any) -> QueryError:
    return QueryError("HIVE_CURSOR_ERROR", f"Primitive can not be coerced to a {kind}: {canonical(value)}")


def _primitive(kind: Type) -> Read:
    if kind.name in ("varchar", "char"):
        cut = text_values.reader(kind)
        return lambda value: None if value is None else cut(value if isinstance(value, str) else canonical(value))
    if kind.name == "boolean":
        return lambda value: None if value is None else value is True or str(value).lower() == "true"
    if kind.name == "varbinary":
        return lambda value: _base64(value) if isinstance(value, str) else None
    plain: Read = {
        "date": _date,
        "timestamp": _timestamp,
        "decimal": lambda text: text_values.decimal(text, *kind.numbers),
        "real": text_values.double,
        "double": text_values.double,
    }.get(kind.name) or _integers(_SIZES.get(kind.name, 64))

    def read(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, dict | list):
            raise QueryError("HIVE_CURSOR_ERROR", f"Invalid JSON: {kind} value must be a scalar json value")
        return plain(value if isinstance(value, str) else canonical(value))

    return read


def _integers(bits: int) -> Callable[[str], int | None]:
    most = 1 << (bits - 1)

    def read(text: str) -> int | None:
        value = _integer(text)
        return value if value is not None and -most <= value < most else None

    return read


def _integer(text: str) -> int | None:
    """A decimal number, cut off; hexadecimal with 0x, octal with 0."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", text):
        return int(text, 16)
    if re.fullmatch(r"0[0-7]+", text):
        return int(text, 8)
    if not re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", text):
        return None
    try:
        return int(Decimal(text))
    except InvalidOperation:
        return None


def _date(text: str) -> datetime.date | None:
    days = _integer(text)
    if days is None:
        return text_values.date(text)
    try:
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=days)
    except OverflowError:
        return None


def _timestamp(text: str) -> datetime.datetime | None:
    """Local time, or the time in UTC where a zone is given; numbers are seconds, or milliseconds from 13 digits on."""
    text = text.strip()
    number = re.fullmatch(r"([+-]?\d+)(?:\.(\d+))?", text)
    try:
        if number and number[2] is None and len(number[1]) >= 13:
            return _EPOCH + datetime.timedelta(milliseconds=int(text))
        if number:
            return _EPOCH + datetime.timedelta(milliseconds=int(Decimal(text) * 1000))
    except OverflowError:
        return None
    zoned = _ZONED.fullmatch(text) if ":" in text else None
    local = text_values.timestamp(zoned[1] if zoned else text)
    if zoned is None or local is None or zoned[2] in "zZ":
        return local
    sign, digits = (-1 if zoned[2][0] == "-" else 1), zoned[2][1:].replace(":", "")
    return local - sign * datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))


_EPOCH = datetime.datetime(1970, 1, 1)


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def canonical(value: Any) -> str:
    """JSON without white space, numbers as they were written."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key, ensure_ascii=False)}:{canonical(each)}" for key, each in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
