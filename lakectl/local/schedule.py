"""EventBridge schedule expressions: ``rate(5 minutes)`` and the six-field ``cron(15 1 * * ? *)``, in UTC.

Field rules as AWS documents them: minutes, hours, day-of-month, month, day-of-week, year; one of the two day fields
must be ``?``; Sunday is 1; ``L``, ``W`` and ``#`` are supported.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
LAST_YEAR = 2199

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\(([^()]+)\)")


class Schedule(Protocol):
    def next_after(self, moment: datetime) -> datetime | None:
        """The first firing later than ``moment`` (aware, UTC), or None if there is none any more."""


def parse(expression: str) -> Schedule:
    """Raises ValueError when AWS would refuse the expression."""
    rate = _RATE.fullmatch(expression)
    if rate is not None:
        count, unit, plural = int(rate[1]), rate[2], rate[3]
        if count == 0 or (count == 1) == bool(plural):
            raise ValueError(f"{expression!r}: write rate(1 minute), rate(5 minutes)")
        return Rate(timedelta(seconds=count * UNIT_SECONDS[unit]))
    cron = _CRON.fullmatch(expression)
    if cron is None:
        raise ValueError(f"{expression!r} is neither rate(...) nor cron(...)")
    return Cron.parse(cron[1])


@dataclass(frozen=True)
class Rate:
    period: timedelta

    def next_after(self, moment: datetime) -> datetime:
        return moment + self.period


@dataclass(frozen=True)
class Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: str
    months: frozenset[int]
    weekdays: str
    years: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Cron:
        fields = text.upper().split()
        if len(fields) != 6:
            raise ValueError(f"cron({text}): six fields are needed, the sixth is the year")
        minutes, hours, days, months, weekdays, years = fields
        if (days == "?") == (weekdays == "?"):
            raise ValueError(f"cron({text}): exactly one of day-of-month and day-of-week must be ?")
        cron = cls(
            minutes=_values(minutes, 0, 59),
            hours=_values(hours, 0, 23),
            days=days,
            months=_values(months, 1, 12, MONTHS),
            weekdays=weekdays,
            years=_values(years, 1970, LAST_YEAR),
        )
        cron._days_in(2024, 1)  # says now, not at midnight, that a day field is wrong
        return cron

    def next_after(self, moment: datetime) -> datetime | None:
        moment = (moment.astimezone(UTC) + timedelta(minutes=1)).replace(second=0, microsecond=0)
        for year in range(moment.year, LAST_YEAR + 1):
            if year not in self.years:
                continue
            for month in sorted(self.months):
                if (year, month) < (moment.year, moment.month):
                    continue
                found = self._next_in_month(year, month, moment)
                if found is not None:
                    return found
        return None

    def _next_in_month(self, year: int, month: int, moment: datetime) -> datetime | None:
        for day in sorted(self._days_in(year, month)):
            if (year, month, day) < (moment.year, moment.month, moment.day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    candidate = datetime(year, month, day, hour, minute, tzinfo=UTC)
                    if candidate >= moment:
                        return candidate
        return None

    def _days_in(self, year: int, month: int) -> set[int]:
        if self.weekdays == "?":
            found = (_days_of_month(part, year, month) for part in self.days.split(","))
        else:
            found = (_days_of_week(part, year, month) for part in self.weekdays.split(","))
        return set().union(*found)


def _values(field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """The numbers that ``*``, ``1,3``, ``1-5``, ``0/15`` or ``10-50/20`` stand for."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if slash and (not step.isdigit() or int(step) == 0):
            raise ValueError(f"{field!r}: the step after / must be a positive number")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = (_number(end, low, high, names) for end in span.split("-", 1))
        else:
            first = _number(span, low, high, names)
            last = high if slash else first
        wrapped = first > last  # FRI-MON
        numbers = [*range(first, high + 1), *range(low, last + 1)] if wrapped else list(range(first, last + 1))
        found.update(numbers[:: int(step)] if slash else numbers)
    return frozenset(found)


def _number(text: str, low: int, high: int, names: dict[str, int] | None) -> int:
    number = (names or {}).get(text, int(text) if text.isdigit() else -1)
    if not low <= number <= high:
        raise ValueError(f"{text!r} is not in {low}-{high}")
    return number


def _days_of_month(part: str, year: int, month: int) -> set[int]:
    last = calendar.monthrange(year, month)[1]
    if part == "L":
        return {last}
    if part == "LW":
        return {_nearest_weekday(year, month, last)}
    if part.endswith("W"):
        return {_nearest_weekday(year, month, min(_number(part[:-1], 1, 31, None), last))}
    return {day for day in _values(part, 1, 31) if day <= last}


def _nearest_weekday(year: int, month: int, day: int) -> int:
    last = calendar.monthrange(year, month)[1]
    weekday = calendar.weekday(year, month, day)
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < last else day - 2
    return day


def _days_of_week(part: str, year: int, month: int) -> set[int]:
    last = calendar.monthrange(year, month)[1]

    def on(weekday: int) -> list[int]:
        return [day for day in range(1, last + 1) if calendar.weekday(year, month, day) == (weekday - 2) % 7]

    if "#" in part:
        weekday, _, nth = part.partition("#")
        days = on(_number(weekday, 1, 7, DAYS))
        place = _number(nth, 1, 5, None)
        return {days[place - 1]} if place <= len(days) else set()
    if part == "L":
        return set(on(7))
    if part.endswith("L"):
        return {on(_number(part[:-1], 1, 7, DAYS))[-1]}
    return {day for weekday in _values(part, 1, 7, DAYS) for day in on(weekday)}
