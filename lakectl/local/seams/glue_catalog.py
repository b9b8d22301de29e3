"""Glue Data Catalog: UpdateTable's VersionId, which is Iceberg's commit lock.

moto ignores it: of 100 acknowledged concurrent appends 22 were lost. Wrapped: ``GlueResponse.update_table``,
``create_table`` and ``delete_table``, under one lock, so that check and change are one step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.glue.responses import GlueResponse

from lakectl.local.context import LocalContext

_catalog = threading.RLock()


class ConcurrentModification(JsonRESTError):
    def __init__(self, table: str, wanted: str, current: str) -> None:
        super().__init__(
            "ConcurrentModificationException",
            f"Update table failed due to concurrent modifications: {table} is at version {current}, not {wanted}.",
        )


def install(context: LocalContext) -> None:  # noqa: ARG001 - all seams are installed alike
    GlueResponse.update_table = _checking_version(GlueResponse.update_table)
    for name in ("create_table", "delete_table", "create_database", "delete_database"):
        setattr(GlueResponse, name, _alone(getattr(GlueResponse, name)))


def _checking_version(original: Callable[..., Any]) -> Callable[..., Any]:
    def update_table(self: GlueResponse) -> Any:
        parameters = self.parameters
        wanted = parameters.get("VersionId")
        with _catalog:
            name = parameters["TableInput"]["Name"]
            table = self.glue_backend.get_table(parameters["DatabaseName"], name)
            current = table.as_dict()["VersionId"]
            if wanted is not None and str(wanted) != current:
                raise ConcurrentModification(name, str(wanted), current)
            response = original(self)
            if parameters.get("SkipArchive"):
                # The version just replaced stays: a reader may be about to ask for it.
                table.versions.pop(str(int(current) - 1), None)
            return response

    return update_table


def _alone(original: Callable[..., Any]) -> Callable[..., Any]:
    def handle(self: GlueResponse) -> Any:
        with _catalog:
            return original(self)

    return handle
