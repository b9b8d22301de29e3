"""format(): java.util.Formatter, for what the types have.

https://trino.io/docs/current/functions/conversion.html#formatting
"""

from __future__ import annotations

import datetime
import decimal
import re

from lakectl.local.athena.functions.python import Failure, function

_SPECIFIER = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])([A-Za-z])?")
_JAVA_DATES = {"A": "%A", "a": "%a", "B": "%B", "b": "%b", "e": None, "Y": "%Y", "m": "%m", "d": "%d", "y": "%y",
               "j": "%j",
               "H": "%H", "M": "%M", "S": "%S"}  # fmt: skip


@function("athena_format", "VARCHAR, VARCHAR, VARCHAR[] -> VARCHAR")
def _format(pattern: str, kinds: str, values: list[str | None]) -> str:
    """java.util.Formatter, for the conversions s, d, f, e, x, b and t of the types that have them."""
    names = kinds.split(",")
    made, at, used = [], 0, 0
    while at < len(pattern):
        if pattern[at] != "%":
            made.append(pattern[at])
            at += 1
            continue
        found = _SPECIFIER.match(pattern, at)
        if found is None:
            raise Failure(f"Invalid format string: {pattern}")
        letter = found[5]
        at = found.end() if letter in "tT" else found.end(5)
        if letter in "%n":
            made.append("%" if letter == "%" else "\n")
            continue
        place = int(found[1]) - 1 if found[1] else used
        used += 0 if found[1] else 1
        if place >= len(values):
            raise Failure(f"Invalid format string: {pattern} (Format specifier '{found[0]}')")
        made.append(_formatted(found, names[place], values[place]))
    return "".join(made)


def _formatted(found: re.Match[str], kind: str, value: str | None) -> str:
    flags, width, places, letter = found[2], int(found[3] or 0), found[4], found[5]
    if value is None:
        shown = "null"
    elif letter in "sS":
        shown = value if places is None else value[: int(places)]
        if kind in ("real", "double"):
            from lakectl.local.athena.render import double

            shown = double(float(value))
        elif kind in ("time", "timestamp"):
            shown = _java_time(value)
        elif kind not in _SHOWN_AS_CAST:
            raise Failure(f"format %s of {kind} is not supported by the local Athena; it works on AWS", "NOT_SUPPORTED")
        shown = shown.upper() if letter == "S" else shown
    elif letter == "d" and kind in ("tinyint", "smallint", "integer", "bigint"):
        shown = f"{int(value):{'+' if '+' in flags else ''}{',' if ',' in flags else ''}}"
    elif letter == "f" and kind in ("real", "double", "decimal"):
        number = decimal.Decimal(value).quantize(decimal.Decimal(1).scaleb(-int(places or 6)), decimal.ROUND_HALF_UP)
        shown = f"{number:{'+' if '+' in flags else ''}{',' if ',' in flags else ''}f}"
    elif letter in "xX" and kind in ("integer", "bigint"):
        bits = 32 if kind == "integer" else 64
        shown = f"{int(value) & ((1 << bits) - 1):{letter}}"
    elif letter in "bB" and kind == "boolean":
        shown = value
    elif letter in "tT" and kind in ("date", "timestamp"):
        shown = _java_date(value, found[6])
    else:
        raise Failure(
            f"the format specifier {found[0]} for {kind} is not supported by the local Athena; it works on AWS",
            "NOT_SUPPORTED",
        )
    if "0" in flags and letter in "dfxX":
        sign = shown[:1] if shown[:1] in "+-" else ""
        return sign + shown[len(sign) :].rjust(width - len(sign), "0")
    return shown.ljust(width) if "-" in flags else shown.rjust(width)


_SHOWN_AS_CAST = (
    "tinyint",
    "smallint",
    "integer",
    "bigint",
    "decimal",
    "varchar",
    "char",
    "boolean",
    "date",
    "json",
) + (
    "uuid",
    "ipaddress",
    "interval day to second",
    "interval year to month",
    "unknown",
)


def _java_time(value: str) -> str:
    """LocalDateTime.toString, LocalTime.toString: no seconds if all is zero, and three, six or nine digits behind."""
    whole, _, fraction = value.replace(" ", "T").partition(".")
    nanos = (int(fraction.ljust(12, "0")) + 500) // 1000
    if not nanos:
        return whole.removesuffix(":00")
    digits = f"{nanos:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{whole}.{digits}"


def _java_date(value: str, letter: str | None) -> str:
    moment = datetime.datetime.fromisoformat(value)
    if letter == "e":
        return str(moment.day)
    pattern = _JAVA_DATES.get(letter or "")
    if pattern is None:
        raise Failure(
            f"the format specifier %t{letter} is not supported by the local Athena; it works on AWS", "NOT_SUPPORTED"
        )
    return moment.strftime(pattern)
