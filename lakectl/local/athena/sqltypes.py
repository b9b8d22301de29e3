"""Trino's types: what they are called, what coerces to what, and how DuckDB holds their values.

https://trino.io/docs/current/language/types.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

INTEGRAL = ("tinyint", "smallint", "integer", "bigint")
DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_NUMBERS = (*INTEGRAL, "decimal", "real", "double")
_NAMES = {"int": "integer", "string": "varchar", "float": "real", "numeric": "decimal", "dec": "decimal"}
_PLAIN = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "varchar": "VARCHAR",
    "char": "VARCHAR",  # without the spaces at its end
    "varbinary": "BLOB",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "json": "VARCHAR",  # the text of the value
    "uuid": "VARCHAR",
    "ipaddress": "VARCHAR",
    "interval year to month": "INTEGER",  # months
    "interval day to second": "BIGINT",  # milliseconds
    "unknown": "INTEGER",
    "time with time zone": "STRUCT(t TIME, z INTEGER)",  # local time, minutes from UTC
}
PICOSECONDS = "STRUCT(t TIMESTAMP, p BIGINT)"  # p: picoseconds within the microsecond
ZONED = "STRUCT(t TIMESTAMPTZ, z VARCHAR)"
ZONED_PICOSECONDS = "STRUCT(t TIMESTAMPTZ, p BIGINT, z VARCHAR)"


@dataclass(frozen=True)
class Type:
    """``numbers``: length, precision and scale. ``items``: the types within an array, a map or a row."""

    name: str
    numbers: tuple[int, ...] = ()
    items: tuple[Type, ...] = ()
    fields: tuple[str | None, ...] = ()  # of a row; None has no name

    def __str__(self) -> str:
        if self.name == "row":
            return f"row({', '.join(_field(*each) for each in zip(self.fields, self.items, strict=True))})"
        if self.items:
            return f"{self.name}({', '.join(map(str, self.items))})"
        if not self.numbers:
            return self.name
        base, _, rest = self.name.partition(" ")
        return f"{base}({','.join(map(str, self.numbers))}){' ' if rest else ''}{rest}"

    @property
    def is_number(self) -> bool:
        return self.name in _NUMBERS

    @property
    def is_integral(self) -> bool:
        return self.name in INTEGRAL

    @property
    def is_float(self) -> bool:
        return self.name in ("real", "double")

    @property
    def is_zoned(self) -> bool:
        return self.name == "timestamp with time zone"

    @property
    def precision(self) -> int:
        """Fractional digits of seconds."""
        return self.numbers[0] if self.numbers else 3

    @property
    def physical(self) -> str:
        """DuckDB's type."""
        if self.name == "decimal":
            return "DECIMAL({},{})".format(*self.numbers)
        if self.name == "array":
            return f"{self.items[0].physical}[]"
        if self.name == "map":
            return f"MAP({self.items[0].physical}, {self.items[1].physical})"
        if self.name == "row":
            return f"STRUCT({', '.join(f'f{at} {item.physical}' for at, item in enumerate(self.items))})"
        if self.name == "timestamp":
            return PICOSECONDS if self.precision > 6 else "TIMESTAMP"
        if self.name == "timestamp with time zone":
            return ZONED_PICOSECONDS if self.precision > 6 else ZONED
        return _PLAIN[self.name]

    def holds(self, *names: str) -> bool:
        """Whether the type is, or has within it, one of ``names``."""
        return self.name in names or any(item.holds(*names) for item in self.items)


def _field(name: str | None, kind: Type) -> str:
    if name is None:
        return str(kind)
    shown = name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
    return f"{shown} {kind}"


def decimal(precision: int, scale: int) -> Type:
    return Type("decimal", (min(38, precision), scale))


def varchar(length: int) -> Type:
    return Type("varchar", (length,))


