"""What Athena would say where DuckDB, PyArrow, Glue or S3 refuse or fail."""

from __future__ import annotations

import logging
import re
from urllib.parse import unquote, urlsplit

import duckdb
import pyarrow as pa
from botocore.exceptions import ClientError

from lakectl.local.athena.errors import QueryError, denied, exhausted, path_denied

log = logging.getLogger(__name__)


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


_CODED = re.compile(
    r"(?<![A-Z_])(DIVISION_BY_ZERO|INVALID_FUNCTION_ARGUMENT|INVALID_CAST_ARGUMENT|NUMERIC_VALUE_OUT_OF_RANGE|NOT_SUPPORTED|"
    r"INVALID_PATH|INVALID_WINDOW_FRAME|PATH_EVALUATION_ERROR|JSON_INPUT_CONVERSION_ERROR|JSON_OUTPUT_CONVERSION_ERROR|"
    r"JSON_VALUE_RESULT_ERROR|JSON_QUERY_RESULT_ERROR): ([^\n]+)"
)


_BROKEN = re.compile(
    "No magic bytes found|too small to be a Parquet file|Failed to read file|decompress|Avro container file|"
    "TProtocolException|Invalid thrift|Failed to deserialize|memory buffer",
    re.I,
)


def broken_file(path: str) -> QueryError:
    """For a data file that is none of its format. Iceberg's lie in a folder ``data``."""
    kind, name = ("ICEBERG", "Iceberg") if "/data/" in path else ("HIVE", "Hive")
    return QueryError(f"{kind}_CANNOT_OPEN_SPLIT", f"Error opening {name} split {path}: it is broken")


def of_duckdb(error: duckdb.Error, sql: str) -> QueryError:
    """What Athena would say where DuckDB raised ``error``. DuckDB's own words go to the log only."""
    text = str(error)
    first = text.split("\n")[0].split(": ", 1)[-1]
    coded = _CODED.search(text)
    if coded:  # raised by a macro, as a cast that fails, or by a function in Python
        return QueryError(coded.group(1), re.sub(r"' to INT8.*$|!$", "", coded.group(2)))
    for pattern, message in _REFUSED:
        if re.search(pattern, text):
            return QueryError("NOT_SUPPORTED", message)
    number = re.search(
        r"Failed to cast decimal value (\S+) to type (\w+)|Type (?:DOUBLE|FLOAT) with value (\S+) .*INT64", text
    )
    if number:
        shown, kind = (number[1], _ATHENA.get(number[2], number[2])) if number[1] else (number[3], "BIGINT")
        return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast '{shown}' to {kind}")
    small = re.search(r"[Cc]ast(?:ing)? value \"?([-\d.]+)\"? to (?:type )?DECIMAL\((\d+),(\d+)\)", text)
    if small and small[2] != "38":  # of 38 digits are the results of arithmetic
        return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast '{small[1]}' to DECIMAL({small[2]}, {small[3]})")
    for pattern, code, message in _KNOWN:
        found = re.search(pattern, text)
        if found:
            return QueryError(code, found.expand(message))
    if _BROKEN.search(text):
        log.warning("a file could not be read: %s", text)
        file = re.search(r"s3://[^'\"]+", text)
        return broken_file(file[0] if file else "")
    cast = re.search(r"[Cc]ould not (?:convert|cast) (?:string|value) '?(.*?)'? to (\w+(?:\([\d,]+\))?)", text)
    if cast:
        kind = _ATHENA.get(cast.group(2), cast.group(2))
        return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast '{cast.group(1)}' to {kind}")
    if isinstance(error, duckdb.OutOfRangeException):
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", _overflow(first))
    if isinstance(error, duckdb.OutOfMemoryException):
        return exhausted()
    if isinstance(error, duckdb.HTTPException | duckdb.IOException) and re.search(r"\b403\b|Forbidden", text):
        url = re.search(r"https?://[^\s'\"]+", text)
        return path_denied("s3:/" + unquote(urlsplit(url[0]).path) if url else first)
    if isinstance(error, duckdb.PermissionException):
        return QueryError("NOT_SUPPORTED", "the local Athena reads S3 only")
    if isinstance(error, duckdb.IOException) and "max_temp_directory_size" in text:
        return exhausted()
    if isinstance(error, duckdb.HTTPException | duckdb.IOException):
        log.warning("a file could not be read: %s", text)
        file = re.search(r"s3://[^\s'\"]+", text)
        return QueryError(
            "ICEBERG_CANNOT_OPEN_SPLIT", f"Error opening Iceberg split {file[0] if file else ''}".rstrip()
        )
    log.error("DuckDB refused a statement: %s\n%s", sql, text)
    return internal()


