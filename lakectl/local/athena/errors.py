"""What a query fails with, and what a request is refused with."""

from __future__ import annotations

# ErrorCategory and ErrorType: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html
SYSTEM, USER = 1, 2
EXHAUSTED, ENGINE_INTERNAL_ERROR, TIMED_OUT, ICEBERG_ERROR, USER_ERROR, DATA_ERROR = 0, 200, 206, 233, 1000, 1001

# ErrorType of user errors, as others have measured it on AWS (docs/api.md of aoyagikouhei/athena-local)
_MEASURED = {
    "COLUMN_NOT_FOUND": 1006,
    "CATALOG_NOT_FOUND": 1006,
    "TYPE_MISMATCH": 1002,
    "TABLE_NOT_FOUND": 1301,
    "SCHEMA_NOT_FOUND": 1301,
    "FUNCTION_NOT_FOUND": 1303,
    "INVALID_CAST_ARGUMENT": 1100,
    "NOT_SUPPORTED": 1200,
}
_DATA_ERRORS = {
    "DIVISION_BY_ZERO",
    "INVALID_CAST_ARGUMENT",
    "INVALID_FUNCTION_ARGUMENT",
    "NUMERIC_VALUE_OUT_OF_RANGE",
}


# Reasons that Athena gives as they stand, without an error code before them.
_BARE = {"PERMISSION_DENIED", "EXHAUSTED", "TIMED_OUT", "ENFORCED_LOCATION"}
_TYPES = {"GENERIC_INTERNAL_ERROR": ENGINE_INTERNAL_ERROR, "EXHAUSTED": EXHAUSTED, "TIMED_OUT": TIMED_OUT}


class QueryError(Exception):
    """A query that was accepted and failed. ``reason`` is Athena's StateChangeReason."""

    def __init__(self, code: str, message: str, position: tuple[int, int] | None = None) -> None:
        self.code = code
        self.message = message
        self.position = position
        where = f"line {position[0]}:{position[1]}: " if position else ""
        self.reason = message if code in _BARE else f"{code}: {where}{message}"
        super().__init__(self.reason)

    @property
    def category(self) -> int:
        return SYSTEM if self.code == "GENERIC_INTERNAL_ERROR" else USER

    @property
    def type(self) -> int:
        if self.code in _TYPES:
            return _TYPES[self.code]
        if self.code in _MEASURED:
            return _MEASURED[self.code]
        if self.code.startswith("ICEBERG_"):
            return ICEBERG_ERROR
        return DATA_ERROR if self.code in _DATA_ERRORS else USER_ERROR


def exhausted() -> QueryError:
    """For a query that needs more memory, disk or result space than the local Athena gives it."""
    return QueryError("EXHAUSTED", "Query exhausted resources at this scale factor")


def timed_out() -> QueryError:
    return QueryError("TIMED_OUT", "Query timeout")


def denied(message: str) -> QueryError:
    """For a query whose caller may not do what it does. ``message`` is what Glue or S3 answered."""
    return QueryError("PERMISSION_DENIED", f"Insufficient permissions to execute the query. {message}")


def path_denied(path: str) -> QueryError:
    return QueryError("PERMISSION_DENIED", f"Permission denied on S3 path: {path}")


def enforced_location() -> QueryError:
    """For a CTAS with a place of its own, in a workgroup that has one place for all.

    https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html
    """
    return QueryError(
        "ENFORCED_LOCATION",
        "The Create Table As Select query failed because it was submitted with an 'external_location' property to an "
        "Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
        "'external_location' property and resubmit the query.",
    )


class QueryCancelled(Exception):
    """Stopped by StopQueryExecution, or by the workgroup's limit. ``reason`` is the StateChangeReason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class RequestError(Exception):
    """An API call that Athena refuses. ``kind`` is the exception's name in the AWS SDKs."""

    def __init__(
        self, message: str, kind: str = "InvalidRequestException", athena_error_code: str | None = None
    ) -> None:
        self.kind = kind
        self.message = message
        by_kind = "INVALID_INPUT" if kind == "InvalidRequestException" else None
        self.athena_error_code = athena_error_code or by_kind
        super().__init__(message)


class MalformedQuery(RequestError):
    """SQL that does not parse. Athena refuses it in StartQueryExecution: no execution comes to be."""

    def __init__(self, message: str) -> None:
        super().__init__(message, athena_error_code="MALFORMED_QUERY")
