"""Patterns of dates and timestamps in Java's letters: which there are, and what a pattern must hold.

https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/time/format/DateTimeFormatter.html
"""

from __future__ import annotations

import re

# Letter -> (how often it may stand in a row, what it is). No names of months in letters: they depend on a language.
LETTERS: dict[str, tuple[tuple[int, ...], str]] = {
    "y": ((4, 2), "year"),
    "u": ((4, 2), "year"),
    "M": ((1, 2, 3), "month"),
    "d": ((1, 2), "day"),
    "H": ((1, 2), "hour"),
    "h": ((1, 2), "hour"),
    "a": ((1,), "half"),
    "m": ((1, 2), "minute"),
    "s": ((1, 2), "second"),
    "S": (tuple(range(1, 10)), "fraction"),
    "X": ((1, 2, 3), "zone"),
    "x": ((1, 2, 3), "zone"),
    "Z": ((1,), "zone"),
}
ALLOWED = "yyyy yy uuuu uu M MM MMM d dd H HH h hh a m mm s ss S… X XX XXX x xx xxx Z, and text in '…'"
_TOKEN = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']")


def parts(pattern: str) -> list[str]:
    """The pattern cut into runs of one letter, texts in quotes and single other characters.

    Raises ValueError when a quote has no partner.
    """
    found, at = [], 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if not match:
            raise ValueError(f"{pattern!r}: a quote has no partner")
        found.append(match[0])
        at = match.end()
    return found


def check(pattern: str, kind: str) -> None:
    """Raises ValueError with one line when ``pattern`` can't be one of ``kind``, ``date`` or ``timestamp``."""
    seen: list[str] = []
    for part in parts(pattern):
        letter = part[0]
        if not letter.isalpha():
            if letter in "[]{}#":
                raise ValueError(f"{pattern!r}: {letter!r} is not supported; put it in quotes: '{letter}'")
            continue
        counts, field = LETTERS.get(letter, ((), ""))
        if len(part) not in counts:
            raise ValueError(f"{pattern!r}: {part!r} is not supported; allowed: {ALLOWED}")
        if field in seen:
            raise ValueError(f"{pattern!r}: it has the {field} twice")
        seen.append(field)
    missing = [field for field in ("year", "month", "day") if field not in seen]
    if missing:
        raise ValueError(f"{pattern!r}: it has no {' and no '.join(missing)}; for example yyyy-MM-dd")
    extra = [field for field in seen if field not in ("year", "month", "day")]
    if kind == "date" and extra:
        raise ValueError(f"{pattern!r}: a date has no {extra[0]}; make the column a timestamp")
    if ("half" in seen) != ("h" in "".join(p for p in parts(pattern) if p[0] == "h")):
        raise ValueError(f"{pattern!r}: h (1 to 12) and a (AM or PM) belong together; H counts from 0 to 23")
    for field, needs in (("minute", "hour"), ("second", "minute"), ("fraction", "second")):
        if field in seen and needs not in seen:
            raise ValueError(f"{pattern!r}: it has the {field}, but no {needs}")


def has_zone(pattern: str) -> bool:
    """Whether a timestamp of this pattern names its own offset."""
    return any(part[0] in "XxZ" for part in parts(pattern))
