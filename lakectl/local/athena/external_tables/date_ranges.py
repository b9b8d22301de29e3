"""Ranges of projected dates: ``2020/01/01,NOW`` in a format of Java's, with a step.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html#partition-projection-date-type
"""

from __future__ import annotations

import calendar
import datetime
import re
from dataclasses import dataclass

_FIELDS = {
    "yyyy": ("%Y", r"\d{4}"),
    "uuuu": ("%Y", r"\d{4}"),
    "MM": ("%m", r"\d{2}"),
    "dd": ("%d", r"\d{2}"),
    "HH": ("%H", r"\d{2}"),
    "mm": ("%M", r"\d{2}"),
    "ss": ("%S", r"\d{2}"),
}
_PIECE = re.compile(r"'((?:[^']|'')*)'|([a-zA-Z])\2*|[^a-zA-Z']+")
_NOW = re.compile(r"NOW\s*(?:([+-])\s*(\d+)\s*(SECOND|MINUTE|HOUR|DAY|WEEK|MONTH|YEAR)S?)?", re.I)
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 604800}
_MONTHS = {"MONTH": 1, "YEAR": 12}


@dataclass(frozen=True)
class DateRange:
    """``pattern``: a regular expression of the text; ``unit``: SECOND … YEAR."""

    pattern: str
    strptime: str
    low: datetime.datetime
    high: datetime.datetime
    step: int
    unit: str

    def holds(self, text: str) -> bool:
        try:
            value = datetime.datetime.strptime(text, self.strptime)
        except ValueError:
            return False
        if not self.low <= value <= self.high:
            return False
        if self.unit in _SECONDS:
            return (value - self.low).total_seconds() % (self.step * _SECONDS[self.unit]) == 0
        months = (value.year - self.low.year) * 12 + value.month - self.low.month
        return months % (self.step * _MONTHS[self.unit]) == 0


def parse(pattern: str, bounds: str, interval: str | None, unit: str | None) -> DateRange:
    """Raises ValueError with the reason."""
    shape, strptime, fields = "", "", set()
    for found in _PIECE.finditer(pattern):
        if found[2]:
            if found[0] not in _FIELDS:
                raise ValueError(f"the format {pattern} has {found[0]}; known are {', '.join(_FIELDS)}")
            fields.add(found[0])
            strptime += _FIELDS[found[0]][0]
            shape += _FIELDS[found[0]][1]
        else:
            literal = (found[1].replace("''", "'") or "'") if found[1] is not None else found[0]
            strptime += literal.replace("%", "%%")
            shape += re.escape(literal)
    low, comma, high = bounds.partition(",")
    if not comma:
        raise ValueError(f"the range {bounds} has no comma")
    finest = next((name for name, field in _FINEST if field in fields), "YEAR")
    step = (unit or finest).strip().upper().removesuffix("S")
    if step not in _SECONDS and step not in _MONTHS:
        raise ValueError(f"the unit {unit} is not known")
    count = int(interval) if interval is not None and interval.strip().isdigit() else 1 if interval is None else 0
    if count < 1:
        raise ValueError(f"the interval {interval} is no whole number above 0")
    return DateRange(shape, strptime, _bound(low, strptime), _bound(high, strptime), count, step)


_FINEST = (("SECOND", "ss"), ("MINUTE", "mm"), ("HOUR", "HH"), ("DAY", "dd"), ("MONTH", "MM"))


def _bound(text: str, strptime: str) -> datetime.datetime:
    text = text.strip()
    found = _NOW.fullmatch(text)
    if found:
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        moment = now if not found[1] else _moved(now, int(found[1] + found[2]), found[3].upper())
        text = moment.strftime(strptime)  # as fine as the format is
    try:
        return datetime.datetime.strptime(text, strptime)
    except ValueError:
        raise ValueError(f"{text!r} is no bound of a range in this format") from None


def _moved(moment: datetime.datetime, count: int, unit: str) -> datetime.datetime:
    if unit in _SECONDS:
        return moment + datetime.timedelta(seconds=count * _SECONDS[unit])
    month = moment.year * 12 + moment.month - 1 + count * _MONTHS[unit]
    year, month = month // 12, month % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))
