"""CSV, as OpenCSVSerDe reads it: https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html"""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Mapping
from typing import Any

from lakectl.core.csv_files import is_blank
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import text_values
from lakectl.local.athena.external_tables.files import PATH, Landed, line_count, sql_text, text_lines
from lakectl.local.athena.external_tables.odd_text import is_plain
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type

# DuckDB takes an empty field for NULL, OpenCSVSerDe for an empty text: so NULL is what no file holds.
_NEVER = "\x01"
_KNOWN = ("separatorChar", "quoteChar", "escapeChar")
_TYPES = ("varchar", "bigint", "integer", "double", "boolean", "date", "timestamp")
_EPOCH = datetime.datetime(1970, 1, 1)


class OpenCsv:
    """A table of CSV files. DuckDB reads those that it reads as Athena does; of the others, and of many small ones,
    each line is read here."""

    LIBRARY = "org.apache.hadoop.hive.serde2.OpenCSVSerde"

    def __init__(self, fields: Mapping[str, Type], settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        self._fields = fields
        self._separator, self._quote = settings.get("separatorChar", ","), settings.get("quoteChar", '"')
        escape = settings.get("escapeChar", "\\")
        # OpenCSVSerDe takes a quote for no escape, and has opencsv's default then.
        self._escape = "\\" if escape == '"' else escape
        self._skip = line_count(parameters, "skip.header.line.count")
        self._text_only = all(kind.name == "varchar" for kind in fields.values())
        self._readers = [_reader(name, kind) for name, kind in fields.items()]

    @staticmethod
    def refusal(fields: Mapping[str, Type], settings: Mapping[str, str]) -> str:
        """Why such a table can't be read; empty if it can."""
        other = next((f"{name} {kind}" for name, kind in fields.items() if kind.name not in _TYPES or kind.items), None)
        if other:
            return f"column {other}: OpenCSVSerDe has {', '.join(_TYPES)} only"
        unknown = next((name for name in settings if name not in _KNOWN), None)
        if unknown:
            return f"the SerDe's {unknown} is not known; known are {', '.join(_KNOWN)}"
        long = next((f"{name} {value!r}" for name, value in settings.items() if len(value) != 1), None)
        return f"{long} is not one character" if long else ""

    def scan(self, session: Session, name: str, landed: Landed) -> str:
        """See ``source.Reader``."""
        s3, files = landed.access.client("s3"), landed.files
        small = set(landed.small())
        plain: list[str] = []
        if self._text_only:
            odd = self._escape.encode()
            plain = [path for path in files if path not in small and is_plain(s3, path, files[path].etag, odd)]
        session.files.expect(lambda: plain)
        scanned = set(plain)
        here = [path for path in files if path not in scanned]
        if plain and not here:
            return self._scan(plain)
        own = f"{name} text" if plain else name
        session.register(own, landed.rows(self._records(session, landed, here)))
        if not plain:
            return f'"{own}"'
        return f'(SELECT * FROM {self._scan(plain)} UNION ALL SELECT * FROM "{own}")'  # noqa: S608

    def _records(self, session: Session, landed: Landed, paths: list[str]) -> dict[str, list[list[Any]]]:
        width = len(self._fields)
        found: dict[str, list[list[Any]]] = {}
        for path, stream in landed.bodies(session, paths):
            texts = (text for text in text_lines(path, stream) if not is_blank(text))
            records: list[list[Any]] = [self._split(text) for text in texts][self._skip :]
            if not self._text_only:
                records = [
                    [read(text) for read, text in zip(self._readers, record, strict=False)] for record in records
                ]
            found[path] = [[*record[:width], *[None] * (width - len(record))] for record in records]
        return found

    def _split(self, line: str) -> list[Any]:
        if self._escape not in line or self._escape == self._quote:
            return next(csv.reader([line], delimiter=self._separator, quotechar=self._quote), [])
        fields, field, inside, at = [], "", False, 0
        while at < len(line):
            char, after = line[at], line[at + 1 : at + 2]
            if char == self._escape:  # opencsv drops it, whether or not it escapes anything
                if inside and after and after in (self._quote, self._escape):
                    field += after
                    at += 1
            elif char == self._quote:
                if inside and after == self._quote:
                    field += char
                    at += 1
                else:
                    if at > 2 and line[at - 1] != self._separator and after and after != self._separator:
                        field = "" if field and not field.strip() else field + char  # a quote in the middle
                    inside = not inside
            elif char == self._separator and not inside:
                fields.append(field)
                field = ""
            else:
                field += char
            at += 1
        return [*fields, field]

    def _scan(self, paths: list[str]) -> str:
        columns = ", ".join(f"{sql_text(field)}: 'VARCHAR'" for field in self._fields)
        scan = (
            f"read_csv([{', '.join(map(sql_text, paths))}], columns = {{{columns}}}, auto_detect = false, "
            f"header = false, skip = {self._skip}, delim = {sql_text(self._separator)}, "
            f"quote = {sql_text(self._quote)}, escape = {sql_text(self._quote)}, nullstr = {sql_text(_NEVER)}, "
            "null_padding = true, strict_mode = false, parallel = false, filename = true, hive_partitioning = false)"
        )
        return f'(SELECT * EXCLUDE (filename), filename AS "{PATH}" FROM {scan})'  # noqa: S608


def _reader(name: str, kind: Type) -> Any:
    """Dates are days, timestamps milliseconds since 1970; what is no value of the type fails the query."""
    if kind.name == "varchar":
        return lambda text: text
    plain = text_values.reader(kind) if kind.name not in ("date", "timestamp") else None

    def read(text: str) -> Any:
        if plain is not None:
            value = plain(text)
        elif re.fullmatch(r"-?\d{1,15}", text):
            unit = {"days": int(text)} if kind.name == "date" else {"milliseconds": int(text)}
            try:
                value = _EPOCH + datetime.timedelta(**unit)
            except OverflowError:
                value = None
        else:
            value = None
        if value is None:
            raise QueryError("HIVE_BAD_DATA", f"Error parsing field value '{text}' for field {name}: not a {kind}")
        return value

    return read
