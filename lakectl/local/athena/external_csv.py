"""CSV, as OpenCSVSerDe reads it: https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

from lakectl.core.csv_files import is_blank
from lakectl.local.athena.external_files import PATH, Landed, sql_text, text_lines
from lakectl.local.athena.odd_text import is_plain
from lakectl.local.athena.session import Session

# DuckDB takes an empty field for NULL, OpenCSVSerDe for an empty text: so NULL is what no file holds.
_NEVER = "\x01"


class CsvSource:
    """An external table of CSV files. DuckDB reads those that it reads as Athena does; of the others, and of many
    small ones, each line is read here."""

    LIBRARY = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
    hidden = frozenset((PATH,))

    def __init__(self, landed: Landed, settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        self.landed = landed
        self.label = landed.label
        self.columns = dict.fromkeys((*landed.fields, *landed.extra), "varchar")
        self._separator, self._quote = settings.get("separatorChar", ","), settings.get("quoteChar", '"')
        self._skip = int(parameters.get("skip.header.line.count", 0))

    @staticmethod
    def refusal(columns: Mapping[str, str], settings: Mapping[str, str]) -> str:
        """Why such a table can't be read; empty if it can."""
        other = next((f"{name} {kind}" for name, kind in columns.items() if kind != "string"), None)
        if other:
            return f"column {other}: columns of OpenCSVSerDe are read as string only"
        unknown = next((name for name in settings if name not in ("separatorChar", "quoteChar")), None)
        if unknown:
            return f"the SerDe's {unknown} is not known; known are separatorChar and quoteChar"
        long = next((f"{name} {value!r}" for name, value in settings.items() if len(value) != 1), None)
        return f"{long} is not one character" if long else ""

    def relation(self, session: Session, name: str) -> str:
        """See ``tables.Source``."""
        s3, files = self.landed.access.client("s3"), self.landed.files
        small = set(self.landed.small())
        plain = [path for path in files if path not in small and is_plain(s3, path, files[path][0])]
        scanned = set(plain)
        here = [path for path in files if path not in scanned]
        if plain and not here:
            return self._scan(plain)
        own = f"{name} text" if plain else name
        session.register(own, self.landed.texts(self._records(session, here)))
        if not plain:
            return f'"{own}"'
        return f'(SELECT * FROM {self._scan(plain)} UNION ALL SELECT * FROM "{own}")'  # noqa: S608

    def _records(self, session: Session, paths: list[str]) -> dict[str, list[list[str | None]]]:
        width = len(self.landed.fields)
        found: dict[str, list[list[str | None]]] = {}
        for path, stream in self.landed.bodies(session, paths):
            texts = (text for text in text_lines(path, stream) if not is_blank(text))
            records: list[list[Any]] = [
                next(csv.reader([text], delimiter=self._separator, quotechar=self._quote), []) for text in texts
            ]
            found[path] = [[*record[:width], *[None] * (width - len(record))] for record in records[self._skip :]]
        return found

    def _scan(self, paths: list[str]) -> str:
        columns = ", ".join(f"{sql_text(field)}: 'VARCHAR'" for field in self.landed.fields)
        # ingest_date out of the path, and not by DuckDB's hive_partitioning: that fails where only some
        # of the files lie in a batch= folder.
        name, at = self.landed.partition, self.landed.date_at
        partition = f', substr(filename, {at + 1}, 10) AS "{name}"' if name else ""
        scan = (
            f"read_csv([{', '.join(map(sql_text, paths))}], columns = {{{columns}}}, auto_detect = false, "
            f"header = false, skip = {self._skip}, delim = {sql_text(self._separator)}, "
            f"quote = {sql_text(self._quote)}, escape = {sql_text(self._quote)}, nullstr = {sql_text(_NEVER)}, "
            "null_padding = true, strict_mode = false, parallel = false, filename = true, hive_partitioning = false)"
        )
        return f'(SELECT * EXCLUDE (filename){partition}, filename AS "{PATH}" FROM {scan})'  # noqa: S608
