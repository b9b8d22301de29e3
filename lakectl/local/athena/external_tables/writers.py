"""Writes rows into a file of one format. Each writer takes Arrow tables whose columns are those of the file.

Forms of values: Trino's ``lib/trino-hive-formats`` (``line/json/JsonSerializer``, ``encodings/text``).
"""

from __future__ import annotations

import base64
import bz2
import datetime
import gzip
import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa
from pyarrow import orc, parquet

from lakectl.local.athena import render
from lakectl.local.athena.external_tables.lazysimple import delimiter
from lakectl.local.athena.sqltypes import Type


class Writer(Protocol):
    def write(self, rows: pa.Table) -> None: ...

    def close(self) -> None: ...


def open_writer(
    format_name: str,
    codec: str,
    file: Any,
    fields: Mapping[str, Type],
    schema: pa.Schema,
    settings: Mapping[str, str],
) -> Writer:
    """``codec``: one of ``Format.codecs``; ``settings``: those of the SerDe."""
    if format_name == "PARQUET":
        name = codec.lower()
        # Athena writes timestamps of external tables as INT96.
        made: Writer = parquet.ParquetWriter(file, schema, compression=name, use_deprecated_int96_timestamps=True)
        return made
    if format_name == "ORC":
        name = "uncompressed" if codec == "NONE" else codec.lower()
        return _Orc(file, name, schema)
    if format_name == "AVRO":
        from lakectl.local.athena.external_tables.avro_writer import AvroWriter

        return AvroWriter(file, codec, schema)
    line = _json(fields) if format_name == "JSON" else _text(fields, settings)
    return _Lines(file, codec, line)


class _Orc:
    def __init__(self, file: Any, compression: str, schema: pa.Schema) -> None:
        self._writer, self._schema, self._empty = orc.ORCWriter(file, compression=compression), schema, True

    def write(self, rows: pa.Table) -> None:
        self._empty = False
        self._writer.write(rows)

    def close(self) -> None:
        if self._empty:  # Arrow writes no schema without a table
            self._writer.write(self._schema.empty_table())
        self._writer.close()


class _Lines:
    """A text file, a line for each row."""

    def __init__(self, file: Any, codec: str, line: Callable[[tuple[Any, ...]], str]) -> None:
        opened: dict[str, Callable[[], Any]] = {
            "GZIP": lambda: gzip.GzipFile(fileobj=file, mode="wb", mtime=0),
            "BZIP2": lambda: bz2.BZ2File(file, "wb"),
        }
        self._stream: Any = opened.get(codec, lambda: file)()
        self._packed = codec in opened
        self._line = line

    def write(self, rows: pa.Table) -> None:
        columns = [column.to_pylist() for column in rows.columns]
        self._stream.write("".join(self._line(row) + "\n" for row in zip(*columns, strict=True)).encode())

    def close(self) -> None:
        if self._packed:
            self._stream.close()


def _json(fields: Mapping[str, Type]) -> Callable[[tuple[Any, ...]], str]:
    names = [json.dumps(name, ensure_ascii=False) for name in fields]
    writers = [_json_value(kind) for kind in fields.values()]

    def line(row: tuple[Any, ...]) -> str:
        parts = (f"{name}:{write(value)}" for name, write, value in zip(names, writers, row, strict=True))
        return "{" + ",".join(parts) + "}"

    return line


def _json_value(kind: Type) -> Callable[[Any], str]:
    if kind.name == "array":
        item = _json_value(kind.items[0])
        return lambda value: "null" if value is None else "[" + ",".join(map(item, value)) + "]"
    if kind.name == "map":
        key, each = _key_text(kind.items[0]), _json_value(kind.items[1])

        def pairs(value: Any) -> str:
            if value is None:
                return "null"
            return "{" + ",".join(f"{json.dumps(key(k), ensure_ascii=False)}:{each(v)}" for k, v in value) + "}"

        return pairs
    if kind.name == "row":
        line = _json({str(name): item for name, item in zip(kind.fields, kind.items, strict=True)})
        return lambda value: "null" if value is None else line(tuple(value.values()))
    return lambda value: "null" if value is None else _json_scalar(value, kind)


def _json_scalar(value: Any, kind: Type) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = render.double(value, narrow=kind.name == "real")
        return json.dumps(text) if math.isnan(value) or math.isinf(value) else text
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    return json.dumps(text_of(value, kind), ensure_ascii=False)


def _key_text(kind: Type) -> Callable[[Any], str]:
    return lambda value: text_of(value, kind)


def text_of(value: Any, kind: Type) -> str:
    """A value that is not NULL, in Hive's text form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return render.double(value, narrow=kind.name == "real")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
        return f"{value:%Y-%m-%d %H:%M:%S}{fraction}"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def _text(fields: Mapping[str, Type], settings: Mapping[str, str]) -> Callable[[tuple[Any, ...]], str]:
    ends = list("\x01\x02\x03\x04\x05\x06\x07\x08")
    for at, name in enumerate(("field.delim", "colelction.delim", "mapkey.delim")):
        if settings.get(name):
            ends[at] = delimiter(settings[name])
    null = settings.get("serialization.null.format", "\\N")
    escape = settings.get("escape.delim")
    writers = [_text_value(kind, 1, ends, null, escape) for kind in fields.values()]
    return lambda row: ends[0].join(write(value) for write, value in zip(writers, row, strict=True))


def _text_value(kind: Type, level: int, ends: list[str], null: str, escape: str | None) -> Callable[[Any], str]:
    if kind.items:
        down = level + (2 if kind.name == "map" else 1)
        inner = [_text_value(item, down, ends, null, escape) for item in kind.items]

        def nested(value: Any) -> str:
            if value is None:
                return null
            if kind.name == "array":
                return ends[level].join(map(inner[0], value))
            if kind.name == "row":
                return ends[level].join(write(part) for write, part in zip(inner, value.values(), strict=True))
            return ends[level].join(f"{inner[0](key)}{ends[level + 1]}{inner[1](part)}" for key, part in value)

        return nested

    def plain(value: Any) -> str:
        if value is None:
            return null
        text = text_of(value, kind)
        if escape is not None and kind.name in ("varchar", "char"):
            special = {escape, *ends[: level + 1]}
            text = "".join(escape + char if char in special else char for char in text)
        return text

    return plain
