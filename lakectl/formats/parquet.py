"""An answer as a Parquet file, with the types that Athena names.

Athena's text becomes a value by pyarrow's own casts. What has no type of its own in the metadata of a result (the
elements of an array, a map or a row), JSON, times, intervals and timestamps with a zone of their own stay text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO

from lakectl.errors import LakectlError, UsageError
from lakectl.ops.tables.answer import Answer, Column

BATCH = 20_000  # rows of a row group
_CODEC = "zstd"


def require() -> None:
    """Raises :class:`UsageError` where pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError(f"writing Parquet needs {error.name}", "pip install 'lakectl[local]'") from None


def write(answer: Answer, file: BinaryIO) -> int:
    """Write all rows, a row group for each BATCH of them; returns how many there were.

    Raises :class:`UsageError` for two columns of one name, :class:`LakectlError` for a value that its type can't hold.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [column.name for column in answer.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two columns are called {twice!r}, and Parquet needs one name for each", "name them with AS")
    read = [_reader(column, pa) for column in answer.columns]
    schema = pa.schema([pa.field(name, kind) for name, (kind, _) in zip(names, read, strict=True)])
    count = 0
    with pq.ParquetWriter(file, schema, compression=_CODEC) as writer:
        for rows in _batches(answer.rows):
            arrays = [
                _array(column, made, [row[index] for row in rows], pa)
                for index, (column, (_, made)) in enumerate(zip(answer.columns, read, strict=True))
            ]
            writer.write_table(pa.table(arrays, schema=schema))
            count += len(rows)
    return count


def _batches(rows: Iterator[list[str | None]]) -> Iterator[list[list[str | None]]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


Made = Callable[[Sequence[str | None]], Any]


def _array(column: Column, made: Made, values: list[str | None], pa: Any) -> Any:
    unfit = (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError)
    try:
        return made(values)
    except unfit:
        for value in values:
            try:
                made([value])
            except unfit:
                raise LakectlError(
                    f"column {column.name!r}: {value!r} is no {column.type} that Parquet can hold",
                    f"keep it as text: CAST({column.name} AS varchar) AS {column.name}",
                ) from None
        raise


def _reader(column: Column, pa: Any) -> tuple[Any, Made]:
    """The Arrow type of a column, and what makes an array of it from Athena's text."""
    text = pa.string()
    plain = {
        "boolean": pa.bool_(),
        "tinyint": pa.int8(),
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "real": pa.float32(),
        "float": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }
    if column.type == "varbinary":
        return pa.binary(), lambda values: pa.array([None if v is None else bytes.fromhex(v) for v in values])
    if column.type == "decimal" and column.precision:
        kind = pa.decimal128(column.precision, column.scale)
    else:
        kind = plain.get(column.type, text)
    if kind == text:
        return text, lambda values: pa.array(values, text)
    return kind, lambda values: pa.array(values, text).cast(kind)
