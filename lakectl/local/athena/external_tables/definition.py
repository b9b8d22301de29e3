"""CREATE EXTERNAL TABLE: a Glue entry made of the statement's tree.

https://docs.aws.amazon.com/athena/latest/ug/create-table.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena import names
from lakectl.local.athena.analysis.values import start_of, unsupported
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import hivetypes
from lakectl.local.athena.external_tables.formats import FORMATS, OPENX
from lakectl.local.athena.results import Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

_DELIMITED = {
    "fields": "field.delim",
    "escaped": "escape.delim",
    "collection_items": "colelction.delim",  # Hive's spelling
    "map_keys": "mapkey.delim",
    "lines": "line.delim",
    "null": "serialization.null.format",
}


def create_external_table(run: Run) -> Result:
    """Raises QueryError for what Athena refuses, and for a clause that is not known here."""
    tree = run.statement.tree
    if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema):
        raise QueryError("NOT_SUPPORTED", "CREATE EXTERNAL TABLE needs a list of columns")
    database, name = names.of_table(tree.this.this, run.database)
    entry = _entry(tree, name, run.statement.sql)
    run.catalog.require_database(database)
    if run.catalog.has_table(database, name):
        if tree.args.get("exists"):
            return Result()
        raise QueryError("ALREADY_EXISTS", f"Table {name} already exists")
    run.catalog.glue.create_table(DatabaseName=database, TableInput=entry)
    return Result()


def _entry(tree: exp.Create, name: str, sql: str) -> dict[str, Any]:
    columns = [column(each, sql) for each in tree.this.expressions]
    keys: list[dict[str, Any]] = []
    storage: dict[str, Any] = FORMATS["TEXTFILE"].storage()
    settings: dict[str, str] = {}
    serde: str | None = None
    parameters = {"EXTERNAL": "TRUE"}
    clustered: dict[str, Any] = {}
    location = ""
    for each in tree.args["properties"].expressions:
        if isinstance(each, exp.ExternalProperty):
            continue
        if isinstance(each, exp.SchemaCommentProperty):
            # "The AWS API seems to return comments with squashed whitespace" (PyAthena's tests)
            parameters["comment"] = " ".join(each.this.name.split())
        elif isinstance(each, exp.PartitionedByProperty):
            keys = [column(key, sql) for key in each.this.expressions]
        elif isinstance(each, exp.RowFormatSerdeProperty):
            serde = each.this.name
            given = each.args.get("serde_properties")
            settings |= {item.name: item.args["value"].name for item in (given.expressions if given else [])}
        elif isinstance(each, exp.SerdeProperties):
            settings |= {item.name: item.args["value"].name for item in each.expressions}
        elif isinstance(each, exp.RowFormatDelimitedProperty):
            settings |= {setting: each.args[part].name for part, setting in _DELIMITED.items() if each.args.get(part)}
        elif isinstance(each, exp.FileFormatProperty):
            storage = _stored(each, sql)
        elif isinstance(each, exp.ClusteredByProperty):
            clustered = _clustered(each)
        elif isinstance(each, exp.LocationProperty):
            location = each.this.name
        elif type(each) is exp.Property:
            parameters[each.name] = each.args["value"].name
        else:
            raise unsupported(f"the clause {each.sql(dialect='hive')}", start_of(each, sql))
    if not location:
        raise QueryError("INVALID_TABLE_PROPERTY", "CREATE EXTERNAL TABLE needs a LOCATION in S3")
    if not location.startswith("s3://") or "/" not in location.removeprefix("s3://"):
        raise QueryError("INVALID_TABLE_PROPERTY", f"The location {location} is no folder in S3: s3://bucket/folder/")
    if location.count("/") > 3:
        location = location.rstrip("/")  # Athena's DDL keeps Hive's Path, which ends without it (PyAthena's tests)
    check(columns, keys)
    if "field.delim" in settings:
        settings.setdefault("serialization.format", settings["field.delim"])
    if serde == OPENX and storage == FORMATS["TEXTFILE"].storage():
        storage["OutputFormat"] = "org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat"  # PyAthena's tests
    if serde is not None:
        storage["SerdeInfo"]["SerializationLibrary"] = serde
    storage["SerdeInfo"]["Parameters"] = {"serialization.format": "1", **settings}
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "PartitionKeys": keys,
        "StorageDescriptor": {**storage, **clustered, "Columns": columns, "Location": location},
    }


def _clustered(clause: exp.ClusteredByProperty) -> dict[str, Any]:
    """Glue's fields for CLUSTERED BY. The files are read whole, whatever bucket they are of."""
    ordered = clause.args.get("sorted_by") or []
    return {
        "BucketColumns": [each.name.lower() for each in clause.expressions],
        "NumberOfBuckets": int(clause.args["buckets"].name),
        "SortColumns": [
            {"Column": each.this.name.lower(), "SortOrder": 0 if each.args.get("desc") else 1} for each in ordered
        ],
    }


