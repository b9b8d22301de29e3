"""What would change in a silver table: computed first, so that a run that changes nothing commits nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.enrich import Enrichment
from lake.landings import Item
from lake.names import KIND, MOVED, WARNED, spark_type
from lake.policies import WARN
from lakectl.core.columns import ROW_VERSION

# insert | update (other content, greater row version) | advance (same content, greater row version) | unchanged | stale
# (silver has a greater row version) | reenrich (did not come in, but its looked-up or derived values have changed) |
# delete (a snapshot has it no more).
WRITTEN = ("insert", "update", "advance", "reenrich")
KINDS = (*WRITTEN, "delete", "unchanged", "stale")


@dataclass(frozen=True)
class Incoming:
    """Typed rows with WARNED, of each key the newest; how many keys and the lowest and highest value of the leading key
    column there are (0, None and None where a source has no keys). ``landings``: those that the rows are of;
    ``is_counted``: there are exactly so many rows as keys.

    ``kept``: keys of quarantined rows, whose older rows a snapshot leaves; ``keeps_all``: some of these keys
    can't be read.
    """

    rows: DataFrame
    landings: Sequence[Item]
    keys: int = 0
    lowest: Any = None
    highest: Any = None
    is_counted: bool = False
    kept: DataFrame | None = None
    keeps_all: bool = False


@dataclass(frozen=True)
class Delta:
    """``rows`` have the table's columns, a KIND, MOVED and the notes of the enrichment.

    ``moved``: rows to write whose partition may be another one than in the table; ``failed``: late check or lookup ->
    incoming rows that fail it; ``warned``: those of them that are to be warned of and that no other check has counted;
    ``compared_all``: with all that is in the table. ``before``: the snapshot that it was compared with. ``is_noted``:
    ``failed`` and ``warned`` are counted. ``is_new``: no file of the table can have a key of these rows.
    """

    rows: DataFrame
    counts: dict[str, int]
    before: str = ""
    lowest: Any = 0
    highest: Any = 0
    moved: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    warned: int = 0
    compared_all: bool = False
    is_noted: bool = True
    is_new: bool = False

    @property
    def changes(self) -> bool:
        return any(self.counts[kind] for kind in (*WRITTEN, "delete"))

    @property
    def changes_values(self) -> bool:
        """Whether it changes more than row versions."""
        return any(self.counts[kind] for kind in ("insert", "update", "reenrich", "delete"))

    @property
    def only_replaces(self) -> bool:
        """Whether each row that is to be written is in the table already."""
        return self.changes and not self.counts["insert"]


def nothing(columns: dict[str, str], rows: DataFrame, before: str) -> Delta:
    """The delta of a run that has nothing to compare. ``rows``: any, of the table."""
    return Delta(
        shaped(rows.where("false"), columns).withColumn(KIND, F.lit("unchanged")), dict.fromkeys(KINDS, 0), before
    )


def fitted(rows: DataFrame, columns: dict[str, str], more: Sequence[str] = ()) -> DataFrame:
    """The table's ``columns``, NULL where ``rows`` (of an older schema, say) lack one, and ``more``."""
    have = set(rows.columns)
    return rows.select(
        *(
            (F.col(name) if name in have else F.lit(None)).cast(spark_type(kind)).alias(name)
            for name, kind in columns.items()
        ),
        *more,
    )


def shaped(rows: DataFrame, columns: dict[str, str], more: Sequence[str] = ()) -> DataFrame:
    """As ``fitted``, for rows that are to be written now."""
    return fitted(rows.withColumn("_lake_loaded_at", F.current_timestamp()), columns, more)


def counted(rows: DataFrame, enrichment: Enrichment, before: str, key: str = "") -> Delta:
    """The delta of classified ``rows``. One job. ``key``: the leading key column, whose bounds are wanted."""
    lead = F.col(key) if key else F.lit(None).cast("int")
    anywhere = reduce(Column.__or__, enrichment.failing(WARN).values(), F.lit(False)) & ~F.col(WARNED)
    tests = {**{note: F.col(note) for note in enrichment.notes.values()}, "_warned": anywhere, "_moved": F.col(MOVED)}
    groups = (
        rows.groupBy(F.col(KIND).alias("kind"))
        .agg(
            F.count("*").alias("rows"),
            F.min(lead).alias("low"),
            F.max(lead).alias("high"),
            *(F.sum(test.cast("int")).alias(name) for name, test in tests.items()),
        )
        .collect()
    )
    written = [group for group in groups if group["kind"] in WRITTEN and group["low"] is not None]
    came_in = [group for group in groups if group["kind"] not in ("reenrich", "delete")]
    found = {group["kind"]: int(group["rows"]) for group in groups}
    return Delta(
        rows,
        {kind: found.get(kind, 0) for kind in KINDS},
        before=before,
        lowest=min((group["low"] for group in written), default=0),
        highest=max((group["high"] for group in written), default=0),
        moved=sum(group["_moved"] for group in groups if group["kind"] in WRITTEN),
        failed={check: sum(group[note] for group in came_in) for check, note in enrichment.notes.items()},
        warned=sum(group["_warned"] for group in came_in),
    )


def row_version_of(row: Any) -> tuple[Any, ...]:
    """The row version of a row that was collected, to be compared with ``Item.row_version``."""
    return (str(row[ROW_VERSION[0]]), *(row[name] for name in ROW_VERSION[1:]))


def row_version(side: str) -> Column:
    return F.struct(*(F.col(f"{side}.{name}") for name in ROW_VERSION))


def row_version_sql(side: str) -> str:
    return "struct(" + ", ".join(f"{side}.{name}" for name in ROW_VERSION) + ")"


def same(names: Sequence[str]) -> Column:
    """Whether ``new`` and ``old`` have the same values."""
    return reduce(
        Column.__and__, (F.col(f"new.{name}").eqNullSafe(F.col(f"old.{name}")) for name in names), F.lit(True)
    )
