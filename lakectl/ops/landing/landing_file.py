"""Looking at a file before a byte of it is sent."""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from lakectl.core import csv_files
from lakectl.core.columns import unfit
from lakectl.core.csv_files import CHUNK, GZIP_ERRORS, HEADER_BYTES, LINE_END, MAX_LINE_BYTES, REPLACEMENT
from lakectl.core.json_files import Broken, Lines
from lakectl.core.values import expected
from lakectl.errors import UsageError
from lakectl.ops.landing import landing_parquet
from lakectl.spec.model import FileFormat, SourceSpec

Check = Literal["ends", "full"]
TAIL_BYTES = 64 * 1024
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


def source_of(path: Path, sources: Mapping[str, SourceSpec]) -> str:
    """The source that a file's name says (``rides.csv`` → ``rides``). Raises :class:`UsageError`."""
    stem = path.name.removesuffix(".gz")
    for ending in (".csv", ".jsonl", ".parquet"):
        stem = stem.removesuffix(ending)
    if stem in sources:
        return stem
    if not path.exists():
        raise UsageError(f"no file at {path}")
    raise UsageError(
        f"{path}: no source is called {stem!r}; known: {', '.join(sources)}",
        f"name it: lakectl land {path} --source {next(iter(sources))}",
    )


def check(
    path: Path, name: str, source: SourceSpec, how: Check = "ends", label: str = "", *, evolution: str = "fail"
) -> LandingFile:
    """The whole file's encoding, its header, its first and last rows; with ``full`` every row. Gzip is read through.

    Raises :class:`UsageError` naming file, line, column, value and what was expected for: a missing, unreadable
    or empty file, text that is not UTF-8, a header that does not match, no rows, a row that can't be read.
    ``evolution``: what becomes of columns that the source does not name, as ``schema_evolution`` in the config.
    """
    if not path.is_file():
        raise UsageError(f"no file at {path}" if not path.exists() else f"{path} is not a file")
    label = label or str(path)
    try:
        stat = path.stat()
        if source.file.format == "parquet":
            landing_parquet.check(path, label, source, evolution, every_row=how == "full")
            return LandingFile(path, name, False, stat.st_size, stat.st_mtime_ns, label)
        compressed = _is_gzip(path, label)
        table = _Json(label, source, evolution) if source.file.format == "jsonl" else _Table(label, source, evolution)
        with _open(path, compressed) as binary:
            table.read_header(binary.read(HEADER_BYTES))
            binary.seek(0)
            table.read_rows(binary, how)
        if how == "ends":
            with _open(path, compressed) as binary:
                tail, end = _scan(binary, source.file)
            table.check_tail(tail, lambda back: _line_at(path, compressed, end - back))
    except (UnicodeDecodeError, _NotUtf8):
        raise UsageError(_not_utf8(path, compressed, label, source.file)) from None
    except _LineTooLong as error:
        line = _line_at(path, compressed, error.offset)
        raise UsageError(f"{label}:{line}: the line has more than {MAX_LINE_BYTES:,} bytes: not a CSV") from None
    except GZIP_ERRORS as error:
        raise UsageError(f"{label}: not a whole gzip file: {error}") from None
    except OSError as error:
        raise UsageError(f"can't read {label}: {error.strerror or error}") from None
    return LandingFile(path, name, compressed, stat.st_size, stat.st_mtime_ns, label)


class _Table:
    """A CSV with a header, against what its source should look like."""

    first_row = 2
    nothing = "only a header, no rows"

    def __init__(self, label: str, source: SourceSpec, evolution: str) -> None:
        self.label = label
        self.source = source
        self.evolution = evolution
        self.header: tuple[str, ...] = ()

    def read_header(self, data: bytes) -> None:
        expected = ", ".join(column.header or column.name for column in self.source.columns)
        try:
            self.header = csv_files.named(csv_files.header(data, self.source.file), self.source)
        except ValueError as error:
            if isinstance(error.__cause__, UnicodeDecodeError):
                raise error.__cause__ from None
            what = str(error).removeprefix("line 1 ")
            raise UsageError(f"{self.label}:1: {what}; expected a header with {expected}") from None
        if not self.header:
            raise UsageError(f"{self.label}: empty: expected a header with {expected}")
        problems = csv_files.header_problems(self.header, self.source.by_name)
        further = [name for name in self.header if name and name not in self.source.by_name]
        if problem := self.of_further(further):
            problems.append(problem)
        if problems:
            raise UsageError(f"{self.label}:1: wrong header: {'; '.join(problems)}; expected {expected}")

    def of_further(self, names: list[str]) -> str:
        """What is wrong with names that are no column's, or ``""``."""
        if self.evolution == "fail" and names:
            return f"unknown {', '.join(names)}"
        taken = {*(derived.name for derived in self.source.derive), *_taken(self.source)}
        if self.evolution == "add" and (refused := unfit(names, taken)):
            return f"no column of silver can be called {', '.join(refused)}"
        return ""

    def read_rows(self, binary: IO[bytes], how: Check) -> None:
        """The first row; with ``full`` every row."""
        rows = self._rows(binary)
        first = next(rows, None)
        if first is None:
            if self.source.policies["empty_snapshot"] == "ignore" and self.source.loading == "snapshot":
                return
            raise UsageError(f"{self.label}: {self.nothing}: nothing to land")
        failures: list[str] = []
        for line, text in (first, *(rows if how == "full" else ())):
            if failure := self._failure(line, text):
                failures.append(failure)
            if len(failures) > MAX_FAILURES:
                break
        if failures:
            more = "; ".join(each.removeprefix(self.label + ":") for each in failures[1:])
            raise UsageError(failures[0], f"correct these too: {more}" if more else None)

    def check_tail(self, tail: bytes, line_at: Callable[[int], int]) -> None:
        """The last row, from the file's last bytes; ``line_at`` tells a line by its distance from the end."""
        begins = len(tail)
        for line in reversed(tail.splitlines(keepends=True)):
            begins -= len(line)
            text = line.decode(self.source.file.encoding, "replace").rstrip("\r\n")
            if not csv_files.is_blank(text):
                break
        else:
            return
        if begins and (failure := self._failure(0, text)):  # else the line began before the tail
            raise UsageError(failure.replace(":0:", f":{line_at(len(tail) - begins)}:", 1))

    def _rows(self, binary: IO[bytes]) -> Iterator[tuple[int, str]]:
        """Lines from the first row on that are not blank, with their numbers."""
        number = 0
        try:
            for number, line in enumerate(csv_files.lines(binary), start=1):
                text = csv_files.decoded(line, self.source.file, first=number == 1)
                if number >= self.first_row and not csv_files.is_blank(text):
                    yield number, text
        except csv_files.LineTooLong as error:
            raise UsageError(f"{self.label}:{number + 1}: {error}: not a CSV") from None

    def _failure(self, line: int, text: str) -> str | None:
        where, file = f"{self.label}:{line}", self.source.file
        if problem := csv_files.quote_problem(text, file):
            return f"{where}: {problem}: {text}"
        row = csv_files.fields(text, file)
        if len(row) != len(self.header):
            return f"{where}: {len(row)} values, expected {len(self.header)} as in the header: {text}"
        unfit_value = csv_files.value_problem(dict(zip(self.header, row, strict=True)), self.source)
        if not unfit_value:
            return None
        name, value, wanted = unfit_value
        return f"{where}: {name} = {value!r}: expected {wanted}"