def internal() -> QueryError:
    """For a bug of the local Athena: the details are in the endpoint's log."""
    return QueryError("GENERIC_INTERNAL_ERROR", "the local Athena failed; the endpoint's log says how")


def _overflow(first: str) -> str:
    found = re.search(r"Overflow in (\w+) of (\w+) \((.*)\)", first)
    if not found:
        return "Value out of range"
    kind = _ATHENA.get(found[2], found[2]).lower()
    if kind.startswith(("decimal", "int128", "hugeint")):
        return "Decimal overflow"
    return f"{kind} {found[1]} overflow: {found[3]}"


_ATHENA = {
    "INT64": "BIGINT",
    "INT32": "INTEGER",
    "INT16": "SMALLINT",
    "INT8": "TINYINT",
    "BOOL": "BOOLEAN",
    "FLOAT": "REAL",
}
_ELSEWHERE = "is not supported by the local Athena; it works on AWS"
_REFUSED = (
    (r"non-inner join on subquery", f"a subquery in the condition of an outer join {_ELSEWHERE}"),
    (
        r"correlated columns? in window|Unsupported join type|lateral join.*not supported|Subquery type not supported",
        "Given correlated subquery is not supported",
    ),
    (
        r'Referenced table "r\d+" not found|Failed to bind column reference|INTERNAL Error.*[Bb]ind',
        f"this correlated subquery {_ELSEWHERE}",
    ),
)
_KNOWN = (
    (r"[Mm]ax(?:imum)? expression depth", "STACK_OVERFLOW", "statement is too large (stack overflow during analysis)"),
    (
        r"with value (\S+) can't be cast.* type INT64",
        "NUMERIC_VALUE_OUT_OF_RANGE",
        r"bigint overflow: \1",
    ),
    (r"with value (\S+) can't be cast.*type INT32", "NUMERIC_VALUE_OUT_OF_RANGE", r"Out of range for integer: \1"),
    (r"with value (\S+) can't be cast.*type INT16", "NUMERIC_VALUE_OUT_OF_RANGE", r"Out of range for smallint: \1"),
    (r"with value (\S+) can't be cast.*type INT8", "NUMERIC_VALUE_OUT_OF_RANGE", r"Out of range for tinyint: \1"),
    (r"Map keys must be unique", "INVALID_FUNCTION_ARGUMENT", "Duplicate map keys are not allowed"),
    (r"Map keys can not be NULL", "INVALID_FUNCTION_ARGUMENT", "map key cannot be null"),
    (r"map key list does not align", "INVALID_FUNCTION_ARGUMENT",
     "Key and value arrays must be the same length"),
    (r"More than one row returned by a subquery", "SUBQUERY_MULTIPLE_ROWS",
     "Scalar sub-query has returned multiple rows"),
    (r"Unknown TimeZone '([^']*)'", "INVALID_FUNCTION_ARGUMENT", r"'\1' is not a valid time zone"),
    (r"[Tt]imestamp.*out of range|[Dd]ate.*out of range|Conversion Error: .*(?:date|time)", "INVALID_CAST_ARGUMENT",
     "Value out of range of date or timestamp"),
    (r"Decimal|DECIMAL", "NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow"),
    (r"invalid perl operator|invalid escape|no argument for repetition|missing \)", "NOT_SUPPORTED",
     "this regular expression is not supported by the local Athena; it works on AWS"),
)  # fmt: skip
