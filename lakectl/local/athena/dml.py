"""INSERT INTO: https://docs.aws.amazon.com/athena/latest/ug/insert-into.html"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena import assignment, iceberg_commits, iceberg_files, names, sqltypes, types
from lakectl.local.athena.analysis.storage import quoted
from lakectl.local.athena.analysis.values import start_of
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import inserts
from lakectl.local.athena.results import Column, Result
from lakectl.local.athena.sqltypes import Type

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run


def counted(rows: int) -> Result:
    """What a statement that has changed rows gives."""
    return Result([Column("rows", "bigint", 19)], update_count=rows, has_file=False)


def insert(run: Run) -> Result:
    """Raises QueryError for what Athena refuses; nothing was written then."""
    tree = run.statement.tree
    if not isinstance(tree, exp.Insert) or tree.args.get("overwrite"):
        raise QueryError("NOT_SUPPORTED", "INSERT OVERWRITE is not supported by Athena: use INSERT INTO")
    database, name = names.of_table(tree.this, run.database)
    entry = run.catalog.entry(database, name, start_of(tree.this, run.statement.sql))
    if entry.get("TableType") == "VIRTUAL_VIEW":
        raise QueryError("NOT_SUPPORTED", f"Inserting into views is not supported: {database}.{name}")
    if "metadata_location" not in entry.get("Parameters", {}):
        target = inserts.target_of(entry, f"{database}.{name}", run)
        sql = _source(run, tree, {**target.fields, **target.keys})
        return inserts.write(run, entry, target, run.reader(sql))
    table = run.catalog.load_for_write(database, name)
    fields = table.schema().fields
    kinds = {field.name: sqltypes.parse(types.of_iceberg(field.field_type)) for field in fields}
    sql = _source(run, tree, kinds)
    return counted(append(run, table, run.reader(sql)))


def _source(run: Run, tree: exp.Insert, kinds: dict[str, Type]) -> str:
    """DuckDB's SQL of the rows, with all columns of the table in their order."""
    known = {name.lower(): name for name in kinds}
    listed = (
        [column.name.lower() for column in tree.this.expressions] if isinstance(tree.this, exp.Schema) else [*known]
    )
    unknown = next((column for column in listed if column not in known), None)
    here = start_of(tree.this, run.statement.sql)
    if unknown:
        raise QueryError("COLUMN_NOT_FOUND", f"Insert column name does not exist in target table: {unknown}", here)
    twice = next((column for at, column in enumerate(listed) if column in listed[:at]), None)
    if twice:
        raise QueryError("DUPLICATE_COLUMN_NAME", f"Insert column name is specified more than once: {twice}", here)
    query = run.analyze(tree.expression)
    wanted = [kinds[known[column]] for column in listed]
    assignment.check(query.types, wanted, assignment.INSERT)
    given = assignment.to_table(query, run.session, wanted, [known[column] for column in listed])
    columns = [
        quoted(name) if name.lower() in listed else f"NULL::{inserts.physical(kind)} AS {quoted(name)}"
        for name, kind in kinds.items()
    ]
    return f"SELECT {', '.join(columns)} FROM ({given}) AS given"  # noqa: S608


def append(run: Run, table: Any, rows: Any) -> int:
    """Write the rows of an Arrow reader to an Iceberg table, and commit them as one snapshot."""
    writer = iceberg_files.DataWriter(table)
    try:
        for part in iceberg_files.parts(run, rows):
            writer.write(part)
        iceberg_commits.append(table, writer.files)
    except BaseException:
        writer.discard()
        raise
    return writer.rows
