"""Date and time functions that take a format."""

from __future__ import annotations

import re

from lakectl.local.athena.analysis.values import Value, text, unsupported, zoned
from lakectl.local.athena.functions import datetime_texts
from lakectl.local.athena.functions.datetimes import local, times

__all__ = ["datetime_texts"]
# MySQL's letters, as Trino documents them for date_format and date_parse, and Python's and DuckDB's.
_MYSQL = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h": "%I", "I": "%I", "i": "%M",
    "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p", "r": "%I:%M:%S %p", "S": "%S", "s": "%S",
    "T": "%H:%M:%S", "v": "%V", "W": "%A", "x": "%G", "Y": "%Y", "y": "%y", "%": "%%",
}  # fmt: skip
# Joda's letters, for format_datetime and parse_datetime.
_JODA = {
    "yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "MM": "%m", "M": "%-m", "MMM": "%b", "MMMM": "%B", "dd": "%d", "d": "%-d",
    "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g",
    "E": "%a", "EE": "%a", "EEE": "%a", "EEEE": "%A", "a": "%p", "DDD": "%j", "y": "%Y", "xxxx": "%G", "ww": "%V",
}  # fmt: skip


def _constant(pattern: Value, what: str) -> str:
    if not isinstance(pattern.constant, str):
        raise unsupported(f"{what} with a format that is no literal")
    return pattern.constant


def mysql(pattern: Value, what: str, parses: bool = False) -> str:
    def made(found: re.Match[str]) -> str:
        letter = found[1]
        if letter not in _MYSQL or (parses and letter in "jvWaxr"):
            raise unsupported(f"%{letter} in the format of {what}")
        return _MYSQL[letter].replace("-", "") if parses else _MYSQL[letter]

    return re.sub(r"%(.)", made, _constant(pattern, what), flags=re.S)


def joda(pattern: Value, what: str) -> str:
    def made(found: re.Match[str]) -> str:
        if found["quoted"] is not None:
            return found["quoted"].replace("''", "'").replace("%", "%%") or "'"
        if found["letters"] is None:
            return str(found[0]).replace("%", "%%")
        if found["letters"] not in _JODA:
            raise unsupported(f"{found['letters']} in the format of {what}")
        return _JODA[found["letters"]]

    return re.sub(
        r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>([A-Za-z])\3*)|.", made, _constant(pattern, what), flags=re.S
    )


def _milliseconds(value: Value) -> str:
    """The local time, rounded: Trino's formatters know milliseconds."""
    return f"athena_round_time({local(value)}, 1000)" if value.type.precision > 3 else local(value)


for kind in ("timestamp", "timestamp with time zone"):
    times.add(
        f"date_format({kind}, varchar) -> varchar",
        lambda value, pattern: f"strftime({_milliseconds(value)}, {text(mysql(pattern, 'date_format'))})",
    )
    times.add(
        f"format_datetime({kind}, varchar) -> varchar",
        lambda value, pattern: f"strftime({_milliseconds(value)}, {text(joda(pattern, 'format_datetime'))})",
    )
times.add(
    "date_parse(varchar, varchar) -> timestamp(3)",
    lambda value, pattern: f"athena_parse_time({value.sql}, {text(mysql(pattern, 'date_parse', parses=True))})",
)


def _parse_datetime(value: Value, pattern: Value) -> str:
    made = re.sub(r"%-", "%", joda(pattern, "parse_datetime")).replace("%g", "%f")
    return zoned(f"timezone('UTC', athena_parse_time({value.sql}, {text(made)}))", "'UTC'", 3).sql


times.add("parse_datetime(varchar, varchar) -> timestamp(3) with time zone", _parse_datetime)
