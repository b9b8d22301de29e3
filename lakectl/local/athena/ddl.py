"""CREATE and DROP of databases and Iceberg tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pyiceberg.exceptions import ValidationError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import UnknownTransform, parse_transform
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
)
from sqlglot import exp

from lakectl.local.athena import iceberg_properties, names, views
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import definition
from lakectl.local.athena.results import Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

_TYPES: dict[str, type[Any]] = {
    "boolean": BooleanType,
    "int": IntegerType,
    "bigint": LongType,
    "float": FloatType,
    "double": DoubleType,
    "date": DateType,
    "timestamp": TimestampType,
    "timestamptz": TimestamptzType,
    "varchar": StringType,
    "text": StringType,
    "binary": BinaryType,
    "varbinary": BinaryType,
}
# sqlglot's names for some calls, and Spark's for some transforms
_TRANSFORMS = {"tsordstoday": "day", "partitionbytruncate": "truncate", "trunc": "truncate", "days": "day"} | {
    "months": "month",
    "years": "year",
    "hours": "hour",
}
_S3_FOLDER = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#*]*)?")


class Ids:
    """Iceberg wants an id for each field, nested ones too."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> int:
        self.last += 1
        return self.last


def create_database(run: Run) -> Result:
    tree = run.statement.tree
    name = names.of_database(tree.this if tree is not None else None)
    if run.catalog.has_database(name):
        if tree is not None and tree.args.get("exists"):
            return Result()
        raise QueryError("ALREADY_EXISTS", f"Database {name} already exists")
    entry: dict[str, Any] = {"Name": name}
    location = tree.find(exp.LocationProperty) if tree is not None else None
    if location is not None:
        entry["LocationUri"] = location.this.name
    comment = tree.find(exp.SchemaCommentProperty) if tree is not None else None
    if comment is not None:
        entry["Description"] = comment.this.name
    run.catalog.glue.create_database(DatabaseInput=entry)
    return Result()


def drop_database(run: Run) -> Result:
    tree = run.statement.tree
    if tree is None:
        raise ValueError("DROP DATABASE without a tree")
    name = names.of_database(tree)
    if not run.catalog.has_database(name):
        if tree.args.get("exists"):
            return Result()
        raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{name}' does not exist")
    pages = run.catalog.glue.get_paginator("get_tables").paginate(DatabaseName=name)
    tables = [table["Name"] for page in pages for table in page["TableList"]]
    if tables and not tree.args.get("cascade"):
        raise QueryError(
            "INVALID_OPERATION", f"Database {name} is not empty. One or more tables exist: {', '.join(tables[:5])}"
        )
    for table in tables:
        _drop(run, name, table)
    run.catalog.glue.delete_database(Name=name)
    return Result()


def drop_table(run: Run) -> Result:
    """Athena's DROP TABLE of an Iceberg table deletes its data too (querying-iceberg-drop-table in its guide)."""
    tree = run.statement.tree
    if tree is None:
        raise ValueError("DROP TABLE without a tree")
    database, name = names.of_table(tree, run.database)
    if not run.catalog.has_table(database, name):
        if tree.args.get("exists"):
            return Result()
        run.catalog.require_database(database)
        raise QueryError("TABLE_NOT_FOUND", f"Table 'awsdatacatalog.{database}.{name}' does not exist")
    if views.is_view(run.catalog.entry(database, name)):
        shown = f"awsdatacatalog.{database}.{name}"
        message = f"Table '{shown}' does not exist, but a view with that name exists. Did you mean DROP VIEW {shown}?"
        raise QueryError("GENERIC_USER_ERROR", message, (1, 1))
    _drop(run, database, name)
    return Result()


def _drop(run: Run, database: str, name: str) -> None:
    entry = run.catalog.entry(database, name)
    if "metadata_location" in entry.get("Parameters", {}):
        try:
            run.catalog.iceberg.purge_table((database, name))
        except (ClientError, ValidationError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchBucket"):
                raise
            # Its metadata is not there or broken: what is left is its entry and its folder.
            run.catalog.glue.delete_table(DatabaseName=database, Name=name)
        _delete_prefix(run, entry["StorageDescriptor"]["Location"])
    else:  # an external table is only a catalog entry: its data belongs to somebody else
        run.catalog.glue.delete_table(DatabaseName=database, Name=name)


def _delete_prefix(run: Run, location: str) -> None:
    """Delete what is left under a dropped table: files of failed commits, which no metadata names."""
    bucket, _, prefix = location.removeprefix("s3://").rstrip("/").partition("/")
    if not prefix:
        return
    s3 = run.s3
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + "/"):
        keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
        if keys:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})


def create_table(run: Run) -> Result:
    tree = run.statement.tree
    if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema):
        raise QueryError("NOT_SUPPORTED", "CREATE TABLE needs a list of columns")
    database, name = names.of_table(tree.this.this, run.database)
    settings = properties(tree)
    if tree.find(exp.ExternalProperty):
        return definition.create_external_table(run)
    if settings.get("table_type", "").upper() != "ICEBERG":
        # https://docs.aws.amazon.com/athena/latest/ug/create-table.html: "Athena issues an error"
        raise QueryError(
            "NOT_SUPPORTED",
            "CREATE TABLE without EXTERNAL is of Iceberg tables only: TBLPROPERTIES ('table_type'='ICEBERG')",
        )
    ids = Ids()
    columns = [column for column in tree.this.expressions if isinstance(column, exp.ColumnDef)]
    numbered = [(ids.next(), column) for column in columns]  # top-level ids first, as Iceberg assigns them
    fields = [
        NestedField(number, column.name.lower(), iceberg_type(column.kind, ids), required=False, doc=comment_of(column))
        for number, column in numbered
    ]
    partitions = tree.find(exp.PartitionedByProperty)
    clauses = list(partitions.this.expressions) if partitions is not None else []
    make_table(run, database, name, Schema(*fields), clauses, settings, bool(tree.args.get("exists")))
    return Result()


