"""By which day or month the rows of a source are best kept apart."""

from __future__ import annotations

from typing import Any, Literal

from lakectl.ops.init.draft import Draft
from lakectl.spec.model import PartitionField

# Fewer rows are one file, however they are cut.
_ROWS = 200
# Each partition of a landing is a file of its own: fewer rows in one, or more partitions, make many and small files.
_ROWS_A_PARTITION, _PARTITIONS = 50, 400
_EVENTS = ("order", "start", "creat", "event", "time", "happen", "sold", "paid")


def infer(connection: Any, draft: Draft) -> None:
    """Partition the draft by its first date that is never empty, where it has rows enough."""
    if draft.rows < _ROWS:
        return
    filled = [name for name in draft.columns_of(("date", "timestamp")) if _is_filled(connection, draft, name)]
    if not filled:
        return
    name = min(filled, key=lambda each: (not any(word in each for word in _EVENTS), filled.index(each)))
    days = _days(connection, draft, name)
    lengths: dict[Literal["day", "month", "year"], int] = {"day": 10, "month": 7, "year": 4}
    taken = {column.name for column in draft.columns}
    for transform, length in lengths.items():
        parts = {day[:length] for day in days}
        few = 1 < len(parts) <= _PARTITIONS and draft.rows >= _ROWS_A_PARTITION * len(parts)
        # Iceberg stores the field under this name, which no column can have then.
        if few and f"{name}_{transform}" not in taken:
            draft.partition_by = (PartitionField(transform, name),)
            draft.note("partition_by", f"{len(days):,} days, {len({day[:7] for day in days}):,} months in these files")
            return


def _is_filled(connection: Any, draft: Draft, name: str) -> bool:
    row = connection.execute(f'SELECT count("{name}") FROM "{draft.table}"').fetchone()  # noqa: S608
    return bool(row[0] == draft.rows)


def _days(connection: Any, draft: Draft, name: str) -> set[str]:
    """The days as ``YYYY-MM-DD``."""
    found = connection.execute(f'SELECT DISTINCT left("{name}", 10) FROM "{draft.table}"').fetchall()  # noqa: S608
    return {day for (day,) in found}
