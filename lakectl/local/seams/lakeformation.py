"""Lake Formation: databases and tables are open to whom IAM lets, as in a new account.

Wrapped: ``LakeFormationBackend.list_permissions`` (moto knows of no permission that was not granted by name, and
answers 500 when a grant names one table and the question all of them, or the other way about). Where the settings give
new databases and tables to IAM_ALLOWED_PRINCIPALS, all of them have it here, also those that were made before. The
endpoint itself enforces no grants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.lakeformation.models import LakeFormationBackend, ListPermissionsResource

from lakectl.local.context import LocalContext

DEFAULTS = {"Database": "CreateDatabaseDefaultPermissions", "Table": "CreateTableDefaultPermissions"}


def install(context: LocalContext) -> None:  # noqa: ARG001 - all seams are installed alike
    LakeFormationBackend.list_permissions = _listing(LakeFormationBackend.list_permissions)


def _listing(original: Callable[..., list[dict[str, Any]]]) -> Callable[..., list[dict[str, Any]]]:
    def list_permissions(
        self: LakeFormationBackend,
        catalog_id: str,
        principal: dict[str, str] | None = None,
        resource: ListPermissionsResource | None = None,
        resource_type: Any = None,
    ) -> list[dict[str, Any]]:
        found = original(self, catalog_id, principal, None, resource_type)
        if resource is None:
            return found
        kind, asked = _asked(resource)
        granted = [each for each in found if _plain(each["Resource"].get(kind)) == asked]
        for default in self.settings[catalog_id].get(DEFAULTS.get(kind, ""), []):
            if principal in (None, default["Principal"]):
                granted.append({**default, "PermissionsWithGrantOption": [], "Resource": {kind: asked}})
        return granted

    return list_permissions


def _asked(resource: ListPermissionsResource) -> tuple[str, dict[str, Any]]:
    if resource.database is not None:
        return "Database", {"Name": resource.database.name}
    if resource.table is not None:
        table = resource.table
        which = {"TableWildcard": {}} if table.name is None else {"Name": table.name}
        return "Table", {"DatabaseName": table.database_name, **which}
    if resource.data_location is not None:
        return "DataLocation", {"ResourceArn": resource.data_location.resource_arn}
    return "Catalog", {}


def _plain(resource: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if resource is None else {key: value for key, value in resource.items() if key != "CatalogId"}
