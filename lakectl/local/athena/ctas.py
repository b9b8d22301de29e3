"""CREATE TABLE AS: https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from lakectl.local.athena import assignment, ddl, dml, iceberg_types, manifests, names, settings
from lakectl.local.athena.analyze import Analyzed
from lakectl.local.athena.errors import QueryError, enforced_location
from lakectl.local.athena.external_tables import buckets, hivetypes, writing
from lakectl.local.athena.external_tables.alter import create as create_partitions
from lakectl.local.athena.external_tables.files import listed
from lakectl.local.athena.external_tables.formats import FORMATS
from lakectl.local.athena.external_tables.partitions import NULL_FOLDER
from lakectl.local.athena.results import Result
from lakectl.local.athena.settings import Settings
from lakectl.local.athena.sqltypes import Type

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

_COMPRESSIONS = {"PARQUET": "parquet_compression", "ORC": "orc_compression"}


def create_table_as_select(run: Run) -> Result:
    """Raises QueryError for what Athena refuses; no table and no file is left then."""
    tree = run.statement.tree
    if not isinstance(tree, exp.Create):
        raise ValueError("CREATE TABLE AS without a tree")
    database, name = names.of_table(tree.this, run.database)
    properties = tree.args.get("properties")
    given = settings.of(properties)
    run.catalog.require_database(database)
    if run.catalog.has_table(database, name):
        if tree.args.get("exists"):
            return dml.counted(0)
        raise QueryError("TABLE_ALREADY_EXISTS", f"Table 'awsdatacatalog.{database}.{name}' already exists")
    with_data = properties.find(exp.WithDataProperty) if properties is not None else None
    empty = with_data is not None and bool(with_data.args.get("no"))
    query = run.analyze(tree.expression)
    columns = columns_of(query)
    kind = (given.take("table_type") or "HIVE").upper()
    if kind == "ICEBERG":
        return _iceberg(run, database, name, query, columns, given, empty)
    if kind != "HIVE":
        raise QueryError("INVALID_TABLE_PROPERTY", f"Unsupported table type: {kind}")
    return _external(run, database, name, query, columns, given, empty)


def columns_of(query: Analyzed) -> list[str]:
    """Names for the columns of a table that is made of a query."""
    unnamed = [index for index, column in enumerate(query.names) if column == f"_col{index}"]
    if unnamed:
        raise QueryError("COLUMN_NAME_NOT_SPECIFIED", f"Column name not specified at position {unnamed[0] + 1}")
    columns = [column.lower() for column in query.names]
    twice = next((column for at, column in enumerate(columns) if column in columns[:at]), None)
    if twice:
        raise QueryError("DUPLICATE_COLUMN_NAME", f"Column name '{twice}' specified more than once")
    untyped = next((n for n, kind in zip(columns, query.types, strict=True) if kind.name == "unknown"), None)
    if untyped:
        raise QueryError("COLUMN_TYPE_UNKNOWN", f"Column type is unknown at position {columns.index(untyped) + 1}")
    return columns


def _iceberg(
    run: Run, database: str, name: str, query: Analyzed, columns: list[str], given: Settings, empty: bool
) -> Result:
    if (given.take("is_external") or "true") != "false":
        raise QueryError("INVALID_TABLE_PROPERTY", "Iceberg tables can't be external: set is_external = false")
    transforms = [sqlglot.parse_one(text, read="trino") for text in given.take_list("partitioning")]
    if given.lists:
        given.end("table")
    kinds = [iceberg_types.storable(kind) for kind in query.types]
    schema = iceberg_types.schema(columns, kinds)
    ddl.location_of(given.texts)  # before anything is run
    sql = "" if empty else assignment.to_table(query, run.session, kinds, columns)
    table = ddl.make_table(run, database, name, schema, transforms, given.texts)
    if empty:
        return dml.counted(0)
    try:
        return dml.counted(dml.append(run, table, run.reader(sql)))
    except BaseException:
        run.catalog.glue.delete_table(DatabaseName=database, Name=name)  # a CTAS that fails leaves no table
        raise


def _external(
    run: Run, database: str, name: str, query: Analyzed, columns: list[str], given: Settings, empty: bool
) -> Result:
    if (given.take("is_external") or "true") != "true":
        raise QueryError("INVALID_TABLE_PROPERTY", "only Iceberg tables have is_external = false")
    kinds = dict(zip(columns, query.types, strict=True))
    stored = {column: hivetypes.parse(hivetypes.text_of(kind)) for column, kind in kinds.items()}
    location = given.take("external_location")
    if location and run.enforced:
        raise enforced_location()
    target = target_of(given, stored, location or default_location(run))
    given.end("table")
    require_empty(run, target.location, f"table '{database}.{name}'")
    written = writing.Written()
    if not empty:
        sql = assignment.to_table(query, run.session, list(stored.values()), columns)
        written = writing.write(run, run.reader(sql), target)
    entry = _entry(name, kinds, target)
    try:
        run.catalog.glue.create_table(DatabaseName=database, TableInput=entry)
        create_partitions(run, {**entry, "DatabaseName": database}, partitions_of(written), exists_ok=True)
    except BaseException:
        writing.remove(run.s3, written.paths)
        raise
    result = dml.counted(written.rows)
    result.manifest = None if empty else manifests.write(run, written.paths)
    return result


def partitions_of(written: writing.Written) -> list[tuple[list[str], str]]:
    """Values and folder of each partition that was written, as Glue has them."""
    return [
        ([NULL_FOLDER if value is None else value for value in values], folder)
        for values, folder in written.partitions.items()
    ]


def target_of(given: Settings, stored: dict[str, Type], location: str) -> writing.Target:
    """Where and how to write, from the settings that CTAS and UNLOAD share.

    Raises QueryError for settings that Athena refuses.
    """
    if not location.startswith("s3://") or "/" not in location.removeprefix("s3://"):
        raise QueryError("INVALID_TABLE_PROPERTY", f"The location {location} is no folder in S3: s3://bucket/folder/")
    name = (given.take("format") or "PARQUET").upper()
    if name not in FORMATS:
        raise QueryError("INVALID_TABLE_PROPERTY", f"Invalid value for format: {name}. Valid are: {', '.join(FORMATS)}")
    wanted = [given.take(each) for each in ("write_compression", "compression", _COMPRESSIONS.get(name, ""))]
    codec = writing.codec_of(name, next((each for each in wanted if each is not None), None))
    serde: dict[str, str] = {}
    end = given.take("field_delimiter")
    if end is not None:
        if name != "TEXTFILE":
            raise QueryError("INVALID_TABLE_PROPERTY", f"Cannot specify field_delimiter for storage format: {name}")
        if len(end) != 1:
            raise QueryError("INVALID_TABLE_PROPERTY", "field_delimiter must be a single character")
        serde = {"field.delim": end, "serialization.format": end}
    keys = [key.lower() for key in given.take_list("partitioned_by")]
    unknown = [key for key in keys if key not in stored]
    if unknown:
        raise QueryError("INVALID_TABLE_PROPERTY", f"Partition columns [{', '.join(unknown)}] not present in schema")
    columns = list(stored)
    if len(keys) == len(columns):
        raise QueryError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    if keys and columns[-len(keys) :] != keys:
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the table properties: "
            f"[{', '.join(keys)}]",
        )
    fields = {column: kind for column, kind in stored.items() if column not in keys}
    kinds = {key: stored[key] for key in keys}
    writing.check_keys(kinds)
    spread = buckets.of(given, fields)
    return writing.Target(location.rstrip("/") + "/", name, codec, fields, kinds, serde, buckets=spread)


def require_empty(run: Run, location: str, what: str) -> None:
    """Raises QueryError HIVE_PATH_ALREADY_EXISTS where files are already."""
    if next(iter(listed(run.catalog.access, location)), None) is not None:
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", f"Target directory for {what} already exists: {location}")


def default_location(run: Run) -> str:
    """Beside the query's results: ``tables/QUERY_ID/``."""
    folder, _, own = run.location.rpartition("/")
    return f"{folder}/tables/{own}/"


def _entry(name: str, kinds: dict[str, Type], target: writing.Target) -> dict[str, Any]:
    columns = [{"Name": column, "Type": hivetypes.text_of(kinds[column])} for column in target.fields]
    storage = FORMATS[target.format].storage()
    storage["SerdeInfo"]["Parameters"] = {"serialization.format": "1", **target.settings}
    if target.buckets is not None:
        storage |= {"BucketColumns": list(target.buckets.columns), "NumberOfBuckets": target.buckets.count}
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false", "write.compression": target.codec},
        "PartitionKeys": [{"Name": key, "Type": hivetypes.text_of(kinds[key])} for key in target.keys],
        "StorageDescriptor": {**storage, "Columns": columns, "Location": target.location},
    }
