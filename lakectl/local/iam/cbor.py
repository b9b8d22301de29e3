"""A map of short texts in CBOR (RFC 8949), which is all that an error of an RPC v2 service holds."""

from __future__ import annotations

from collections.abc import Mapping

TEXT, MAP = 3, 5


def encode_map(fields: Mapping[str, str]) -> bytes:
    """A definite-length map of text to text."""
    return _head(MAP, len(fields)) + b"".join(_text(name) + _text(value) for name, value in fields.items())


def _text(value: str) -> bytes:
    data = value.encode()
    return _head(TEXT, len(data)) + data


def _head(kind: int, length: int) -> bytes:
    if length < 24:
        return bytes([kind << 5 | length])
    if length < 256:
        return bytes([kind << 5 | 24, length])
    return bytes([kind << 5 | 25]) + length.to_bytes(2, "big")
