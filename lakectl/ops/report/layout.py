"""The partitions of a silver table, and how much of it a query of one partition reads."""

from __future__ import annotations

from lakectl.ops.checks.history import typed_literal
from lakectl.ops.checks.model import Subject, quoted
from lakectl.ops.report.model import Layout, Partition, Pruning, section
from lakectl.ops.tables import query

MOST_PARTITIONS = 400
# A whole table is scanned for comparison up to this size: on AWS that costs half a cent.
MOST_SCANNED = 1024**3


def layout(subject: Subject) -> Layout:
    """Partitions, rows, files and bytes of the current snapshot. Raises :class:`LakectlError`."""
    source = subject.source
    table = subject.table(source.silver_table + "$partitions")
    sums = ", ".join(f"sum({name})" for name in ("record_count", "file_count", "total_size"))
    partitions, rows, files, size = subject.numbers(f"SELECT count(*), {sums} FROM {table}")  # noqa: S608
    shown: list[Partition] = []
    if source.partition_by and partitions:
        found = subject.ask(
            f"SELECT partition, record_count, file_count, total_size FROM {table} LIMIT {MOST_PARTITIONS}"  # noqa: S608
        )
        numbers = [[int(value or 0) for value in row[1:]] for row in found]
        shown = [Partition(label(row[0]), *counts) for row, counts in zip(found, numbers, strict=True)]
        shown.sort(key=lambda partition: partition.label)
    pruning = section(lambda: _pruning(subject, size)) if shown else None
    return Layout(tuple(map(str, source.partition_by)), shown, partitions, rows, files, size, pruning)


def label(partition: str | None) -> str:
    """``{started_at_day=2025-09-01}`` → ``2025-09-01``; of several fields the names stay."""
    text = (partition or "").removeprefix("{").removesuffix("}")
    return text.partition("=")[2] if text.count("=") == 1 else text


def _pruning(subject: Subject, size: int) -> Pruning:
    source = subject.source
    column = source.partition_by[0].column
    name, kind = quoted(column), subject.spec.silver_columns(source.name)[column]
    sample = f"SELECT CAST({name} AS varchar) FROM {subject.silver} WHERE {name} IS NOT NULL LIMIT 1"  # noqa: S608
    value = query.run(subject.lake, sample).value
    condition = "IS NULL" if value is None else f"= {typed_literal(value, kind)}"
    wanted = next((each for each in (*source.keys, *source.by_name) if each != column), column)
    whole = f"SELECT count(DISTINCT {quoted(wanted)}) FROM {subject.silver}"  # noqa: S608
    of_one = query.run(subject.lake, f"{whole} WHERE {name} {condition}").scanned
    of_all = query.run(subject.lake, whole).scanned if size <= MOST_SCANNED else None
    return Pruning(f"{column} {condition}", of_one, of_all)
