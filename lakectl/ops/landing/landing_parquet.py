"""Looking at a Parquet file before a byte of it is sent."""

from __future__ import annotations

from pathlib import Path

from lakectl.core import csv_files, parquet_files
from lakectl.core.columns import unfit
from lakectl.core.values import expected
from lakectl.errors import UsageError
from lakectl.spec.model import SourceSpec

MAX_FAILURES = 5


def check(path: Path, label: str, source: SourceSpec, evolution: str, *, every_row: bool) -> None:
    """Its columns and first row, or every row. Raises :class:`UsageError`."""
    try:
        _check_columns(path, label, source, evolution)
        _check_rows(path, label, source, every_row)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{label}: checking a Parquet file needs {error.name}", "pip install 'lakectl[local]'"
        ) from None
    except ValueError as error:
        raise UsageError(f"{label}: {error}") from None


def _check_columns(path: Path, label: str, source: SourceSpec, evolution: str) -> None:
    with path.open("rb") as file:

        def read(first: int, size: int) -> bytes:
            file.seek(first)
            return file.read(size)

        found, _ = parquet_files.header(read, path.stat().st_size)
    names = csv_files.named(found, source)
    problems = csv_files.header_problems(names, source.by_name)
    further = [name for name in names if name not in source.by_name]
    if evolution == "fail" and further:
        problems.append(f"unknown {', '.join(further)}")
    elif evolution == "add" and (refused := unfit(further)):
        problems.append(f"no column of silver can be called {', '.join(refused)}")
    if problems:
        raise UsageError(f"{label}: wrong columns: {'; '.join(problems)}; expected {', '.join(source.by_name)}")


def _check_rows(path: Path, label: str, source: SourceSpec, every_row: bool) -> None:
    failures, seen = [], False
    for number, row in parquet_files.rows(path, source):
        seen = True
        for name, (text, value) in row.items():
            column = source.by_name[name]
            if (text is None and name in source.required) or (text is not None and value is None):
                told = f"{name} = {text!r}" if text is not None else f"{name} is empty"
                failures.append(f"{label}: row {number}: {told}: expected {expected(column)}")
        if not every_row or len(failures) > MAX_FAILURES:
            break
    if not seen and source.policies["empty_snapshot"] != "ignore":
        raise UsageError(f"{label}: no rows: nothing to land")
    if failures:
        more = "; ".join(each.removeprefix(label + ": ") for each in failures[1:])
        raise UsageError(failures[0], f"correct these too: {more}" if more else None)
