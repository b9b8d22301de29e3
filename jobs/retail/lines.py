"""Looking into landed files again: which lines hold what was refused, and which gzip file is torn."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from retail.landings import Item
from retail.reading import header_of

LINE = ""  # the "column" that stands for the whole line


def find_lines(
    s3: Any, item: Item, wanted: Sequence[Mapping[str, str]], limit: int = 10
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """(line number, which of ``wanted``) for the lines whose columns hold these texts; stops at ``limit``.

    Only for files with something to report, so reading one again is no cost to the others.
    """
    found, names = 0, header_of(s3, item)
    body = s3.get_object(Bucket=item.landing.bucket, Key=item.landing.key)["Body"]
    for number, line in enumerate(_lines(body, item.landing.key.endswith(".gz")), start=1):
        if number == 1:
            continue
        cells = {name: cell.strip() for name, cell in zip(names, next(csv.reader([line]), []), strict=False)}
        cells[LINE] = line
        for sought in wanted:
            if all(cells.get(column) == text for column, text in sought.items()):
                yield number, sought
                found += 1
                if found == limit:
                    return


def mark_torn(s3: Any, items: Iterable[Item]) -> bool:
    """Give gzip landings that can't be read to their end a problem; True if there are any."""
    torn = False
    for item in items:
        if not item.landing.key.endswith(".gz") or item.problems:
            continue
        body = s3.get_object(Bucket=item.landing.bucket, Key=item.landing.key)["Body"]
        try:
            with gzip.GzipFile(fileobj=body) as stream:
                while stream.read(1 << 20):
                    pass
        except (EOFError, OSError, zlib.error) as error:
            item.problems.append(f"not a whole gzip file: {error}")
            torn = True
    return torn


def _lines(body: Any, gzipped: bool) -> Iterator[str]:
    stream = gzip.GzipFile(fileobj=body) if gzipped else body
    rest = b""
    for chunk in iter(lambda: stream.read(1 << 20), b""):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode("utf-8", "replace").removesuffix("\r") for line in whole)
    if rest:
        yield rest.decode("utf-8", "replace").removesuffix("\r")
