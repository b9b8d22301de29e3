"""Looking at a file before a byte of it is sent."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from lakectl.config import Source
from lakectl.errors import UsageError
from lakectl.ops.landing_values import PARSERS as PARSERS

Check = Literal["ends", "full"]
CHUNK = 1 << 20
TAIL_BYTES = 64 * 1024
MAX_LINE = 1 << 20  # characters; without a limit, a file without line breaks would be read into memory whole
MAX_FAILURES = 5
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class LandingFile:
    """A checked local file. ``size`` in bytes, ``mtime_ns`` as ``os.stat`` has it: both must not change any more.

    ``label`` is what people call it (the path, or "standard input").
    """

    path: Path
    source: str
    compressed: bool
    size: int
    mtime_ns: int
    label: str


def source_of(path: Path, sources: dict[str, Source]) -> str:
    """The source that a file's name says (``orders.csv`` → ``orders``). Raises :class:`UsageError`."""
    stem = path.name.removesuffix(".gz").removesuffix(".csv")
    if stem in sources:
        return stem
    raise UsageError(
        f"{path}: no source is called {stem!r}; known: {', '.join(sources)}",
        f"name it: lakectl land {path} --source {next(iter(sources))}",
    )


def check(
    path: Path, name: str, source: Source, how: Check = "ends", label: str = "", *, more_columns: bool = False
) -> LandingFile:
    """The whole file's encoding, its header, its first and last rows; with ``full`` every row. Gzip is read through.

    Raises :class:`UsageError` naming file, line, column, value and what was expected for: a missing, unreadable
    or empty file, text that is not UTF-8, a header that does not match, no rows, a value that does not parse.
    ``more_columns``: the header may have some that the source does not name.
    """
    if not path.is_file():
        raise UsageError(f"no file at {path}" if not path.exists() else f"{path} is not a file")
    label = label or str(path)
    try:
        stat = path.stat()
        compressed = _is_gzip(path, label)
        table = _Table(label, source, more_columns)
        with _open(path, compressed) as binary:
            text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
            table.read(text, how)
        if how == "ends":
            with _open(path, compressed) as binary:
                tail, end = _scan(binary)
            table.check_tail(tail, lambda back: _line_at(path, compressed, end - back))
    except (UnicodeDecodeError, _NotUtf8):
        raise UsageError(_not_utf8(path, compressed, label)) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"{label}: not a whole gzip file: {error}") from None
    except OSError as error:
        raise UsageError(f"can't read {label}: {error.strerror or error}") from None
    return LandingFile(path, name, compressed, stat.st_size, stat.st_mtime_ns, label)


