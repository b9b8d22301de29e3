"""Looking into landed files again: which lines hold what was refused, and what Spark can't tell of a file."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from lake.files import body, header_of, is_compressed
from lake.landings import Item
from lakectl.core import csv_files
from lakectl.core.csv_files import GZIP_ERRORS
from lakectl.core.json_files import Broken, Lines
from lakectl.core.values import clean
from lakectl.spec.model import SourceSpec

_MOST_FIELDS = 20_480  # Spark's option maxColumns
LINE = ""  # the "column" that stands for the whole line


def find_lines(
    s3: Any, item: Item, source: SourceSpec, wanted: Sequence[Mapping[str, str]], limit: int = 10
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """(line number, which of ``wanted``) for the lines whose columns hold these texts, ``""`` for none; stops at
    ``limit``. A Parquet file has no lines.

    Only for files with something to report, so reading one again is no cost to the others.
    """
    if source.file.format == "parquet":
        return
    found = 0
    for number, cells in _cells(s3, item, source):
        for sought in wanted:
            if all(cells.get(column) == text for column, text in sought.items()):
                yield number, sought
                found += 1
                if found == limit:
                    return


def _cells(s3: Any, item: Item, source: SourceSpec) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, column -> its text) of the lines up to one that is too long to look into."""
    names, json_lines, file = header_of(s3, item, source), Lines(source), source.file
    with suppress(csv_files.LineTooLong):
        for number, line in _lines(s3, item):
            text = line.decode(file.encoding, "replace")
            cells = {LINE: text}
            if file.format == "jsonl":
                with suppress(Broken):  # then only the whole line can be wanted
                    cells |= {name: value.text or "" for name, value in json_lines.row(text)[0].items()}
            elif number == 1:
                continue
            else:
                with suppress(ValueError):
                    cells |= dict(zip(names, csv_files.fields(text, file), strict=False))
            yield number, {name: _cleaned(cell, name, source) for name, cell in cells.items()}


def _cleaned(text: str, name: str, source: SourceSpec) -> str:
    column = source.by_name.get(name)
    return text if column is None else clean(text, column, source.file.nulls) or ""


def quote_problem(s3: Any, item: Item, source: SourceSpec) -> str:
    """Which line of a CSV file can't be cut into fields for certain, and why; or ``""``. Spark takes an open quote for
    text up to the end of its line, and does not tell."""
    if source.file.format != "csv":
        return ""
    try:
        found = csv_files.first_quote_problem(_stream(s3, item), source.file)
    except csv_files.LineTooLong as error:
        return str(error)
    except GZIP_ERRORS:  # Spark can't read it either, and then `unreadable` says so
        return ""
    return f"line {found[0]}: {found[1]}" if found else ""


def further_fields(s3: Any, item: Item, source: SourceSpec) -> str:
    """Which fields of a JSON file, and from which line on, its source does not name; or ``""``."""
    reader = Lines(source)
    found: dict[str, int] = {}
    with suppress(csv_files.LineTooLong):
        for number, line in _lines(s3, item):
            with suppress(Broken):
                for name in reader.further(line.decode("utf-8", "replace")):
                    found.setdefault(name, number)
    return ", ".join(f"{name} (line {number})" for name, number in list(found.items())[:20])


def unreadable(s3: Any, item: Item, source: SourceSpec) -> str:
    """What is known to make Spark fail on a file, or ``""``: gzip that ends early, a line of very many fields."""
    if source.file.format == "parquet":
        return ""
    try:
        for number, line in _lines(s3, item):
            fields = line.count(source.file.delimiter.encode(source.file.encoding)) + 1
            if source.file.format == "csv" and fields > _MOST_FIELDS:
                return f"line {number} has {fields:,} fields"
    except GZIP_ERRORS as error:
        return f"not a whole gzip file: {error}"
    except csv_files.LineTooLong as error:
        return str(error)
    return ""


def _lines(s3: Any, item: Item) -> Iterator[tuple[int, bytes]]:
    """Numbered. Raises LineTooLong."""
    return enumerate(csv_files.lines(_stream(s3, item)), start=1)


def _stream(s3: Any, item: Item) -> Any:
    """All bytes, unpacked."""
    if item.content:
        return io.BytesIO(item.content)
    stream = body(s3, item)
    return gzip.GzipFile(fileobj=stream) if is_compressed(item) else stream
