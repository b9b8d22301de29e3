"""Athena's API: each function takes a request's parameters and gives the answer's, or raises RequestError.

``caller`` is the access key id that has signed the request.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError
from moto.s3.models import s3_backends

from lakectl.local.athena import workgroups
from lakectl.local.athena.access import Access, keys_of
from lakectl.local.athena.errors import QueryError, RequestError
from lakectl.local.athena.executions import ENDED, Execution, Executions
from lakectl.local.context import LocalContext

_NO_OUTPUT = (
    "No output location provided. An output location is required either through the Workgroup result "
    "configuration setting or as an API input."
)


class AthenaApi:
    """The operations of one account. ``backend`` is moto's backend of the region that a request is for."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        self.executions = Executions(context)

    def start_query_execution(self, backend: Any, request: dict[str, Any], caller: str) -> dict[str, Any]:
        same = {key: value for key, value in request.items() if key != "ClientRequestToken"}
        same["Region"] = backend.region_name
        started = self.executions.start(
            request.get("ClientRequestToken"), same, lambda: self._new_execution(backend, request, caller)
        )
        return {"QueryExecutionId": started}

    def _new_execution(self, backend: Any, request: dict[str, Any], caller: str) -> Execution:
        from lakectl.local.athena import statements

        group = workgroups.find(backend, request.get("WorkGroup"))
        if group.state != "ENABLED":
            raise RequestError(f"WorkGroup {group.name} is disabled.")
        configuration = self._result_configuration(group, request.get("ResultConfiguration") or {})
        parameters = request.get("ExecutionParameters")
        try:
            statement = statements.parse(request.get("QueryString") or "", parameters)
        except QueryError as error:
            raise RequestError(error.reason, athena_error_code="INVALID_INPUT") from None
        execution = Execution(
            sql=request["QueryString"],
            statement=replace(statement, tree=None),  # the worker parses it again; a deep tree can't be stored
            region=backend.region_name,
            workgroup=group.name,
            context=dict(request.get("QueryExecutionContext") or {}),
            location="",
            configuration=configuration,
            parameters=parameters,
            cutoff=group.configuration.get("BytesScannedCutoffPerQuery"),
            caller=caller,
            enforced=_enforced(group),
        )
        suffix = (
            ".csv"
            if statement.is_query
            else ""
            if statement.type == "DML" or "AS_SELECT" in statement.subtype
            else ".txt"
        )
        execution.location = configuration["OutputLocation"].rstrip("/") + f"/{execution.id}{suffix}"
        self._check_bucket(execution)
        return execution

    def _result_configuration(self, group: Any, client: dict[str, Any]) -> dict[str, Any]:
        """The workgroup's settings, or the client's where the workgroup does not enforce its own."""
        own = dict(group.configuration.get("ResultConfiguration") or {})
        effective = own if _enforced(group) else {**own, **client}
        location = effective.get("OutputLocation")
        if not location:
            raise RequestError(_NO_OUTPUT)
        if not location.startswith("s3://") or location == "s3://":
            raise RequestError(f"outputLocation is not a valid S3 path: {location}")
        return effective

    def _check_bucket(self, execution: Execution) -> None:
        bucket = execution.location.removeprefix("s3://").partition("/")[0]
        # Asked in this process: a request to ourselves would be most of the time that StartQueryExecution takes.
        if bucket not in s3_backends.bucket_accounts:
            raise RequestError(f"Unable to verify/create output bucket {bucket}")
        if execution.caller != self._context.access_key_id:
            try:
                self._client("s3", execution.region, execution.caller).get_bucket_location(Bucket=bucket)
            except ClientError:
                raise RequestError(f"Unable to verify/create output bucket {bucket}") from None

    def get_query_execution(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        execution = self.executions.get(request.get("QueryExecutionId"), backend.region_name)
        return {"QueryExecution": execution.describe()}

    def batch_get_query_execution(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        found, missing = [], []
        for execution_id in request.get("QueryExecutionIds") or []:
            try:
                found.append(self.executions.get(execution_id, backend.region_name).describe())
            except RequestError as error:
                missing.append(
                    {
                        "QueryExecutionId": execution_id,
                        "ErrorCode": "INVALID_QUERY_EXECUTION_ID",
                        "ErrorMessage": error.message,
                    }
                )
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list_query_executions(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        group = workgroups.find(backend, request.get("WorkGroup"))
        mine = [
            run for run in self.executions.all() if run.workgroup == group.name and run.region == backend.region_name
        ]
        newest_first = [run.id for run in sorted(mine, key=lambda run: run.submitted, reverse=True)]
        return _page(newest_first, "QueryExecutionIds", request, 50)

    def stop_query_execution(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        self.executions.stop(self.executions.get(request.get("QueryExecutionId"), backend.region_name))
        return {}

    def get_query_results(self, backend: Any, request: dict[str, Any], caller: str) -> dict[str, Any]:
        from lakectl.local.athena import results

        execution = self.executions.get(request.get("QueryExecutionId"), backend.region_name)
        if execution.state not in ENDED:
            raise RequestError(f"Query has not yet finished. Current state: {execution.state}")
        if execution.state != "SUCCEEDED":
            raise RequestError(f"Query did not finish successfully. Final query state: {execution.state}")
        limit = int(request.get("MaxResults") or results.PAGE)
        if not 1 <= limit <= results.PAGE:
            raise RequestError(f"MaxResults is more than maximum allowed length {results.PAGE}.")
        rows: list[list[str | None]] = []
        token = None
        if execution.has_file:
            s3 = self._client("s3", execution.region, caller)  # GetQueryResults needs s3:GetObject, its reference says
            rows, token = results.page(
                s3, execution.location, csv=execution.header, token=request.get("NextToken"), limit=limit
            )
        answer: dict[str, Any] = {
            "UpdateCount": execution.update_count or 0,
            "ResultSet": {
                "Rows": [{"Data": [{} if item is None else {"VarCharValue": item} for item in row]} for row in rows],
                "ResultSetMetadata": {"ColumnInfo": [column.info() for column in execution.columns]},
            },
        }
        if token is not None:
            answer["NextToken"] = token
        return answer

    def get_query_runtime_statistics(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        execution = self.executions.get(request.get("QueryExecutionId"), backend.region_name)
        statistics: dict[str, Any] = {"Timeline": execution.timeline()}
        if execution.state == "SUCCEEDED":
            statistics["Rows"] = {
                "InputBytes": execution.scanned_bytes,
                "OutputRows": execution.row_count,
                "OutputBytes": execution.output_bytes,
            }
        return {"QueryRuntimeStatistics": statistics}

    def create_work_group(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        return workgroups.create(backend, request)

    def get_work_group(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        return workgroups.describe(backend, request.get("WorkGroup"))

    def list_work_groups(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        return _page(workgroups.list_all(backend)["WorkGroups"], "WorkGroups", request, 50)

    def update_work_group(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        return workgroups.update(backend, request)

    def delete_work_group(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        region, name = backend.region_name, request.get("WorkGroup")
        used = any(run.workgroup == name and run.region == region for run in self.executions.all())
        return workgroups.delete(backend, request, used)

    def create_named_query(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        # "The same response is returned and another query is not created. If a parameter has changed, […] an error is
        # returned" (CreateNamedQuery, API reference): also when the query has been deleted meanwhile.
        token, same = request.get("ClientRequestToken"), {k: v for k, v in request.items() if k != "ClientRequestToken"}
        tokens: dict[str, tuple[str, Any]] = backend.__dict__.setdefault("named_query_requests", {})
        if token in tokens:
            created, first = tokens[token]
            if first != same:
                raise RequestError("Idempotent parameters do not match")
            return {"NamedQueryId": created}
        created = workgroups.create_named_query(backend, request)
        if token:
            tokens[token] = created, same
        return {"NamedQueryId": created}

    def get_named_query(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        return workgroups.get_named_query(backend, request["NamedQueryId"])

    def batch_get_named_query(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        return workgroups.get_named_queries(backend, request["NamedQueryIds"])

    def update_named_query(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        return workgroups.update_named_query(backend, request)

    def delete_named_query(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        return workgroups.delete_named_query(backend, request["NamedQueryId"])

    def list_named_queries(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        found = workgroups.named_query_ids(backend, request.get("WorkGroup"))
        return _page(found, "NamedQueryIds", request, 50)

    def list_tags_for_resource(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        arn = request["ResourceARN"]
        known = {item.arn for kind in ("work_groups", "data_catalogs") for item in getattr(backend, kind).values()}
        known |= {item.arn for item in backend.capacity_reservations.values()}
        if arn not in known:
            raise RequestError(f"Resource {arn} was not found", kind="ResourceNotFoundException")
        tags = backend.tagger.list_tags_for_resource(arn)["Tags"]
        return {"Tags": tags}

    def list_data_catalogs(self, backend: Any, request: dict[str, Any]) -> dict[str, Any]:
        glue = {"CatalogName": "AwsDataCatalog", "Type": "GLUE", "Status": "CREATE_COMPLETE"}
        return _page([glue, *backend.list_data_catalogs()], "DataCatalogsSummary", request, 50)

    def list_databases(self, backend: Any, request: dict[str, Any], caller: str) -> dict[str, Any]:
        paginator = self._glue(backend, request, caller).get_paginator("get_databases")
        pages = _from_glue(lambda: list(paginator.paginate()))
        found = [_database(entry) for page in pages for entry in page["DatabaseList"]]
        return _page(found, "DatabaseList", request, 50)

    def get_database(self, backend: Any, request: dict[str, Any], caller: str) -> dict[str, Any]:
        glue = self._glue(backend, request, caller)
        entry = _from_glue(lambda: glue.get_database(Name=request["DatabaseName"])["Database"])
        return {"Database": _database(entry)}

    def list_table_metadata(self, backend: Any, request: dict[str, Any], caller: str) -> dict[str, Any]:
        glue = self._glue(backend, request, caller)
        paginator = glue.get_paginator("get_tables")
        options = {"Expression": request["Expression"]} if request.get("Expression") else {}
        pages = _from_glue(lambda: list(paginator.paginate(DatabaseName=request["DatabaseName"], **options)))
        found = [_table(entry) for page in pages for entry in page["TableList"]]
        return _page(found, "TableMetadataList", request, 50)

    def get_table_metadata(self, backend: Any, request: dict[str, Any], caller: str) -> dict[str, Any]:
        glue = self._glue(backend, request, caller)
        wanted = {"DatabaseName": request["DatabaseName"], "Name": request["TableName"]}
        return {"TableMetadata": _table(_from_glue(lambda: glue.get_table(**wanted)["Table"]))}

    def _glue(self, backend: Any, request: dict[str, Any], caller: str) -> Any:
        catalog = str(request.get("CatalogName") or "AwsDataCatalog")
        if catalog.lower() != "awsdatacatalog":
            raise RequestError(f"DataCatalog {catalog} was not found")
        return self._client("glue", backend.region_name, caller)

    def _client(self, service: str, region: str, caller: str) -> Any:
        """A client with the caller's own permissions."""
        keys = keys_of(caller, self._context)
        if keys is None:
            raise RequestError("The security token included in the request is invalid.", "UnrecognizedClientException")
        return Access(self._context.endpoint_url, region, keys).client(service)


def _enforced(group: Any) -> bool:
    """Whether the workgroup alone says where results go."""
    own = group.configuration.get("ResultConfiguration")
    return bool(group.configuration.get("EnforceWorkGroupConfiguration", True) and own)


def _from_glue(call: Any) -> Any:
    try:
        return call()
    except ClientError as error:
        raise RequestError(error.response["Error"]["Message"], kind="MetadataException") from None


def _database(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "Name": entry["Name"],
        "Description": entry.get("Description", ""),
        "Parameters": entry.get("Parameters", {}),
    }


def _table(entry: dict[str, Any]) -> dict[str, Any]:
    def columns(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{key: column[key] for key in ("Name", "Type", "Comment") if key in column} for column in found]

    created = entry.get("CreateTime")
    return {
        "Name": entry["Name"],
        "CreateTime": created.timestamp() if created is not None else 0,
        "TableType": entry.get("TableType", "EXTERNAL_TABLE"),
        "Columns": columns(entry.get("StorageDescriptor", {}).get("Columns", [])),
        "PartitionKeys": columns(entry.get("PartitionKeys", [])),
        "Parameters": entry.get("Parameters", {}),
    }


def _page(items: list[Any], key: str, request: dict[str, Any], most: int) -> dict[str, Any]:
    token = request.get("NextToken") or "0"
    if not str(token).isdigit():
        raise RequestError(f"Invalid pagination token: {token}")
    start = int(token)
    end = start + int(request.get("MaxResults") or most)
    answer: dict[str, Any] = {key: items[start:end]}
    if end < len(items):
        answer["NextToken"] = str(end)
    return answer
