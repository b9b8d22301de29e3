"""INSERT, CREATE TABLE AS, DELETE and UPDATE: one Iceberg commit each, made by PyIceberg."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlglot
from pyiceberg.exceptions import CommitFailedException, NotInstalledError
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import (
    _ConvertToIcebergWithoutIDs,
    _dataframe_to_data_files,
    schema_to_pyarrow,
    visit_pyarrow,
)
from pyiceberg.schema import Schema, assign_fresh_schema_ids
from sqlglot import exp

from lakectl.local.athena import ddl, names, pruning, types
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.results import Column, Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

PART_BYTES = 64 << 20  # of Arrow data in memory; each part is one file, or one in each partition


def _count(rows: int) -> Result:
    return Result([Column("rows", "bigint", 19)], update_count=rows, has_file=False)


def insert(run: Run) -> Result:
    tree = run.statement.tree
    if not isinstance(tree, exp.Insert) or tree.args.get("overwrite"):
        raise QueryError("NOT_SUPPORTED", "INSERT OVERWRITE is not supported by the local Athena")
    database, name = names.of_table(tree.this, run.database)
    table = run.catalog.load_for_write(database, name)
    schema = table.schema()
    wanted = [field.name.lower() for field in schema.fields]
    listed = [column.name.lower() for column in tree.this.expressions] if isinstance(tree.this, exp.Schema) else wanted
    unknown = [column for column in listed if column not in wanted]
    if unknown:
        raise QueryError("COLUMN_NOT_FOUND", f"Insert column name does not exist in target table: {unknown[0]}")
    query = run.analyze(tree.expression)
    if len(query.names) != len(listed):
        raise QueryError(
            "TYPE_MISMATCH",
            f"Insert query has mismatched column types: table has {len(listed)} columns, query has {len(query.names)}",
        )
    return _count(_append(run, table, listed, run.arrow(query)))


def _append(run: Run, table: Any, columns: list[str], rows: Any, deleting: Any = None) -> int:
    """Write the rows of an Arrow reader, a part of them at a time, and commit them as one snapshot.

    ``columns`` name the reader's columns. ``deleting``: a filter of rows that go in the same commit.
    """
    arrow = schema_to_pyarrow(table.schema(), include_field_ids=False)
    _fitted(columns, rows.schema.empty_table(), arrow)  # types that don't fit are refused, rows or not
    count, files, names, numbers = 0, [], uuid.uuid4(), itertools.count()
    for part in _parts(run, rows):
        count += part.num_rows
        data = _fitted(columns, part, arrow)
        files += _commit(partial(_write, table, data, names, numbers))

    def commit() -> None:
        with table.transaction() as transaction:
            if deleting is not None:
                transaction.delete(delete_filter=deleting)
            with transaction._append_snapshot_producer({}) as snapshot:
                for file in files:
                    snapshot.append_data_file(file)

    if deleting is None or count:
        _commit(commit)
    return count


def _write(table: Any, data: pa.Table, names: uuid.UUID, numbers: itertools.count[int]) -> list[Any]:
    return list(_dataframe_to_data_files(table.metadata, data, table.io, names, numbers))


def _parts(run: Run, rows: Any) -> Iterator[pa.Table]:
    """Tables of at most about PART_BYTES."""
    batches: list[Any] = []
    for batch in rows:
        run.check_cancelled()
        batches.append(batch)
        if sum(each.nbytes for each in batches) >= PART_BYTES:
            yield pa.Table.from_batches(batches)
            batches = []
    if batches:
        yield pa.Table.from_batches(batches)


def _fitted(columns: list[str], rows: pa.Table, arrow: pa.Schema) -> pa.Table:
    """Columns in the table's order and types; a column that is not given is NULL."""
    given_columns, height = dict(zip(columns, rows.columns, strict=True)), rows.num_rows
    arrays = []
    for field in arrow:
        given = given_columns.get(field.name.lower())
        if given is None:
            arrays.append(pa.nulls(height, field.type))
            continue
        if not _coercible(given.type, field.type):
            raise QueryError(
                "TYPE_MISMATCH",
                "Insert query has mismatched column types: "
                f"{field.name} is {types.of_arrow(field.type)}, the query gives {types.of_arrow(given.type)}",
            )
        try:
            arrays.append(given.cast(field.type))
        except pa.ArrowInvalid as error:
            raise QueryError("INVALID_CAST_ARGUMENT", f"{field.name}: {str(error).splitlines()[0]}") from None
    return pa.Table.from_arrays(arrays, schema=arrow)


def _coercible(given: Any, wanted: Any) -> bool:
    """Athena widens on INSERT (integer to bigint, date to timestamp); it never parses text or drops digits."""
    if given == wanted or pa.types.is_null(given):
        return True
    if pa.types.is_integer(wanted):
        return bool(pa.types.is_integer(given)) or (bool(pa.types.is_decimal(given)) and given.scale == 0)
    if pa.types.is_floating(wanted):
        return bool(pa.types.is_integer(given) or pa.types.is_floating(given) or pa.types.is_decimal(given))
    if pa.types.is_decimal(wanted):
        return bool(pa.types.is_integer(given) or pa.types.is_decimal(given))
    if pa.types.is_timestamp(wanted):
        return bool(pa.types.is_timestamp(given) or pa.types.is_date(given))
    same = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    texts = any(test(given) for test in same) and any(test(wanted) for test in same)
    return texts or bool(pa.types.is_nested(given) and pa.types.is_nested(wanted))


