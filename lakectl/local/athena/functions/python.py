"""Functions that DuckDB has no equal of, in Python: called with columns, once for a vector of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from duckdb import func

Plain = Callable[..., Any]
_ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "DOUBLE[]": pa.list_(pa.float64()),
    "BOOLEAN": pa.bool_(),
    "BLOB": pa.binary(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "VARCHAR[]": pa.list_(pa.string()),
    "BIGINT[]": pa.list_(pa.int64()),
    "BIGINT[][]": pa.list_(pa.list_(pa.int64())),
    "MAP(VARCHAR, VARCHAR)": pa.map_(pa.string(), pa.string()),
    "MAP(VARCHAR, DOUBLE)": pa.map_(pa.string(), pa.float64()),
    "STRUCT(key VARCHAR, value VARCHAR)[]": pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())])),
    "STRUCT(t VARCHAR, g VARCHAR[])[]": pa.list_(pa.struct([("t", pa.string()), ("g", pa.list_(pa.string()))])),
}
FUNCTIONS: list[tuple[str, list[str], str, Plain]] = []


class Failure(ValueError):
    """What Trino would say: ``INVALID_FUNCTION_ARGUMENT: …``."""

    def __init__(self, message: str, code: str = "INVALID_FUNCTION_ARGUMENT") -> None:
        super().__init__(f"{code}: {message}")


def function(name: str, types: str, nulls: bool = False) -> Callable[[Plain], Plain]:
    """Registers a function of rows. ``types``: ``VARCHAR, BIGINT -> VARCHAR``. A NULL argument makes the result NULL,
    unless ``nulls``: then None is handed on."""
    given, _, result = types.partition(" -> ")
    arguments = [part.strip().replace(";", ",") for part in given.split(",") if part.strip()]
    result = result.replace(";", ",")

    def register(plain: Plain) -> Plain:
        kind = _ARROW[result]

        def columns(*arrays: Any) -> Any:
            return pa.array(_rows(plain, arrays, nulls), type=kind)

        FUNCTIONS.append((name, arguments, result, _taking(len(arguments), columns)))
        return plain

    return register


def _taking(count: int, columns: Plain) -> Plain:
    """``columns`` with as many arguments as DuckDB is told of."""
    takers: dict[int, Plain] = {
        1: lambda a: columns(a),
        2: lambda a, b: columns(a, b),
        3: lambda a, b, c: columns(a, b, c),
        4: lambda a, b, c, d: columns(a, b, c, d),
        5: lambda a, b, c, d, e: columns(a, b, c, d, e),
        6: lambda a, b, c, d, e, f: columns(a, b, c, d, e, f),
    }
    return takers[count]


def _rows(plain: Plain, arrays: tuple[Any, ...], nulls: bool) -> Iterator[Any]:
    for row in zip(*(array.to_pylist() for array in arrays), strict=True):
        yield plain(*row) if nulls or None not in row else None


def register(connection: Any) -> None:
    """Make the functions known to a DuckDB instance."""
    for name, arguments, result, columns in FUNCTIONS:
        connection.create_function(
            name, columns, arguments, result, type=func.ARROW, null_handling=func.SPECIAL, side_effects=False
        )
