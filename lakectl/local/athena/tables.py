"""Which table a name in a query means, and what DuckDB reads in its place.

A kind of table is a class with ``columns``, ``hidden`` and ``relation``; ``Catalog.resolve`` chooses it from
the Glue entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import pyarrow as pa
from botocore.exceptions import ClientError
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.exceptions import ValidationError
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import StaticTable, Table

from lakectl.local.athena import metadata_tables, types, views
from lakectl.local.athena.access import Access
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables.partition_list import PartitionList
from lakectl.local.athena.external_tables.source import ExternalSource
from lakectl.local.athena.files import S3Files, Tables
from lakectl.local.athena.session import Session
from lakectl.local.athena.views import StoredView

Position = tuple[int, int] | None
PATH = "$path"
PLACE = "$place"  # of a row in its file, from 0: only for statements that change rows
_DUCKDB_PATH, _DUCKDB_PLACE = "filename", "file_row_number"
POSITIONS = "positions"  # meta of a table in a tree: PLACE may be named


class Source(Protocol):
    """A table as one query sees it."""

    @property
    def label(self) -> str:
        """``retail_silver.rides_silver$data@1234``, as EXPLAIN prints it."""

    @property
    def columns(self) -> dict[str, str]:
        """Lower-case name → Athena type, in order."""

    @property
    def hidden(self) -> frozenset[str]:
        """Columns that ``*`` leaves out."""

    def relation(self, session: Session, name: str) -> str:
        """DuckDB SQL that stands in FROM; ``name`` is free for the session to register something under."""


class _Listed:
    """The files of the last snapshots that were read, by the name of the manifest list.

    A list is never written again. Who reads a file still needs the permission for it, so a caller learns nothing here.
    """

    MOST, MOST_FILES = 32, 20_000

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, ...]] = {}

    def known(self, manifest_list: str) -> tuple[str, ...] | None:
        return self._kept.get(manifest_list)

    def keep(self, manifest_list: str, files: tuple[str, ...]) -> None:
        if len(files) > self.MOST_FILES:
            return
        while len(self._kept) >= self.MOST:
            self._kept.pop(next(iter(self._kept)))
        self._kept[manifest_list] = files


_FILES = _Listed()


@dataclass
class IcebergSource:
    """An Iceberg table at one snapshot: its current one, or the one asked for by AS OF (``travels``).

    The table's columns may have changed since its current snapshot; an earlier snapshot has the columns that it had.
    """

    label: str
    table: Table
    snapshot_id: int | None
    travels: bool = False
    positions: bool = False

    @property
    def hidden(self) -> frozenset[str]:
        return frozenset((PATH, PLACE))

    @cached_property
    def schema(self) -> Any:
        return self._stored if self.travels else self.table.schema()

    @cached_property
    def _stored(self) -> Any:
        """The columns at the time of the snapshot."""
        return self.table.scan(snapshot_id=self.snapshot_id).projection() if self.snapshot_id else self.table.schema()

    def scan(self, **options: Any) -> Any:
        """PyIceberg's scan of what is seen here."""
        return self.table.scan(**options, snapshot_id=self.snapshot_id if self.travels else None)

    @cached_property
    def columns(self) -> dict[str, str]:
        found = {field.name.lower(): types.of_iceberg(field.field_type) for field in self.schema.fields}
        if self.positions and self._hides_places:
            raise QueryError(
                "NOT_SUPPORTED",
                f"changing {self.label}, which has a column {_DUCKDB_PATH} or {_DUCKDB_PLACE}, is not supported by the "
                "local Athena; it works on AWS",
            )
        if self._hides_places:
            return found
        places = {PLACE: "bigint"} if self.positions else {}
        return {**found, PATH: "varchar", **places}

    @property
    def _hides_places(self) -> bool:
        """Whether columns of the table have DuckDB's own names for what a row's file and place are."""
        names = {field.name.lower() for schema in (self.schema, self._stored) for field in schema.fields}
        return bool(names & {_DUCKDB_PATH, _DUCKDB_PLACE})

    def relation(self, session: Session, name: str) -> str:
        empty = schema_to_pyarrow(self.schema, include_field_ids=False)
        hidden = [pa.field(PATH, pa.string()), pa.field(PLACE, pa.int64())]
        empty = pa.schema([*empty, *hidden]).empty_table()
        if self.snapshot_id is None:  # created and never written: there is no file that DuckDB could open
            session.register(name, empty)
            return f'"{name}"'
        snapshot = self._snapshot
        session.files.expect(self._files, _FILES.known(snapshot.manifest_list) if snapshot else None)
        location = self.table.metadata_location.replace("'", "''")
        scan = f"iceberg_scan('{location}', snapshot_from_id={self.snapshot_id}::UBIGINT)"
        places = [] if self._hides_places else [(_DUCKDB_PATH, PATH), (_DUCKDB_PLACE, PLACE)]
        hidden_columns = "".join(f", {old} AS {_quoted(new)}" for old, new in places)
        scan = f"(SELECT *{hidden_columns} FROM {scan})"  # noqa: S608
        if self.schema.fields == self._stored.fields:
            return scan
        # DuckDB gives the snapshot's columns: they are renamed, and those added since are NULL, of the type that the
        # table has for them now.
        before = {field.field_id: field.name for field in self._stored.fields}
        kept = [(before[field.field_id], field.name) for field in self.schema.fields if field.field_id in before]
        if not kept:
            raise QueryError("NOT_SUPPORTED", f"the local Athena can't read {self.label}: all its columns are new")
        kept += [(new, new) for _, new in places]
        columns = ", ".join(f"{_quoted(old)} AS {_quoted(new)}" for old, new in kept)
        now = f"{name} now"
        session.register(now, empty)
        return f'(SELECT * FROM "{now}" UNION ALL BY NAME SELECT {columns} FROM {scan})'  # noqa: S608

    @property
    def _snapshot(self) -> Any:
        return self.table.snapshot_by_id(self.snapshot_id) if self.snapshot_id else None

    def _files(self) -> tuple[str, ...]:
        """Data and delete files of the snapshot."""
        snapshot = self._snapshot
        if snapshot is None:
            return ()
        found = tuple(
            entry.data_file.file_path
            for manifest in snapshot.manifests(self.table.io)
            for entry in manifest.fetch_manifest_entry(self.table.io)
        )
        _FILES.keep(snapshot.manifest_list, found)
        return found


