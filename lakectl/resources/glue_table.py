"""An external table in the Glue catalog, over landed files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Block, Module, Template, at
from lakectl.engine.model import Change, Data, Resource, State
from lakectl.engine.retry import until_ready
from lakectl.naming import TAG_LAKE, Place
from lakectl.resources.database import CATALOG_BUSY, DATABASE_NEW, Database, delete_table

PARTITION = "ingest_date"


@dataclass(frozen=True)
class Layout:
    """How files are read: ``columns`` -> Hive type, ``library`` and ``parameters`` of the SerDe, and the table's own
    ``properties``. ``comments``: of those columns that have one."""

    classification: str
    columns: Mapping[str, str]
    library: str
    parameters: Mapping[str, str]
    input_format: str
    output_format: str
    description: str
    properties: Mapping[str, str] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)


class LandedTable(Resource):
    """``database.table`` over ``location`` (``s3://…/``), one partition for each ``ingest_date=`` folder.

    Partitions are projected (Athena user guide, "Partition projection"): a new folder can be queried at
    once, with no crawler and no catalog call. ``dates`` is the projected range, such as
    ``2020-01-01,NOW+1YEARS``; folders outside it are not seen.

    Glue tables take no tags, so ours are table properties (``Parameters``).
    """

    kind = "glue-table"
    why = "The landed files as tables. Projected partitions: a new folder needs no crawler."
    data = Data.CATALOG
    idle_cost = "nothing, up to a million objects in the account's catalog"
    arn_format = "arn:{partition}:glue:{region}:{account}:table/{name}"
    exists_codes = frozenset(("AlreadyExistsException",))

    def __init__(
        self,
        database: str,
        table: str,
        *,
        step: str,
        tags: Mapping[str, str],
        place: Place,
        location: str,
        layout: Layout,
        dates: str,
        needs: tuple[str, ...],
    ) -> None:
        super().__init__(f"{database}.{table}", step=step, tags=tags, needs=needs, place=place)
        self.account = place.account
        self.database = database
        self.table = table
        self.location = location
        self.layout = layout
        self.dates = dates

    @classmethod
    def arn_of(cls, place: Place, name: str) -> str:
        return super().arn_of(place, name.replace(".", "/", 1))

    @property
    def properties(self) -> dict[str, str]:
        return {
            "EXTERNAL": "TRUE",
            "classification": self.layout.classification,
            **self.layout.properties,
            "projection.enabled": "true",
            f"projection.{PARTITION}.type": "date",
            f"projection.{PARTITION}.format": "yyyy-MM-dd",
            f"projection.{PARTITION}.range": self.dates,
            "storage.location.template": f"{self.location}{PARTITION}=${{{PARTITION}}}/",
        }

    def desired(self) -> Mapping[str, Any]:
        return {
            "description": self.layout.description,
            "columns": dict(self.layout.columns),
            "comments": dict(self.layout.comments),
            "partition_keys": {PARTITION: "string"},
            "location": self.location,
            "serde": {"library": self.layout.library, **self.layout.parameters},
            "formats": [self.layout.input_format, self.layout.output_format],
            "table_type": "EXTERNAL_TABLE",
            "properties": self.properties,
        }

    def _get(self, aws: Aws) -> dict[str, Any] | None:
        try:
            return dict(aws.client("glue").get_table(DatabaseName=self.database, Name=self.table)["Table"])
        except ClientError as error:
            if code_of(error) == "EntityNotFoundException":
                return None
            raise

    def read(self, aws: Aws) -> State | None:
        live = self._get(aws)
        if live is None:
            return None
        storage, parameters = live.get("StorageDescriptor", {}), live.get("Parameters", {})
        serde = storage.get("SerdeInfo", {})
        columns = storage.get("Columns", [])
        fields = {
            "description": live.get("Description", ""),
            "columns": {column["Name"]: column.get("Type") for column in columns},
            "comments": {column["Name"]: column["Comment"] for column in columns if column.get("Comment")},
            "partition_keys": {column["Name"]: column.get("Type") for column in live.get("PartitionKeys", [])},
            "location": storage.get("Location"),
            "serde": {"library": serde.get("SerializationLibrary"), **serde.get("Parameters", {})},
            "formats": [storage.get("InputFormat"), storage.get("OutputFormat")],
            "table_type": live.get("TableType"),
            # Athena and crawlers add properties of their own.
            "properties": {key: parameters[key] for key in self.properties if key in parameters},
        }
        return State(fields, {key: parameters[key] for key in (TAG_LAKE, *self.tags) if key in parameters})

    def _input(self, others: Mapping[str, str]) -> dict[str, Any]:
        want = self.desired()
        return {
            "Name": self.table,
            "Description": self.layout.description,
            "TableType": want["table_type"],
            "Parameters": {**others, **self.properties, **self.tags},
            "PartitionKeys": [{"Name": name, "Type": kind} for name, kind in want["partition_keys"].items()],
            "StorageDescriptor": {
                "Columns": [self._column(name, kind) for name, kind in want["columns"].items()],
                "Location": self.location,
                "InputFormat": want["formats"][0],
                "OutputFormat": want["formats"][1],
                "SerdeInfo": {
                    "SerializationLibrary": self.layout.library,
                    "Parameters": dict(self.layout.parameters),
                },
            },
        }

    def _column(self, name: str, kind: str) -> dict[str, str]:
        comment = self.layout.comments.get(name)
        return {"Name": name, "Type": kind, **({"Comment": comment} if comment else {})}

    def create(self, aws: Aws) -> None:
        until_ready(
            lambda: aws.client("glue").create_table(DatabaseName=self.database, TableInput=self._input({})),
            CATALOG_BUSY + DATABASE_NEW,
        )

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        """UpdateTable replaces the whole definition; properties that are not ours are kept."""
        if not changes:
            return
        live = self._get(aws) or {}
        until_ready(
            lambda: aws.client("glue").update_table(
                DatabaseName=self.database, TableInput=self._input(live.get("Parameters", {}))
            ),
            CATALOG_BUSY,
        )

    def destroy(self, aws: Aws) -> None:
        """Deletes the catalog entry; the files are the bucket's."""
        delete_table(aws.client("glue"), self.database, self.table)

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        properties = {"CatalogId": self.account, "DatabaseName": self.database, "TableInput": self._input({})}
        template.add(self.id, "AWS::Glue::Table", properties, needs=needs)

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        want = self._input({})
        storage = want["StorageDescriptor"]
        serde = Block(serialization_library=self.layout.library, parameters=dict(self.layout.parameters))
        module.add(
            self.id,
            "aws_glue_catalog_table",
            self.name,
            {
                "database_name": at(module.main(Database.id_of(self.database)), "name"),
                "name": self.table,
                "description": want["Description"],
                "table_type": want["TableType"],
                "parameters": want["Parameters"],
                "partition_keys": [_terraform_column(column) for column in want["PartitionKeys"]],
                "storage_descriptor": Block(
                    location=self.location,
                    input_format=storage["InputFormat"],
                    output_format=storage["OutputFormat"],
                    columns=[_terraform_column(column) for column in storage["Columns"]],
                    ser_de_info=serde,
                ),
            },
            import_id=f"{self.account}:{self.database}:{self.table}",
            needs=needs,
        )


def _terraform_column(column: Mapping[str, str]) -> Block:
    return Block({key.lower(): value for key, value in column.items()})
