"""DynamoDB: exports to S3 and imports from it.

moto's are threads, which can't be written to disk: after one of them every later CreateTable was refused. They also
change tables and buckets beside every request, and fail without the optional parameters.
Wrapped: ``run`` of ``TableExport`` and ``TableImport``; ``DynamoHandler.export_table_to_point_in_time``,
``list_exports``, ``describe_export`` and ``describe_import``. Added: ``__getstate__`` of both.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import DynamodbException, MockValidationException
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table_export import TableExport
from moto.dynamodb.models.table_import import TableImport
from moto.dynamodb.responses import DynamoHandler

from lakectl.local.context import LocalContext
from lakectl.local.s3.storage import changes
from lakectl.local.seams.dynamodb import requests

INTERRUPTED = "The server ended before it was complete"


class NotFound(DynamodbException):
    def __init__(self, kind: str, arn: str) -> None:
        super().__init__(f"com.amazonaws.dynamodb.v20120810#{kind}", f"Requested resource not found: {arn}")


def install(context: LocalContext) -> None:
    for kind in (TableExport, TableImport):
        kind.__getstate__ = _state
        kind.run = _alone(kind.run, context)
    DynamoHandler.export_table_to_point_in_time = _exporting(DynamoHandler.export_table_to_point_in_time)
    DynamoHandler.list_exports = _list_exports
    DynamoHandler.describe_export = _known(DynamoHandler.describe_export, "ExportArn", "table_exports")
    DynamoHandler.describe_import = _known(DynamoHandler.describe_import, "ImportArn", "table_imports")
    context.on_load.append(_end_interrupted)


def _state(self: TableExport | TableImport) -> dict[str, Any]:
    """What is reported of it: nothing of the thread, and of the table its ARN."""
    kept = {name: value for name, value in vars(self).items() if not name.startswith("_")}
    table = kept.get("table")
    return kept | {"table": table and SimpleNamespace(table_arn=table.table_arn)}


def _alone(original: Callable[..., None], context: LocalContext) -> Callable[..., None]:
    """Between two requests, and kept when it is complete."""

    def run(self: TableExport | TableImport) -> None:
        with requests, changes, context.database.transaction():
            original(self)
            context.tables.touch_all(dynamodb_backends[self.account_id][self.region_name])

    return run


def _exporting(original: Callable[..., Any]) -> Callable[..., Any]:
    def export(self: DynamoHandler) -> Any:
        for name, only in (("ExportFormat", "DYNAMODB_JSON"), ("ExportType", "FULL_EXPORT")):
            given = self.body.setdefault(name, only)
            if given != only:
                raise MockValidationException(f"the local endpoint exports with {name} {only} only, not {given}")
        # moto begins the key with it, and S3's keys begin without a slash.
        self.body["S3Prefix"] = self.body.get("S3Prefix") or "export"
        return original(self)

    return export


def _list_exports(self: DynamoHandler) -> ActionResult:
    arn = self.body.get("TableArn")
    found = [each for each in self.dynamodb_backend.table_exports.values() if arn in (None, each.table.table_arn)]
    summaries = [{"ExportArn": each.arn, "ExportStatus": each.status, "ExportType": each.export_type} for each in found]
    return ActionResult({"ExportSummaries": summaries})


def _known(original: Callable[..., Any], parameter: str, known: str) -> Callable[..., Any]:
    def describe(self: DynamoHandler) -> Any:
        arn = str(self.body.get(parameter))
        if arn not in getattr(self.dynamodb_backend, known):
            raise NotFound(f"{parameter.removesuffix('Arn')}NotFoundException", arn)
        return original(self)

    return describe


def _end_interrupted() -> None:
    for by_region in dict.values(dynamodb_backends):
        for backend in dict.values(by_region):
            for each in (*backend.table_exports.values(), *backend.table_imports.values()):
                if each.status == "IN_PROGRESS":
                    each.status, each.failure_code, each.failure_message = "FAILED", "UNKNOWN", INTERRUPTED
