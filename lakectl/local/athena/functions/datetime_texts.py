"""Dates and times out of text, in Python."""

from __future__ import annotations

import datetime
import math
import re

from lakectl.local.athena.functions.python import Failure, function


@function("athena_parse_time", "VARCHAR, VARCHAR -> TIMESTAMP")
def _parse_time(value: str, pattern: str) -> datetime.datetime:
    """What the format does not name is that of 1970-01-01."""
    try:
        found = datetime.datetime.strptime(value, pattern)
    except ValueError:
        raise Failure(f'Invalid format: "{value}"') from None
    if "%y" in pattern and found.year == 1969:  # two digits stand for 1970 to 2069
        found = found.replace(year=2069)
    if "%Y" not in pattern and "%y" not in pattern:
        found = found.replace(year=1970)
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


_ISO_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?|-W(\d{2})(?:-(\d))?|-(\d{3}))?")


def iso_day(written: str) -> datetime.date:
    found = _ISO_DATE.fullmatch(written)
    try:
        if found is None:
            raise ValueError(written)
        year, month, day, week, weekday, ordinal = found.groups()
        if week:
            return datetime.date.fromisocalendar(int(year), int(week), int(weekday or 1))
        if ordinal:
            return datetime.datetime.strptime(f"{year} {ordinal}", "%Y %j").date()
        return datetime.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise Failure(f'Invalid format: "{written}"') from None


_ISO = re.compile(
    r"(?P<day>[^T]+)(?:T(?P<hour>\d{2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?)?)?"
    r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?"
)


def _iso_parts(written: str) -> re.Match[str]:
    found = _ISO.fullmatch(written)
    if found is None:
        raise Failure(f'Invalid format: "{written}"')
    return found


@function("athena_iso_date", "VARCHAR -> VARCHAR")
def _iso_date(written: str) -> str:
    return iso_day(written).isoformat()


@function("athena_iso_local", "VARCHAR -> VARCHAR")
def _iso_local(written: str) -> str:
    found = _iso_parts(written)
    day = iso_day(found["day"])
    clock = [int(found[part] or 0) for part in ("hour", "minute", "second")]
    if clock[0] > 23 or clock[1] > 59 or clock[2] > 59:
        raise Failure(f'Invalid format: "{written}"')
    return (
        f"{day.isoformat()} {clock[0]:02d}:{clock[1]:02d}:{clock[2]:02d}.{(found['fraction'] or '').ljust(6, '0')[:6]}"
    )


@function("athena_iso_nanos", "VARCHAR -> BIGINT")
def _iso_nanos(written: str) -> int:
    """The nanoseconds within the microsecond."""
    return int((_iso_parts(written)["fraction"] or "").ljust(9, "0")[6:9])


@function("athena_iso_zone", "VARCHAR -> VARCHAR")
def _iso_zone(written: str) -> str:
    zone = _iso_parts(written)["zone"] or "Z"
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return "UTC" if zone == "Z" or digits == "0000" else f"{zone[0]}{digits[:2]}:{digits[2:]}"


@function("athena_human_readable_seconds", "DOUBLE -> VARCHAR")
def _readable(seconds: float) -> str:
    if not math.isfinite(seconds):
        shown = "NaN" if math.isnan(seconds) else "Infinity" if seconds > 0 else "-Infinity"
        raise Failure(f"Invalid argument found: {shown}")
    left, made = abs(math.floor(seconds + 0.5)), []
    for name, size in (("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, size)
        if count:
            made.append(f"{count} {name}{'' if count == 1 else 's'}")
    return ", ".join(made) or "0 seconds"


_DURATION = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1000.0, "m": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0}


@function("athena_parse_duration", "VARCHAR -> BIGINT")
def _duration(written: str) -> int:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*", written)
    if found is None:
        raise Failure(f"duration is not a valid data duration string: {written}")
    if found[2] not in _DURATION:
        raise Failure(f"Unknown time unit: {found[2]}")
    return int(float(found[1]) * _DURATION[found[2]] + 0.5)
