"""Item 30: `doctor` says where Lake Formation, and not IAM alone, decides, and prints the grants."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from lakes import open_test_lake

from lakectl.local import control
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.provision.lake_formation import missing_grants
from lakectl.resources.role import Role

IAM_ONLY = [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]


def decides(lake: Lake, entries: list[dict[str, Any]]) -> None:
    settings = {"CreateDatabaseDefaultPermissions": entries, "CreateTableDefaultPermissions": entries}
    lake.client("lakeformation").put_data_lake_settings(DataLakeSettings=settings)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """Lake Formation enforces nothing here: only an endpoint that is told to pretend takes IAM's word away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("formation")))
        patch.setenv("LAKECTL_LOCAL_PRETEND", "lakeformation")
        yield control.ensure_running()
        control.stop()


@pytest.fixture
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    """In an account in which Lake Formation decides."""
    lake = open_test_lake(endpoint)
    decides(lake, [])
    yield lake
    decides(lake, IAM_ONLY)


def grant(lake: Lake, command: str) -> None:
    """What the printed command does."""
    words = shlex.split(command)
    assert words[:3] == ["aws", "lakeformation", "grant-permissions"]
    after = {word: index for index, word in enumerate(words) if word.startswith("--")}
    principal = words[after["--principal"] + 1].removeprefix("DataLakePrincipalIdentifier=")
    lake.client("lakeformation").grant_permissions(
        Principal={"DataLakePrincipalIdentifier": principal},
        Permissions=words[after["--permissions"] + 1 : after["--resource"]],
        Resource=json.loads(words[after["--resource"] + 1]),
    )


def test_where_iam_alone_decides_no_grant_is_missing(endpoint: Endpoint) -> None:
    lake = open_test_lake(endpoint)
    assert missing_grants(lake) == []
    with_database(lake)
    assert missing_grants(lake) == []


def with_database(lake: Lake) -> str:
    name = lake.names.silver_database
    lake.client("glue").create_database(DatabaseInput={"Name": name})
    lake.client("glue").create_table(DatabaseName=name, TableInput={"Name": "orders_silver"})
    return name


def test_the_grants_that_are_printed_are_those_that_the_job_needs(lake: Lake) -> None:
    """Item 30."""
    role = Role.arn_of(lake.names.place, lake.names.glue_role)
    database = {"Database": {"Name": lake.names.silver_database}}
    (before,) = missing_grants(lake)
    assert (before.principal, before.permissions, before.resource) == (role, ("CREATE_TABLE", "DESCRIBE"), database)

    name = with_database(lake)
    arn = f"arn:aws:s3:::{lake.names.silver_bucket}"
    lake.client("lakeformation").register_resource(ResourceArn=arn, UseServiceLinkedRole=True)
    found = missing_grants(lake)
    assert [(each.permissions, each.resource) for each in found] == [
        (("CREATE_TABLE", "DESCRIBE"), database),
        (("ALTER", "DESCRIBE"), {"Table": {"DatabaseName": name, "TableWildcard": {}}}),
        (("DATA_LOCATION_ACCESS",), {"DataLocation": {"ResourceArn": arn}}),
    ]
    assert {each.principal for each in found} == {role}
    for each in found:
        grant(lake, each.command)
    assert missing_grants(lake) == []
    lake.client("lakeformation").deregister_resource(ResourceArn=arn)


def test_a_grant_on_one_table_is_counted_for_that_one(lake: Lake) -> None:
    name = with_database(lake)
    role = Role.arn_of(lake.names.place, lake.names.glue_role)
    formation = lake.client("lakeformation")
    for resource in ({"Database": {"Name": name}}, {"Table": {"DatabaseName": name, "Name": "orders_silver"}}):
        formation.grant_permissions(
            Principal={"DataLakePrincipalIdentifier": role}, Permissions=["ALL"], Resource=resource
        )
    assert missing_grants(lake) == []
    lake.client("glue").create_table(DatabaseName=name, TableInput={"Name": "customers_silver"})
    assert [each.permissions for each in missing_grants(lake)] == [("ALTER", "DESCRIBE")]
