"""External CSV tables: text files under a prefix of S3, read as the table's SerDe says.

https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html and
https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.odd_text import is_plain, records
from lakectl.local.athena.session import Session

OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
PATH = "$path"
_DATE = r"\d{4}-\d\d-\d\d"
_NOW = re.compile(r"NOW\s*(?:([+-])\s*(\d+)\s*(DAY|WEEK|MONTH|YEAR)S?)?", re.I)
# DuckDB takes an empty field for NULL, OpenCSVSerDe for an empty text: so NULL is what no file holds.
_NEVER = "\x01"


@dataclass(frozen=True)
class CsvSource:
    """An external CSV table at this moment: the files that are there now; ``odd_files``: the records of those that
    DuckDB refuses or reads otherwise than Athena."""

    label: str
    fields: tuple[str, ...]
    partition: str | None
    files: tuple[str, ...]
    odd_files: dict[str, list[list[str]]]
    date_at: int
    separator: str
    quote: str
    skip: int

    @property
    def columns(self) -> dict[str, str]:
        names = (*self.fields, self.partition, PATH) if self.partition else (*self.fields, PATH)
        return dict.fromkeys(names, "varchar")

    @property
    def hidden(self) -> frozenset[str]:
        return frozenset((PATH,))

    def relation(self, session: Session, name: str) -> str:
        if not self.files:
            session.register(name, self._odd_table())
            return f'"{name}"'
        if self.odd_files:
            odd = f"{name} odd"
            session.register(odd, self._odd_table())
            return f'(SELECT * FROM {self._scan()} UNION ALL SELECT * FROM "{odd}")'  # noqa: S608
        return self._scan()

    def _odd_table(self) -> pa.Table:
        rows = []
        for path, found in self.odd_files.items():
            ends = [path[self.date_at : self.date_at + 10], path] if self.partition else [path]
            width = len(self.fields)
            rows += [[*record[:width], *[None] * (width - len(record)), *ends] for record in found[self.skip :]]
        columns = zip(*rows, strict=True) if rows else ([] for _ in self.columns)
        return pa.table(
            {column: pa.array(values, pa.string()) for column, values in zip(self.columns, columns, strict=True)}
        )

    def _scan(self) -> str:
        columns = ", ".join(f"{_text(field)}: 'VARCHAR'" for field in self.fields)
        # ingest_date out of the path, and not by DuckDB's hive_partitioning: that fails where only some
        # of the files lie in a batch= folder.
        partition = f', substr(filename, {self.date_at + 1}, 10) AS "{self.partition}"' if self.partition else ""
        scan = (
            f"read_csv([{', '.join(map(_text, self.files))}], columns = {{{columns}}}, auto_detect = false, "
            f"header = false, skip = {self.skip}, delim = {_text(self.separator)}, quote = {_text(self.quote)}, "
            f"escape = {_text(self.quote)}, nullstr = {_text(_NEVER)}, null_padding = true, strict_mode = false, "
            "parallel = false, filename = true, hive_partitioning = false)"
        )
        return f'(SELECT * EXCLUDE (filename){partition}, filename AS "{PATH}" FROM {scan})'  # noqa: S608


def source(entry: dict[str, Any], s3: Any, label: str) -> CsvSource:
    """The table that a Glue entry describes. Raises QueryError for what the local Athena can't read."""
    storage, parameters = entry.get("StorageDescriptor", {}), entry.get("Parameters", {})
    serde = storage.get("SerdeInfo", {})
    library = serde.get("SerializationLibrary", "")
    if library != OPEN_CSV:
        raise _unsupported(label, f"its SerDe is {library or 'not set'}; {OPEN_CSV} is the one that is read")
    columns = {column["Name"].lower(): column.get("Type", "string") for column in storage.get("Columns", [])}
    other = next((f"{name} {kind}" for name, kind in columns.items() if kind.lower() != "string"), None)
    if other:
        raise _unsupported(label, f"column {other}: columns of OpenCSVSerDe are read as string only")
    keys = [key["Name"].lower() for key in entry.get("PartitionKeys", [])]
    root = storage.get("Location", "").rstrip("/") + "/"
    etags = dict(_files(s3, root))
    partition, files, at = None, list(etags), 0
    if keys:
        partition = _projected(keys, parameters, label)
        at, files = _in_range(files, partition, root, parameters, label)
    characters = serde.get("Parameters", {})
    separator, quote = characters.get("separatorChar", ","), characters.get("quoteChar", '"')
    odd = {file: records(s3, file, separator, quote) for file in files if not is_plain(s3, file, etags[file])}
    return CsvSource(
        label=label,
        fields=tuple(columns),
        partition=partition,
        files=tuple(file for file in files if file not in odd),
        odd_files=odd,
        date_at=at,
        separator=separator,
        quote=quote,
        skip=int(parameters.get("skip.header.line.count", 0)),
    )


