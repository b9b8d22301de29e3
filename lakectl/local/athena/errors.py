"""Why Athena says no: what a query fails with, and what a request is refused with."""

from __future__ import annotations

# ErrorCategory and ErrorType: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html
SYSTEM, USER = 1, 2
ENGINE_INTERNAL_ERROR, USER_ERROR, DATA_ERROR, ICEBERG_ERROR = 200, 1000, 1001, 233

_DATA_ERRORS = {
    "DIVISION_BY_ZERO",
    "INVALID_CAST_ARGUMENT",
    "INVALID_FUNCTION_ARGUMENT",
    "NUMERIC_VALUE_OUT_OF_RANGE",
}


class QueryError(Exception):
    """A query that was accepted and failed. ``reason`` is Athena's StateChangeReason."""

    def __init__(self, code: str, message: str, position: tuple[int, int] | None = None) -> None:
        self.code = code
        self.position = position
        where = f"line {position[0]}:{position[1]}: " if position else ""
        self.reason = f"{code}: {where}{message}"
        super().__init__(self.reason)

    @property
    def category(self) -> int:
        return SYSTEM if self.code == "GENERIC_INTERNAL_ERROR" else USER

    @property
    def type(self) -> int:
        if self.code == "GENERIC_INTERNAL_ERROR":
            return ENGINE_INTERNAL_ERROR
        if self.code.startswith("ICEBERG_"):
            return ICEBERG_ERROR
        return DATA_ERROR if self.code in _DATA_ERRORS else USER_ERROR


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
        self.athena_error_code = athena_error_code
        super().__init__(message)


class MalformedQuery(RequestError):
    """SQL that does not parse. Athena refuses it in StartQueryExecution: no execution comes to be."""

    def __init__(self, message: str) -> None:
        super().__init__(message, athena_error_code="MALFORMED_QUERY")
