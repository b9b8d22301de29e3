"""Athena's HTTP API: one function for each of its operations, and a refusal by name for those that are not done here.

https://docs.aws.amazon.com/athena/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from lakectl.local import services
from lakectl.local.athena import from_moto, requests
from lakectl.local.athena.api import Queries
from lakectl.local.athena.catalogs import Catalogs
from lakectl.local.athena.errors import RequestError
from lakectl.local.athena.named_queries import NamedQueries
from lakectl.local.athena.pages import page
from lakectl.local.athena.prepared import PreparedStatements
from lakectl.local.athena.store import Store
from lakectl.local.athena.workgroups import ENGINE_VERSION, VERSION, Workgroups
from lakectl.local.context import LocalContext
from lakectl.local.iam.calls import CALL, Call

Operation = Callable[[str, dict[str, Any], str], dict[str, Any]]  # (region, request, caller)

log = logging.getLogger(__name__)


class AthenaService:
    """WSGI. What it keeps is loaded by ``context.on_load``."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        self._kept = Store(context.database)
        context.on_load.append(self._load)
        workgroups = Workgroups(self._kept, context.account_id)
        prepared = PreparedStatements(self._kept, workgroups)
        self._named = NamedQueries(self._kept, workgroups)
        self._queries = Queries(context, workgroups, prepared)
        services.register_executions(self._queries.executions, self._named.workgroup_of)
        self.operations = {
            **_queries(self._queries),
            **_workgroups(workgroups, self._queries),
            **_named_queries(self._named),
            **_prepared(prepared),
            **_catalogs(Catalogs(self._queries.connect), context.account_id),
        }

    def _load(self) -> None:
        self._kept.load()
        from_moto.adopt(self._context, self._kept)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call: Call = environ[CALL]
        self._queries.executions.expect()
        try:
            status, answer = "200 OK", self._answer(call)
        except RequestError as error:
            status, answer = "400 Bad Request", {"__type": error.kind, "Message": error.message}
            if error.athena_error_code:
                answer["AthenaErrorCode"] = answer["ErrorCode"] = error.athena_error_code
        except Exception:
            log.exception("%s failed", call.operation)
            message = "the local Athena failed; the endpoint's log says how"
            status, answer = "500 Internal Server Error", {"__type": "InternalServerException", "Message": message}
        body = json.dumps(answer).encode()
        headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("Content-Length", str(len(body))),
            ("x-amzn-RequestId", str(uuid.uuid4())),
        ]
        start_response(status, headers)
        return [body]

    def _answer(self, call: Call) -> dict[str, Any]:
        operation = self.operations.get(call.operation)
        if call.protocol != "json":
            raise RequestError(f"Athena has no protocol {call.protocol}", kind="UnknownOperationException")
        if operation is None:
            raise RequestError(
                f"NOT_SUPPORTED: {call.operation} is not supported by the local Athena; it works on AWS",
                athena_error_code="NOT_SUPPORTED",
            )
        request = dict(call.parameters)
        requests.check(call.operation, request)
        if call.operation in LONG:
            return operation(call.region, request, call.access_key_id)
        with self._kept.lock, self._context.database.transaction():
            return operation(call.region, request, call.access_key_id)


# They ask the endpoint itself, or S3: other requests must not wait for that.
LONG = {
    "StartQueryExecution",
    "StopQueryExecution",
    "GetQueryResults",
    "GetQueryExecution",
    "BatchGetQueryExecution",
    "GetQueryRuntimeStatistics",
    "ListDatabases",
    "GetDatabase",
    "ListTableMetadata",
    "GetTableMetadata",
}


def _queries(queries: Queries) -> dict[str, Operation]:
    return {
        "StartQueryExecution": queries.start,
        "StopQueryExecution": lambda region, request, _: queries.stop(region, request),
        "GetQueryExecution": lambda region, request, _: queries.get(region, request),
        "BatchGetQueryExecution": lambda region, request, _: queries.batch_get(region, request),
        "ListQueryExecutions": lambda region, request, _: queries.list(region, request),
        "GetQueryResults": queries.results,
        "GetQueryRuntimeStatistics": lambda region, request, _: queries.statistics(region, request),
    }


def _workgroups(workgroups: Workgroups, queries: Queries) -> dict[str, Operation]:
    auto = {**ENGINE_VERSION, "SelectedEngineVersion": "AUTO"}
    versions = [auto, {"SelectedEngineVersion": VERSION, "EffectiveEngineVersion": VERSION}]
    return {
        "CreateWorkGroup": lambda region, request, _: workgroups.create(region, request),
        "GetWorkGroup": lambda region, request, _: workgroups.get(region, request),
        "ListWorkGroups": lambda region, request, _: workgroups.list(region, request),
        "UpdateWorkGroup": lambda region, request, _: workgroups.update(region, request),
        "DeleteWorkGroup": lambda region, request, _: queries.delete_workgroup(region, request),
        "ListTagsForResource": lambda region, request, _: workgroups.tags(region, request),
        "TagResource": lambda region, request, _: workgroups.tag(region, request),
        "UntagResource": lambda region, request, _: workgroups.untag(region, request),
        "ListEngineVersions": lambda _, request, __: page(versions, "EngineVersions", request, 10),
    }


def _named_queries(named: NamedQueries) -> dict[str, Operation]:
    return {
        "CreateNamedQuery": lambda region, request, _: named.create(region, request),
        "GetNamedQuery": lambda region, request, _: named.get(region, request),
        "BatchGetNamedQuery": lambda region, request, _: named.batch_get(region, request),
        "ListNamedQueries": lambda region, request, _: named.list(region, request),
        "UpdateNamedQuery": lambda region, request, _: named.update(region, request),
        "DeleteNamedQuery": lambda region, request, _: named.delete(region, request),
    }


def _prepared(prepared: PreparedStatements) -> dict[str, Operation]:
    def delete(region: str, request: dict[str, Any], _: str) -> dict[str, Any]:
        prepared.delete(region, request["WorkGroup"], request["StatementName"])
        return {}

    return {
        "CreatePreparedStatement": lambda region, request, _: prepared.create(region, request),
        "GetPreparedStatement": lambda region, request, _: prepared.get(region, request),
        "BatchGetPreparedStatement": lambda region, request, _: prepared.batch_get(region, request),
        "ListPreparedStatements": lambda region, request, _: prepared.list(region, request),
        "UpdatePreparedStatement": lambda region, request, _: prepared.update(region, request),
        "DeletePreparedStatement": delete,
    }


def _catalogs(catalogs: Catalogs, account: str) -> dict[str, Operation]:
    return {
        "ListDataCatalogs": lambda _, request, __: catalogs.list_data_catalogs(request),
        "GetDataCatalog": lambda _, request, __: catalogs.get_data_catalog(request, account),
        "ListDatabases": catalogs.list_databases,
        "GetDatabase": catalogs.get_database,
        "ListTableMetadata": catalogs.list_table_metadata,
        "GetTableMetadata": catalogs.get_table_metadata,
    }