@dataclass
class MetadataSource:
    """``"rides_silver$snapshots"`` and its like."""

    label: str
    table: Table
    kind: str
    hidden: frozenset[str] = frozenset()

    @cached_property
    def _rows(self) -> Any:
        return metadata_tables.read(self.table, self.kind)

    @cached_property
    def columns(self) -> dict[str, str]:
        return {field.name: _type_of_arrow(field.type) for field in self._rows.schema}

    def relation(self, session: Session, name: str) -> str:
        session.register(name, self._rows)
        return f'"{name}"'


class Catalog:
    """The Glue catalog of one region, as Athena's ``awsdatacatalog``, seen with one caller's permissions."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.glue = access.client("glue")
        keys = {"access-key-id": access.keys.access_key_id, "secret-access-key": access.keys.secret_access_key}
        if access.keys.session_token:
            keys["session-token"] = access.keys.session_token
        self.properties = {
            "glue.endpoint": access.endpoint_url,
            "glue.region": access.region,
            "s3.endpoint": access.endpoint_url,
            "s3.region": access.region,
            "py-io-impl": f"{S3Files.__module__}.{S3Files.__qualname__}",  # where PyIceberg does not ask Tables for it
            **{f"{service}.{name}": value for service in ("glue", "s3") for name, value in keys.items()},
        }

    @cached_property
    def iceberg(self) -> Tables:
        return Tables("glue", **self.properties)

    def resolve(self, database: str, name: str, version: Any = None, position: Position = None) -> Source | StoredView:
        """The source that ``database.name`` means, or the view. ``version`` picks the snapshot of an Iceberg table:
        given the table, it returns a snapshot id. Raises QueryError as Athena words it."""
        base, _, kind = name.partition("$")
        if kind and kind not in metadata_tables.KINDS:
            raise _no_table(database, name, position)
        entry = self.entry(database, base, position, name)
        if views.is_view(entry) and not kind and version is None:
            return views.read(entry)
        if not _is_iceberg(entry):
            if kind == "partitions" and entry.get("PartitionKeys"):
                return PartitionList(entry, self.access, f"{database}.{name}")
            if kind:
                raise _no_table(database, name, position)
            if version is not None:
                raise QueryError("NOT_SUPPORTED", "This connector does not support versioned tables", position)
            return ExternalSource(entry, self.access, f"{database}.{base}")
        table = self._open(entry)
        if kind:
            return MetadataSource(f"{database}.{name}", table, kind)
        if version is not None:
            snapshot_id = version(table)
        else:
            current = table.current_snapshot()
            snapshot_id = current.snapshot_id if current else None
        label = f"{database}.{base}$data@{snapshot_id or 'empty'}"
        return IcebergSource(label, table, snapshot_id, travels=version is not None)

    def load(self, database: str, name: str) -> Table:
        """The Iceberg table for reading. Raises QueryError if it is not there or no Iceberg table."""
        entry = self.entry(database, name)
        if not _is_iceberg(entry):
            raise QueryError("NOT_SUPPORTED", f"Table '{database}.{name}' is not an Iceberg table: it can't be changed")
        return self._open(entry)

    def _open(self, entry: dict[str, Any]) -> Table:
        location = entry["Parameters"]["metadata_location"]
        if "?" in location:  # DuckDB's Iceberg extension would take s3_endpoint and other settings from behind it
            raise QueryError(
                "NOT_SUPPORTED", f"the local Athena can't read a metadata file whose key holds '?': {location}"
            )
        files = S3Files(self.properties)
        identifier = (entry["DatabaseName"], entry["Name"])
        name = ".".join(identifier)
        try:
            metadata = FromInputFile.table_metadata(files.new_input(location))
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchBucket"):
                raise
            message = f"Metadata not found in metadata location for table {name}"
            raise QueryError("ICEBERG_MISSING_METADATA", message) from None
        except (ValueError, ValidationError):
            raise QueryError("ICEBERG_INVALID_METADATA", f"Invalid metadata file for table {name}") from None
        return StaticTable(identifier, metadata, location, files, NoopCatalog("static"))

    def load_for_write(self, database: str, name: str) -> Table:
        self.load(database, name)  # for Athena's errors
        return self.iceberg.load_table((database, name))

    def entry(self, database: str, name: str, position: Position = None, shown: str | None = None) -> dict[str, Any]:
        """Glue's own entry for a table. Raises QueryError SCHEMA_NOT_FOUND or TABLE_NOT_FOUND."""
        try:
            table: dict[str, Any] = self.glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            self.require_database(database, position)
            raise _no_table(database, shown or name, position) from None
        return table

    def find(self, database: str, name: str) -> dict[str, Any] | None:
        """Glue's own entry for a table or a view; None if there is none of that name."""
        try:
            return self.entry(database, name)
        except QueryError:
            return None

    def tables(self, database: str) -> list[dict[str, Any]]:
        """Glue's entries for all tables and views of a database."""
        pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=database)
        return [table for page in pages for table in page["TableList"]]

    def require_database(self, database: str, position: Position = None) -> None:
        if not self.has_database(database):
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist", position)

    def has_database(self, database: str) -> bool:
        try:
            self.glue.get_database(Name=database)
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            return False
        return True

    def has_table(self, database: str, name: str) -> bool:
        try:
            self.entry(database, name)
        except QueryError:
            return False
        return True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _is_iceberg(entry: dict[str, Any]) -> bool:
    return "metadata_location" in entry.get("Parameters", {})


def _no_table(database: str, name: str, position: Position) -> QueryError:
    return QueryError("TABLE_NOT_FOUND", f"Table 'awsdatacatalog.{database}.{name}' does not exist", position)


def _type_of_arrow(kind: Any) -> str:
    if pa.types.is_map(kind):
        return f"map({_type_of_arrow(kind.key_type)},{_type_of_arrow(kind.item_type)})"
    if pa.types.is_list(kind):
        return f"array({_type_of_arrow(kind.value_type)})"
    if pa.types.is_struct(kind):
        return f"row({','.join(f'{field.name} {_type_of_arrow(field.type)}' for field in kind)})"
    if pa.types.is_timestamp(kind):
        return "timestamp(3) with time zone" if kind.tz else "timestamp(6)"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return {"float": "real"}.get(types.of_arrow(kind), types.of_arrow(kind))
