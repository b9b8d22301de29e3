"""How a landed CSV file is read: its encoding, lines, header and fields, by the command line and by the job.

A record is a line, and a line ends with LF, CR LF or CR, as Hadoop's line reader has it, with which Spark and Athena
read. So a line break inside quotes can't be read: its mark is a line with an odd number of quotes. A quote inside
quotes is doubled (RFC 4180). UTF-8 may begin with a byte order mark. UTF-16 can't be read: a line end is two bytes
there, and Hadoop's line reader cuts after one of them.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lakectl.core.values import clean, expected, value_of
from lakectl.spec.model import FileFormat, SourceSpec

HEADER_BYTES = 64 * 1024
MAX_COLUMNS = 1000
# Without a limit, a file without line ends would be read into memory whole.
MAX_LINE_BYTES = 4 << 20
CHUNK = 1 << 20
PLAIN = FileFormat()
# What stands for bytes that have no meaning in the encoding when a text was decoded before it came to us.
REPLACEMENT = "\ufffd"
GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
LINE_END = re.compile(rb"[\r\n]")
# Spark drops lines of nothing but these (String.trim of Java).
_BLANK = "".join(map(chr, range(0x21)))

csv.field_size_limit(MAX_LINE_BYTES)


class LineTooLong(ValueError):
    """A line has more than MAX_LINE_BYTES."""


def header(data: bytes, file: FileFormat = PLAIN, *, compressed: bool = False) -> tuple[str, ...]:
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
        line = decoded(data[: end.start() if end else None], file, first=True)
    except UnicodeDecodeError as error:
        raise ValueError(f"line 1 is not {shown(file)}: {error.reason} at byte {error.start}") from error
    try:
        names = tuple(name.strip().lower() for name in fields(line, file))
    except ValueError as error:
        raise ValueError(f"line 1 is not readable as CSV: {error}") from error
    return () if names == ("",) else names


def decoded(line: bytes, file: FileFormat = PLAIN, *, first: bool = False) -> str:
    """A line as text; the first one without its byte order mark. Raises UnicodeDecodeError."""
    return line.decode("utf-8-sig" if first and file.encoding == "utf-8" else file.encoding)


def shown(file: FileFormat) -> str:
    """The file's encoding as people write it."""
    return file.encoding.upper() if file.encoding == "utf-8" else file.encoding


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


def named(names: Sequence[str], source: SourceSpec) -> tuple[str, ...]:
    """The ``names`` of a file as the source's columns are called, where the source has other names for them."""
    ours = {column.header.strip().lower(): column.name for column in source.columns if column.header}
    return tuple(ours.get(name, name) for name in names)


def fields(line: str, file: FileFormat = PLAIN) -> list[str]:
    """The fields of one line. Raises ValueError with a reason when quotes are open or stand where they may not."""
    try:
        return next(csv.reader([line], strict=True, delimiter=file.delimiter, quotechar=file.quote), [])
    except csv.Error as error:
        raise ValueError(str(error)) from error


def is_blank(line: str) -> bool:
    """Whether a line holds no record."""
    return not line.strip(_BLANK)


def quote_problem(line: str, file: FileFormat = PLAIN) -> str:
    """Why a line can't be cut into fields for certain, or ``""``."""
    if line.count(file.quote) % 2:
        return "a quote has no partner on its line (a line break inside quotes is not read)"
    try:
        fields(line, file)
    except ValueError as error:
        return f"not readable as CSV: {error}"
    return ""


def first_quote_problem(stream: Any, file: FileFormat = PLAIN) -> tuple[int, str] | None:
    """Of the lines below the header: the first that has one, its number and what it is. Raises LineTooLong."""
    quote = file.quote.encode(file.encoding)
    number = 0
    for block in _blocks(stream):
        if quote in block and not _all_paired([line for line in block.splitlines() if quote in line], file):
            for at, line in enumerate(block.splitlines(), start=number + 1):
                text = line.decode(file.encoding, "replace")
                if at > 1 and not is_blank(text) and (problem := quote_problem(text, file)):
                    return at, problem
        number += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
    return None


def _all_paired(lines: list[bytes], file: FileFormat) -> bool:
    """Whether no line has a problem. One reader for all of them is several times as fast as one for each."""
    texts = [line.decode(file.encoding, "replace") for line in lines]
    if any(text.count(file.quote) % 2 for text in texts):
        return False
    try:
        rows = sum(1 for _ in csv.reader(texts, strict=True, delimiter=file.delimiter, quotechar=file.quote))
    except csv.Error:
        return False
    return rows == len(texts)  # fewer: one goes on in the next line


def lines(stream: Any) -> Iterator[bytes]:
    """The lines of a binary stream, without their ends. Raises LineTooLong."""
    for block in _blocks(stream):
        yield from block.splitlines()


def _blocks(stream: Any) -> Iterator[bytes]:
    """A stream in pieces of whole lines. Raises LineTooLong."""
    rest = b""
    for chunk in iter(lambda: stream.read(CHUNK), b""):
        data = rest + chunk
        # A CR at the end may be half of a CR LF.
        last = len(data) - data.endswith(b"\r")
        end = max(data.rfind(b"\n", 0, last), data.rfind(b"\r", 0, last)) + 1
        rest = data[end:]
        if end:
            yield data[:end]
        if len(rest) > MAX_LINE_BYTES:
            raise LineTooLong(f"the line has more than {MAX_LINE_BYTES:,} bytes")
    if rest:
        yield rest


def value_problem(row: Mapping[str, str], source: SourceSpec) -> tuple[str, str, str] | None:
    """(column, text, what was expected) of the first field of ``row`` that its column does not take.

    Texts of columns that the source doesn't name must be text of the encoding.
    """
    for name, text in row.items():
        column = source.by_name.get(name)
        cleaned = clean(text, column, source.file.nulls) if column else text
        if column and cleaned is None:
            if name in source.required:
                return name, "", expected(column)
        elif column and value_of(cleaned or "", column) is None:
            return name, cleaned or "", expected(column)
        elif REPLACEMENT in text and (column is None or column.type == "string"):
            return name, text, f"{shown(source.file)} text"
    return None