def create_table_as_select(run: Run) -> Result:
    tree = run.statement.tree
    if not isinstance(tree, exp.Create):
        raise ValueError("CREATE TABLE AS without a tree")
    database, name = names.of_table(tree.this, run.database)
    settings = ddl.properties(tree)
    if settings.get("table_type", "").upper() != "ICEBERG":
        raise QueryError("NOT_SUPPORTED", "the local Athena creates Iceberg tables only: WITH (table_type = 'ICEBERG')")
    if run.catalog.has_table(database, name):
        if tree.args.get("exists"):
            return _count(0)
        raise QueryError("TABLE_ALREADY_EXISTS", f"Table 'awsdatacatalog.{database}.{name}' already exists")
    with_data = tree.find(exp.WithDataProperty)
    if with_data is not None and with_data.args.get("no"):
        raise QueryError("NOT_SUPPORTED", "CREATE TABLE AS ... WITH NO DATA is not supported by the local Athena")
    query = run.analyze(tree.expression)
    unnamed = [index for index, column in enumerate(query.names) if column == f"_col{index}"]
    if unnamed:
        raise QueryError("COLUMN_NAME_NOT_SPECIFIED", f"Column name not specified at position {unnamed[0] + 1}")
    ddl.location_of(settings)  # before anything is run
    rows = run.arrow(query)
    columns = [column.lower() for column in query.names]
    table = ddl.make_table(run, database, name, _schema_of(rows.schema, columns), _partitioning(tree), settings)
    try:
        return _count(_append(run, table, columns, rows))
    except BaseException:
        run.catalog.glue.delete_table(DatabaseName=database, Name=name)  # a CTAS that fails leaves no table
        raise


def _schema_of(arrow: pa.Schema, columns: list[str]) -> Schema:
    renamed = pa.schema([pa.field(name, _storable(field.type)) for name, field in zip(columns, arrow, strict=True)])
    schema: Any = visit_pyarrow(renamed, _ConvertToIcebergWithoutIDs())
    return assign_fresh_schema_ids(schema)


def _storable(kind: Any) -> Any:
    """Iceberg has no 8- and 16-bit integers and no milliseconds."""
    if pa.types.is_int8(kind) or pa.types.is_int16(kind):
        return pa.int32()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz=kind.tz)
    return kind


def _partitioning(tree: exp.Create) -> list[exp.Expr]:
    """The clauses of ``partitioning = ARRAY['day(at)', 'region']``."""
    holder = tree.args.get("properties")
    for item in holder.expressions if holder is not None else []:
        if isinstance(item, exp.PartitionedByProperty) or item.name.lower() == "partitioning":
            array = item.find(exp.Array)
            texts = [text.name for text in array.expressions] if array is not None else []
            return [sqlglot.parse_one(text, read="trino") for text in texts]
    return []


def _target(run: Run, tree: exp.Expr) -> tuple[Any, Any]:
    """The table that DELETE or UPDATE changes, and its WHERE as an exact Iceberg filter."""
    database, name = names.of_table(tree.this, run.database)
    table = run.catalog.load_for_write(database, name)
    where = tree.args.get("where")
    if where is None:
        return table, AlwaysTrue()
    checked = run.analyze(exp.select("*").from_(tree.this.copy()).where(where.this.copy()))
    condition = checked.tree.args["where"].this
    try:
        schema = {field.name.lower(): field.name for field in table.schema().fields}
        return table, pruning.exact_filter(condition, schema)
    except pruning.Inexact:
        raise QueryError(
            "NOT_SUPPORTED",
            f"{run.statement.subtype} WHERE {where.this.sql(dialect='trino')} is not supported by the local Athena, "
            "which compares columns with literals only; nothing was changed",
        ) from None


def delete(run: Run) -> Result:
    tree = run.statement.tree
    if tree is None:
        raise ValueError("DELETE without a tree")
    table, condition = _target(run, tree)
    if table.current_snapshot() is None:
        return _count(0)
    rows = table.scan(row_filter=condition).count()
    if rows:
        _commit(lambda: table.delete(delete_filter=condition))
    return _count(rows)


def update(run: Run) -> Result:
    """The changed rows are computed from one snapshot and replace the old ones in one transaction; PyIceberg
    refuses the commit if the table has moved on since."""
    tree = run.statement.tree
    if tree is None:
        raise ValueError("UPDATE without a tree")
    table, condition = _target(run, tree)
    changes = {change.this.name.lower(): change.expression for change in tree.expressions}
    columns = [field.name.lower() for field in table.schema().fields]
    unknown = [name for name in changes if name not in columns]
    if unknown:
        raise QueryError("COLUMN_NOT_FOUND", f"The UPDATE SET target column {unknown[0]} doesn't exist")
    if table.current_snapshot() is None:
        return _count(0)
    items = [exp.alias_(changes[name].copy() if name in changes else exp.column(name), name) for name in columns]
    where = tree.args.get("where")
    select = exp.select(*items).from_(tree.this.copy())
    rows = run.arrow(run.analyze(select.where(where.this.copy()) if where is not None else select))
    return _count(_append(run, table, columns, rows, deleting=condition))


def _commit(change: Any) -> Any:
    try:
        return change()
    except NotInstalledError:
        raise QueryError(
            "NOT_SUPPORTED",
            "the local Athena writes to tables without a partition transform only (pyiceberg-core is not installed); "
            "nothing was changed",
        ) from None
    except CommitFailedException as error:
        raise QueryError("ICEBERG_COMMIT_ERROR", f"Failed to commit Iceberg update to table: {error}") from None
