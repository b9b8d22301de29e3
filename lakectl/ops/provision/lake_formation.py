"""Whether Lake Formation lets the job at its database and tables, beside IAM; and the grants that it lacks.

Where an account does not use "IAM access control only", the role's policies are not enough: Glue answers "Insufficient
Lake Formation permission(s)" (Lake Formation developer guide, "Changing the default settings for your data lake",
"Lake Formation permissions reference").
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.ops.lake import Lake
from lakectl.resources.bucket import Bucket
from lakectl.resources.role import Role

EVERYBODY = "IAM_ALLOWED_PRINCIPALS"  # the group of all whom IAM lets: what it has, nobody needs a grant for
OF_DATABASE = frozenset(("DESCRIBE", "CREATE_TABLE"))
OF_TABLES = frozenset(("DESCRIBE", "ALTER"))  # the job reads and writes the files with its role's own permissions
OF_LOCATION = frozenset(("DATA_LOCATION_ACCESS",))

Resource = dict[str, Any]  # as Lake Formation's API writes it


@dataclass(frozen=True)
class Grant:
    """What ``principal`` (an ARN) has to be granted on ``resource``; ``command`` does it."""

    principal: str
    permissions: tuple[str, ...]
    resource: Resource

    @property
    def command(self) -> str:
        parts = ["aws", "lakeformation", "grant-permissions", "--principal"]
        parts += [f"DataLakePrincipalIdentifier={self.principal}", "--permissions", *self.permissions]
        return shlex.join([*parts, "--resource", json.dumps(self.resource)])


def missing_grants(lake: Lake) -> list[Grant]:
    """The grants that the job's role lacks; none when IAM alone decides. Nothing is changed.

    Needs ``lakeformation:GetDataLakeSettings``, ``ListPermissions`` and ``ListResources``, and ``glue:GetTables``.
    Raises LakectlError.
    """
    try:
        return list(_missing(lake, Role.arn_of(lake.names.place, lake.names.glue_role)))
    except (ClientError, BotoCoreError) as error:
        raise explain(error, "asking Lake Formation") from error


def _missing(lake: Lake, role: str) -> Iterator[Grant]:
    name = lake.names.silver_database
    database: Resource = {"Database": {"Name": name}}
    tables = _tables(lake, name)
    # For one that is not made yet, the account's settings say whom it will be open to.
    held = _by_default(lake, "CreateDatabaseDefaultPermissions") if tables is None else _held(lake, role, database)
    yield from _grant(role, OF_DATABASE - held, database)
    everywhere: Resource = {"Table": {"DatabaseName": name, "TableWildcard": {}}}
    lacking: set[str] = set()
    if tables:
        of_all = _held(lake, role, everywhere)
        for table in tables:
            lacking |= OF_TABLES - of_all - _held(lake, role, {"Table": {"DatabaseName": name, "Name": table}})
    yield from _grant(role, lacking, everywhere)
    for arn in _registered(lake, Bucket.arn_of(lake.names.place, lake.names.silver_bucket)):
        location: Resource = {"DataLocation": {"ResourceArn": arn}}
        yield from _grant(role, OF_LOCATION - _held(lake, role, location), location)


def _grant(role: str, permissions: set[str] | frozenset[str], resource: Resource) -> Iterator[Grant]:
    if permissions:
        yield Grant(role, tuple(sorted(permissions)), resource)


def _tables(lake: Lake, database: str) -> list[str] | None:
    """The names of its tables; None when there is no such database."""
    pages = lake.client("glue").get_paginator("get_tables").paginate(DatabaseName=database)
    try:
        return [table["Name"] for page in pages for table in page["TableList"]]
    except ClientError as error:
        if code_of(error) == "EntityNotFoundException":
            return None
        raise


def _by_default(lake: Lake, setting: str) -> set[str]:
    settings = lake.client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    return _permissions(settings.get(setting, []), {EVERYBODY})


def _held(lake: Lake, role: str, resource: Resource) -> set[str]:
    """What the role or everybody has on exactly this resource; "ALL" (Super) is everything."""
    client, found = lake.client("lakeformation"), []
    token: dict[str, str] = {}
    while True:
        page = client.list_permissions(Resource=resource, **token)
        found += page["PrincipalResourcePermissions"]
        if not page.get("NextToken"):
            return _permissions(found, {EVERYBODY, role})
        token = {"NextToken": page["NextToken"]}


def _permissions(entries: list[dict[str, Any]], principals: set[str]) -> set[str]:
    theirs = [each for each in entries if each["Principal"]["DataLakePrincipalIdentifier"] in principals]
    held = {permission for each in theirs for permission in each["Permissions"]}
    return held | (OF_DATABASE | OF_TABLES if held & {"ALL", "SUPER"} else set())


def _registered(lake: Lake, bucket: str) -> list[str]:
    """The locations at ``bucket`` that Lake Formation manages: a table there needs access to the location too."""
    client, found = lake.client("lakeformation"), []
    token: dict[str, str] = {}
    while True:
        page = client.list_resources(**token)
        found += [each["ResourceArn"] for each in page["ResourceInfoList"]]
        if not page.get("NextToken"):
            return sorted(arn for arn in found if arn == bucket or arn.startswith(f"{bucket}/"))
        token = {"NextToken": page["NextToken"]}
