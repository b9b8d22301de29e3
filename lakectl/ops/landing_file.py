"""Looking at a file before a byte of it is sent."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from lakectl.config import Source
from lakectl.errors import UsageError

DATE_FORMAT = "%d/%m/%Y"
TAIL_BYTES = 64 * 1024
INTEGER_LIMITS = {"bigint": 2**63, "int": 2**31}
# As the job reads amounts (jobs/retail/parsing.py): 147.43  147,43  1.234,56  1,234.56. A lone separator
# before exactly three digits could be either kind, so 1.234 is not guessed.
AMOUNT = re.compile(r"-?\d+([.,]\d+)?|-?[1-9]\d{0,2}(\.\d{3})+,\d+|-?[1-9]\d{0,2}(,\d{3})+\.\d+")
GROUPS_ONLY = re.compile(r"-?[1-9]\d{0,2}((\.\d{3}){2,}|(,\d{3}){2,})")
AMBIGUOUS_AMOUNT = re.compile(r"-?[1-9]\d{0,2}[.,]\d{3}")


@dataclass(frozen=True)
class LandingFile:
    """A checked local file. ``size`` in bytes; ``sha256`` and ``md5`` in hex."""

    path: Path
    source: str
    compressed: bool
    size: int
    sha256: str
    md5: str


def source_of(path: Path, sources: dict[str, Source]) -> str:
    """The source that a file's name says (``orders.csv`` → ``orders``). Raises :class:`UsageError`."""
    stem = path.name.removesuffix(".gz").removesuffix(".csv")
    if stem in sources:
        return stem
    raise UsageError(
        f"{path}: no source is called {stem!r}; known: {', '.join(sources)}",
        f"name it: lakectl land {path} --source {next(iter(sources))}",
    )


def check(path: Path, name: str, source: Source) -> LandingFile:
    """Header, encoding, first and last rows of a CSV (gzip when it ends in ``.gz``).

    Raises :class:`UsageError` naming file, line, column and value for: a missing, unreadable or
    empty file, text that is not UTF-8, a header that does not match, no rows, a value that does not parse.
    """
    if not path.is_file():
        raise UsageError(f"no file at {path}" if not path.exists() else f"{path} is not a file")
    compressed = path.name.endswith(".gz")
    try:
        with _open_text(path, compressed) as text:
            header = _check_header(path, text, source)
            rows = _rows(text)
            first = next(rows, None)
            # A gzip has no tail to jump to; reading it through also proves that it is whole.
            last = next(iter(deque(rows, maxlen=1)), None) if compressed else None
        if first is None:
            raise UsageError(f"{path}: only a header, no rows: nothing to land")
        _check_row(path, "line 2", header, first, source)
        if last:
            _check_row(path, "last line", header, last, source)
        if not compressed:
            _check_tail(path, header, source)
        size, sha256, md5 = _digest(path)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from None
    except (gzip.BadGzipFile, EOFError) as error:
        raise UsageError(f"{path}: not a whole gzip file: {error}") from None
    except csv.Error as error:
        raise UsageError(f"{path}: not readable as CSV: {error}") from None
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror or error}") from None
    return LandingFile(path, name, compressed, size, sha256, md5)


def _open_text(path: Path, compressed: bool) -> IO[str]:
    if compressed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(text: IO[str]) -> Iterator[list[str]]:
    return (row for row in csv.reader(text) if any(cell.strip() for cell in row))


def _check_header(path: Path, text: IO[str], source: Source) -> list[str]:
    line = text.readline()
    if not line.strip():
        raise UsageError(f"{path}: empty: expected a header with {', '.join(source.columns)}")
    header = [cell.strip().lower() for cell in next(csv.reader([line]))]
    missing = [column for column in source.columns if column not in header]
    unknown = [column for column in header if column not in source.columns]
    doubled = sorted({column for column in header if header.count(column) > 1})
    problems = [
        f"{what} {', '.join(columns)}"
        for what, columns in (("missing", missing), ("unknown", unknown), ("twice", doubled))
        if columns
    ]
    if problems:
        raise UsageError(f"{path}:1: wrong header: {'; '.join(problems)}; expected {', '.join(source.columns)}")
    return header


def _check_row(path: Path, where: str, header: list[str], row: list[str], source: Source) -> None:
    if len(row) != len(header):
        raise UsageError(f"{path}: {where}: {len(row)} values, the header has {len(header)}")
    for column, value in zip(header, row, strict=True):
        kind = source.columns[column]
        if not value.strip():
            if column in source.keys:
                raise UsageError(f"{path}: {where}: key column {column} is empty")
            continue
        expected = PARSERS[kind](value.strip(), kind)
        if expected:
            raise UsageError(f"{path}: {where}: {column} = {value!r}: expected {expected}")


def _check_tail(path: Path, header: list[str], source: Source) -> None:
    with path.open("rb") as file:
        file.seek(0, io.SEEK_END)
        size = file.tell()
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read()
    lines = tail.splitlines()[1:] if size > TAIL_BYTES else tail.splitlines()
    last = next((line for line in reversed(lines) if line.strip()), b"")
    # A quoted value may hold a line break; then the last line alone is no row, and the job decides.
    if last.count(b'"') % 2 == 0:
        row = next(csv.reader([last.decode("utf-8-sig")]))
        if [cell.strip().lower() for cell in row] != header:
            _check_row(path, "last line", header, row, source)


def _digest(path: Path) -> tuple[int, str, str]:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            sha256.update(chunk)
            md5.update(chunk)
            size += len(chunk)
    return size, sha256.hexdigest(), md5.hexdigest()


def _integer(value: str, kind: str) -> str | None:
    limit = INTEGER_LIMITS[kind]
    fits = re.fullmatch(r"-?\d+", value) is not None and -limit <= int(value) < limit
    return None if fits else f"a whole number ({kind})"


def _number(value: str, kind: str) -> str | None:  # noqa: ARG001
    if AMBIGUOUS_AMOUNT.fullmatch(value):
        return "an amount that can be read in one way only (1.234 or 1,234 could be two numbers)"
    fits = AMOUNT.fullmatch(value) or GROUPS_ONLY.fullmatch(value)
    return None if fits else "a number such as 147.43, 147,43 or 1.234,56"


def _date(value: str, kind: str) -> str | None:  # noqa: ARG001
    expected = "a date DD/MM/YYYY"
    if not re.fullmatch(r"\d{2}/\d{2}/\d{4}", value):  # strptime would take 1/7/2025 too; the job doesn't
        return expected
    try:
        datetime.strptime(value, DATE_FORMAT)
    except ValueError:
        return expected
    return None


def _any(value: str, kind: str) -> str | None:  # noqa: ARG001
    return None


PARSERS: dict[str, Callable[[str, str], str | None]] = {
    "bigint": _integer,
    "int": _integer,
    "double": _number,
    "date": _date,
    "string": _any,
}
