"""The key of a landing, ``<prefix><source>/ingest_date=YYYY-MM-DD/[batch=NNNN/]<file>``: built and read here alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakectl.spec.model import FileFormat

LAST_BATCH = 9999
# The source of an object that lies directly below the prefix.
NO_SOURCE = "unknown"
_MEDIA_TYPES = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "gz": "application/gzip",
}
_BELOW_PREFIX = re.compile(
    r"(?P<source>[^/]+)/ingest_date=(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})/(?:batch=(?P<batch>[0-9]{4})/)?(?P<file>[^/]+)"
)


@dataclass(frozen=True)
class LandingKey:
    """``source`` and ``file`` are any text without a slash; ``batch`` is four digits, or ``""`` for none."""

    prefix: str
    source: str
    ingest_date: date
    file: str
    batch: str = ""

    def __str__(self) -> str:
        batch = f"batch={self.batch}/" if self.batch else ""
        return f"{folder_of(self.prefix, self.source, self.ingest_date)}{batch}{self.file}"

    @property
    def folder(self) -> str:
        """The prefix of all landings of the same source and date."""
        return folder_of(self.prefix, self.source, self.ingest_date)


def parse(key: str, prefix: str) -> LandingKey | None:
    """What ``key`` says; None when it is not below ``prefix`` or has another form."""
    found = _BELOW_PREFIX.fullmatch(key.removeprefix(prefix)) if key.startswith(prefix) else None
    if not found:
        return None
    try:
        day = date.fromisoformat(found["date"])
    except ValueError:
        return None
    return LandingKey(prefix, found["source"], day, found["file"], found["batch"] or "")


def folder_of(prefix: str, source: str, day: date) -> str:
    """The prefix of all landings of a source and date."""
    return f"{prefix}{source}/ingest_date={day.isoformat()}/"


def source_of(key: str, prefix: str) -> str:
    """The source in whose folder an object below ``prefix`` lies, whatever the rest of its key."""
    source, slash, _ = key.removeprefix(prefix).partition("/")
    return source if slash else NO_SOURCE


def numbered(batch: int) -> str:
    """A batch as it stands in a key. Raises ValueError beyond LAST_BATCH."""
    if not 0 <= batch <= LAST_BATCH:
        raise ValueError(f"{batch} is no batch number: expected 0 to {LAST_BATCH}")
    return f"{batch:04d}"


def file_name(source: str, file: FileFormat, *, compressed: bool = False) -> str:
    """What a source's file is called in its landing: ``<source>.csv``, ``<source>.jsonl.gz``.

    Raises ValueError when the source has no such files (a gzipped Parquet file, say).
    """
    ending = f".{file.format}.gz" if compressed else f".{file.format}"
    if ending not in file_endings(file):
        raise ValueError(f"the files of {source} end with {' or '.join(file_endings(file))}, not with {ending}")
    return source + ending


def file_endings(file: FileFormat) -> tuple[str, ...]:
    """How the names of files in this format end. Spark knows by the ending that a file is gzipped."""
    plain = f".{file.format}"
    if file.format == "parquet":
        return (plain,)
    return {"auto": (plain, f"{plain}.gz"), "none": (plain,), "gzip": (f"{plain}.gz",)}[file.compression]


def media_type(file: str) -> str:
    """The Content-Type of a landed file, by the ending of its name."""
    return _MEDIA_TYPES[file.rpartition(".")[2]]


def form_of(source: str, file: FileFormat) -> str:
    """For people: what comes after the prefix in the keys of a source's landings."""
    names = " or ".join(source + ending for ending in file_endings(file))
    return f"{source}/ingest_date=YYYY-MM-DD/[batch=NNNN/]{names}"