def check(columns: list[dict[str, Any]], keys: list[dict[str, Any]]) -> None:
    """Raises QueryError for no columns, and for two of one name."""
    if not columns:
        raise QueryError("INVALID_TABLE_DEFINITION", "the table has no columns")
    seen: set[str] = set()
    for name in (each["Name"].lower() for each in (*columns, *keys)):
        if name in seen:
            raise QueryError("INVALID_TABLE_DEFINITION", f"Duplicate column name {name} in the table definition.")
        seen.add(name)


def column(node: Any, sql: str) -> dict[str, Any]:
    """A column of DDL as Glue keeps it."""
    if not isinstance(node, exp.ColumnDef) or node.args.get("kind") is None:
        raise QueryError("SYNTAX_ERROR", f"a column has no type: {node.sql(dialect='hive')}", start_of(node, sql))
    found = {"Name": node.name.lower(), "Type": type_text(node.args["kind"])}
    for constraint in node.args.get("constraints") or []:
        if not isinstance(constraint.kind, exp.CommentColumnConstraint):
            raise unsupported(f"{constraint.sql(dialect='hive')} of a column", start_of(node, sql))
        found["Comment"] = constraint.kind.this.name
    return found


def type_text(kind: exp.DataType) -> str:
    """Hive's text of a type in DDL. Raises QueryError for a type that Hive does not have."""
    text = _type(kind)
    try:
        hivetypes.parse(text)
    except ValueError:
        raise QueryError("INVALID_COLUMN_TYPE", f"the type {text} is not known") from None
    return text


def _type(kind: Any) -> str:
    if kind.is_type("struct"):
        return f"struct<{','.join(f'{part.name.lower()}:{_type(part.kind)}' for part in kind.expressions)}>"
    if kind.is_type("array", "list", "map"):
        name = "map" if kind.is_type("map") else "array"
        return f"{name}<{','.join(map(_type, kind.expressions))}>"
    name = kind.this.name.lower() if isinstance(kind.this, exp.DType) else str(kind.this).lower()
    name = {"text": "string", "timestamptz": "timestamp", "varbinary": "binary"}.get(name, name)
    sizes = [size.name for size in kind.expressions]
    if name == "decimal" and not sizes:
        return "decimal(10,0)"
    return f"{name}({','.join(sizes)})" if sizes else name


def _stored(node: exp.FileFormatProperty, sql: str) -> dict[str, Any]:
    if isinstance(node.this, exp.InputOutputFormat):
        given = node.this
        formats = {each.input: each for each in reversed(FORMATS.values())}
        known = formats.get(given.args["input_format"].name)
        storage = (known or FORMATS["TEXTFILE"]).storage()
        storage["InputFormat"] = given.args["input_format"].name
        storage["OutputFormat"] = given.args["output_format"].name
        return storage
    name = node.this.name.upper()
    if name == "JSONFILE":
        name = "JSON"
    if name not in FORMATS:
        raise unsupported(f"STORED AS {name}", start_of(node, sql))
    return FORMATS[name].storage()
