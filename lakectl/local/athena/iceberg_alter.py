"""ALTER TABLE of Iceberg tables.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-evolving-table-schema.html and
https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-managing-tables.html
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pyiceberg.exceptions import ResolveError, TableAlreadyExistsError, ValidationError
from pyiceberg.schema import promote
from sqlglot import exp

from lakectl.local.athena import ddl, iceberg_properties, types
from lakectl.local.athena.commands import Cursor
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.iceberg_commits import committed
from lakectl.local.athena.results import Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

log = logging.getLogger(__name__)


def alter(run: Run, database: str, name: str, cursor: Cursor) -> Result:
    """Raises QueryError for what Athena refuses. Nothing is changed then."""
    if cursor.match("RENAME TO"):
        return _rename(run, database, name, cursor)
    table = run.catalog.load_for_write(database, name)
    if cursor.match("ADD COLUMNS"):
        columns = cursor.columns()
        cursor.end()
        _change(table, lambda update: _add(update, columns))
    elif cursor.match("DROP COLUMN"):
        column = _existing(table, cursor.name())
        cursor.end()
        if column in (table.schema().find_column_name(field.source_id) for field in table.spec().fields):
            raise QueryError("NOT_SUPPORTED", f"Cannot drop partition field: {column}")
        if len(table.schema().fields) == 1:
            raise QueryError("NOT_SUPPORTED", "Cannot drop the only column in a table")
        _change(table, lambda update: update.delete_column(column))
    elif cursor.match("CHANGE"):
        cursor.match("COLUMN")
        _change_column(table, cursor)
    elif cursor.match("SET TBLPROPERTIES"):
        settings = iceberg_properties.stored(cursor.pairs())
        cursor.end()
        with committed(), table.transaction() as transaction:
            transaction.set_properties(settings)
    elif cursor.match("UNSET TBLPROPERTIES"):
        keys = _keys(cursor)
        with committed(), table.transaction() as transaction:
            transaction.remove_properties(*keys)
    else:
        raise cursor.fail("'ADD COLUMNS', 'DROP COLUMN', 'CHANGE COLUMN', 'SET', 'UNSET', 'RENAME TO'")
    return Result()


def _keys(cursor: Cursor) -> list[str]:
    cursor.expect("(")
    keys = [iceberg_properties.name(cursor.string())]
    while cursor.match(","):
        keys.append(iceberg_properties.name(cursor.string()))
    cursor.expect(")")
    cursor.end()
    return keys


def _rename(run: Run, database: str, name: str, cursor: Cursor) -> Result:
    new = cursor.table(database)
    cursor.end()
    run.catalog.require_database(new[0])
    try:
        run.catalog.iceberg.rename_table((database, name), new)
    except TableAlreadyExistsError:
        raise QueryError("TABLE_ALREADY_EXISTS", f"Table '{new[0]}.{new[1]}' already exists") from None
    return Result()


def _existing(table: Any, column: str) -> str:
    """The column's name in the table's schema."""
    for field in table.schema().fields:
        if field.name.lower() == column:
            return str(field.name)
    raise QueryError("COLUMN_NOT_FOUND", f"Column '{column}' does not exist")


def _add(update: Any, columns: list[exp.ColumnDef]) -> None:
    for column in columns:
        update.add_column(column.name.lower(), ddl.iceberg_type(column.kind, ddl.Ids()), doc=ddl.comment_of(column))


def _change_column(table: Any, cursor: Cursor) -> None:
    """``old new type [COMMENT …] [AFTER other | FIRST]``"""
    old = _existing(table, cursor.name())
    node, after = cursor.placed_column()
    kind = ddl.iceberg_type(node.kind, ddl.Ids())
    new = node.name.lower()
    other = _existing(table, after) if after else None

    before = table.schema().find_field(old).field_type
    try:
        if before != kind:
            promote(before, kind)
    except ResolveError:
        given, wanted = types.hive_of_iceberg(before), types.hive_of_iceberg(kind)
        raise QueryError("NOT_SUPPORTED", f"Cannot change column type: {old}: {given} -> {wanted}") from None

    def change(update: Any) -> None:
        if before != kind:
            update.update_column(old, field_type=kind)
        comment = ddl.comment_of(node)
        if comment is not None:
            update.update_column(old, doc=comment)
        if new != old.lower():
            update.rename_column(old, new)
        if after == "":
            update.move_first(old)
        elif other is not None:
            update.move_after(old, other)

    _change(table, change)


def _change(table: Any, change: Any) -> None:
    try:
        with committed(), table.update_schema() as update:
            change(update)
    except (ValidationError, ValueError) as error:
        log.warning("a schema was not changed: %s", error)
        raise QueryError("NOT_SUPPORTED", "the schema of the table can't be changed so") from None
