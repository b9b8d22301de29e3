"""Avro files, by PyIceberg's writer: https://avro.apache.org/docs/1.11.1/specification/"""

from __future__ import annotations

import binascii
import datetime
from typing import Any

import pyarrow as pa
from pyiceberg.avro.codecs.codec import Codec
from pyiceberg.avro.file import AvroOutputFile
from pyiceberg.io import OutputFile
from pyiceberg.io.pyarrow import _ConvertToIcebergWithoutIDs, visit_pyarrow
from pyiceberg.schema import assign_fresh_schema_ids
from pyiceberg.typedef import Record

_CODECS = {"GZIP": "deflate", "DEFLATE": "deflate", "NONE": "null", "SNAPPY": "snappy"}
_EPOCH = datetime.datetime(1970, 1, 1)


class _Stream(OutputFile):
    """A file that is open already, and stays open."""

    def __init__(self, file: Any) -> None:
        super().__init__("avro")
        self._file = file

    def __len__(self) -> int:
        return int(self._file.tell())

    def exists(self) -> bool:
        return False

    def to_input_file(self) -> Any:
        raise NotImplementedError

    def create(self, overwrite: bool = False) -> Any:  # noqa: ARG002
        return self

    def write(self, data: bytes) -> int:
        return int(self._file.write(data))

    def close(self) -> None:
        """The owner closes it."""


class _Snappy(Codec):
    """Arrow's; PyIceberg's needs a package of its own. Four bytes of CRC-32 follow each block."""

    @staticmethod
    def compress(data: bytes) -> tuple[bytes, int]:
        packed = pa.compress(data, codec="snappy", asbytes=True) + binascii.crc32(data).to_bytes(4, "big")
        return packed, len(packed)

    @staticmethod
    def decompress(data: bytes) -> bytes:
        raise NotImplementedError


class _Output(AvroOutputFile[Any]):
    def compression_codec(self) -> type[Codec] | None:
        return _Snappy if self.metadata["avro.codec"] == "snappy" else super().compression_codec()


class AvroWriter:
    """Every field may be NULL."""

    def __init__(self, file: Any, codec: str, schema: pa.Schema) -> None:
        nullable = pa.schema([pa.field(field.name, _wide(field.type)) for field in schema])
        found: Any = visit_pyarrow(nullable, _ConvertToIcebergWithoutIDs())
        self._schema = assign_fresh_schema_ids(found)
        self._output: Any = _Output(_Stream(file), self._schema, "row", metadata={"avro.codec": _CODECS[codec]})
        self._output.__enter__()
        self._kinds = [field.type for field in nullable]

    def write(self, rows: pa.Table) -> None:
        columns = [
            [_value(value, kind) for value in column.to_pylist()]
            for column, kind in zip(rows.columns, self._kinds, strict=True)
        ]
        self._output.write_block([Record(*row) for row in zip(*columns, strict=True)])

    def close(self) -> None:
        self._output.__exit__(None, None, None)


def _wide(kind: pa.DataType) -> pa.DataType:
    """Avro has integers of 32 and 64 bits only."""
    if pa.types.is_int8(kind) or pa.types.is_int16(kind):
        return pa.int32()
    if pa.types.is_list(kind):
        return pa.list_(_wide(kind.value_type))
    if pa.types.is_map(kind):
        return pa.map_(_wide(kind.key_type), _wide(kind.item_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _wide(field.type)) for field in kind])
    return kind


def _value(value: Any, kind: pa.DataType) -> Any:
    """As PyIceberg's writer takes it: dates are days, timestamps microseconds, structs records."""
    if value is None:
        return None
    if pa.types.is_date(kind):
        return (value - _EPOCH.date()).days
    if pa.types.is_timestamp(kind):
        return (value - _EPOCH) // datetime.timedelta(microseconds=1)
    if pa.types.is_list(kind):
        return [_value(item, kind.value_type) for item in value]
    if pa.types.is_map(kind):
        return {_value(key, kind.key_type): _value(item, kind.item_type) for key, item in value}
    if pa.types.is_struct(kind):
        return Record(*(_value(item, field.type) for item, field in zip(value.values(), kind, strict=True)))
    return value
