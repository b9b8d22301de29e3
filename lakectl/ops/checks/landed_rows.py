"""The keys of a landed file's rows, whatever its format. Reading a file is this module's business alone."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Hashable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from lakectl.core import csv_files
from lakectl.core.values import clean, value_of
from lakectl.spec.model import SourceSpec

Key = Hashable  # one value, or a tuple of them; of a source without keys: ()


class Unreadable(Exception):
    """Why a landing can't be read any more."""


def keys_in(body: bytes, key: str, name: str, source: SourceSpec) -> Iterator[Key | None]:
    """The key of each row of a file that silver may have, None for one without; rows that silver can't have in any
    form are left out. Raises :class:`Unreadable`, with the file's ``name``."""
    stream: Any = io.BytesIO(body)
    if key.endswith(".gz"):
        stream = gzip.GzipFile(fileobj=stream)
    try:
        for row in rows(stream, source):
            yield key_of(row, source)
    except (ValueError, *csv_files.GZIP_ERRORS) as error:
        raise Unreadable(f"{name} is loaded, but can't be read as {source.file.format}: {error}") from error


def rows(stream: Any, source: SourceSpec) -> Iterator[Mapping[str, Any]]:
    """The rows of a file of ``source`` by the columns' names in silver, broken ones left out.

    Raises ValueError for a file that is none of the source's format.
    """
    reader = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[source.file.format]
    names = {(column.header or column.name).lower(): column.name for column in source.columns}
    for row in reader(stream, source):
        yield {names.get(name, name): value for name, value in row.items()}


def _csv(stream: Any, source: SourceSpec) -> Iterator[Mapping[str, Any]]:
    file = source.file
    lines = (line.decode(file.encoding, "replace") for line in csv_files.lines(stream))
    header = [name.strip().lower() for name in _fields(next(lines, "").lstrip("\ufeff"), source)]
    texts = [place for place, name in enumerate(header) if name in source.by_name and _is_text(source, name)]
    for line in lines:
        if csv_files.is_blank(line):
            continue
        try:
            row = _fields(line, source)
        except ValueError:  # a broken row
            continue
        if len(row) == len(header) and not any(csv_files.REPLACEMENT in row[place] for place in texts):
            yield dict(zip(header, row, strict=True))


def _fields(line: str, source: SourceSpec) -> list[str]:
    try:
        reader = csv.reader([line], strict=True, delimiter=source.file.delimiter, quotechar=source.file.quote)
        return next(reader, [])
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _is_text(source: SourceSpec, name: str) -> bool:
    return source.by_name[name].type == "string"


def _jsonl(stream: Any, source: SourceSpec) -> Iterator[Mapping[str, Any]]:
    for line in csv_files.lines(stream):
        text = line.decode(source.file.encoding, "replace").lstrip("\ufeff")
        if csv_files.is_blank(text):
            continue
        try:
            row = json.loads(text, parse_float=str)
        except ValueError:  # a broken row
            continue
        if isinstance(row, dict):
            yield {name.lower(): value for name, value in row.items()}


def _parquet(stream: Any, source: SourceSpec) -> Iterator[Mapping[str, Any]]:  # noqa: ARG001 - one shape for all
    import pyarrow as pa
    from pyarrow import parquet

    try:
        for batch in parquet.ParquetFile(stream).iter_batches():
            for row in batch.to_pylist():
                yield {name.lower(): value for name, value in row.items()}
    except pa.ArrowInvalid as error:
        raise ValueError(str(error).splitlines()[0]) from error


# ---- keys as typed values


def key_of(row: Mapping[str, Any], source: SourceSpec) -> Key | None:
    """The row's key, equal for what the job reads as the same (``007`` and ``7``).

    None when a part of it is missing or can't be read.
    """
    parts = [_value(row.get(name), name, source) for name in source.keys]
    if None in parts:
        return None
    return parts[0] if len(parts) == 1 else tuple(parts)


def _value(found: Any, name: str, source: SourceSpec) -> Hashable | None:
    column = source.by_name[name]
    if found is None or isinstance(found, date | datetime | Decimal | float):
        return found
    if isinstance(found, bool):
        found = str(found).lower()
    text = clean(str(found))
    return None if text is None or text in source.file.nulls else value_of(text, column.type)


def key_of_bronze(texts: list[str], kinds: list[str], source: SourceSpec) -> Key | None:
    """The key of a row of the bronze table, whose key columns have these Hive types; NULL is an empty text."""
    row = {
        name: text if kind == "string" or not text else _stored(text, kind)
        for name, text, kind in zip(source.keys, texts, kinds, strict=True)
    }
    return key_of(row, source)


def key_of_silver(texts: list[str], source: SourceSpec) -> Key:
    """The key that a row of silver has, by Athena's texts of its key columns."""
    parts = [_stored(text, source.by_name[name].type) for text, name in zip(texts, source.keys, strict=True)]
    return parts[0] if len(parts) == 1 else tuple(parts)


def _stored(text: str, kind: str) -> Hashable:
    if kind in ("bigint", "int"):
        return int(text)
    if kind == "double":
        return float(text)
    if kind == "date":
        return date.fromisoformat(text)
    if kind == "timestamp":
        return datetime.fromisoformat(text)
    if kind == "boolean":
        return text == "true"
    if kind.startswith("decimal"):
        try:
            return Decimal(text)
        except InvalidOperation as error:
            raise ValueError(f"{text!r} is no decimal") from error
    return text
