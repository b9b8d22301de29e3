"""Data catalogs, databases and tables in Athena's API: those of Glue.

https://docs.aws.amazon.com/athena/latest/APIReference/API_TableMetadata.html
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from lakectl.local.athena.access import Access
from lakectl.local.athena.errors import RequestError
from lakectl.local.athena.pages import page

CATALOG = "AwsDataCatalog"
Connect = Callable[[str, str], Access]  # (region, caller)


class Catalogs:
    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    def list_data_catalogs(self, request: dict[str, Any]) -> dict[str, Any]:
        return page([{"CatalogName": CATALOG, "Type": "GLUE"}], "DataCatalogsSummary", request, 50)

    def get_data_catalog(self, request: dict[str, Any], account: str) -> dict[str, Any]:
        _check(request["Name"])
        parameters = {"catalog-id": account}
        return {"DataCatalog": {"Name": CATALOG, "Type": "GLUE", "Parameters": parameters}}

    def list_databases(self, region: str, request: dict[str, Any], caller: str) -> dict[str, Any]:
        paginator = self._glue(region, request, caller).get_paginator("get_databases")
        pages = _from_glue(lambda: list(paginator.paginate()))
        found = [_database(entry) for each in pages for entry in each["DatabaseList"]]
        return page(found, "DatabaseList", request, 50)

    def get_database(self, region: str, request: dict[str, Any], caller: str) -> dict[str, Any]:
        glue = self._glue(region, request, caller)
        entry = _from_glue(lambda: glue.get_database(Name=request["DatabaseName"].lower())["Database"])
        return {"Database": _database(entry)}

    def list_table_metadata(self, region: str, request: dict[str, Any], caller: str) -> dict[str, Any]:
        paginator = self._glue(region, request, caller).get_paginator("get_tables")
        pages = _from_glue(lambda: list(paginator.paginate(DatabaseName=request["DatabaseName"].lower())))
        found = [_table(entry) for each in pages for entry in each["TableList"]]
        wanted = _pattern(request.get("Expression"))
        return page([table for table in found if wanted(table["Name"])], "TableMetadataList", request, 50)

    def get_table_metadata(self, region: str, request: dict[str, Any], caller: str) -> dict[str, Any]:
        glue = self._glue(region, request, caller)
        wanted = {"DatabaseName": request["DatabaseName"].lower(), "Name": request["TableName"].lower()}
        return {"TableMetadata": _table(_from_glue(lambda: glue.get_table(**wanted)["Table"]))}

    def _glue(self, region: str, request: dict[str, Any], caller: str) -> Any:
        _check(request["CatalogName"])
        return self._connect(region, caller).client("glue")


def _check(name: str) -> None:
    if name.lower() != CATALOG.lower():
        raise RequestError(f"DataCatalog {name} was not found")


def _pattern(expression: str | None) -> Callable[[str], bool]:
    """ListTableMetadata: "a regex filter that pattern-matches table names"; ``*`` alone stands for everything."""
    if not expression or expression == "*":
        return lambda _: True
    try:
        regex = re.compile(expression, re.I)
    except re.error:
        raise RequestError(f"Expression is no regular expression: {expression}") from None
    return lambda name: regex.fullmatch(name) is not None


def _from_glue(call: Callable[[], Any]) -> Any:
    """Raises RequestError in Athena's envelope around Glue's error: clients read the error code in it.

    "Entity Not Found (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; Request ID:
    ...; Proxy: null)", as seen on AWS: https://github.com/DyfanJones/noctua/issues/205
    """
    try:
        return call()
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        answer = error.response["ResponseMetadata"]
        if code == "EntityNotFoundException" and error.operation_name == "GetTable":
            message = "Entity Not Found"
        where = f"Service: AmazonDataCatalog; Status Code: {answer['HTTPStatusCode']}; Error Code: {code}"
        request_id = answer.get("RequestId") or uuid.uuid4()
        message = f"{message} ({where}; Request ID: {request_id}; Proxy: null)"
        raise RequestError(message, kind="MetadataException") from None


def _database(entry: dict[str, Any]) -> dict[str, Any]:
    optional = {key: entry[key] for key in ("Description", "Parameters") if entry.get(key)}
    return {"Name": entry["Name"], **optional}


def _table(entry: dict[str, Any]) -> dict[str, Any]:
    def columns(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{key: column[key] for key in ("Name", "Type", "Comment") if key in column} for column in found]

    storage = entry.get("StorageDescriptor", {})
    serde = storage.get("SerdeInfo", {})
    # The API gives of the storage what DDL would: seen in answers of Athena, as awswrangler's and PyAthena's tests have
    described = {
        "location": storage.get("Location"),
        "inputformat": storage.get("InputFormat"),
        "outputformat": storage.get("OutputFormat"),
        "serde.serialization.lib": serde.get("SerializationLibrary"),
        **{f"serde.param.{key}": value for key, value in serde.get("Parameters", {}).items()},
    }
    parameters = {**entry.get("Parameters", {}), **{key: value for key, value in described.items() if value}}
    metadata = {
        "Name": entry["Name"],
        "CreateTime": _seconds(entry.get("CreateTime")),
        "LastAccessTime": _seconds(entry.get("LastAccessTime")),
        "TableType": entry.get("TableType", "EXTERNAL_TABLE"),
        "Columns": columns(storage.get("Columns", [])),
        "PartitionKeys": columns(entry.get("PartitionKeys", [])),
        "Parameters": parameters,
    }
    return {key: value for key, value in metadata.items() if value is not None}


def _seconds(moment: Any) -> float | None:
    return moment.timestamp() if moment is not None else None
