"""A source as it was inferred: its specification, and what was unsure about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lakectl.spec.model import Column, FileFormat, Loading, Lookup, PartitionField, SourceSpec


@dataclass
class Draft:
    """``table``: its rows in DuckDB, a column of text for each of ``columns``: NULL where the value is missing, dates
    and timestamps in ISO 8601.

    ``notes``: place in the source (``""`` the source itself, ``keys``, ``file``, ``columns.NAME``, ``lookups.NAME``,
    ``partition_by``) -> comments for the YAML.
    """

    name: str
    files: list[Path]
    file: FileFormat
    columns: list[Column]
    table: str
    rows: int
    keys: tuple[str, ...] = ()
    loading: Loading = "upsert"
    starts_run: bool = False
    lookups: list[Lookup] = field(default_factory=list)
    partition_by: tuple[PartitionField, ...] = ()
    # Columns whose decimal mark is written down, though it is the default; fields that no column can be made of;
    # columns that are never empty.
    stated_marks: set[str] = field(default_factory=set)
    left_out: list[str] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, place: str, *texts: str) -> None:
        if texts:
            self.notes.setdefault(place, []).extend(texts)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def columns_of(self, types: Iterable[str]) -> list[str]:
        return [column.name for column in self.columns if column.type in types]

    @property
    def spec(self) -> SourceSpec:
        return SourceSpec(
            name=self.name,
            columns=tuple(self.columns),
            keys=self.keys,
            file=self.file,
            loading=self.loading,
            starts_run=self.starts_run,
            lookups=tuple(self.lookups),
            partition_by=self.partition_by,
        )
