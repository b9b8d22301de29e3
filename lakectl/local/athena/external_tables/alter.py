"""ALTER TABLE of external tables, and MSCK REPAIR TABLE: changes of Glue's entries only; no file is touched.

https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lakectl.local.athena import many_objects
from lakectl.local.athena.commands import Cursor
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import definition, partitions, projection, text_values
from lakectl.local.athena.external_tables.hivetypes import parse
from lakectl.local.athena.results import Column, Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

_INPUT = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters",
          "ViewOriginalText", "ViewExpandedText")  # fmt: skip
_MOST = 100  # partitions in one request of BatchCreatePartition; BatchDeletePartition takes 25


def alter(run: Run, database: str, entry: dict[str, Any], cursor: Cursor) -> Result:
    if cursor.match("ADD IF NOT EXISTS"):
        _add_partitions(run, entry, cursor, exists_ok=True)
    elif cursor.match("ADD COLUMNS"):
        _update(run, database, entry, _added(entry, _columns(cursor)))
    elif cursor.match("ADD"):
        _add_partitions(run, entry, cursor, exists_ok=False)
    elif cursor.match("DROP IF EXISTS"):
        _drop_partitions(run, entry, cursor, missing_ok=True)
    elif cursor.match("DROP"):
        _drop_partitions(run, entry, cursor, missing_ok=False)
    elif cursor.match("REPLACE COLUMNS"):
        _update(run, database, entry, _columns(cursor))
    elif cursor.match("CHANGE"):
        cursor.match("COLUMN")
        _update(run, database, entry, _changed(entry, cursor))
    elif cursor.match("SET TBLPROPERTIES"):
        entry["Parameters"] = {**entry.get("Parameters", {}), **cursor.pairs()}
        cursor.end()
        _update(run, database, entry)
    elif cursor.match("SET LOCATION"):
        entry["StorageDescriptor"]["Location"] = _location(cursor.string())
        cursor.end()
        _update(run, database, entry)
    else:
        _alter_partition(run, entry, cursor)
    return Result()


def _alter_partition(run: Run, entry: dict[str, Any], cursor: Cursor) -> None:
    """``PARTITION (…) SET LOCATION '…'`` and ``PARTITION (…) RENAME TO PARTITION (…)``"""
    values = _values(entry, cursor.partition())
    glue, key = run.catalog.glue, {"DatabaseName": entry["DatabaseName"], "TableName": entry["Name"]}
    try:
        partition = glue.get_partition(**key, PartitionValues=values)["Partition"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityNotFoundException":
            raise
        raise _missing(entry, values) from None
    described = {"Values": values, "StorageDescriptor": partition["StorageDescriptor"]}
    described["Parameters"] = partition.get("Parameters", {})
    if cursor.match("SET LOCATION"):
        described["StorageDescriptor"]["Location"] = _location(cursor.string())
    elif cursor.match("RENAME TO"):
        described["Values"] = _values(entry, cursor.partition())
    else:
        raise cursor.fail("'SET LOCATION', 'RENAME TO'")
    cursor.end()
    try:
        glue.update_partition(**key, PartitionValueList=values, PartitionInput=described)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        raise QueryError("ALREADY_EXISTS", f"Partition already exists: {described['Values']}") from None


def _add_partitions(run: Run, entry: dict[str, Any], cursor: Cursor, exists_ok: bool) -> None:
    wanted: list[tuple[list[str], str]] = []
    while not wanted or not cursor.ended:
        values = _values(entry, cursor.partition())
        location = _location(cursor.string()) if cursor.match("LOCATION") else _default_location(entry, values)
        wanted.append((values, location))
    create(run, entry, wanted, exists_ok)


def create(run: Run, entry: dict[str, Any], wanted: Iterable[tuple[list[str], str]], exists_ok: bool) -> None:
    """Add partitions to the catalog: values and location of each."""
    inputs = [
        {"Values": values, "StorageDescriptor": {**entry["StorageDescriptor"], "Location": location}}
        for values, location in wanted
    ]
    key = {"DatabaseName": entry["DatabaseName"], "TableName": entry["Name"]}
    for start in range(0, len(inputs), _MOST):
        answer = run.catalog.glue.batch_create_partition(**key, PartitionInputList=inputs[start : start + _MOST])
        for error in answer.get("Errors", []):
            if error["ErrorDetail"]["ErrorCode"] != "AlreadyExistsException":
                raise QueryError("HIVE_METASTORE_ERROR", str(error["ErrorDetail"].get("ErrorMessage", "")))
            if not exists_ok:
                raise QueryError("ALREADY_EXISTS", f"Partition already exists: {error['PartitionValues']}")


def _drop_partitions(run: Run, entry: dict[str, Any], cursor: Cursor, missing_ok: bool) -> None:
    wanted = [_values(entry, cursor.partition())]
    while cursor.match(","):
        wanted.append(_values(entry, cursor.partition()))
    cursor.end()
    for values in wanted:
        try:
            run.catalog.glue.delete_partition(
                DatabaseName=entry["DatabaseName"], TableName=entry["Name"], PartitionValues=values
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            if not missing_ok:
                raise _missing(entry, values) from None


def _missing(entry: dict[str, Any], values: list[str]) -> QueryError:
    keys = [key["Name"] for key in entry["PartitionKeys"]]
    shown = "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
    return QueryError("ENTITY_NOT_FOUND", f"Partition {shown} of table {entry['Name']} does not exist")


def _values(entry: dict[str, Any], given: dict[str, str]) -> list[str]:
    """A partition's values in the table's order, in the form of their types."""
    keys = {key["Name"].lower(): key["Type"] for key in entry.get("PartitionKeys", [])}
    if set(given) != set(keys):
        shown = ", ".join(keys) or "none"
        raise QueryError("INVALID_PARTITION", f"the partition columns of {entry['Name']} are: {shown}")
    values = []
    for key, kind in keys.items():
        value = text_values.reader(parse(kind))(given[key])
        if value is None:
            raise QueryError("INVALID_PARTITION", f"{given[key]!r} is no value of the partition column {key} {kind}")
        values.append(given[key] if isinstance(value, bool) else str(value))
    return values


def _default_location(entry: dict[str, Any], values: list[str]) -> str:
    keys = [key["Name"] for key in entry["PartitionKeys"]]
    return entry["StorageDescriptor"]["Location"].rstrip("/") + "/" + partitions.folder(keys, [*values])


def _location(text: str) -> str:
    if not text.startswith("s3://") or "/" not in text.removeprefix("s3://"):
        raise QueryError("INVALID_TABLE_PROPERTY", f"The location {text} is no folder in S3: s3://bucket/folder/")
    return text


def _columns(cursor: Cursor) -> list[dict[str, Any]]:
    found = [definition.column(node, cursor.sql) for node in cursor.columns()]
    cursor.end()
    return found


def _added(entry: dict[str, Any], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    columns = [*entry["StorageDescriptor"]["Columns"], *new]
    definition.check(columns, entry.get("PartitionKeys", []))
    return columns


def _changed(entry: dict[str, Any], cursor: Cursor) -> list[dict[str, Any]]:
    old = cursor.name()
    new = definition.column(cursor.column(), cursor.sql)
    columns = entry["StorageDescriptor"]["Columns"]
    if old not in [column["Name"].lower() for column in columns]:
        raise QueryError("COLUMN_NOT_FOUND", f"Column {old} of table {entry['Name']} does not exist")
    changed = [
        {**({"Comment": column["Comment"]} if "Comment" in column else {}), **new}
        if column["Name"].lower() == old
        else column
        for column in columns
    ]
    definition.check(changed, entry.get("PartitionKeys", []))
    return changed


def _update(run: Run, database: str, entry: dict[str, Any], columns: list[dict[str, Any]] | None = None) -> None:
    if columns is not None:
        definition.check(columns, entry.get("PartitionKeys", []))
        entry["StorageDescriptor"]["Columns"] = columns
    table = {name: entry[name] for name in _INPUT if name in entry}
    run.catalog.glue.update_table(DatabaseName=database, TableInput=table)


def repair(run: Run, database: str, entry: dict[str, Any]) -> Result:
    """Adds the partitions whose folders are there and which the catalog does not have; it removes none.

    https://docs.aws.amazon.com/athena/latest/ug/msck-repair-table.html
    """
    name = f"{database}.{entry['Name']}"
    if projection.is_projected(entry.get("Parameters", {})):
        raise QueryError("NOT_SUPPORTED", f"MSCK REPAIR TABLE: the partitions of {name} are projected")
    keys = [key["Name"].lower() for key in entry["PartitionKeys"]]
    known = {tuple(partition["Values"]) for partition in partitions.of_table(run.catalog.glue, entry)}
    root = entry["StorageDescriptor"]["Location"].rstrip("/") + "/"
    bucket, _, prefix = root.removeprefix("s3://").partition("/")
    found: dict[tuple[str, ...], str] = {}
    for path, _, _ in many_objects.listing(run.catalog.access, bucket, prefix):
        parts = path.removeprefix(prefix).split("/")[: len(keys)]
        pairs = [part.partition("=") for part in parts]
        if len(parts) < len(keys) or len(path.removeprefix(prefix).split("/")) <= len(keys):
            continue
        if [pair[0].lower() for pair in pairs] == keys and all(pair[1] for pair in pairs):
            values = tuple(partitions.unescaped(pair[2]) or partitions.NULL_FOLDER for pair in pairs)
            found.setdefault(values, root + "/".join(parts) + "/")
    new = {values: location for values, location in found.items() if values not in known}
    create(run, entry, ((list(values), location) for values, location in new.items()), exists_ok=True)
    lines = []
    if new:
        shown = ["/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True)) for values in new]
        lines.append("Partitions not in metastore:\t" + "\t".join(f"{entry['Name']}:{part}" for part in shown))
        lines += [f"Repair: Added partition to metastore {entry['Name']}:{part}" for part in shown]
    return Result([Column("result", "string")], [(line,) for line in lines])
