"""The keys of a landed file's rows, whatever its format, read by the code that the job reads them with."""

from __future__ import annotations

import gzip
import io
from collections.abc import Hashable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from lakectl.core import csv_files, json_files, parquet_files
from lakectl.core.values import clean, value_of
from lakectl.spec.model import Column, SourceSpec

Key = Hashable  # one value, or a tuple of them; of a source without keys: ()


class Unreadable(Exception):
    """Why a landing can't be read any more."""


def keys_in(body: bytes, key: str, name: str, source: SourceSpec) -> Iterator[Key | None]:
    """The key of each row of a file that silver may have, None for one without; rows that silver can't have in any
    form are left out. Raises :class:`Unreadable`, with the file's ``name``."""
    stream: Any = io.BytesIO(body)
    if key.endswith(".gz"):
        stream = gzip.GzipFile(fileobj=stream)
    reader = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[source.file.format]
    try:
        yield from reader(stream, source)
    except (ValueError, *csv_files.GZIP_ERRORS) as error:
        raise Unreadable(f"{name} is loaded, but can't be read as {source.file.format}: {error}") from error
    except ImportError as error:
        raise Unreadable(f"{name} can't be read here: {error}; pip install 'lakectl[local]'") from error


def _csv(stream: Any, source: SourceSpec) -> Iterator[Key | None]:
    lines = csv_files.lines(stream)
    header = csv_files.named(csv_files.header(next(lines, b""), source.file), source)
    texts = [
        place for place, name in enumerate(header) if name in source.by_name and source.by_name[name].type == "string"
    ]
    for line in lines:
        text = line.decode(source.file.encoding, "replace")
        if csv_files.is_blank(text):
            continue
        try:
            row = csv_files.fields(text, source.file)
        except ValueError:  # a broken row
            continue
        if len(row) == len(header) and not any(csv_files.REPLACEMENT in row[place] for place in texts):
            yield key_of(dict(zip(header, row, strict=True)), source)


def _jsonl(stream: Any, source: SourceSpec) -> Iterator[Key | None]:
    reader = json_files.Lines(source)
    for number, line in enumerate(csv_files.lines(stream), start=1):
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", "replace")
        if json_files.is_blank(text):
            continue
        try:
            row, _ = reader.row(text)
        except json_files.Broken:
            continue
        yield _key([_stored(row[name].plain, source.by_name[name].type) for name in source.keys])


def _parquet(stream: Any, source: SourceSpec) -> Iterator[Key | None]:
    for _, row in parquet_files.rows(stream, source):
        yield _key([row[name][1] if name in row else None for name in source.keys])


# ---- keys as typed values


def _key(parts: list[Hashable | None]) -> Key | None:
    """None when a part of the key is missing or can't be read."""
    if None in parts:
        return None
    return parts[0] if len(parts) == 1 else tuple(parts)


def key_of(row: Mapping[str, str | None], source: SourceSpec) -> Key | None:
    """The key of a row of text, equal for texts that the job reads as the same (``007`` and ``7``)."""
    return _key([_value(row.get(name), source.by_name[name], source) for name in source.keys])


def _value(text: str | None, column: Column, source: SourceSpec) -> Hashable | None:
    cleaned = clean(text, column, source.file.nulls)
    if cleaned is None:
        return None
    value: Hashable | None = value_of(cleaned, column)
    if value is None and source.file.format != "csv":  # JSON and Parquet have values of their own beside texts
        value = value_of(cleaned, Column(column.name, column.type))
    return value


def key_of_bronze(texts: list[str], kinds: list[str], source: SourceSpec) -> Key | None:
    """The key of a row of the bronze table, whose key columns have these Hive types; NULL is an empty text."""
    return _key(
        [
            _value(text, source.by_name[name], source) if kind == "string" else _stored(text or None, kind)
            for name, text, kind in zip(source.keys, texts, kinds, strict=True)
        ]
    )


def key_of_silver(texts: list[str], source: SourceSpec) -> Key | None:
    """The key that a row of silver has, by Athena's texts of its key columns."""
    return _key([_stored(text, source.by_name[name].type) for text, name in zip(texts, source.keys, strict=True)])


def _stored(text: str | None, kind: str) -> Hashable | None:
    """The value of a text that Athena, or Spark, wrote."""
    if text is None:
        return None
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
    return Decimal(text) if kind.startswith("decimal") else text
