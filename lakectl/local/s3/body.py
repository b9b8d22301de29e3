"""The body of a request to S3: its encoding taken off, its signatures and checksums compared, chunk by chunk.

[S3 API reference, "Transferring payload in multiple chunks", "Including trailing headers"; S3 user guide, "Checking
object integrity"]. Nothing here holds more than a piece of it in memory.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from typing import Any

from lakectl.local.iam import refusals
from lakectl.local.iam.refusals import Refused, bad_request
from lakectl.local.iam.signature import STREAMING, STREAMING_UNSIGNED, UNSIGNED, Seal
from lakectl.local.s3 import checksums

PIECE_BYTES = 256 * 1024
LINE_BYTES = 1024  # of a chunk's head and of a trailing header
MAX_TRAILERS = 8
MAX_OBJECT_BYTES = 5 * 2**30  # of one PutObject or UploadPart
HEX_SUM = re.compile("[0-9a-f]{64}")
CHUNK = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?\r\n")
EMPTY_SUM = hashlib.sha256(b"").hexdigest()
UNSUPPORTED = {"SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"}  # that S3 has, and this endpoint does not

INCOMPLETE = bad_request("The request body terminated unexpectedly", "IncompleteBody", "", "")
MISSING_LENGTH = bad_request("You must provide the Content-Length HTTP header.", "MissingContentLength", "", "", 411)
TOO_LARGE = bad_request("Your proposed upload exceeds the maximum allowed size", "EntityTooLarge", "", "")
BAD_TRAILER = bad_request(
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    "MalformedTrailerError",
    "",
    "",
)
SUM_MISMATCH = bad_request(
    "The provided 'x-amz-content-sha256' header does not match what was computed.", "XAmzContentSHA256Mismatch", "", ""
)
NO_PAYLOAD_SUM = bad_request("Missing required header for this request: x-amz-content-sha256", "InvalidRequest", "", "")
UNKNOWN_PAYLOAD_SUM = bad_request(
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
    "InvalidArgument",
    "",
    "",
)
TWO_SUMS = bad_request(
    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.", "InvalidRequest", "", ""
)
NO_CHECKSUM = bad_request(
    "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were "
    "found.",
    "InvalidRequest",
    "",
    "",
)


def _bad_digest(name: str) -> Refused:
    told = f"The {name} you specified did not match the calculated checksum."
    return Refused(bad_request(told, "BadDigest", "", ""))


def _unsupported(name: str) -> Refused:
    told = f"the local AWS does not compute {name} checksums; they work on AWS"
    return Refused(bad_request(told, "NotImplemented", "", "", 501))


def _invalid_sum(name: str) -> Refused:
    told = f"Value for x-amz-checksum-{name.lower()} header is invalid."
    return Refused(bad_request(told, "InvalidRequest", "", ""))


def _follow(seal: Seal, kind: str, link: str, given: str) -> str:
    """Compare one link of the chain of signatures, and return it."""
    text = f"AWS4-HMAC-SHA256-{kind}\n{seal.moment}\n{seal.scope}\n{link}"
    if not hmac.compare_digest(hmac.digest(seal.key, text.encode(), "sha256").hex().encode(), given.encode()):
        raise Refused(refusals.MISMATCH)
    return given


def payload_sum(environ: dict[str, Any], presigned: bool) -> str:
    """What a version 4 signature covers in place of the body. Raises Refused."""
    given: str | None = environ.get("HTTP_X_AMZ_CONTENT_SHA256")
    if given is None:
        if presigned:
            return UNSIGNED
        raise Refused(NO_PAYLOAD_SUM)
    if given not in (UNSIGNED, STREAMING_UNSIGNED, *STREAMING) and not HEX_SUM.fullmatch(given):
        raise Refused(UNKNOWN_PAYLOAD_SUM)
    return given


class Incoming:
    """The decoded body: iterate over it once, then ask for ``agreed``. ``seal`` is None for signature version 2.

    ``also``: a checksum that is computed though the client gives none. ``compares``: whether headers are about it.
    """

    def __init__(self, environ: dict[str, Any], seal: Seal | None, also: str = "", compares: bool = True) -> None:
        self.environ = environ
        self.stream = environ["wsgi.input"]
        self.seal = seal
        self.compares = compares
        self.payload = environ.get("HTTP_X_AMZ_CONTENT_SHA256", UNSIGNED)
        self.chunked = self.payload.startswith("STREAMING-")
        self.size = self._declared()
        self.trailers: dict[str, str] = {}
        names = environ.get("HTTP_X_AMZ_TRAILER", "")
        self.expected = {name.strip().lower() for name in names.split(",") if name.strip()}
        for name in UNSUPPORTED:
            if self._vouches(name):
                raise _unsupported(name)
        wanted = {name for name in checksums.ALGORITHMS if self._vouches(name) or name == also}
        if HEX_SUM.fullmatch(self.payload):
            wanted.add("SHA256")
        self.sums = {name: checksums.ALGORITHMS[name]() for name in wanted}

    def _declared(self) -> int | None:
        """How many bytes the object will have; None when the end of the transfer is the end of the body."""
        name = "HTTP_X_AMZ_DECODED_CONTENT_LENGTH" if self.chunked else "CONTENT_LENGTH"
        text = str(self.environ.get(name, ""))
        if not text.isdecimal():
            if not self.chunked and self.environ.get("wsgi.input_terminated"):
                return None
            raise Refused(MISSING_LENGTH)
        if int(text) > MAX_OBJECT_BYTES:
            raise Refused(TOO_LARGE)
        return int(text)

    def _vouches(self, name: str) -> bool:
        return bool(self._given(name)) or f"x-amz-checksum-{name.lower()}" in self.expected

    def _given(self, name: str) -> str:
        if not self.compares:
            return ""
        given = self.environ.get(f"HTTP_X_AMZ_CHECKSUM_{name}") or self.trailers.get(f"x-amz-checksum-{name.lower()}")
        return str(given or "")

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._signed_chunks() if self.chunked else self._plain():
            size += len(piece)
            if size > (MAX_OBJECT_BYTES if self.size is None else self.size):
                raise Refused(TOO_LARGE if self.size is None else INCOMPLETE)
            for each in self.sums.values():
                each.update(piece)
            yield piece
        if self.size is not None and size != self.size:
            raise Refused(INCOMPLETE)

    def _plain(self) -> Iterator[bytes]:
        while piece := self.stream.read(PIECE_BYTES):
            yield piece

    def _signed_chunks(self) -> Iterator[bytes]:
        seal = self.seal if self.payload in STREAMING else None
        if self.payload in STREAMING and seal is None:
            raise Refused(UNKNOWN_PAYLOAD_SUM)
        previous = seal.signature if seal is not None else ""
        while True:
            head = CHUNK.fullmatch(self.stream.readline(LINE_BYTES))
            if head is None or (seal is not None and head[2] is None):
                raise Refused(INCOMPLETE)
            left = size = int(head[1], 16)
            if self.size is not None and size > self.size:
                raise Refused(INCOMPLETE)
            digest = hashlib.sha256()
            while left:
                piece = self.stream.read(min(left, PIECE_BYTES))
                if not piece:
                    raise Refused(INCOMPLETE)
                left -= len(piece)
                if seal is not None:
                    digest.update(piece)
                yield piece
            if seal is not None:
                link = f"{previous}\n{EMPTY_SUM}\n{digest.hexdigest()}"
                previous = _follow(seal, "PAYLOAD", link, head[2].decode())
            if not size:
                break
            if self.stream.read(2) != b"\r\n":
                raise Refused(INCOMPLETE)
        self._read_trailers(previous)

    def _read_trailers(self, previous: str) -> None:
        signs = self.payload.endswith("HMAC-SHA256-PAYLOAD-TRAILER")
        signature, signed_text = "", b""
        for _ in range(MAX_TRAILERS):
            line = self.stream.readline(LINE_BYTES)
            if line == b"" or (line == b"\r\n" and (signature or not signs)):
                break
            if line == b"\r\n":
                continue  # between the trailing headers and their signature
            name, colon, value = line.strip().decode("latin-1").partition(":")
            if not colon:
                raise Refused(BAD_TRAILER)
            if name.lower() == "x-amz-trailer-signature":
                signature = value.strip()
                continue
            self.trailers[name.lower()] = value.strip()
            signed_text += f"{name.lower()}:{value.strip()}\n".encode("latin-1")
        if self.trailers.keys() != self.expected:
            raise Refused(BAD_TRAILER)
        if self.seal is not None and signs:
            _follow(self.seal, "TRAILER", f"{previous}\n{hashlib.sha256(signed_text).hexdigest()}", signature)

    def agreed(self, md5: str) -> dict[str, str]:
        """What the client vouched for, as headers in the environ's spelling; ``md5`` is the body's, in hexadecimal.

        Returns the checksums that agree (``SHA256`` → base64). Raises Refused.
        """
        if HEX_SUM.fullmatch(self.payload) and self.sums["SHA256"].digest().hex() != self.payload:
            raise Refused(SUM_MISMATCH)
        found: dict[str, str] = {}
        for name, computed in self.sums.items():
            given = self._given(name)
            if not given:
                continue
            if not checksums.is_checksum(name, given):
                raise _invalid_sum(name)
            if checksums.encoded(computed) != given:
                raise _bad_digest(name)
            found[name] = given
        algorithm = self.environ.get("HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM", "").upper()
        if algorithm in UNSUPPORTED - {"MD5"}:
            raise _unsupported(algorithm)
        if len(found) > 1:
            raise Refused(TWO_SUMS)
        if self.compares and algorithm and algorithm not in found and algorithm != "MD5":
            raise Refused(NO_CHECKSUM)
        self._check_md5(md5)
        return found

    def computed(self) -> dict[str, str]:
        """All checksums of the body (``SHA256`` → base64), whether the client gave them or not."""
        return {name: checksums.encoded(each) for name, each in self.sums.items()}

    def _check_md5(self, md5: str) -> None:
        given = self.environ.get("HTTP_CONTENT_MD5")
        if given is None:
            return
        try:
            digest = base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError):
            digest = b""
        if len(digest) != 16:
            raise Refused(bad_request("The Content-MD5 you specified was invalid.", "InvalidDigest", "", ""))
        if digest.hex() != md5:
            raise _bad_digest("Content-MD5")


def forget_encoding(environ: dict[str, Any]) -> None:
    """Take out of the environ what speaks of the encoding and the signature of the body: the object has neither."""
    for name in ("DECODED_CONTENT_LENGTH", "TRAILER", "CONTENT_SHA256"):
        environ.pop(f"HTTP_X_AMZ_{name}", None)
    encodings = environ.pop("HTTP_CONTENT_ENCODING", "").split(",")
    kept = [each for each in encodings if each.strip() and each.strip().lower() != "aws-chunked"]
    if kept:
        environ["HTTP_CONTENT_ENCODING"] = ",".join(kept).strip()
