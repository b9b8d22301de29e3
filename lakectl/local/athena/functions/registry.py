"""The table of functions: for each its signatures, as Trino declares them, and the SQL that means the same in DuckDB.

A signature is written as in Trino's documentation: ``strpos(varchar, varchar) -> bigint``. A capital letter stands for
any type, ``integral`` for any integer type, a last ``...`` for one or more arguments; types without numbers take any.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis.values import Value, unsupported
from lakectl.local.athena.sqltypes import Type

SCALAR, AGGREGATE, WINDOW = "scalar", "aggregate", "window"
Sql = str | Callable[..., str]


@dataclass(frozen=True)
class Function:
    """One signature of a function. ``sql``: a template with ``{0}`` …, or a function of the arguments (Values).

    In an aggregate's template ``{over}`` is where FILTER and OVER go. ``result``: a function of the arguments' types,
    where the signature can't say it.
    """

    name: str
    arguments: tuple[str, ...]
    returns: str
    variadic: bool
    sql: Sql
    kind: str
    result: Callable[..., Type] | None
    page: str

    @property
    def shown(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"

    def render(self, values: Sequence[Value], over: str = "") -> str:
        if callable(self.sql):
            return self.sql(*values).replace("{over}", over)
        sql = self.sql.replace("{over}", over)
        if "{all}" in sql:
            sql = sql.replace("{all}", ", ".join(value.sql for value in values))
        return re.sub(r"\{(\d)\}", lambda found: values[int(found[1])].sql, sql)


TABLE: dict[str, list[Function]] = {}
_SIGNATURE = re.compile(r"(\w+)\((.*)\)\s*->\s*(.+)", re.S)


class Family:
    """Adds rows of one page of Trino's documentation to the table."""

    def __init__(self, page: str) -> None:
        self.page = f"https://trino.io/docs/current/functions/{page}.html"

    def add(
        self, signature: str, sql: Sql, result: Callable[..., Type] | None = None, kind: str = SCALAR, names: str = ""
    ) -> None:
        """``names``: further names of the same function."""
        found = _SIGNATURE.fullmatch(signature.strip())
        if found is None:
            raise ValueError(f"not a signature: {signature}")
        arguments = split(found[2])
        variadic = bool(arguments) and arguments[-1].endswith("...")
        arguments = [argument.removesuffix("...") for argument in arguments]
        for name in (found[1], *names.split()):
            row = Function(name, tuple(arguments), found[3], variadic, sql, kind, result, self.page)
            TABLE.setdefault(name, []).append(row)

    def aggregate(self, signature: str, sql: Sql, result: Callable[..., Type] | None = None, names: str = "") -> None:
        self.add(signature, sql, result, AGGREGATE, names)

    def refuse(self, signature: str, kind: str = SCALAR) -> None:
        """A signature that Trino has and that is not supported here."""
        name = signature.partition("(")[0]

        def sql(*values: Value) -> str:
            given = ", ".join(str(value.type) for value in values)
            raise unsupported(f"function {name}({given})")

        self.add(f"{signature} -> unknown", sql, kind=kind)

    def window(self, signature: str, sql: Sql, result: Callable[..., Type] | None = None) -> None:
        self.add(signature, sql, result, WINDOW)


def split(text: str) -> list[str]:
    """The parts between the commas that stand in no parentheses."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


Bound = dict[str, Type]


EXACT, NUMBERS, ANY = range(3)  # which arguments may be widened


def bind(pattern: str, given: Type, bound: Bound, widening: int) -> bool:
    """Whether a value of type ``given`` may stand where ``pattern`` is declared; fills ``bound``."""
    if len(pattern) == 1 and pattern.isupper():
        return _bind_variable(pattern, given, bound)
    if pattern == "integral":
        if given.is_integral or given.name == "unknown":
            bound.setdefault("integral", given if given.is_integral else sqltypes.BIGINT)
            return True
        return False
    name, inner = _taken_apart(pattern)
    if given.name == "unknown":
        return widening == ANY
    if inner and name in ("array", "map", "row"):
        if given.name != name or len(given.items) != len(inner):
            return False
        return all(bind(part, item, bound, widening) for part, item in zip(inner, given.items, strict=True))
    if name == given.name:
        return True
    return widening >= (NUMBERS if given.is_number else ANY) and _widens(given, name)


def _bind_variable(pattern: str, given: Type, bound: Bound) -> bool:
    before = bound.get(pattern)
    if before is None or before == given:
        bound[pattern] = given
        return True
    found = sqltypes.common(before, given)
    if found is None:
        return False
    bound[pattern] = found
    return True


@lru_cache(maxsize=2048)
def _taken_apart(pattern: str) -> tuple[str, tuple[str, ...]]:
    name, found, rest = pattern.partition("(")
    if not found:
        return pattern, ()
    inner, _, tail = rest.rpartition(")")
    return (name + tail).strip(), tuple(split(inner))


def _widens(given: Type, name: str) -> bool:
    if name == "decimal":
        return given.is_integral
    if name == "char":
        return given.name == "varchar"
    if name in ("array", "map", "row", "json"):
        return False
    try:
        return sqltypes.coerces(given, sqltypes.parse(name))
    except ValueError:
        return False


def filled(pattern: str, bound: Bound) -> Type:
    """The type that a pattern stands for once its variables are known."""
    if pattern in bound:
        return bound[pattern]
    if len(pattern) == 1 and pattern.isupper():
        return sqltypes.UNKNOWN  # of NULL and of an empty array
    name, inner = _taken_apart(pattern)
    if inner and name in ("array", "map"):
        return Type(name, items=tuple(filled(part, bound) for part in inner))
    if inner and name == "row":
        return sqltypes.row(tuple(filled(part, bound) for part in inner))
    return sqltypes.parse(pattern)


def wanted(pattern: str, given: Type, bound: Bound) -> Type:
    """The type that an argument is converted to: its own, if the pattern leaves its numbers open."""
    if pattern in bound:
        return bound[pattern]
    name, inner = _taken_apart(pattern)
    if inner and name in ("array", "map", "row") and given.name == name:
        items = tuple(wanted(part, item, bound) for part, item in zip(inner, given.items, strict=True))
        return Type(name, items=items, fields=given.fields)
    if name == given.name or (name == "varchar" and given.name == "varchar"):
        return given
    if name == "decimal":
        found = sqltypes.as_decimal(given)
        return found or sqltypes.decimal(38, 0)
    if name == "char" and given.name == "varchar":
        return Type("char", (min(65536, given.numbers[0]) if given.numbers else 65536,))
    if name == "timestamp with time zone" and given.name in ("date", "timestamp"):
        return sqltypes.timestamp(given.precision, zoned=True)
    return filled(pattern, bound)


def is_lambda(pattern: str) -> bool:
    return pattern.startswith("function(")


def lambda_parts(pattern: str) -> tuple[tuple[str, ...], str]:
    """``function(T, U)`` → (("T",), "U")."""
    _, inner = _taken_apart(pattern)
    return inner[:-1], inner[-1]


def applied(function: Value, *arguments: str) -> str:
    """A lambda's body, with these in the place of its arguments."""
    names, body = function.constant
    places = dict(zip(names, arguments, strict=True))
    return re.sub(r"\bx\d+\b", lambda found: places.get(found[0], found[0]), body)
