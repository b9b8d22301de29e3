"""How a line of JSON Lines is read, by the command line and by the job.

A line is one object in UTF-8. Its names are compared without case. A value of a column is text, a number, true, false
or null; a name that is missing is null. What is nested in a column, a name that comes twice, and what is no object
make the line a broken row. Text is read as a field of a CSV file would be, but an empty text is a text. A number has a
decimal point whatever the column's decimal mark, and as text it is what the file has, digit for digit.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

from lakectl.core.csv_files import REPLACEMENT, is_blank
from lakectl.core.values import clean, reader
from lakectl.spec.model import Column, SourceSpec

__all__ = ["Broken", "Lines", "Value", "is_blank"]


class Broken(ValueError):
    """The line is no row; the message says why, in words that follow the line's number."""


class _Number(str):
    """A number as the file has it."""


class Value(NamedTuple):
    """``text``: what the file has, None for NULL; ``plain``: the value as Spark's CAST reads it from text, None when it
    is NULL or can't be read."""

    text: str | None
    plain: str | None


class Lines:
    """Reads the lines of one source's files: ``columns`` are its own and those that silver was given since."""

    def __init__(self, source: SourceSpec) -> None:
        self._columns = source.columns
        self._nulls = source.file.nulls

    @cached_property
    def _names(self) -> dict[str, Column]:
        return {(column.header or column.name).strip().lower(): column for column in self._columns}

    def further(self, line: str) -> Iterable[str]:
        """Names in the line that are no column's, in lower case. Raises Broken."""
        return [name for name in self._object(line) if name not in self._names]

    def row(self, line: str) -> tuple[dict[str, Value], list[str]]:
        """Column -> its value in the line; and the names that are no column's. Raises Broken."""
        found = self._object(line)
        row = {column.name: self._value(found.get(name), column) for name, column in self._names.items()}
        return row, [name for name in found if name not in self._names]

    def _object(self, line: str) -> dict[str, Any]:
        try:
            found = json.loads(
                line, object_pairs_hook=_pairs, parse_float=_Number, parse_int=_Number, parse_constant=_refused
            )
        except (ValueError, RecursionError) as error:
            raise Broken(f"is not readable as JSON: {error}") from None
        if not isinstance(found, dict):
            raise Broken("is no JSON object")
        return found

    def _value(self, found: Any, column: Column) -> Value:
        if isinstance(found, dict | list):
            raise Broken(f"has a nested value in {column.name}")
        if found is None:
            return Value(None, None)
        if isinstance(found, bool):
            text: str = "true" if found else "false"
        else:
            text = str(found)
        if REPLACEMENT in text or not _is_unicode(text):
            raise Broken(f"has text in {column.name} that is not UTF-8")
        cleaned = text if not text and column.type == "string" else clean(text, column, self._nulls)
        if cleaned is None:
            return Value(None, None)
        is_number = isinstance(found, _Number)
        value = reader(_with_point(column) if is_number and column.decimal_mark != "." else column)(cleaned)
        return Value(cleaned, plain(value))


def plain(value: Any) -> str | None:
    """A value of ``values.value_of`` in the text that Spark's CAST reads the same value from."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if not isinstance(value, float | int) else repr(value)


def _with_point(column: Column) -> Column:
    return dataclasses.replace(column, decimal_mark=".")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {name.strip().lower(): value for name, value in pairs}
    if len(found) < len(pairs):
        raise ValueError("a name comes twice in one object")
    return found


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON value")


def _is_unicode(text: str) -> bool:
    # Half of a surrogate pair, as an escape: no encoding can hold it.
    return not any("\ud800" <= character <= "\udfff" for character in text)
