"""ALTER TABLE and MSCK REPAIR TABLE: which change a statement asks for, and of which kind of table.

https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakectl.local.athena import iceberg_alter
from lakectl.local.athena.commands import Cursor
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import alter as external
from lakectl.local.athena.results import Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run


def alter_table(run: Run) -> Result:
    cursor = Cursor(run.statement.sql)
    cursor.expect("ALTER")
    if not cursor.match("TABLE"):
        token = cursor.token
        word = token.text.upper() if token else ""
        raise QueryError("NOT_SUPPORTED", f"ALTER {word} is not supported by the local Athena; it works on AWS")
    database, name = cursor.table(run.database)
    entry = run.catalog.entry(database, name)
    parameters = entry.get("Parameters", {})
    if entry.get("TableType") == "VIRTUAL_VIEW":
        raise QueryError("NOT_SUPPORTED", f"ALTER TABLE of the view {database}.{name} is not supported")
    if "metadata_location" in parameters:
        return iceberg_alter.alter(run, database, name, cursor)
    return external.alter(run, database, entry, cursor)


def repair(run: Run) -> Result:
    cursor = Cursor(run.statement.sql)
    cursor.expect("MSCK REPAIR TABLE")
    database, name = cursor.table(run.database)
    cursor.end()
    entry = run.catalog.entry(database, name)
    if "metadata_location" in entry.get("Parameters", {}) or not entry.get("PartitionKeys"):
        raise QueryError("NOT_SUPPORTED", f"Table {name} is not a partitioned table of files")
    return external.repair(run, database, entry)
