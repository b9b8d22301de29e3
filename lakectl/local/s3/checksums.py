"""The checksums of objects [S3 user guide, "Checking object integrity"]: of bytes as they pass, and of parts together.

A checksum is text in base64. That of an upload in parts is FULL_OBJECT, that of all bytes, or COMPOSITE: the checksum
of its parts' checksums, shown with the number of parts behind a hyphen.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Protocol

DEFAULT = "CRC64NVME"  # what S3 adds when the client gives none
FULL_OBJECT, COMPOSITE = "FULL_OBJECT", "COMPOSITE"
CRC_MODELS = {"CRC32": "CRC32", "CRC32C": "CRC32-ISCSI", "CRC64NVME": "CRC64-NVME"}
CRC_BYTES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8}


class Sum(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


@cache
def _model(algorithm: str) -> Any:
    import anycrc  # 40 ms

    return anycrc.Model(CRC_MODELS[algorithm])


class _Crc:
    def __init__(self, algorithm: str) -> None:
        self.calculate = _model(algorithm).calc
        self.bytes = CRC_BYTES[algorithm]
        self.value = self.calculate(b"")

    def update(self, data: bytes, /) -> None:
        self.value = self.calculate(data, self.value)

    def digest(self) -> bytes:
        return int(self.value).to_bytes(self.bytes, "big")


ALGORITHMS: dict[str, Callable[[], Sum]] = {
    "CRC32": lambda: _Crc("CRC32"),
    "CRC32C": lambda: _Crc("CRC32C"),
    "CRC64NVME": lambda: _Crc("CRC64NVME"),
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "SHA256": hashlib.sha256,
}


def encoded(each: Sum) -> str:
    return base64.b64encode(each.digest()).decode()


def of(algorithm: str, chunks: Iterable[bytes]) -> str:
    each = ALGORITHMS[algorithm]()
    for chunk in chunks:
        each.update(chunk)
    return encoded(each)


def is_checksum(algorithm: str, value: str) -> bool:
    """Whether the text has the form of such a checksum."""
    try:
        return len(base64.b64decode(value, validate=True)) == len(ALGORITHMS[algorithm]().digest())
    except (binascii.Error, ValueError):
        return False


def composite(algorithm: str, parts: Iterator[tuple[str, int]]) -> str:
    """The checksum of the parts' checksums: ``(checksum, bytes)`` each. Without the number of parts."""
    return of(algorithm, (base64.b64decode(checksum) for checksum, _ in parts))


def full_object(algorithm: str, parts: Iterator[tuple[str, int]]) -> str:
    """The checksum of all bytes, from those of the parts. For the CRCs alone."""
    model, value = _model(algorithm), None
    for checksum, size in parts:
        number = int.from_bytes(base64.b64decode(checksum), "big")
        value = number if value is None else model.combine(value, number, size)
    return base64.b64encode(int(value or 0).to_bytes(CRC_BYTES[algorithm], "big")).decode()
