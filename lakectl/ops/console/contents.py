"""The partitions and data files of an Iceberg table, asked of Athena: one query each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lakectl.ops.checks.model import quoted
from lakectl.ops.console.catalog import Table
from lakectl.ops.lake import Lake
from lakectl.ops.report.layout import MOST_PARTITIONS, label
from lakectl.ops.report.model import Partition
from lakectl.ops.tables import query

MOST_FILES = 100


@dataclass(frozen=True)
class Partitions:
    """``shown``: MOST_PARTITIONS at most, by their labels. ``more``: there are others."""

    shown: Sequence[Partition]
    more: bool


@dataclass(frozen=True)
class DataFile:
    """``size`` in bytes."""

    path: str
    format: str
    rows: int
    size: int


@dataclass(frozen=True)
class Files:
    """The largest MOST_FILES data files. ``more``: there are others."""

    shown: Sequence[DataFile]
    more: bool


def partitions(lake: Lake, table: Table) -> Partitions:
    """Raises :class:`LakectlError` when Athena can't answer."""
    rows = query.run(
        lake,
        f"SELECT partition, record_count, file_count, total_size "  # noqa: S608
        f"FROM {_metadata(table, 'partitions')} LIMIT {MOST_PARTITIONS + 1}",
    ).rows
    found = [Partition(label(row[0]), *(int(value or 0) for value in row[1:])) for row in rows[:MOST_PARTITIONS]]
    return Partitions(sorted(found, key=lambda each: each.label), len(rows) > MOST_PARTITIONS)


def files(lake: Lake, table: Table) -> Files:
    """Raises :class:`LakectlError` when Athena can't answer."""
    rows = query.run(
        lake,
        f"SELECT file_path, file_format, record_count, file_size_in_bytes "  # noqa: S608
        f"FROM {_metadata(table, 'files')} ORDER BY file_size_in_bytes DESC, file_path LIMIT {MOST_FILES + 1}",
    ).rows
    found = [DataFile(row[0] or "", row[1] or "", int(row[2] or 0), int(row[3] or 0)) for row in rows[:MOST_FILES]]
    return Files(found, len(rows) > MOST_FILES)


def _metadata(table: Table, which: str) -> str:
    return f"{quoted(table.database)}.{quoted(f'{table.name}${which}')}"