def array(item: Type) -> Type:
    return Type("array", items=(item,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", items=(key, value))


def row(items: tuple[Type, ...], fields: tuple[str | None, ...] | None = None) -> Type:
    return Type("row", items=items, fields=fields or (None,) * len(items))


BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT = (Type(n) for n in ("boolean", "tinyint", "smallint", "integer", "bigint"))
REAL, DOUBLE, VARCHAR, VARBINARY, DATE = (Type(n) for n in ("real", "double", "varchar", "varbinary", "date"))
JSON, UUID, IPADDRESS, UNKNOWN = (Type(n) for n in ("json", "uuid", "ipaddress", "unknown"))
MONTHS, SECONDS = Type("interval year to month"), Type("interval day to second")


def timestamp(precision: int, zoned: bool = False) -> Type:
    return Type("timestamp with time zone" if zoned else "timestamp", (precision,))


_TOKEN = re.compile(r'\s*("(?:[^"]|"")*"|[\w$.]+|[(),<>:])')


@lru_cache(maxsize=4096)
def parse(text: str) -> Type:
    """A type's text, in Trino's notation: ``map(varchar,row(a bigint))``. Raises ValueError."""
    tokens = _TOKEN.findall(text)
    kind, at = _parse(tokens, 0)
    if at != len(tokens):
        raise ValueError(f"not a type: {text}")
    return kind


def _parse(tokens: list[str], at: int) -> tuple[Type, int]:
    name = tokens[at].lower()
    at += 1
    if name == "interval":
        words = " ".join(tokens[at : at + 3]).lower()
        return Type(f"interval {words}"), at + 3
    if name == "double" and at < len(tokens) and tokens[at].lower() == "precision":
        at += 1
    inner: list[tuple[str | None, Type | int]] = []
    if at < len(tokens) and tokens[at] == "(":
        at += 1
        while tokens[at] != ")":
            if tokens[at].isdigit():
                inner.append((None, int(tokens[at])))
                at += 1
            else:
                field = None
                if name == "row" and tokens[at + 1] not in (",", ")", "(") and not _is_zone(tokens, at):
                    field = tokens[at].strip('"').lower() if tokens[at][0] != '"' else tokens[at][1:-1]
                    at += 1
                kind, at = _parse(tokens, at)
                inner.append((field, kind))
            at += tokens[at] == ","
        at += 1
    zone = " ".join(tokens[at : at + 3]).lower()
    if name in ("timestamp", "time") and zone == "with time zone":
        name, at = f"{name} with time zone", at + 3
    name = _NAMES.get(name, name)
    numbers = tuple(item for _, item in inner if isinstance(item, int))
    items = tuple(item for _, item in inner if isinstance(item, Type))
    if name == "decimal":
        numbers = (numbers or (38,)) + (0,) if len(numbers) < 2 else numbers
    if name == "char" and not numbers:
        numbers = (1,)
    if name.startswith(("timestamp", "time")) and not numbers:
        numbers = (3,)
    if name not in _PLAIN and name not in ("decimal", "array", "map", "row", "timestamp with time zone", "function"):
        raise ValueError(f"Unknown type: {name}")
    fields = tuple(field for field, item in inner if isinstance(item, Type)) if name == "row" else ()
    return Type(name, numbers, items, fields), at


def _is_zone(tokens: list[str], at: int) -> bool:
    return tokens[at].lower() in ("timestamp", "time", "interval", "double") and tokens[at + 1].lower() in (
        "with",
        "year",
        "day",
        "precision",
    )


def as_decimal(kind: Type) -> Type | None:
    """The decimal that holds every value of an integer or decimal type; else None."""
    if kind.name == "decimal":
        return kind
    return Type("decimal", (DIGITS[kind.name], 0)) if kind.name in DIGITS else None


def common(first: Type, second: Type) -> Type | None:
    """The type that both coerce to (Trino's common super type); None if there is none."""
    if first == second:
        return first
    if first.name == "unknown":
        return second
    if second.name == "unknown":
        return first
    if first.is_number and second.is_number:
        return _common_number(first, second)
    names = {first.name, second.name}
    if names <= {"varchar", "char"}:
        if "char" in names:  # so that a char column equals a literal without the spaces at its end
            lengths = [min(65536, kind.numbers[0]) if kind.numbers else 65536 for kind in (first, second)]
            return Type("char", (max(lengths),))
        lengths = [kind.numbers[0] for kind in (first, second) if kind.numbers]
        return varchar(max(lengths)) if len(lengths) == 2 else VARCHAR
    if names <= {"date", "timestamp", "timestamp with time zone"} and len(names | {"date"}) > 1:
        precision = max(kind.precision if kind.name != "date" else 0 for kind in (first, second))
        return timestamp(precision, zoned="timestamp with time zone" in names)
    if names <= {"time", "time with time zone"}:
        name = "time with time zone" if "time with time zone" in names else "time"
        return Type(name, (max(first.precision, second.precision),))
    if first.name == second.name and first.name in ("array", "map", "row") and len(first.items) == len(second.items):
        items = [common(*pair) for pair in zip(first.items, second.items, strict=True)]
        fields = tuple(a if a == b else None for a, b in zip(first.fields, second.fields, strict=True))
        found = tuple(item for item in items if item is not None)
        return Type(first.name, items=found, fields=fields) if len(found) == len(items) else None
    return None


def _common_number(first: Type, second: Type) -> Type:
    for name in ("double", "real"):
        if name in (first.name, second.name):
            return Type(name)
    if first.is_integral and second.is_integral:
        return max(first, second, key=lambda kind: DIGITS[kind.name])
    one, other = as_decimal(first), as_decimal(second)
    if one is None or other is None:
        raise ValueError("two numbers have a common type")
    (p1, s1), (p2, s2) = one.numbers, other.numbers
    return decimal(max(p1 - s1, p2 - s2) + max(s1, s2), max(s1, s2))


def coerces(given: Type, wanted: Type) -> bool:
    """Whether Trino converts ``given`` to ``wanted`` without a CAST."""
    return given == wanted or _same_but_names(given, wanted) or _coerces(given, wanted)


def _same_but_names(given: Type, wanted: Type) -> bool:
    if given.name != wanted.name or given.numbers != wanted.numbers or len(given.items) != len(wanted.items):
        return False
    return all(coerces(*pair) for pair in zip(given.items, wanted.items, strict=True))


def _coerces(given: Type, wanted: Type) -> bool:
    if given.name == "decimal" and wanted.name == "decimal":
        (p1, s1), (p2, s2) = given.numbers, wanted.numbers
        return p1 - s1 <= p2 - s2 and s1 <= s2
    if given.name in ("timestamp", "time") and wanted.name.startswith(given.name):
        return given.precision <= wanted.precision or wanted.name != given.name
    if given.name == "date" and wanted.name.startswith("timestamp"):
        return True
    return common(given, wanted) == wanted
