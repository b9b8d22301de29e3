"""The body of an HTTP request, as it comes off the connection: never more than is asked for, and never beyond its end.

``Transfer-Encoding: chunked`` is read here, as werkzeug's reader takes whatever size a chunk claims.
"""

from __future__ import annotations

import re
import threading
from typing import BinaryIO

PIECE_BYTES = 256 * 1024
LINE_BYTES = 256  # of a chunk's head
MAX_TRAILERS = 16
MEMORY_BYTES = 100 * 2**20  # of all requests together; objects are not held in memory
LARGE_BYTES = 8 * 2**20
LARGE_SECONDS = 30.0
CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")


class BadBody(Exception):
    """The body is not framed as HTTP/1.1 says: answered with 400, and the connection is closed."""


class OutOfMemory(Exception):
    """The bodies that are being answered fill the memory they may have: answered with 503."""


class Memory:
    """How many bytes of bodies are held, for all threads."""

    def __init__(self, limit: int = MEMORY_BYTES) -> None:
        self.limit = limit
        self.held = 0
        self._lock = threading.Lock()

    def take(self, count: int) -> None:
        """Raises OutOfMemory."""
        with self._lock:
            if self.held + count > self.limit:
                raise OutOfMemory
            self.held += count

    def give(self, count: int) -> None:
        with self._lock:
            self.held -= count


MEMORY = Memory()
LARGE = threading.Lock()  # held by the one request whose body is large: it is in memory more than once


class Stream:
    """A body; ``close`` gives back the memory that ``whole`` has taken."""

    def __init__(self, source: BinaryIO) -> None:
        self.source = source
        self._taken = 0
        self._is_large = False

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; fewer only at the end. Raises BadBody, and ConnectionError for a client that left."""
        raise NotImplementedError

    def readline(self, limit: int) -> bytes:
        """Up to and with the next line feed, ``limit`` bytes at most."""
        line = bytearray()
        while len(line) < limit:
            byte = self.read(1)
            line += byte
            if byte in (b"", b"\n"):
                break
        return bytes(line)

    def whole(self, limit: int) -> bytes:
        """The rest of the body, ``limit`` bytes at most. Raises OutOfMemory too."""
        pieces: list[bytes] = []
        left = limit
        while left:
            piece = self.read(min(left, PIECE_BYTES))
            if not piece:
                break
            self._take(len(piece))
            left -= len(piece)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _take(self, count: int) -> None:
        if not self._is_large and self._taken + count > LARGE_BYTES:
            if not LARGE.acquire(timeout=LARGE_SECONDS):
                raise OutOfMemory
            self._is_large = True
        MEMORY.take(count)
        self._taken += count

    def close(self) -> None:
        MEMORY.give(self._taken)
        self._taken = 0
        if self._is_large:
            self._is_large = False
            LARGE.release()

    def _exactly(self, size: int) -> bytes:
        data = self.source.read(size)
        if len(data) < size:
            raise ConnectionError("the client left in the middle of its request")
        return data


class Sized(Stream):
    """A body of ``Content-Length`` bytes."""

    def __init__(self, source: BinaryIO, length: int) -> None:
        super().__init__(source)
        self.left = length

    def read(self, size: int) -> bytes:
        data = self._exactly(min(size, self.left))
        self.left -= len(data)
        return data

    def readline(self, limit: int) -> bytes:
        line = self.source.readline(min(limit, self.left))
        self.left -= len(line)
        return line


class Dechunked(Stream):
    """A body with ``Transfer-Encoding: chunked`` (RFC 9112, section 7.1)."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__(source)
        self.left = 0  # of this chunk
        self.done = False

    def read(self, size: int) -> bytes:
        pieces = bytearray()
        while not self.done and len(pieces) < size:
            if not self.left:
                self._next_chunk()
                continue
            data = self._exactly(min(size - len(pieces), self.left, PIECE_BYTES))
            pieces += data
            self.left -= len(data)
            if not self.left and self._line() not in (b"\r\n", b"\n"):
                raise BadBody("a chunk is longer than it says")
        return bytes(pieces)

    def _next_chunk(self) -> None:
        head = CHUNK.fullmatch(self._line())
        if head is None:
            raise BadBody("a chunk does not begin with its size")
        self.left = int(head[1], 16)
        if self.left:
            return
        self.done = True
        for _ in range(MAX_TRAILERS):
            if self._line() in (b"\r\n", b"\n", b""):
                return
        raise BadBody("too many trailing headers")

    def _line(self) -> bytes:
        return self.source.readline(LINE_BYTES)