def comment_of(column: exp.ColumnDef) -> str | None:
    comment = column.find(exp.CommentColumnConstraint)
    return comment.this.name if comment is not None else None


def make_table(
    run: Run,
    database: str,
    name: str,
    schema: Schema,
    clauses: list[exp.Expr],
    settings: dict[str, str],
    exists_ok: bool = False,
) -> Any:
    """Create an Iceberg table and return it. Raises QueryError if it exists or can't be made."""
    run.catalog.require_database(database)
    if run.catalog.has_table(database, name):
        if exists_ok:
            return run.catalog.load_for_write(database, name)
        raise QueryError("TABLE_ALREADY_EXISTS", f"Table '{database}.{name}' already exists")
    location = location_of(settings)
    stored = iceberg_properties.stored(settings)
    fields = [_partition(clause, schema, index) for index, clause in enumerate(clauses)]
    return run.catalog.iceberg.create_table(
        (database, name),
        schema,
        location=location,
        partition_spec=PartitionSpec(*fields),
        properties={"write.format.default": "parquet", **stored},
    )


def location_of(settings: dict[str, str]) -> str:
    """The table's folder in S3. Raises QueryError if there is none, or it is elsewhere."""
    location = settings.get("location")
    if not location:
        raise QueryError(
            "INVALID_TABLE_PROPERTY", "Table location can not be null: give LOCATION 's3://bucket/prefix/'"
        )
    if not _S3_FOLDER.fullmatch(location):
        raise QueryError(
            "INVALID_TABLE_PROPERTY", f"The table location {location!r} is no S3 path: give 's3://bucket/prefix/'"
        )
    return location.rstrip("/")


def properties(tree: exp.Expr) -> dict[str, str]:
    """TBLPROPERTIES or WITH (...) of a CREATE TABLE, keys in lower case; ``location`` among them."""
    found: dict[str, str] = {}
    holder = tree.args.get("properties")
    for item in holder.expressions if holder is not None else []:
        if isinstance(item, exp.LocationProperty):
            found["location"] = item.this.name
        elif isinstance(item, exp.FileFormatProperty):
            found["format"] = item.this.name
        elif type(item) is exp.Property:
            value = item.args["value"]
            found[item.name.lower()] = value.name if isinstance(value, exp.Literal) else value.sql(dialect="trino")
    return found


def _partition(clause: exp.Expr, schema: Schema, index: int) -> PartitionField:
    """``day(at)``, ``bucket(16, id)``, ``truncate(4, name)`` or a bare column."""
    columns = [found.name.lower() for found in clause.find_all(exp.Identifier)] or [clause.name.lower()]
    column = columns[-1]
    if isinstance(clause, exp.Column | exp.Identifier | exp.ColumnDef):
        transform = "identity"
    else:
        kind = (clause.name if isinstance(clause, exp.Anonymous) else clause.key).lower().removeprefix("partitionedby")
        kind = _TRANSFORMS.get(kind, kind)
        width = clause.find(exp.Literal)
        transform = f"{kind}[{width.name}]" if width is not None else kind
    try:
        field = schema.find_field(column)
        parsed = parse_transform(transform)
    except ValueError as error:
        raise QueryError("INVALID_TABLE_PROPERTY", f"Invalid partitioning {clause.sql()}: {error}") from None
    if isinstance(parsed, UnknownTransform) or not parsed.can_transform(field.field_type):
        raise QueryError("INVALID_TABLE_PROPERTY", f"Unable to parse partitioning value: {clause.sql(dialect='trino')}")
    suffix = "" if transform == "identity" else "_" + transform.partition("[")[0]
    return PartitionField(field.field_id, 1000 + index, parsed, column + suffix)


def iceberg_type(kind: exp.DataType | None, ids: Ids) -> IcebergType:
    """A type of Athena's DDL as Iceberg's. Raises QueryError for one that Iceberg tables don't have."""
    if kind is None:
        raise QueryError("SYNTAX_ERROR", "a column has no type")
    if kind.is_type("decimal"):
        sizes = [int(parameter.name) for parameter in kind.expressions] or [10, 0]
        return DecimalType(sizes[0], sizes[1] if len(sizes) > 1 else 0)
    if kind.is_type("array", "list"):
        return ListType(ids.next(), iceberg_type(kind.expressions[0], ids), element_required=False)
    if kind.is_type("map"):
        key, value = kind.expressions
        return MapType(ids.next(), iceberg_type(key, ids), ids.next(), iceberg_type(value, ids), value_required=False)
    if kind.is_type("struct"):
        return StructType(
            *(
                NestedField(ids.next(), part.name.lower(), iceberg_type(part.kind, ids), required=False)
                for part in kind.expressions
            )
        )
    name = kind.this.name.lower() if isinstance(kind.this, exp.DType) else str(kind.this)
    if name not in _TYPES:
        raise QueryError("NOT_SUPPORTED", f"Type not supported for Iceberg: {kind.sql(dialect='hive').lower()}")
    made: IcebergType = _TYPES[name]()
    return made
