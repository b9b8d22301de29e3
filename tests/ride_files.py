"""Files of the lake of rides (``tests/rides_project``): the bytes that are landed."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent / "rides_project"
DRIVERS = "driver_id;Driver's name;rating;joined;company_id"


def companies(*lines: str) -> bytes:
    return "\n".join(("company_id,company", *lines, "")).encode()


def drivers(*lines: str) -> bytes:
    return "\n".join((DRIVERS, *lines, "")).encode("windows-1252")


def zones(*rows: tuple[int, str, Any], types: Sequence[Any] = ()) -> bytes:
    """``types``: those of PyArrow; as pandas would write them when left out."""
    import pyarrow
    from pyarrow import parquet

    names = ("zone_id", "Borough", "surcharge")
    kinds = types or (pyarrow.int64(), pyarrow.string(), pyarrow.float64())
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    arrays = {name: pyarrow.array(list(column), kind) for name, column, kind in zip(names, columns, kinds, strict=True)}
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays), buffer)
    return buffer.getvalue()


def lines(*rows: Any) -> bytes:
    """JSON Lines: each row a dict, or the text of a line."""
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows).encode()


def ride(
    ride_id: str, *, zone: Any = 1, driver: Any = 7, fare: Any = 10, at: str = "2025-09-01T12:00:00", **more: Any
) -> Any:
    return {"ride_id": ride_id, "started_at": at, "driver_id": driver, "zone_id": zone, "fare": fare, **more}
