"""Checks of a silver table's history and of its layout."""

from __future__ import annotations

import re

from lakectl.ops.checks.model import Subject, Verdict, counted, quoted
from lakectl.ops.checks.silver import NOTHING

MOST_SNAPSHOTS = 20  # counted again in one statement


def snapshots_reproduced(subject: Subject) -> Verdict:
    """Time travel finds as many rows in a snapshot as its commit has noted."""
    if subject.absent:
        return NOTHING
    table = subject.table(subject.source.silver_table + "$snapshots")
    sql = f"SELECT snapshot_id, element_at(summary, 'total-records') FROM {table} ORDER BY committed_at"  # noqa: S608
    noted = {str(snapshot): int(rows) for snapshot, rows in subject.ask(sql) if rows is not None}
    chosen = _spread(list(noted))
    if not chosen:
        return Verdict(None, "no snapshot has noted how many rows it has")
    counts = (
        f"SELECT '{snapshot}', count(*) FROM {subject.silver} FOR VERSION AS OF {snapshot}"  # noqa: S608
        for snapshot in chosen
    )
    found = {str(snapshot): int(rows or 0) for snapshot, rows in subject.ask(" UNION ALL ".join(counts))}
    wrong = [
        f"snapshot {snapshot} has {rows:,} rows and noted {noted[snapshot]:,}"
        for snapshot, rows in found.items()
        if rows != noted[snapshot]
    ]
    of = "" if len(chosen) == len(noted) else f" of {len(noted):,}"
    return Verdict(not wrong, "; ".join(wrong) or f"{len(chosen):,}{of} counted again")


def _spread(snapshots: list[str]) -> list[str]:
    """At most MOST_SNAPSHOTS of them: the first, the last, and some between."""
    if len(snapshots) <= MOST_SNAPSHOTS:
        return snapshots
    last = len(snapshots) - 1
    return [snapshots[last * place // (MOST_SNAPSHOTS - 1)] for place in range(MOST_SNAPSHOTS)]


def scans_are_pruned(subject: Subject) -> Verdict:
    """The plan of a query for one value of each partition column says that the scan is limited to it."""
    if subject.absent:
        return NOTHING
    columns = list(dict.fromkeys(field.column for field in subject.source.partition_by))
    kinds = subject.spec.silver_columns(subject.source.name)
    wanted = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
    values = ", ".join(f"CAST({quoted(column)} AS varchar)" for column in columns)
    rows = subject.ask(f"SELECT {values} FROM {subject.silver} WHERE {wanted} LIMIT 1")  # noqa: S608
    if not rows:
        return Verdict(None, "no row has a value in each partition column")
    limits = " AND ".join(
        f"{quoted(column)} = {typed_literal(str(value), kinds[column])}"
        for column, value in zip(columns, rows[0], strict=True)
    )
    plan = "\n".join(line[0] or "" for line in subject.ask(f"EXPLAIN SELECT 1 FROM {subject.silver} WHERE {limits}"))  # noqa: S608
    limited = {name.strip() for found in re.findall(r"constraint on \[([^\]]*)\]", plan) for name in found.split(",")}
    unlimited = [column for column in columns if column not in limited]
    if unlimited:
        return Verdict(False, f"the plan does not limit the scan by {', '.join(unlimited)}")
    return Verdict(True, f"the scan is limited by {counted(len(columns), 'column')}: {', '.join(columns)}")


def typed_literal(value: str, kind: str) -> str:
    """A value of a silver column of type ``kind`` in Athena's SQL."""
    if kind in ("int", "bigint", "boolean", "double") or kind.startswith("decimal"):
        return value
    text = "'" + value.replace("'", "''") + "'"
    return {"date": "DATE ", "timestamp": "TIMESTAMP "}.get(kind, "") + text
