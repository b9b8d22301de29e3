"""All tables of the lake's bronze and silver databases, as the Glue catalog has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake


@dataclass(frozen=True)
class Column:
    """``partition``: whether the table is partitioned by it (tables that are not Iceberg's)."""

    name: str
    type: str
    comment: str
    partition: bool = False


@dataclass(frozen=True)
class Table:
    """``format``: how its files are written. ``metadata``: where an Iceberg table's metadata file is, else empty.
    ``whole``: all of its files are below ``location``, those of its partitions, too."""

    database: str
    name: str
    description: str
    format: str
    location: str
    metadata: str
    columns: Sequence[Column]
    whole: bool = True


def databases(lake: Lake) -> list[str]:
    """The names of all databases of the account. Raises :class:`LakectlError`."""
    try:
        pages = lake.client("glue").get_paginator("get_databases").paginate()
        return sorted(each["Name"] for page in pages for each in page["DatabaseList"])
    except (ClientError, BotoCoreError) as error:
        raise explain(error, "reading the databases") from error


def tables(lake: Lake) -> list[Table]:
    """Bronze first, by name. Raises :class:`LakectlError` when neither database is there."""
    names = (lake.names.bronze_database, lake.names.silver_database)
    found = [of_database(lake, name) for name in dict.fromkeys(names)]
    if all(each is None for each in found):
        raise LakectlError(f"there is no database {' and no '.join(names)}", "make them with: lakectl up")
    return [table for each in found for table in each or ()]


def silver(lake: Lake) -> dict[str, Table]:
    """Name → table of the silver database; empty when it is not there. One request for a hundred tables."""
    return {table.name: table for table in of_database(lake, lake.names.silver_database) or ()}


def table(lake: Lake, database: str, name: str) -> Table:
    """One of them. Raises :class:`LakectlError` for a database that is not the lake's, and for an unknown table."""
    if database not in (lake.names.bronze_database, lake.names.silver_database):
        raise LakectlError(f"{database} is not a database of this lake")
    found = any_table(lake, database, name)
    if found is None:
        raise LakectlError(f"there is no table {database}.{name}", "load it with: lakectl run-transform")
    return found


def any_table(lake: Lake, database: str, name: str) -> Table | None:
    """A table of any database; None where there is none. Raises :class:`LakectlError`."""
    try:
        return _table(lake.client("glue").get_table(DatabaseName=database, Name=name)["Table"])
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "EntityNotFoundException":
            return None
        raise explain(error, f"reading {database}.{name}") from error


def of_database(lake: Lake, name: str) -> list[Table] | None:
    """The tables of any database, by name; None where there is no such database. Raises :class:`LakectlError`."""
    try:
        pages = lake.client("glue").get_paginator("get_tables").paginate(DatabaseName=name)
        return sorted((_table(each) for page in pages for each in page["TableList"]), key=lambda each: each.name)
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "EntityNotFoundException":
            return None
        raise explain(error, f"reading the tables of {name}") from error


def _table(found: dict[str, Any]) -> Table:
    parameters = found.get("Parameters", {})
    storage = found.get("StorageDescriptor", {})
    iceberg = parameters.get("table_type", "").upper() == "ICEBERG"
    location = storage.get("Location", "")
    # Projected partitions are where the template says; others may be registered anywhere.
    template = parameters.get("storage.location.template", location)
    projected = parameters.get("projection.enabled") == "true" and template.startswith(location)
    columns = [_column(each) for each in storage.get("Columns", ()) if _is_current(each)]
    return Table(
        database=found["DatabaseName"],
        name=found["Name"],
        description=found.get("Description") or parameters.get("comment", ""),
        format="Iceberg" if iceberg else _format(parameters, storage),
        location=location,
        metadata=parameters.get("metadata_location", "") if iceberg else "",
        columns=columns + [_column(each, partition=True) for each in found.get("PartitionKeys", ())],
        whole=projected or not found.get("PartitionKeys"),
    )


def _format(parameters: dict[str, str], storage: dict[str, Any]) -> str:
    named = parameters.get("classification")
    library = storage.get("SerdeInfo", {}).get("SerializationLibrary", "").rpartition(".")[2]
    return named or library or "view"


def _column(found: dict[str, Any], *, partition: bool = False) -> Column:
    return Column(found["Name"], found.get("Type", ""), found.get("Comment", ""), partition)


def _is_current(column: dict[str, Any]) -> bool:
    """Iceberg leaves columns that are gone in the catalog, marked so."""
    return bool(column.get("Parameters", {}).get("iceberg.field.current") != "false")