class _Table:
    """A CSV with a header, against what its source should look like."""

    def __init__(self, label: str, source: Source, more_columns: bool) -> None:
        self.label = label
        self.more_columns = more_columns
        self.source = source
        self.header: list[str] = []

    def read(self, text: IO[str], how: Check) -> None:
        """Header and first row; with ``full`` every row."""
        self._read_header(text)
        rows = self._rows(text)
        line, first = next(rows, (0, None))
        if first is None:
            raise UsageError(f"{self.label}: only a header, no rows: nothing to land")
        failures = [failure] if (failure := self._failure(line, first)) else []
        if how == "full":
            for line, row in rows:
                failure = self._failure(line, row)
                if failure:
                    failures.append(failure)
                    if len(failures) > MAX_FAILURES:
                        break
        if failures:
            more = len(failures) - 1
            raise UsageError(
                failures[0],
                f"mend these too: {'; '.join(each.removeprefix(self.label + ':') for each in failures[1:])}"
                if more
                else None,
            )

    def check_tail(self, tail: bytes, line_at: Callable[[int], int]) -> None:
        """The last row, from the file's last bytes; ``line_at`` tells a line by its distance from the end."""
        text = tail.rstrip()
        begins = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        last = text[begins:]
        # A quoted value may hold a line break; then the last line alone is no row, and the job decides.
        if not begins or last.count(b'"') % 2:
            return
        failure = self._failure(0, next(csv.reader([last.decode()])))
        if failure:
            raise UsageError(failure.replace(":0:", f":{line_at(len(tail) - begins)}:", 1))

    def _read_header(self, text: IO[str]) -> None:
        columns = self.source.columns
        line = next(self._lines(text, 1), "")
        if not line.strip():
            raise UsageError(f"{self.label}: empty: expected a header with {', '.join(columns)}")
        header = self.header = [cell.strip().lower() for cell in next(csv.reader([line]))]
        problems = [
            f"{what} {', '.join(found)}"
            for what, found in (
                ("missing", [column for column in columns if column not in header]),
                ("unknown", [column for column in header if column not in columns and not self.more_columns]),
                ("without a name", [str(number) for number, column in enumerate(header, 1) if not column]),
                ("twice", sorted({column for column in header if header.count(column) > 1})),
            )
            if found
        ]
        if problems:
            raise UsageError(f"{self.label}:1: wrong header: {'; '.join(problems)}; expected {', '.join(columns)}")

    def _rows(self, text: IO[str]) -> Iterator[tuple[int, list[str]]]:
        """Rows that are not blank, each with the line on which it begins."""
        reader = csv.reader(self._lines(text, 2))
        begins = 2
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield begins, row
                begins = reader.line_num + 2
        except csv.Error as error:
            raise UsageError(f"{self.label}:{reader.line_num + 1}: not readable as CSV: {error}") from None

    def _lines(self, text: IO[str], number: int) -> Iterator[str]:
        while line := text.readline(MAX_LINE):
            if len(line) == MAX_LINE and not line.endswith("\n"):
                raise UsageError(f"{self.label}:{number}: the line has more than {MAX_LINE:,} characters: not a CSV")
            yield line
            number += 1

    def _failure(self, line: int, row: list[str]) -> str | None:
        if len(row) != len(self.header):
            return (
                f"{self.label}:{line}: {len(row)} values, expected {len(self.header)} as in the header: {','.join(row)}"
            )
        for column, value in zip(self.header, row, strict=True):
            kind, value = self.source.columns.get(column, "string"), value.strip()
            expected = None
            if value:
                expected = PARSERS[kind](value, kind)
            elif column in self.source.keys:
                expected = f"a key ({kind})"
            if expected:
                return f"{self.label}:{line}: {column} = {value!r}: expected {expected}"
        return None


def _open(path: Path, compressed: bool) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if compressed else path.open("rb")


def _is_gzip(path: Path, label: str) -> bool:
    """By its first bytes: what the file is called does not matter, unless it claims to be gzip."""
    with path.open("rb") as file:
        magic = file.read(2)
    if path.name.endswith(".gz") and magic and magic != GZIP_MAGIC:
        raise UsageError(f"{label}: not a whole gzip file: it begins with {magic!r}, expected {GZIP_MAGIC!r}")
    return magic == GZIP_MAGIC


class _NotUtf8(Exception):
    """``offset`` is that of the first byte that is wrong."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def _scan(binary: IO[bytes]) -> tuple[bytes, int]:
    """Read a file through: (its last bytes, its size in bytes). Raises :class:`_NotUtf8`."""
    tail, rest, size = b"", b"", 0
    while chunk := binary.read(CHUNK):
        if rest or not chunk.isascii():
            joined = rest + chunk
            whole = _whole_characters(joined)
            try:
                joined[:whole].decode()
            except UnicodeDecodeError as error:
                raise _NotUtf8(size - len(rest) + error.start) from None
            rest = joined[whole:]
        size += len(chunk)
        tail = chunk[-TAIL_BYTES:] if len(chunk) >= TAIL_BYTES else (tail + chunk)[-TAIL_BYTES:]
    if rest:
        raise _NotUtf8(size - len(rest))
    return tail, size


def _line_at(path: Path, compressed: bool, offset: int) -> int:
    """The number of the line that holds the byte at ``offset``. Only a failure pays for counting."""
    line = 1
    with _open(path, compressed) as binary:
        while offset > 0 and (chunk := binary.read(min(CHUNK, offset))):
            line += chunk.count(b"\n")
            offset -= len(chunk)
    return line


def _whole_characters(data: bytes) -> int:
    """How many bytes to take so that no character is cut (a character has at most 4)."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:  # the first byte of a character
            length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) if length <= back else len(data) - back
    return len(data)


def _not_utf8(path: Path, compressed: bool, label: str) -> str:
    with _open(path, compressed) as binary:
        try:
            _scan(binary)
        except _NotUtf8 as found:
            offset = found.offset
        else:
            return f"{label} changed while it was checked"
    line = _line_at(path, compressed, offset)
    with _open(path, compressed) as binary:
        binary.seek(offset)
        value = binary.read(1)
    return f"{label}:{line}: byte 0x{value.hex()} at offset {offset:,}: expected UTF-8 text"
