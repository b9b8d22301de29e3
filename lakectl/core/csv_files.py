"""How a landed CSV file is read: its encoding, lines, header and fields, by the command line and by the job.

UTF-8, with or without a byte order mark. A record is a line, and a line ends with LF, CR LF or CR, as Hadoop's line
reader has it, with which Spark and Athena read. So a line break inside quotes can't be read: its mark is a line with an
odd number of quotes. A quote inside quotes is doubled (RFC 4180).
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lakectl.core.values import EXPECTED, clean, value_of

HEADER_BYTES = 64 * 1024
MAX_COLUMNS = 1000
# Without a limit, a file without line ends would be read into memory whole.
MAX_LINE_BYTES = 4 << 20
CHUNK = 1 << 20
# What stands for bytes that were no UTF-8 when a text was decoded before it came to us.
REPLACEMENT = "\ufffd"
GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
LINE_END = re.compile(rb"[\r\n]")
# Spark drops lines of nothing but these (String.trim of Java).
_BLANK = "".join(map(chr, range(0x21)))

csv.field_size_limit(MAX_LINE_BYTES)


class LineTooLong(ValueError):
    """A line has more than MAX_LINE_BYTES."""


def header(data: bytes, *, compressed: bool = False) -> tuple[str, ...]:
    """Column names in the order of the file, trimmed and in lower case. ``data``: the file's first HEADER_BYTES, or
    all of it.

    Raises ValueError with a one-line reason when the first line is no header.
    """
    whole = len(data) < HEADER_BYTES
    if compressed:
        data, whole = _decompressed(data, whole)
    end = LINE_END.search(data)
    if not end and not whole:
        raise ValueError(f"line 1 has more than {HEADER_BYTES:,} bytes: not a header")
    try:
        line = data[: end.start() if end else None].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"line 1 is not UTF-8: {error.reason} at byte {error.start}") from error
    try:
        names = tuple(name.strip().lower() for name in fields(line))
    except ValueError as error:
        raise ValueError(f"line 1 is not readable as CSV: {error}") from error
    return () if names == ("",) else names


def _decompressed(data: bytes, whole: bool) -> tuple[bytes, bool]:
    """The first HEADER_BYTES of gzip members, and whether that is all of them."""
    found = b""
    while data and len(found) < HEADER_BYTES:
        member = zlib.decompressobj(wbits=31)
        try:
            found += member.decompress(data, HEADER_BYTES - len(found))
        except zlib.error as error:
            raise ValueError(f"not a whole gzip file: {error}") from error
        if not member.eof:
            break
        data = member.unused_data.lstrip(b"\0")
    return found, whole and len(found) < HEADER_BYTES


def header_problems(names: Sequence[str], wanted: Iterable[str], optional: Collection[str] = ()) -> list[str]:
    """What is wrong with a header of these ``names``; ``optional`` ones of those ``wanted`` may be missing."""
    missing = [name for name in wanted if name not in names and name not in optional]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    unnamed = [str(number) for number, name in enumerate(names, 1) if not name]
    found = (("missing", missing), ("twice", twice), ("without a name", unnamed))
    problems = [f"{what} {', '.join(which)}" for what, which in found if which]
    if len(names) > MAX_COLUMNS:
        problems.append(f"{len(names):,} columns, more than {MAX_COLUMNS:,}")
    return problems


def fields(line: str) -> list[str]:
    """The fields of one line. Raises ValueError with a reason when quotes are open or stand where they may not."""
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise ValueError(str(error)) from error


def is_blank(line: str) -> bool:
    """Whether a line holds no record."""
    return not line.strip(_BLANK)


def has_open_quote(line: str | bytes) -> bool:
    """Whether a quote has no partner on its line."""
    return (line.count('"') if isinstance(line, str) else line.count(b'"')) % 2 == 1


def lines(stream: Any) -> Iterator[bytes]:
    """The lines of a binary stream, without their ends. Raises LineTooLong."""
    rest = b""
    for chunk in iter(lambda: stream.read(CHUNK), b""):
        data = rest + chunk
        # A CR at the end may be half of a CR LF.
        held = b"\r" if data.endswith(b"\r") else b""
        parts = data[: len(data) - len(held)].splitlines(keepends=True)
        rest = (parts.pop() if parts and parts[-1][-1:] not in b"\r\n" else b"") + held
        yield from (part.rstrip(b"\r\n") for part in parts)
        if len(rest) > MAX_LINE_BYTES:
            raise LineTooLong(f"the line has more than {MAX_LINE_BYTES:,} bytes")
    yield from rest.splitlines()


def value_problem(
    row: Mapping[str, str], columns: Mapping[str, str], required: Collection[str]
) -> tuple[str, str, str] | None:
    """(column, text, what was expected) of the first field of ``row`` that its type in ``columns`` does not take."""
    for name, text in row.items():
        kind, cleaned = columns.get(name, "string"), clean(text)
        if cleaned is None:
            if name in required:
                return name, "", EXPECTED[kind]
        elif value_of(cleaned, kind) is None:
            return name, cleaned, EXPECTED[kind]
        elif kind == "string" and REPLACEMENT in cleaned:
            return name, cleaned, "UTF-8 text"
    return None
