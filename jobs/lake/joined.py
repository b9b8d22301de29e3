"""Many small landings are read as one: their lines are joined into few objects, each line after its landing's number.

Spark makes five requests for each file that it reads, however small; the header's request has brought all of a small
one, of exactly the claimed version.
"""

from __future__ import annotations

import codecs
import io
import uuid
from collections.abc import Callable, Iterable, Iterator

from lake.landings import Item
from lakectl.core import csv_files
from lakectl.spec.model import SourceSpec

SMALL_BYTES = 16 * 1024
# Fewer are read as they are: a request more costs as much as it saves.
FEWEST = 20
_OBJECT_BYTES = 8_000_000


def is_small(item: Item) -> bool:
    """Whether the landing's content is worth keeping until all are read."""
    return item.landing.size <= SMALL_BYTES and not item.landing.key.endswith(".gz")


def separator(source: SourceSpec) -> str:
    """What stands between a landing's number and its line."""
    return source.file.delimiter if source.file.format == "csv" else " "


def join(items: Iterable[Item], source: SourceSpec, put: Callable[[str, bytes], str]) -> list[str]:
    """Put the lines of landings that have their ``content`` into objects; returns the paths. ``put``: (name, content)
    -> path."""
    return [put(f"joined/{uuid.uuid4().hex}.txt", content) for content in _contents(items, source)]


def _contents(items: Iterable[Item], source: SourceSpec) -> Iterator[bytes]:
    content = bytearray()
    for item in items:
        lines = iter(csv_files.lines(io.BytesIO(item.content.removeprefix(codecs.BOM_UTF8))))
        if source.file.format == "csv":
            next(lines)  # the header
        number = f"{item.number}{separator(source)}".encode(source.file.encoding)
        for line in lines:
            # Spark leaves out blank lines, and would not know one behind a number.
            if not csv_files.is_blank(line.decode("latin-1")):
                content += number + line + b"\n"
        item.joined = True
        if len(content) > _OBJECT_BYTES:
            yield bytes(content)
            content.clear()
    # Also without a line: Spark must have something to read.
    yield bytes(content)
