"""A query as of an earlier time: ``FOR VERSION AS OF`` or ``FOR TIMESTAMP AS OF`` behind each of its tables.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-time-travel-and-version-travel-queries.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from lakectl.errors import UsageError
from lakectl.ops.console import catalog
from lakectl.ops.lake import Lake
from lakectl.ops.tables import named_tables
from lakectl.ops.tables.named_tables import Named, NotUnderstood

BY_HAND = "write FOR TIMESTAMP AS OF or FOR VERSION AS OF behind the table's name"


def as_of(lake: Lake, sql: str, moment: str, database: str = "") -> str:
    """``sql`` with all of its tables as they were at ``moment``: a snapshot id, or a time (ISO 8601; UTC where it has
    no zone). The rest of the text stays as it is.

    Raises :class:`UsageError` for a moment that is neither, a statement that is no SELECT, a table that is none of
    Iceberg's or that the statement itself sets in time, and for one snapshot of several tables.
    """
    clause = _clause(moment)
    try:
        tables = named_tables.of(sql)
    except NotUnderstood:
        raise UsageError("--at is for a SELECT, and this statement is not understood as one", BY_HAND) from None
    if not tables:
        raise UsageError("--at is for a query of tables, and this one names none")
    names = dict.fromkeys((table.database or database or lake.names.silver_database, table.name) for table in tables)
    if "VERSION" in clause and len(names) > 1:
        listed = ", ".join(".".join(name) for name in names)
        raise UsageError(f"a snapshot is one table's, and the query reads {listed}", "give --at a time instead")
    for table in tables:
        _check(lake, table, table.database or database or lake.names.silver_database)
    for table in reversed(tables):
        sql = f"{sql[: table.end]} {clause}{sql[table.end :]}"
    return sql


def _clause(moment: str) -> str:
    text = moment.strip()
    if re.fullmatch(r"-?[0-9]{1,19}", text):
        return f"FOR VERSION AS OF {text}"
    try:
        time = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        raise UsageError(
            f"--at {moment!r} is neither a snapshot id nor a time", "such as 2026-11-30T12:00:00Z; lakectl snapshots"
        ) from None
    utc = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return f"FOR TIMESTAMP AS OF TIMESTAMP '{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03d} UTC'"


def _check(lake: Lake, table: Named, database: str) -> None:
    name = f"{database}.{table.name}"
    if table.travels:
        raise UsageError(f"the statement itself says as of when {name} is read", "leave out --at, or that clause")
    found = catalog.any_table(lake, database, table.name) if table.catalog in ("", "awsdatacatalog") else None
    if found is None and "$" in table.name:
        raise UsageError(f"{name} tells of a table's files and has no earlier state", "--at is for tables")
    if found is None:
        raise UsageError(f"there is no table {name}", 'lakectl query "SHOW TABLES"')
    if not found.metadata:
        raise UsageError(f"{name} has no snapshots, as it is no Iceberg table", "--at is for Iceberg tables")
