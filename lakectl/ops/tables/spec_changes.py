"""What the specification means for silver tables that exist: shown by `plan`, carried out by the next run."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.core import applied_spec
from lakectl.core.ledger_table import LedgerTable
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.spec.evolution import Evolution, evolve

_SILVER = "_silver"


def pending(lake: Lake) -> Evolution:
    """Changes between the specification that silver was last brought to and the configuration's. Only reads.

    Empty while nothing has been loaded.
    """
    try:
        applied = applied_spec.read(LedgerTable(lake.names.run_log, lake.client("dynamodb")))
        if applied is None or applied == lake.config.spec:
            return Evolution()
        return evolve(applied, lake.config.spec, _tables(lake))
    except ValueError as error:
        raise LakectlError(f"what silver was last brought to can't be read: {error}") from None
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "ResourceNotFoundException":
            return Evolution()
        raise explain(error, "reading what silver was last brought to") from error


def _tables(lake: Lake) -> dict[str, dict[str, str]]:
    """Source -> column -> type of each silver table that there is."""
    pages = lake.client("glue").get_paginator("get_tables").paginate(DatabaseName=lake.names.silver_database)
    found: dict[str, dict[str, str]] = {}
    try:
        for page in pages:
            for table in page["TableList"]:
                if table["Name"].endswith(_SILVER):
                    columns = table.get("StorageDescriptor", {}).get("Columns", [])
                    # Iceberg leaves columns that are gone in the catalog, marked so.
                    found[table["Name"].removesuffix(_SILVER)] = {
                        column["Name"]: column["Type"]
                        for column in columns
                        if column.get("Parameters", {}).get("iceberg.field.current") != "false"
                    }
    except ClientError as error:
        if code_of(error) != "EntityNotFoundException":
            raise
    return found
