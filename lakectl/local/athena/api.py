"""Query executions in Athena's API: each operation takes a request's parameters and gives the answer's.

``caller`` is the access key id that has signed the request. RequestError is what Athena refuses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.s3.models import s3_backends

from lakectl.local.athena import executing, reuse
from lakectl.local.athena.access import Access, keys_of
from lakectl.local.athena.catalogs import CATALOG
from lakectl.local.athena.errors import QueryError, RequestError
from lakectl.local.athena.executions import ENDED, Execution, Executions
from lakectl.local.athena.pages import page
from lakectl.local.athena.prepared import PreparedStatements
from lakectl.local.athena.workgroups import Workgroups
from lakectl.local.context import LocalContext

if TYPE_CHECKING:
    from lakectl.local.athena.statements import Statement

_NO_OUTPUT = (
    "No output location provided. An output location is required either through the Workgroup result "
    "configuration setting or as an API input."
)


class Queries:
    def __init__(self, context: LocalContext, workgroups: Workgroups, prepared: PreparedStatements) -> None:
        self._context = context
        self._workgroups = workgroups
        self._prepared = prepared
        self.executions = Executions(context)
        self.executions.here = executing.handlers(prepared, self.connect, context.access_key_id)

    def start(self, region: str, request: dict[str, Any], caller: str) -> dict[str, Any]:
        # A retry may differ in its workgroup and its parameters (measured on AWS: docs/api.md of
        # aoyagikouhei/athena-local).
        context, result = request.get("QueryExecutionContext") or {}, request.get("ResultConfiguration") or {}
        same = {
            "Region": region,
            "QueryString": request["QueryString"],
            "Catalog": context.get("Catalog"),
            "Database": context.get("Database"),
            "OutputLocation": result.get("OutputLocation"),
        }
        token = request.get("ClientRequestToken")
        if not token:  # SDKs and the AWS CLI make one
            raise RequestError("clientRequestToken is null or empty")
        return {"QueryExecutionId": self.executions.start(token, same, lambda: self._new(region, request, caller))}

    def _new(self, region: str, request: dict[str, Any], caller: str) -> Execution:
        group = self._workgroups.find(region, request.get("WorkGroup"))
        if group["State"] != "ENABLED":
            raise RequestError(f"WorkGroup {group['Name']} is disabled.")
        catalog = (request.get("QueryExecutionContext") or {}).get("Catalog")
        if catalog is not None and catalog.lower() != CATALOG.lower():
            raise RequestError(
                f"CATALOG_NOT_FOUND: Catalog '{catalog}' does not exist", athena_error_code="INVALID_INPUT"
            )
        settings = group["Configuration"]
        configuration = self._result_configuration(settings, request.get("ResultConfiguration") or {})
        parameters = request.get("ExecutionParameters")
        statement = self._statement(region, group["Name"], request, caller)
        execution = Execution(
            sql=request["QueryString"],
            statement=replace(statement, tree=None),  # the worker parses it again; a deep tree can't be stored
            region=region,
            workgroup=group["Name"],
            context=_context(request),
            location="",
            configuration=configuration,
            parameters=parameters,
            cutoff=settings.get("BytesScannedCutoffPerQuery"),
            caller=caller,
            reuse=reuse.asked(request),
            enforced=_enforced(settings),
        )
        execution.location = configuration["OutputLocation"].rstrip("/") + f"/{execution.id}{_suffix(statement)}"
        self._check_bucket(execution)
        if caller == self._context.access_key_id:  # of others it is not known here whether they may read the tables
            earlier = reuse.find(execution, self.executions.all())
            if earlier is not None and self._exists(earlier.location):
                reuse.take_over(execution, earlier)
        return execution

    def _statement(self, region: str, group: str, request: dict[str, Any], caller: str) -> Statement:
        from lakectl.local.athena import execute, statements

        sql, parameters = request["QueryString"], statements.parameters_of(request.get("ExecutionParameters"))
        try:
            called = execute.read(sql)
            if called is None:
                return statements.parse(sql, parameters)
            if caller != self._context.access_key_id:
                self._check_prepared(region, group, called.name, caller)
            text = self._prepared.find(region, group, called.name)["QueryStatement"]
            return statements.parse(text, execute.values(called, parameters))
        except QueryError as error:
            raise RequestError(error.reason, athena_error_code="INVALID_INPUT") from None
        except RequestError as error:
            if error.kind != "ResourceNotFoundException":  # which StartQueryExecution does not answer with
                raise
            raise RequestError(error.message, athena_error_code="INVALID_INPUT") from None

    def _check_prepared(self, region: str, group: str, name: str, caller: str) -> None:
        athena = self.connect(region, caller).client("athena")
        try:
            athena.get_prepared_statement(StatementName=name, WorkGroup=group)
        except ClientError as error:
            kind, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            raise RequestError(message, kind=kind) from None

    def _result_configuration(self, settings: dict[str, Any], client: dict[str, Any]) -> dict[str, Any]:
        """The workgroup's settings, or the client's where the workgroup does not enforce its own."""
        own = dict(settings.get("ResultConfiguration") or {})
        effective = own if _enforced(settings) else {**own, **client}
        location = effective.get("OutputLocation")
        if not location:
            raise RequestError(_NO_OUTPUT)
        if not location.startswith("s3://") or location == "s3://":
            raise RequestError("outputLocation is not a valid S3 path.")
        option = (effective.get("EncryptionConfiguration") or {}).get("EncryptionOption")
        if option == "CSE_KMS":
            raise RequestError("NOT_SUPPORTED: CSE_KMS is not supported by the local Athena; it works on AWS")
        return effective

    def _check_bucket(self, execution: Execution) -> None:
        bucket = execution.location.removeprefix("s3://").partition("/")[0]
        owner = execution.configuration.get("ExpectedBucketOwner")
        # Asked in this process: a request to ourselves would be most of the time that StartQueryExecution takes.
        if bucket not in s3_backends.bucket_accounts or owner not in (None, self._context.account_id):
            raise RequestError(f"Unable to verify/create output bucket {bucket}")
        if execution.caller != self._context.access_key_id:
            try:
                self.connect(execution.region, execution.caller).client("s3").get_bucket_location(Bucket=bucket)
            except ClientError:
                raise RequestError(f"Unable to verify/create output bucket {bucket}") from None

    def _exists(self, location: str) -> bool:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        try:
            self._context.client("s3").head_object(Bucket=bucket, Key=key)
        except ClientError:
            return False
        return True

    def get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        return {"QueryExecution": self.executions.get(request["QueryExecutionId"], region).describe()}

    def batch_get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        found, missing = [], []
        for key in request["QueryExecutionIds"]:
            try:
                found.append(self.executions.get(key, region).describe())
            except RequestError as error:
                code = "INVALID_QUERY_EXECUTION_ID"
                missing.append({"QueryExecutionId": key, "ErrorCode": code, "ErrorMessage": error.message})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        group = self._workgroups.find(region, request.get("WorkGroup"))["Name"]
        mine = [run for run in self.executions.all() if run.workgroup == group and run.region == region]
        newest_first = [run.id for run in sorted(mine, key=lambda run: run.submitted, reverse=True)]
        return page(newest_first, "QueryExecutionIds", request, 50)

    def stop(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        self.executions.stop(self.executions.get(request["QueryExecutionId"], region))
        return {}

    def results(self, region: str, request: dict[str, Any], caller: str) -> dict[str, Any]:
        from lakectl.local.athena import results

        # In this order, and with these codes, on AWS (measured: docs/api.md of aoyagikouhei/athena-local).
        execution = self.executions.get(request["QueryExecutionId"], region)
        limit = int(request.get("MaxResults") or results.PAGE)
        if limit > results.PAGE:
            raise RequestError(f"MaxResults is more than maximum allowed length {results.PAGE}")
        _check_ended(execution)
        if request.get("QueryResultType") == "DATA_MANIFEST":
            raise RequestError("NOT_SUPPORTED: DATA_MANIFEST is not supported by the local Athena; it works on AWS")
        rows: list[list[str | None]] = []
        token = None
        if execution.has_file:
            # GetQueryResults needs s3:GetObject, its reference says
            s3 = self.connect(region, caller).client("s3")
            rows, token = results.page(
                s3, execution.location, csv=execution.header, token=request.get("NextToken"), limit=limit
            )
        answer: dict[str, Any] = {
            **_update_count(execution),
            "ResultSet": {
                "Rows": [{"Data": [{} if item is None else {"VarCharValue": item} for item in row]} for row in rows],
                "ResultSetMetadata": {"ColumnInfo": [column.info() for column in execution.columns]},
            },
        }
        if token is not None:
            answer["NextToken"] = token
        return answer

    def statistics(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        """QueryRuntimeStatistics, without OutputStage: the local Athena has no stages."""
        execution = self.executions.get(request["QueryExecutionId"], region)
        statistics: dict[str, Any] = {"Timeline": execution.timeline()}
        if execution.state == "SUCCEEDED":
            statistics["Rows"] = {
                "InputBytes": execution.scanned_bytes,
                "OutputRows": execution.row_count,
                "OutputBytes": execution.output_bytes,
            }
        return {"QueryRuntimeStatistics": statistics}

    def delete_workgroup(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        name = request["WorkGroup"]
        if request.get("RecursiveDeleteOption"):
            return self._workgroups.delete_all(region, name)
        used = any(run.workgroup == name and run.region == region for run in self.executions.all())
        return self._workgroups.delete(region, name, used)

    def connect(self, region: str, caller: str) -> Access:
        """A way to the endpoint with the caller's own permissions."""
        keys = keys_of(caller, self._context)
        if keys is None:
            raise RequestError("The security token included in the request is invalid.", "UnrecognizedClientException")
        return Access(self._context.endpoint_url, region, keys)


