"""The specification of a lake as frozen values. Each default stands here, once.

Names of sources and columns are in lower case: configuration, file headers and silver are compared without case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Literal

Policy = Literal["fail", "quarantine", "warn", "ignore"]
POLICIES: tuple[Policy, ...] = ("fail", "quarantine", "warn", "ignore")
Loading = Literal["upsert", "snapshot", "append"]
SIMPLE_TYPES = ("bigint", "int", "double", "boolean", "date", "timestamp", "string")

# What the program adds to each silver table, with its Iceberg types. No source can have a column that begins like this.
RESERVED_PREFIX = "_lake_"
LINEAGE: Mapping[str, str] = {
    "_lake_file": "string",
    "_lake_version": "string",
    "_lake_ingest_date": "date",
    "_lake_batch": "string",
    "_lake_landed_at": "timestamp",
    "_lake_loaded_at": "timestamp",
}
# The folders of a landing's key: columns of the bronze table, so no file's column can be called that.
LANDING_FOLDERS = ("ingest_date", "batch")

# The built-in checks and what becomes of a row, or of the landing, that fails one.
BUILT_IN_CHECKS: Mapping[str, Policy] = {
    "broken_rows": "fail",  # other fields than the header, or bytes that are not in the file's encoding
    "null_keys": "fail",  # a key that is empty or can't be read
    "required": "fail",  # a required column that is empty
    "dates": "fail",  # a date or timestamp that can't be read
    "numbers": "fail",  # a number that can't be read, or can be read in two ways
    "booleans": "fail",
    "duplicate_keys": "fail",  # one key twice in a landing, with different content
    "empty_snapshot": "fail",  # a landing of a `snapshot` source without rows: it would delete everything
}
# Such a row can't be in silver in any form; an empty snapshot has no rows.
_LIMITED: Mapping[str, tuple[Policy, ...]] = {
    "broken_rows": ("fail", "quarantine"),
    "null_keys": ("fail", "quarantine"),
    "empty_snapshot": ("fail", "ignore"),
}


def policies_of(check: str) -> tuple[Policy, ...]:
    """What a built-in check, or one of the user's own, may be set to."""
    return _LIMITED.get(check, POLICIES)


@dataclass(frozen=True)
class FileFormat:
    """How the files of a source are written. ``nulls``: texts that mean NULL beside the empty field."""

    format: Literal["csv", "jsonl", "parquet"] = "csv"
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    compression: Literal["auto", "none", "gzip"] = "auto"
    nulls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """A column of a source's files. ``type`` is one of SIMPLE_TYPES or ``decimal(p,s)``.

    ``formats``: patterns of a date or timestamp in Java's letters, tried in order; none: ISO 8601. ``zone``: of a
    timestamp whose format has none. ``header``: what the file calls it, where that is not ``name``.
    """

    name: str
    type: str
    required: bool = False
    formats: tuple[str, ...] = ()
    zone: str = "UTC"
    decimal_mark: Literal[".", ",", "any"] = "."
    description: str = ""
    header: str = ""


@dataclass(frozen=True)
class Lookup:
    """Columns taken from the silver table of ``source``. ``on``: this source's columns, in the order of its keys;
    ``take``: (their name, our name)."""

    name: str
    source: str
    on: tuple[str, ...]
    take: tuple[tuple[str, str], ...]
    missing: Policy = "warn"


@dataclass(frozen=True)
class Expression:
    """SQL that means the same to Spark and to Athena: as written, and in the dialect of each. ``columns``: those that
    it names, in order, each once."""

    text: str
    spark: str
    athena: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Derived:
    name: str
    type: str
    sql: Expression
    description: str = ""


@dataclass(frozen=True)
class Check:
    """A row fails where ``sql`` is false. NULL passes, as in SQL's CHECK."""

    name: str
    sql: Expression
    otherwise: Policy = "fail"


@dataclass(frozen=True)
class PartitionField:
    """``argument``: the number of ``bucket`` and ``truncate``, else None."""

    transform: Literal["year", "month", "day", "hour", "bucket", "truncate", "identity"]
    column: str
    argument: int | None = None

    def __str__(self) -> str:
        number = "" if self.argument is None else f"{self.argument}, "
        return f"{self.transform}({number}{self.column})"


@dataclass(frozen=True)
class SourceSpec:
    """One kind of file and its tables. ``policies``: every built-in check -> what this source does about it."""

    name: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ()
    file: FileFormat = FileFormat()
    loading: Loading = "upsert"
    starts_run: bool = False
    description: str = ""
    lookups: tuple[Lookup, ...] = ()
    derive: tuple[Derived, ...] = ()
    checks: tuple[Check, ...] = ()
    policies: Mapping[str, Policy] = field(default_factory=lambda: dict(BUILT_IN_CHECKS))
    partition_by: tuple[PartitionField, ...] = ()

    @property
    def silver_table(self) -> str:
        return f"{self.name}_silver"

    @property
    def rejected_table(self) -> str:
        return f"{self.name}_rejected"

    @property
    def raw_table(self) -> str:
        return f"{self.name}_raw"

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Columns that must have a value: the keys and those that say so."""
        return tuple(column.name for column in self.columns if column.required or column.name in self.keys)


@dataclass(frozen=True)
class LakeSpec:
    """All sources, in the order of the configuration. ``schema_evolution``: what becomes of further columns of a
    file."""

    sources: Mapping[str, SourceSpec]
    schema_evolution: Literal["fail", "ignore", "add"] = "fail"

    @cached_property
    def loading_order(self) -> tuple[str, ...]:
        """Each source after those that it looks up. Raises graphlib.CycleError."""
        graph = {name: {lookup.source for lookup in source.lookups} for name, source in self.sources.items()}
        return tuple(TopologicalSorter(graph).static_order())

    def dependents(self, name: str) -> Iterator[SourceSpec]:
        """Sources that look up ``name`` directly."""
        for source in self.sources.values():
            if any(lookup.source == name for lookup in source.lookups):
                yield source

    def silver_columns(self, name: str) -> dict[str, str]:
        """Column -> type of the silver table, in order: own, looked up, derived, lineage."""
        source = self.sources[name]
        found = {column.name: column.type for column in source.columns}
        for lookup in source.lookups:
            theirs = self.silver_columns(lookup.source)
            found.update({ours: theirs[column] for column, ours in lookup.take})
        found.update({derived.name: derived.type for derived in source.derive})
        return {**found, **LINEAGE}
