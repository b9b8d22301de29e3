"""Dates and times as texts: what a column's patterns read, and ISO 8601 where a column names none."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lakectl.spec.date_patterns import ISO_DATE, ISO_TIMESTAMP, MICROSECONDS, MONTHS, Pattern, compiled


def patterns(kind: str, formats: tuple[str, ...]) -> tuple[Pattern, ...]:
    """Those of a ``date`` or ``timestamp`` column, in the order in which they are tried."""
    if formats:
        return tuple(map(compiled, formats))
    return (ISO_DATE,) if kind == "date" else (ISO_TIMESTAMP,)


def date_of(text: str, formats: tuple[str, ...]) -> date | None:
    """The date that ``text`` is, by the first pattern that reads it."""
    for pattern in patterns("date", formats):
        moment = _local(text, pattern)
        if moment:
            return moment[0].date()
    return None


def timestamp_of(text: str, formats: tuple[str, ...], zone: str) -> datetime | None:
    """The moment that ``text`` is, in UTC and without a zone. ``zone``: of texts that have no offset.

    A local time that a clock change skips is none; of one that occurs twice the earlier is meant.
    """
    for pattern in patterns("timestamp", formats):
        found = _local(text, pattern)
        moment = found and in_utc(*found, zone)
        if moment:
            return moment
    return None


def in_utc(local: datetime, offset: str, zone: str) -> datetime | None:
    try:
        if offset:
            return local - minutes_of(offset)
        if zone == "UTC":
            return local
        utc = ZoneInfo("UTC")
        moment = local.replace(tzinfo=ZoneInfo(zone)).astimezone(utc)
        skipped = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) != local
        return None if skipped else moment.replace(tzinfo=None)
    except OverflowError:
        return None


def minutes_of(offset: str) -> timedelta:
    """``+02:00``, ``+0200``, ``+02`` or ``Z``."""
    if offset == "Z":
        return timedelta()
    digits = offset[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or "0"))
    return -size if offset[0] == "-" else size


def _local(text: str, pattern: Pattern) -> tuple[datetime, str] | None:
    """The local time that ``text`` tells, and its offset, ``""`` without one."""
    match = re.fullmatch(pattern.regex, text)
    if not match:
        return None
    told = {field: match[group] or "" for field, group in pattern.fields.items()}
    year = told["year"] if len(told["year"]) == 4 else "20" + told["year"]
    month = told["month"]
    number = MONTHS.index(month.lower()) + 1 if len(month) == 3 else int(month)
    hour = int(told.get("hour") or "0")
    if told.get("half"):
        hour = hour % 12 + (12 if told["half"].lower() == "pm" else 0)
    try:
        moment = datetime(
            int(year),
            number,
            int(told["day"]),
            hour,
            int(told.get("minute") or "0"),
            int(told.get("second") or "0"),
            int((told.get("fraction") or "0").ljust(MICROSECONDS, "0")),
        )
    except ValueError:
        return None
    return moment, told.get("offset", "")
