"""How a landed Parquet file is read, by the command line and by the job: its columns, and what its values become.

A file carries types of its own. A value is taken where the column's type holds it exactly: a whole number in a double
is an integer, a text is read as a field of a CSV file would be, a number in a text column is its shortest text. Lists,
structs and binary are not read. PyArrow is imported when the first file is looked at: Glue has it, and so has
``lakectl[local]``.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from lakectl.core import dates, values
from lakectl.core.json_files import plain
from lakectl.spec.model import Column, SourceSpec

MAGIC = b"PAR1"
_TAIL = 64 * 1024
# Types whose values are read, as PyArrow calls them.
_PLAIN = (
    "int",
    "uint",
    "float",
    "double",
    "decimal",
    "bool",
    "date",
    "timestamp",
    "string",
    "large_string",
    "dictionary",
    "null",
)


def header(read: Callable[[int, int], bytes], size: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names of the columns, in lower case; their types as PyArrow calls them). ``read``: so many bytes from a place.

    Raises ValueError with a one-line reason when it is no Parquet file, or a column can't be read.
    """
    names, kinds = [], []
    for field in _schema(read, size):
        kind = str(field.type)
        if not kind.startswith(_PLAIN):
            raise ValueError(f"column {field.name} is {kind.partition('<')[0]}: only plain values are read")
        names.append(field.name.strip().lower())
        kinds.append(kind)
    return tuple(names), tuple(kinds)


def _schema(read: Callable[[int, int], bytes], size: int) -> Any:
    if size < 12:
        raise ValueError(f"not a Parquet file: {size} bytes")
    first = max(0, size - _TAIL)
    tail = read(first, size - first)
    if tail[-4:] != MAGIC:
        raise ValueError(f"not a Parquet file: it ends with {tail[-4:]!r}, expected {MAGIC!r}")
    length = int.from_bytes(tail[-8:-4], "little")
    if length + 8 > size:
        raise ValueError("not a whole Parquet file: its footer is longer than the file")
    if length + 8 > len(tail):
        tail = read(size - length - 8, length + 8)
    import pyarrow
    from pyarrow import parquet

    try:
        # A file of nothing but its footer has the same schema.
        return parquet.read_schema(io.BytesIO(MAGIC + tail[-length - 8 :]))
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ValueError(f"not a whole Parquet file: {str(error).splitlines()[0]}") from error


def rows(path: Path, source: SourceSpec) -> Iterator[tuple[int, dict[str, tuple[str | None, Any]]]]:
    """(number of the row from 1, column -> (text of the value or None for NULL, value or None)) of a local file.

    Raises ValueError when it is no whole Parquet file.
    """
    import pyarrow
    from pyarrow import parquet

    number = 0
    try:
        file = parquet.ParquetFile(path)
        ours = {(column.header or column.name).strip().lower(): column for column in source.columns}
        known = {name: ours[name.strip().lower()] for name in file.schema_arrow.names if name.strip().lower() in ours}
        for batch in file.iter_batches(columns=list(known)):
            for row in batch.to_pylist():
                number += 1
                yield number, {known[name].name: read(value, known[name], source) for name, value in row.items()}
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ValueError(f"not a whole Parquet file: {str(error).splitlines()[0]}") from error


def of_texts(names: Sequence[str], row: Sequence[str]) -> bytes:
    """A file of one row of texts."""
    import pyarrow
    from pyarrow import parquet

    buffer = io.BytesIO()
    columns = [pyarrow.array([text], pyarrow.string()) for text in row]
    parquet.write_table(pyarrow.table(columns, names=list(names)), buffer)
    return buffer.getvalue()


def read(value: Any, column: Column, source: SourceSpec) -> tuple[str | None, Any]:
    """(the value's text, None for NULL; the value as the column's type, None when it does not hold it)."""
    if value is None:
        return None, None
    if isinstance(value, str):
        text = value if not value and column.type == "string" else values.clean(value, column, source.file.nulls)
        return text, None if text is None else values.value_of(text, column)
    text = "NaN" if isinstance(value, float) and math.isnan(value) else plain(value)
    return text, _exactly(value, column, text)


def _exactly(value: Any, column: Column, text: str | None) -> Any:
    kind = column.type
    if kind == "string":
        return text
    if isinstance(value, date):  # a datetime is one too
        return _moment(value, column)
    if isinstance(value, bool):
        return value if kind == "boolean" else None
    if kind in ("date", "timestamp"):
        return None
    if kind == "boolean":
        return {0: False, 1: True}.get(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if kind == "double":
        return float(value)
    digits = format(Decimal(repr(value)) if isinstance(value, float) else Decimal(value), "f")
    # Zeros after the last decimal place are the type's, and not the value's.
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return values.value_of(digits, Column(column.name, kind))


def _moment(value: date | datetime, column: Column) -> Any:
    """A day is its midnight, and a midnight is its day."""
    if isinstance(value, datetime):
        if column.type == "date":
            return value.date() if value.timetz() == time.min else None
        if value.tzinfo:
            return value.astimezone(UTC).replace(tzinfo=None) if column.type == "timestamp" else None
        return dates.in_utc(value, "", column.zone) if column.type == "timestamp" else None
    if column.type == "timestamp":
        return dates.in_utc(datetime(value.year, value.month, value.day), "", column.zone)
    return value if column.type == "date" else None
