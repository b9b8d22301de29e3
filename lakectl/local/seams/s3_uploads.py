"""S3 uploads: bytes that are not those the client vouches for are refused; parts are listed page by page.

Wrapped: ``S3Response._key_response`` (moto believes every checksum). Replaced: ``FakeMultipart.list_parts`` (takes the
marker for an index) and ``S3Backend.is_truncated`` (takes it for a count).
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeKey, FakeMultipart, S3Backend
from moto.s3.responses import S3Response

from lakectl.local.context import LocalContext
from lakectl.local.seams.s3_storage import vouched

TRAILER_BYTES = 256  # the last lines of an aws-chunked body
# CRC32C and CRC64NVME are believed: Python computes them too slowly.
SUMS: dict[str, Callable[[bytes], bytes]] = {
    "sha256": lambda body: hashlib.sha256(body).digest(),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
}


class BadDigest(S3ClientError):
    def __init__(self, what: str) -> None:
        super().__init__("BadDigest", f"The {what} you specified did not match the calculated checksum.")


class ContentMismatch(S3ClientError):
    def __init__(self) -> None:
        super().__init__(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )


def install(context: LocalContext) -> None:  # noqa: ARG001 - each seam has the same signature
    S3Response._key_response = _checking(S3Response._key_response)
    FakeMultipart.list_parts = _list_parts
    S3Backend.is_truncated = _is_truncated


def _checking(original: Callable[..., Any]) -> Callable[..., Any]:
    def key_response(self: S3Response, request: Any, full_url: str) -> Any:
        if request.method == "PUT":
            with vouched(verify(request.headers, self.body or b"", self.raw_body or b"")):
                return original(self, request, full_url)
        return original(self, request, full_url)

    return key_response


def verify(headers: Any, body: bytes, as_sent: bytes) -> dict[str, str]:
    """Compare ``body`` with each checksum in ``headers``, and in the trailer of ``as_sent`` when it is aws-chunked.

    Returns what agreed (``SHA256`` → base64). Raises :class:`BadDigest` or :class:`ContentMismatch`.
    """
    agreed: dict[str, str] = {}
    signed = headers.get("x-amz-content-sha256", "")
    if "x-amz-copy-source" in headers:
        return agreed
    known = ""  # the body's SHA-256 is computed once for both headers that may hold it
    if re.fullmatch("[0-9a-f]{64}", signed):
        known = hashlib.sha256(body).hexdigest()
        if known != signed:
            raise ContentMismatch
    for name, compute in SUMS.items():
        given = headers.get(f"x-amz-checksum-{name}") or _in_trailer(headers, name, as_sent)
        if given:
            digest = bytes.fromhex(known) if known and name == "sha256" else compute(body)
            if given != base64.b64encode(digest).decode():
                raise BadDigest(name.upper())
            agreed[name.upper()] = given
    given = headers.get("Content-MD5")
    if given and given != base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode():
        raise BadDigest("Content-MD5")
    return agreed


def _in_trailer(headers: Any, name: str, as_sent: bytes) -> str | None:
    header = f"x-amz-checksum-{name}"
    if headers.get("x-amz-trailer", "").lower() != header:
        return None
    found = re.search(rf"{header}:([\w+/=]+)".encode(), as_sent[-TRAILER_BYTES:])
    return found[1].decode() if found else None


def _list_parts(self: FakeMultipart, part_number_marker: int, max_parts: int) -> Iterator[FakeKey]:
    after = [number for number in self.partlist if number > part_number_marker]
    return (self.parts[number] for number in after[:max_parts])


def _is_truncated(self: S3Backend, bucket_name: str, multipart_id: str, next_part_number_marker: int) -> bool:
    numbers = self.get_bucket(bucket_name).multiparts[multipart_id].partlist
    return bool(numbers and numbers[-1] > next_part_number_marker)