def _files(s3: Any, root: str) -> Iterator[tuple[str, str]]:
    """Every file under ``root`` and its ETag, subfolders too; Athena sees neither empty ones nor ``_x`` and ``.x``."""
    bucket, _, prefix = root.removeprefix("s3://").partition("/")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            parts = found["Key"].removeprefix(prefix).split("/")
            if found["Size"] and not any(part.startswith(("_", ".")) for part in parts):
                yield f"s3://{bucket}/{found['Key']}", found["ETag"]


def _projected(keys: list[str], parameters: dict[str, str], label: str) -> str:
    """The one partition column, of projection type date."""
    projected = parameters.get("projection.enabled", "").lower() == "true"
    kind = parameters.get(f"projection.{keys[0]}.type", "").strip().lower()
    pattern = parameters.get(f"projection.{keys[0]}.format", "")
    if len(keys) != 1 or not projected or kind != "date" or pattern != "yyyy-MM-dd":
        raise _unsupported(label, "only one partition column, projected as a date yyyy-MM-dd, is read")
    return keys[0]


def _in_range(
    files: list[str], partition: str, root: str, parameters: dict[str, str], label: str
) -> tuple[int, list[str]]:
    """Where the date begins in a path, and the files whose date the projection's range holds."""
    template = parameters.get("storage.location.template", f"{root}{partition}=${{{partition}}}/")
    before, mark, after = template.partition(f"${{{partition}}}")
    if not mark or not before.startswith(root):
        raise _unsupported(label, f"storage.location.template {template} does not lie below {root}")
    low, _, high = parameters.get(f"projection.{partition}.range", "").partition(",")
    first, last = _bound(low, label), _bound(high, label)
    shape = re.compile(f"{re.escape(before)}({_DATE}){re.escape(after.rstrip('/'))}/")
    dated = ((file, found[1]) for file in files if (found := shape.match(file)))
    return len(before), [file for file, date in dated if first <= date <= last]


def _bound(text: str, label: str) -> str:
    """``2020-01-01`` or ``NOW+1YEARS`` as a date."""
    text = text.strip()
    if re.fullmatch(_DATE, text):
        return text
    found = _NOW.fullmatch(text)
    if not found:
        raise _unsupported(label, f"{text!r} is no bound of a projected range")
    today = datetime.datetime.now(datetime.UTC).date()
    if not found[1]:
        return today.isoformat()
    count, unit = int(found[1] + found[2]), found[3].upper()
    if unit in ("DAY", "WEEK"):
        return (today + datetime.timedelta(days=count * (7 if unit == "WEEK" else 1))).isoformat()
    month = today.year * 12 + today.month - 1 + count * (12 if unit == "YEAR" else 1)
    year, month = month // 12, month % 12 + 1
    return today.replace(year=year, month=month, day=min(today.day, calendar.monthrange(year, month)[1])).isoformat()


def _unsupported(label: str, why: str) -> QueryError:
    return QueryError("NOT_SUPPORTED", f"the local Athena can't read {label}: {why}")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
