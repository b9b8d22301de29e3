"""Delimited text, as LazySimpleSerDe reads it: https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html

Trino's ``line/simple/SimpleDeserializer``: a field that is not there is NULL; what is behind the last column is not
read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lakectl.local.athena.external_tables import text_values
from lakectl.local.athena.external_tables.files import Landed, line_count, text_lines
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type

_KNOWN = ("field.delim", "escape.delim", "colelction.delim", "collection.delim", "mapkey.delim", "line.delim",
          "serialization.null.format")  # fmt: skip
_DEFAULTS = "\x01\x02\x03\x04\x05\x06\x07\x08"


def delimiter(text: str) -> str:
    """A delimiter as Hive reads it: a character, or its number."""
    return chr(int(text) % 256) if re.fullmatch(r"-?\d{1,3}", text) and len(text) > 1 else text


class LazySimple:
    """A table of delimited text."""

    LIBRARY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"

    def __init__(self, fields: Mapping[str, Type], settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        self._skip = line_count(parameters, "skip.header.line.count")
        self._footer = line_count(parameters, "skip.footer.line.count")
        self._null = settings.get("serialization.null.format", "\\N")
        self._escape = settings.get("escape.delim")
        ends = list(_DEFAULTS)
        for at, names in enumerate((("field.delim",), ("colelction.delim", "collection.delim"), ("mapkey.delim",))):
            given = next((settings[name] for name in names if name in settings), None)
            if given:
                ends[at] = delimiter(given)
        self._delimiters = ends
        self._readers = [self._reader(kind, 1) for kind in fields.values()]

    @staticmethod
    def refusal(fields: Mapping[str, Type], settings: Mapping[str, str]) -> str:  # noqa: ARG004
        """Why such a table can't be read; empty if it can."""
        unknown = next((name for name in settings if name not in _KNOWN), None)
        if unknown:
            return f"the SerDe's {unknown} is not known"
        long = next((n for n, value in settings.items() if n.endswith(".delim") and len(delimiter(value)) != 1), None)
        if long:
            return f"the SerDe's {long} {settings[long]!r} is not one character"
        if settings.get("line.delim", "\n") != "\n":
            return "lines end with another character than a line feed"
        return ""

    def scan(self, session: Session, name: str, landed: Landed) -> str:
        """See ``source.Reader``."""
        rows = {}
        for path, stream in landed.bodies(session, list(landed.files)):
            lines = list(text_lines(path, stream))[self._skip :]
            rows[path] = [self._row(line) for line in (lines[: -self._footer] if self._footer else lines)]
        session.register(name, landed.rows(rows))
        return f'"{name}"'

    def _row(self, line: str) -> list[Any]:
        parts = self._split(line, self._delimiters[0])
        values = [read(text) for read, text in zip(self._readers, parts, strict=False)]
        return values + [None] * (len(self._readers) - len(values))

    def _split(self, text: str, end: str) -> list[str]:
        """The escape stays in the parts: they may be split again."""
        if self._escape is None or self._escape not in text:
            return text.split(end)
        parts, start, at = [], 0, 0
        while at < len(text):
            if text[at] == end:
                parts.append(text[start:at])
                start = at + 1
            elif text[at] == self._escape:
                at += 1
            at += 1
        return [*parts, text[start:]]

    def _plain(self, text: str) -> str:
        if self._escape is None or self._escape not in text:
            return text
        return re.sub(re.escape(self._escape) + "(.)", _unescaped, text, flags=re.S)

    def _reader(self, kind: Type, level: int) -> Any:
        if not kind.items:
            read = text_values.reader(kind)
            keeps_empty = kind.name in ("varchar", "char")

            def primitive(text: str) -> Any:
                if text == self._null or (not text and not keeps_empty):
                    return None
                return read(self._plain(text))

            return primitive
        inner = [self._reader(item, level + (2 if kind.name == "map" else 1)) for item in kind.items]
        end = self._delimiters[level]

        def array(text: str) -> Any:
            if text == self._null:
                return None
            return [inner[0](part) for part in self._split(text, end)] if text else []

        def row(text: str) -> Any:
            if text == self._null:
                return None
            parts = self._split(text, end)
            values = [each(part) for each, part in zip(inner, parts, strict=False)]
            values += [None] * (len(inner) - len(values))
            return dict(zip(map(str, kind.fields), values, strict=True))

        def pairs(text: str) -> Any:
            if text == self._null:
                return None
            found: dict[Any, Any] = {}
            for entry in self._split(text, end) if text else []:
                key, *value = self._split(entry, self._delimiters[level + 1])
                read = inner[0](key)
                if read is not None and read not in found:
                    found[read] = inner[1](self._delimiters[level + 1].join(value)) if value else None
            return list(found.items())

        return {"array": array, "row": row, "map": pairs}[kind.name]


def _unescaped(found: re.Match[str]) -> str:
    return {"r": "\r", "n": "\n"}.get(found[1], found[1])
