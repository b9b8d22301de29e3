"""Statements that change what the endpoint keeps, and so run in its own process: PREPARE and DEALLOCATE PREPARE.

https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements-prepare.html
"""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import ClientError

from lakectl.local.athena.access import Access
from lakectl.local.athena.errors import QueryError, RequestError, denied
from lakectl.local.athena.executions import Execution
from lakectl.local.athena.prepared import PreparedStatements

Handler = Callable[[Execution], None]


def handlers(prepared: PreparedStatements, connect: Callable[[str, str], Access], owner: str) -> dict[str, Handler]:
    """Subtype of a statement → what runs it. Raises QueryError.

    Whoever is not the ``owner`` needs the permission for the operation of the API that does the same.
    """

    def prepare(execution: Execution) -> None:
        name, sql = (str(word) for word in execution.statement.words)
        if execution.caller != owner:
            athena = connect(execution.region, execution.caller).client("athena")
            where = {"StatementName": name, "WorkGroup": execution.workgroup}
            try:
                try:
                    athena.create_prepared_statement(**where, QueryStatement=sql)
                except athena.exceptions.InvalidRequestException:  # it is there
                    athena.update_prepared_statement(**where, QueryStatement=sql)
            except ClientError as error:
                raise _failed(error) from None
            return
        try:
            prepared.prepare(execution.region, execution.workgroup, name, sql)
        except RequestError as error:
            raise QueryError("INVALID_INPUT", error.message) from None

    def deallocate(execution: Execution) -> None:
        name = str(execution.statement.words[0])
        if execution.caller != owner:
            athena = connect(execution.region, execution.caller).client("athena")
            try:
                athena.delete_prepared_statement(StatementName=name, WorkGroup=execution.workgroup)
            except ClientError as error:
                raise _failed(error) from None
            return
        try:
            prepared.delete(execution.region, execution.workgroup, name)
        except RequestError as error:
            raise QueryError("NOT_FOUND", error.message) from None

    return {"PREPARE": prepare, "DEALLOCATE": deallocate}


def _failed(error: ClientError) -> QueryError:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    if code == "AccessDeniedException":
        return denied(message)
    return QueryError("NOT_FOUND" if code == "ResourceNotFoundException" else "INVALID_INPUT", message)
