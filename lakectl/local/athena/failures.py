"""What Athena would say where DuckDB, PyArrow, Glue or S3 refuse or fail."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import duckdb
import pyarrow as pa
from botocore.exceptions import ClientError

from lakectl.local.athena.errors import QueryError, denied, exhausted, path_denied
from lakectl.local.athena.statements import position_of


def translate(error: Exception, sql: str) -> QueryError | None:
    """The QueryError that an error of a library stands for; None if it stands for a bug."""
    if isinstance(error, duckdb.Error):
        return of_duckdb(error, sql)
    if isinstance(error, MemoryError | pa.ArrowMemoryError):
        return exhausted()
    if isinstance(error, RecursionError):
        return QueryError("STACK_OVERFLOW", "statement is too large (stack overflow during analysis)")
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in _DENIED:
        return denied(error.response["Error"].get("Message", ""))
    if isinstance(error, OSError):
        return of_arrow(error)
    return None


_DENIED = {"AccessDenied", "AccessDeniedException", "403", "InvalidAccessKeyId", "UnrecognizedClientException"} | {
    "ExpiredToken",
    "ExpiredTokenException",
}


def of_arrow(error: OSError) -> QueryError | None:
    """Of an error of PyArrow's S3 file system, or of PyIceberg's around it."""
    text = str(error)
    if "ACCESS_DENIED" in text or "[code 15]" in text or "access denied" in text.lower():
        path = re.search(r"s3://[^'\"]+", text)
        key, bucket = re.search(r"key '([^']*)'", text), re.search(r"bucket '([^']*)'", text)
        if path is None and bucket is not None:
            return path_denied(f"s3://{bucket[1]}/{key[1] if key else ''}")
        return path_denied(path[0] if path else text)
    return None


def of_duckdb(error: duckdb.Error, sql: str) -> QueryError:
    """What Athena would say where DuckDB raised ``error``."""
    text = str(error)
    first = text.split("\n")[0].split(": ", 1)[-1]
    coded = re.search(r"\b(DIVISION_BY_ZERO|INVALID_FUNCTION_ARGUMENT|NOT_SUPPORTED): ([^\n]+)", text)
    if coded:
        return QueryError(coded.group(1), coded.group(2).rstrip("!"))
    grouped = re.search(r'column "?([^"]+?)"? must appear in the GROUP BY', text)
    if grouped:
        name = grouped.group(1)
        message = f"'{name}' must be an aggregate expression or appear in GROUP BY clause"
        return QueryError("EXPRESSION_NOT_AGGREGATE", message, _find(sql, name))
    missing = re.search(r"Function with name \"?(\w+)\"? does not exist", text)
    if missing:
        return QueryError("NOT_SUPPORTED", f"function {missing.group(1)} is not supported by the local Athena")
    cast = re.search(r"[Cc]ould not convert string '(.*)' to (\w+)", text)
    if cast:
        return QueryError(
            "INVALID_CAST_ARGUMENT", f"Cannot cast '{cast.group(1)}' to {_ATHENA.get(cast.group(2), cast.group(2))}"
        )
    if isinstance(error, duckdb.ConversionException):
        return QueryError("INVALID_CAST_ARGUMENT", first)
    if isinstance(error, duckdb.OutOfRangeException):
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", first.rstrip("!"))
    mismatch = re.search(r"given name and argument types '(\w+)\(([^']*)\)'", text)
    if mismatch:
        return QueryError(
            "FUNCTION_NOT_FOUND",
            f"Unexpected parameters ({mismatch.group(2).lower()}) for function {mismatch.group(1).lower()}",
            _find(sql, mismatch.group(1)),
        )
    if isinstance(error, duckdb.BinderException):
        return QueryError("TYPE_MISMATCH" if "type" in text.lower() else "SYNTAX_ERROR", first)
    if isinstance(error, duckdb.OutOfMemoryException):
        return exhausted()
    if isinstance(error, duckdb.HTTPException | duckdb.IOException) and re.search(r"\b403\b|Forbidden", text):
        url = re.search(r"https?://[^\s'\"]+", text)
        return path_denied("s3:/" + unquote(urlsplit(url[0]).path) if url else first)
    if isinstance(error, duckdb.PermissionException):
        return QueryError("NOT_SUPPORTED", f"the local Athena reads S3 only: {first}")
    if isinstance(error, duckdb.IOException) and "max_temp_directory_size" in text:
        return exhausted()
    if isinstance(error, duckdb.HTTPException | duckdb.IOException):
        return QueryError("ICEBERG_CANNOT_OPEN_SPLIT", first)
    return QueryError("GENERIC_INTERNAL_ERROR", first)


_ATHENA = {
    "INT64": "BIGINT",
    "INT32": "INTEGER",
    "INT16": "SMALLINT",
    "INT8": "TINYINT",
    "BOOL": "BOOLEAN",
    "FLOAT": "REAL",
}


def _find(sql: str, name: str) -> tuple[int, int] | None:
    found = re.search(rf"\b{re.escape(name)}\b", sql, re.I)
    return position_of(sql, found.start()) if found else None