class _Json(_Table):
    """JSON Lines, against what its source should look like."""

    first_row = 1
    nothing = "no rows"

    def __init__(self, label: str, source: SourceSpec, evolution: str) -> None:
        super().__init__(label, source, evolution)
        self._lines = Lines(source)

    def read_header(self, data: bytes) -> None:
        """Each line names its own."""

    def _failure(self, line: int, text: str) -> str | None:
        where = f"{self.label}:{line}"
        try:
            row, further = self._lines.row(text)
        except Broken as error:
            return f"{where}: it {error}: {text}"
        if problem := self.of_further(further):
            return f"{where}: {problem}: {text}"
        for name, value in row.items():
            column = self.source.by_name[name]
            if value.text is None and name in self.source.required:
                return f"{where}: {name} = '': expected {expected(column)}"
            if value.text is not None and value.plain is None:
                return f"{where}: {name} = {value.text!r}: expected {expected(column)}"
        return None


def _taken(source: SourceSpec) -> set[str]:
    return {ours for lookup in source.lookups for _, ours in lookup.take}


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


class _LineTooLong(Exception):
    """``offset`` is that of a byte in the line."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def _scan(binary: IO[bytes], file: FileFormat) -> tuple[bytes, int]:
    """Read a file through: (its last bytes, its size in bytes). Raises :class:`_NotUtf8` and :class:`_LineTooLong`."""
    tail, size, begins = b"", 0, 0
    decoder = codecs.getincrementaldecoder(file.encoding)()
    while chunk := binary.read(CHUNK):
        # A line within one chunk is short enough.
        if ends := max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1:
            first = LINE_END.search(chunk)
            begins, line = size + ends, size + (first.start() if first else 0) - begins
        else:
            line = size + len(chunk) - begins
        if line > MAX_LINE_BYTES:
            raise _LineTooLong(size)
        pending = len(decoder.getstate()[0])  # bytes of a character that the last chunk has cut
        if pending or not chunk.isascii():
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise _NotUtf8(size - pending + error.start) from None
            if REPLACEMENT in text:
                raise _NotUtf8(size - pending + len(text[: text.index(REPLACEMENT)].encode()))
        size += len(chunk)
        tail = chunk[-TAIL_BYTES:] if len(chunk) >= TAIL_BYTES else (tail + chunk)[-TAIL_BYTES:]
    if cut := decoder.getstate()[0]:
        raise _NotUtf8(size - len(cut))
    return tail, size


def _line_at(path: Path, compressed: bool, offset: int) -> int:
    """The number of the line that holds the byte at ``offset``. Only a failure pays for counting."""
    line, after_cr = 1, False
    with _open(path, compressed) as binary:
        while offset > 0 and (chunk := binary.read(min(CHUNK, offset))):
            line += chunk.count(b"\n") + chunk.count(b"\r") - chunk.count(b"\r\n")
            line -= after_cr and chunk.startswith(b"\n")
            after_cr = chunk.endswith(b"\r")
            offset -= len(chunk)
    return line


def _not_utf8(path: Path, compressed: bool, label: str, file: FileFormat) -> str:
    with _open(path, compressed) as binary:
        try:
            _scan(binary, file)
        except _NotUtf8 as found:
            offset = found.offset
        else:
            return f"{label} changed while it was checked"
    line = _line_at(path, compressed, offset)
    with _open(path, compressed) as binary:
        binary.seek(offset)
        value = binary.read(1)
    return f"{label}:{line}: byte 0x{value.hex()} at offset {offset:,}: expected {csv_files.shown(file)} text"
