"""Hive's buckets: which file of a bucketed table a row belongs to.

https://docs.aws.amazon.com/athena/latest/ug/ctas-partitioning-and-bucketing-what-is-bucketing.html; the hash is that of
Trino 440's HiveBucketingV1 (plugin/trino-hive), which Athena and Hive read by.
"""

from __future__ import annotations

import datetime
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import Type

if TYPE_CHECKING:
    from lakectl.local.athena.settings import Settings

_EPOCH = datetime.date(1970, 1, 1)


@dataclass(frozen=True)
class Buckets:
    """``columns``: what rows are spread by; ``count``: of files, in each partition at most."""

    columns: dict[str, Type]
    count: int

    def numbers(self, columns: Sequence[Sequence[Any]]) -> list[int]:
        """The bucket of each row, from 0; ``columns``: the values of each of ``self.columns``."""
        hashes = [_HASHES[_family(kind)] for kind in self.columns.values()]
        found = []
        for row in zip(*columns, strict=True):
            result = 0
            for hashed, value in zip(hashes, row, strict=True):
                result = _int(result * 31 + (0 if value is None else hashed(value)))
            found.append((result & 0x7FFFFFFF) % self.count)
        return found


def of(given: Settings, fields: dict[str, Type]) -> Buckets | None:
    """``bucketed_by`` and ``bucket_count``. Raises QueryError as Trino's HiveTableProperties does."""
    names = [name.lower() for name in given.take_list("bucketed_by")]
    text = given.take("bucket_count")
    if text is None and not names:
        return None
    count = int(text) if text is not None and text.lstrip("-").isdigit() else 0
    if count < 0:
        raise QueryError("INVALID_TABLE_PROPERTY", "bucket_count must be greater than zero")
    if not names or count == 0:
        raise QueryError("INVALID_TABLE_PROPERTY", "bucketed_by and bucket_count must be specified together")
    unknown = [name for name in names if name not in fields]
    if unknown:
        raise QueryError("INVALID_TABLE_PROPERTY", f"Bucketing columns [{', '.join(unknown)}] not present in schema")
    for name in names:
        if _family(fields[name]) not in _HASHES:
            raise QueryError(
                "NOT_SUPPORTED", f"Table with bucketing on column {name} of type {fields[name]} is not supported"
            )
    return Buckets({name: fields[name] for name in names}, count)


def _int(value: int) -> int:
    """The 32 bits that Java's int keeps."""
    return (value + 0x80000000) % 0x100000000 - 0x80000000


def _long(value: int) -> int:
    bits = value & 0xFFFFFFFFFFFFFFFF
    return _int((bits >> 32) ^ bits)


def _bits(form: str, value: float) -> int:
    """IEEE 754; all NaNs are one."""
    size = {"f": "I", "d": "Q"}[form]
    return int(struct.unpack(f">{size}", struct.pack(f">{form}", math.nan if math.isnan(value) else value))[0])


def _text(initial: int) -> Callable[[str], int]:
    def hashed(value: str) -> int:
        result = initial
        for byte in value.encode("utf-8"):
            result = _int(31 * result + (byte - 256 if byte > 127 else byte))
        return result

    return hashed


def _family(kind: Type) -> str:
    if kind.name in ("tinyint", "smallint", "integer"):
        return "int"
    return "string" if kind.name == "varchar" and not kind.numbers else kind.name


_HASHES: dict[str, Callable[[Any], int]] = {
    "boolean": int,
    "int": int,
    "bigint": _long,
    "real": lambda value: _int(_bits("f", value)),
    "double": lambda value: _long(_bits("d", value)),
    "string": _text(0),
    "varchar": _text(1),
    "date": lambda value: (value - _EPOCH).days,
}
