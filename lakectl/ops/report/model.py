"""The values of a report. Bytes, rows and files are counts; instants are ISO 8601 UTC; money is US dollars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import explain
from lakectl.errors import LakectlError
from lakectl.ops.checks.validate import Check
from lakectl.ops.tables.snapshots import Snapshot

T = TypeVar("T")


@dataclass(frozen=True)
class Section(Generic[T]):
    """What was read, or ``problem``: why it could not be, with ``hint`` (the next command)."""

    value: T | None = None
    problem: str = ""
    hint: str = ""


def section(read: Callable[[], T]) -> Section[T]:
    """What ``read`` returns. An error that a person can cause or fix is shown in the section's place."""
    try:
        return Section(read())
    except LakectlError as error:
        told = error
    except (ClientError, BotoCoreError) as error:
        told = explain(error)
    return Section(problem=told.message, hint=told.hint or "")


@dataclass(frozen=True)
class SourceBox:
    """A source as the picture shows it. ``lookups``: the sources that it looks up."""

    name: str
    file: str
    loading: str
    starts_run: bool
    lookups: tuple[str, ...]
    table: str
    partition_by: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """How a file flows, with the lake's own names. ``schedule`` is empty when the daily rule is switched off."""

    sources: tuple[SourceBox, ...]
    raw_bucket: str
    prefix: str
    log_function: str
    run_log: str
    landed_rule: str
    daily_rule: str
    schedule: str
    start_function: str
    job: str
    engine: str
    silver_database: str
    silver_bucket: str
    workgroup: str


@dataclass(frozen=True)
class Rows:
    """The first rows of an answer, as Athena's text; None is NULL. ``more``: there are others. ``types``: Athena's.
    ``is_plan``: the lines of an EXPLAIN."""

    columns: Sequence[str]
    types: Sequence[str]
    rows: Sequence[Sequence[str | None]]
    more: bool
    scanned: int
    milliseconds: int
    is_plan: bool = False


@dataclass(frozen=True)
class Answer:
    """A saved query and what it answered."""

    name: str
    title: str
    expect: str
    sql: str
    result: Section[Rows]


@dataclass(frozen=True)
class Partition:
    """``label``: the partition's values, as Athena writes them."""

    label: str
    rows: int
    files: int
    size: int


@dataclass(frozen=True)
class Pruning:
    """The bytes that Athena scanned for one column of one partition. ``whole``: of the whole table; None where that
    was not measured."""

    condition: str
    scanned: int
    whole: int | None


@dataclass(frozen=True)
class Layout:
    """``shown``: of ``partitions`` in all; empty for a table that is not partitioned."""

    fields: tuple[str, ...]
    shown: Sequence[Partition]
    partitions: int
    rows: int
    files: int
    size: int
    pruning: Section[Pruning] | None


@dataclass(frozen=True)
class LoadedFile:
    """A version of a file, and the rows of silver that come from it now. ``run`` and ``snapshot``: what loaded it,
    empty where the run log does not say."""

    path: str
    version: str
    ingest_date: str
    landed_rows: int | None
    silver_rows: int
    loaded_at: str
    run: str
    snapshot: str


@dataclass(frozen=True)
class Lineage:
    """The files of a silver table, the last loaded first. ``more``: there are others. ``quarantined``: rows."""

    files: Sequence[LoadedFile]
    more: bool
    quarantined: int


@dataclass(frozen=True)
class Origin:
    """Where a column of silver comes from, in words."""

    column: str
    type: str
    source: str


@dataclass(frozen=True)
class TableReport:
    """A source's silver table. ``there``: whether it exists; the others are None where it does not."""

    source: str
    table: str
    description: str
    columns: Sequence[Origin]
    there: Section[bool]
    layout: Section[Layout] | None = None
    snapshots: Section[list[Snapshot]] | None = None
    lineage: Section[Lineage] | None = None


@dataclass(frozen=True)
class LandingRow:
    source: str
    landed_at: str
    key: str
    size: int
    load_status: str
    rows: int | None
    run: str
    reason: str


@dataclass(frozen=True)
class Landings:
    """The newest landings. ``more``: there are older ones."""

    rows: Sequence[LandingRow]
    more: bool


@dataclass(frozen=True)
class RunRow:
    """A run of the transform. ``counts``: rows by what became of them; empty where the run wrote no result."""

    id: str
    state: str
    started_at: str
    seconds: int
    dpu_hours: float | None
    error: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Cost:
    """An estimate from what Glue and Athena report. ``billed``: whether anybody is charged for it. ``partial``: there
    were more runs or queries than were read."""

    billed: bool
    runs: int
    dpu_hours: float
    usd_per_dpu_hour: float
    queries: int
    scanned: int
    usd_per_tb: float
    partial: bool

    @property
    def glue(self) -> float:
        return self.dpu_hours * self.usd_per_dpu_hour

    @property
    def athena(self) -> float:
        return self.scanned / 1e12 * self.usd_per_tb


@dataclass(frozen=True)
class Report:
    """Everything that the page shows."""

    lake: str
    where: str
    region: str
    made_at: str
    version: str
    picture: Picture
    checks: Section[list[Check]]
    answers: Section[list[Answer]]
    tables: Sequence[TableReport]
    landings: Section[Landings]
    runs: Section[list[RunRow]]
    cost: Section[Cost]

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks.value or () if check.passed is False]
