"""Looking into landed files again: which lines hold what was refused, and what Spark can't tell of a file."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from lake.landings import Item
from lake.reading import body, header_of
from lakectl.core import csv_files
from lakectl.core.csv_files import GZIP_ERRORS

_MOST_FIELDS = 20_480  # Spark's option maxColumns
LINE = ""  # the "column" that stands for the whole line


def find_lines(
    s3: Any, item: Item, wanted: Sequence[Mapping[str, str]], limit: int = 10
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """(line number, which of ``wanted``) for the lines whose columns hold these texts; stops at ``limit``.

    Only for files with something to report, so reading one again is no cost to the others.
    """
    found, names = 0, header_of(s3, item)
    for number, line in _short_lines(s3, item):
        if number == 1:
            continue
        text = line.decode("utf-8", "replace")
        cells = {LINE: text}
        with suppress(ValueError):  # then only the whole line can be wanted
            cells |= {name: cell.strip(" ") for name, cell in zip(names, csv_files.fields(text), strict=False)}
        for sought in wanted:
            if all(cells.get(column) == text for column, text in sought.items()):
                yield number, sought
                found += 1
                if found == limit:
                    return


def open_quote(s3: Any, item: Item) -> str:
    """Which line has a quote without its partner, or ``""``."""
    try:
        for number, line in _lines(s3, item):
            if csv_files.has_open_quote(line):
                return f"line {number} has a quote without its partner (a line break inside quotes is not read)"
    except csv_files.LineTooLong as error:
        return f"its quotes can't be looked at: {error}"
    return ""


def unreadable(s3: Any, item: Item) -> str:
    """What is known to make Spark fail on a file, or ``""``: gzip that ends early, a line of very many fields."""
    try:
        for number, line in _lines(s3, item):
            if (fields := line.count(b",") + 1) > _MOST_FIELDS:
                return f"line {number} has {fields:,} fields"
    except GZIP_ERRORS as error:
        return f"not a whole gzip file: {error}"
    except csv_files.LineTooLong as error:
        return str(error)
    return ""


def _lines(s3: Any, item: Item) -> Iterator[tuple[int, bytes]]:
    """Numbered. Raises LineTooLong."""
    stream = body(s3, item)
    if item.landing.key.endswith(".gz"):
        stream = gzip.GzipFile(fileobj=stream)
    return enumerate(csv_files.lines(stream), start=1)


def _short_lines(s3: Any, item: Item) -> Iterator[tuple[int, bytes]]:
    """Up to one that is too long to look into."""
    try:
        yield from _lines(s3, item)
    except csv_files.LineTooLong:
        return