def _context(request: dict[str, Any]) -> dict[str, str]:
    """As GetQueryExecution gives it back: the catalog in lower case."""
    given = dict(request.get("QueryExecutionContext") or {})
    return {**given, "Catalog": given["Catalog"].lower()} if "Catalog" in given else given


def _check_ended(execution: Execution) -> None:
    """Raises RequestError for an execution that has no results."""
    if execution.state == "CANCELLED":
        raise RequestError("Could not find results", athena_error_code="RESULT_NOT_FOUND")
    if execution.state != "SUCCEEDED":
        ended = execution.state in ENDED
        why = "Query did not finish successfully. Final query" if ended else "Query has not yet finished. Current"
        raise RequestError(f"{why} state: {execution.state}", athena_error_code="INVALID_QUERY_EXECUTION_STATE")


def _update_count(execution: Execution) -> dict[str, int]:
    """DDL and EXPLAIN have none (measured on AWS: docs/api.md of aoyagikouhei/athena-local)."""
    if execution.update_count is None and (
        execution.statement.type == "DDL" or execution.statement.subtype == "EXPLAIN"
    ):
        return {}
    return {"UpdateCount": execution.update_count or 0}


def _suffix(statement: Statement) -> str:
    if statement.is_query:
        return ".csv"
    if statement.subtype == "EXPLAIN":
        return ".txt"
    return "" if statement.type == "DML" or "AS_SELECT" in statement.subtype else ".txt"


def _enforced(settings: dict[str, Any]) -> bool:
    """Whether the workgroup alone says where results go."""
    return bool(settings.get("EnforceWorkGroupConfiguration", True) and settings.get("ResultConfiguration"))
