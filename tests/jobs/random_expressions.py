"""Random SQL over the columns of a row, each piece with its value in plain Python, as docs/expressions.md has it.

A piece is of a family of types; which type exactly goes by the rules of that page: integers make a bigint, decimals
grow by the digits that they need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from operator import add, mul, sub
from random import Random
from typing import Any

EXACT = Context(prec=100)
MOST_DIGITS = 38
FAMILIES = ("whole", "decimal", "double", "boolean", "date", "timestamp", "string")
LITERALS: Mapping[str, tuple[str, ...]] = {
    "whole": ("0", "1", "2", "-3", "9000000000"),
    "decimal": ("2.5", "0.125", "10.00"),
    "double": ("0e0", "2.5e0", "1e-1"),
    "boolean": ("TRUE", "FALSE"),
    "date": ("DATE '2024-02-29'", "DATE '2025-01-31'"),
    "timestamp": ("TIMESTAMP '2025-01-02 03:04:05'", "TIMESTAMP '2024-12-31 23:59:59.5'"),
    "string": ("'x'", "' y '", "'it''s $1 \\ %'", "''"),
}


@dataclass(frozen=True)
class Sql:
    """``of``: its value for a row, by column; ``columns``: those that it names."""

    text: str
    kind: str
    of: Callable[[Mapping[str, Any]], Any]
    columns: frozenset[str] = frozenset()


def family(kind: str) -> str:
    return {"int": "whole", "bigint": "whole"}.get(kind, kind.partition("(")[0])


def expression(random: Random, columns: Mapping[str, str], wanted: str, depth: int = 2) -> Sql:
    """SQL of the family ``wanted`` over ``columns`` (name -> type)."""
    fitting = [name for name, kind in columns.items() if family(kind) == wanted]
    if depth == 0 or random.random() < 0.15:
        return (
            _column(random.choice(fitting), columns) if fitting and random.random() < 0.8 else _literal(random, wanted)
        )
    while (made := _made(random, columns, wanted, depth - 1)) is None:
        pass
    return made


def predicate(random: Random, columns: Mapping[str, str]) -> Sql:
    """A predicate that is true more often than not."""
    one, other = (expression(random, columns, "boolean") for _ in range(2))
    return _call("({0} OR {1})", "boolean", _or, one, other)


def declared(random: Random, piece: Sql) -> str:
    """A type that a derived column with this SQL may have."""
    if piece.kind == "int":
        return random.choice(("int", "bigint"))
    if family(piece.kind) == "decimal":
        digits, places = _digits(piece)
        return random.choice((piece.kind, f"decimal({min(digits + 3, MOST_DIGITS)},{places})"))
    return piece.kind


def _column(name: str, columns: Mapping[str, str]) -> Sql:
    # Names are compared without case.
    return Sql(name.upper(), columns[name], lambda row: row[name], frozenset({name}))


def _literal(random: Random, wanted: str) -> Sql:
    text = random.choice(LITERALS[wanted])
    value: Any
    if wanted == "whole":
        value = int(text)
        kind, text = ("int" if abs(value) < 2**31 else "bigint"), f"({text})" if value < 0 else text
    elif wanted == "decimal":
        value = Decimal(text)
        whole, _, places = text.partition(".")
        kind = f"decimal({len(whole.lstrip('0') + places)},{len(places)})"
    else:
        kind, inner = wanted, text.partition("'")[2].removesuffix("'")
        value = {
            "double": lambda: float(text),
            "boolean": lambda: text == "TRUE",
            "date": lambda: date.fromisoformat(inner),
            "timestamp": lambda: datetime.fromisoformat(inner),
            "string": lambda: inner.replace("''", "'"),
        }[wanted]()
    return Sql(text, kind, lambda _: value)


def _call(template: str, kind: str, value: Callable[..., Any], *parts: Sql) -> Sql:
    return Sql(
        template.format(*(part.text for part in parts)),
        kind,
        lambda row: value(*(part.of(row) for part in parts)),
        frozenset().union(*(part.columns for part in parts)),
    )


def _strict(value: Callable[..., Any]) -> Callable[..., Any]:
    """NULL where a part is NULL."""
    return lambda *parts: None if any(part is None for part in parts) else value(*parts)


# ---- what each form means


def _or(one: bool | None, other: bool | None) -> bool | None:
    return True if one or other else None if one is None or other is None else False


def _and(one: bool | None, other: bool | None) -> bool | None:
    return False if one is False or other is False else None if one is None or other is None else True


def _bigint(value: Callable[[int, int], int]) -> Callable[..., Any]:
    def within(one: int, other: int) -> int | None:
        found = value(one, other)
        return found if -(2**63) <= found < 2**63 else None

    return _strict(within)


def _remainder(one: int, other: int) -> int | None:
    return None if not other else abs(one) % abs(other) * (-1 if one < 0 else 1)


def _digits(piece: Sql) -> tuple[int, int]:
    """(digits, those behind the mark) that the values of an integer or a decimal can have."""
    if piece.kind.startswith("decimal"):
        digits, places = piece.kind.removeprefix("decimal(").removesuffix(")").split(",")
        return int(digits), int(places)
    if not piece.columns and piece.text.strip("()-").isdigit():
        return len(piece.text.strip("()-")), 0
    return {"int": 10, "bigint": 19}[piece.kind], 0


def _decimal(digits: int, places: int) -> str | None:
    return f"decimal({digits},{places})" if digits < MOST_DIGITS else None


def _common(*pieces: Sql) -> str | None:
    """The type of a CASE or coalesce over pieces of one family."""
    kinds = {piece.kind for piece in pieces}
    if len(kinds) == 1:
        return kinds.pop()
    if kinds <= {"int", "bigint"}:
        return "bigint"
    sizes = [_digits(piece) for piece in pieces]
    places = max(size[1] for size in sizes)
    return _decimal(max(size[0] - size[1] for size in sizes) + places, places)


def _made(random: Random, columns: Mapping[str, str], wanted: str, depth: int) -> Sql | None:
    """One form around smaller pieces; None where that has no type."""

    def piece(of: str = wanted) -> Sql:
        return expression(random, columns, of, depth)

    form = random.choice(("case", "coalesce", "nullif", "own", "own", "own"))
    if form == "own":
        return _FORMS[wanted](random, piece)
    one, other = piece(), piece()
    kind = _common(one, other)
    if kind is None:
        return None
    if form == "coalesce":
        return _call("coalesce({0}, {1})", kind, lambda a, b: b if a is None else a, one, other)
    if form == "nullif":
        return _call("nullif({0}, {1})", kind, lambda a, b: None if a == b else a, one, other)
    test, text = piece("boolean"), "CASE WHEN {0} THEN {1} ELSE {2} END"
    return _call(text, kind, lambda test, a, b: a if test else b, test, one, other)


Piece = Callable[..., Sql]


def _whole(random: Random, piece: Piece) -> Sql:
    sign, value = random.choice((("+", add), ("-", sub), ("*", mul), ("%", None), ("", None), ("", None)))
    if value:
        return _call(f"({{0}} {sign} {{1}})", "bigint", _bigint(value), piece(), piece())
    if sign:
        return _call("({0} % {1})", "bigint", _strict(_remainder), piece(), piece())
    if random.random() < 0.3:
        return _call("length({0})", "bigint", _strict(len), piece("string"))
    if random.random() < 0.3:
        days = _strict(lambda a, b: (b - a).days)
        return _call("date_diff('day', {0}, {1})", "bigint", days, piece("date"), piece("date"))
    field = random.choice(("year", "month", "day"))
    moment = piece(random.choice(("date", "timestamp")))
    return _call(f"{field}({{0}})", "bigint", _strict(lambda value: getattr(value, field)), moment)


def _of_decimals(random: Random, piece: Piece) -> Sql | None:
    one, other = piece(), piece(random.choice(("decimal", "decimal", "whole")))
    if random.random() < 0.5:
        one, other = other, one
    (left, left_places), (right, right_places) = _digits(one), _digits(other)
    if random.random() < 0.5:
        kind = _decimal(left + right, left_places + right_places)
        return kind and _call("({0} * {1})", kind, _strict(EXACT.multiply), one, other)  # type: ignore[return-value]
    sign, value = random.choice((("+", EXACT.add), ("-", EXACT.subtract)))
    places = max(left_places, right_places)
    kind = _decimal(max(left - left_places, right - right_places) + places + 1, places)
    return kind and _call(f"({{0}} {sign} {{1}})", kind, _strict(value), one, other)  # type: ignore[return-value]


def _double(random: Random, piece: Piece) -> Sql:
    if random.random() < 0.3:
        return _call("CAST({0} AS double)", "double", _strict(float), piece(random.choice(("whole", "decimal"))))
    signs = (("+", add), ("-", sub), ("*", mul), ("/", lambda a, b: a / b if b else None))
    sign, value = random.choice(signs)
    return _call(f"({{0}} {sign} {{1}})", "double", _strict(value), piece(), piece())


_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def _boolean(random: Random, piece: Piece) -> Sql | None:
    form = random.choice(("compare", "compare", "compare", "logic", "not", "null", "between", "in", "like"))
    if form == "logic":
        sign, value = random.choice((("AND", _and), ("OR", _or)))
        return _call(f"({{0}} {sign} {{1}})", "boolean", value, piece(), piece())
    if form == "not":
        return _call("(NOT {0})", "boolean", _strict(lambda value: not value), piece())
    if form == "like":
        return _call("({0} LIKE 'x%')", "boolean", _strict(lambda text: text.startswith("x")), piece("string"))
    of = random.choice([each for each in FAMILIES if each != "boolean"])
    if form == "null":
        sign = random.choice(("IS NULL", "IS NOT NULL"))
        return _call(f"({{0}} {sign})", "boolean", lambda value: (value is None) == (sign == "IS NULL"), piece(of))
    pieces = [piece(of) for _ in range(2 if form == "compare" else 3)]
    if _common(*pieces) is None:
        return None
    if form == "compare":
        sign = random.choice(tuple(_COMPARED))
        return _call(f"({{0}} {sign} {{1}})", "boolean", _strict(_COMPARED[sign]), *pieces)
    if form == "between":
        return _call("({0} BETWEEN {1} AND {2})", "boolean", _between, *pieces)
    return _call("({0} IN ({1}, {2}))", "boolean", _in, *pieces)


def _between(value: Any, low: Any, high: Any) -> bool | None:
    return _and(_strict(_COMPARED[">="])(value, low), _strict(_COMPARED["<="])(value, high))


def _in(value: Any, one: Any, other: Any) -> bool | None:
    equal = _strict(_COMPARED["="])
    return _or(equal(value, one), equal(value, other))


def _date(random: Random, piece: Piece) -> Sql:
    form = random.choice(("interval", "add", "of", "trunc"))
    if form == "interval":
        sign, days = random.choice(("+", "-")), random.randrange(400)
        moved = timedelta(days if sign == "+" else -days)
        return _call(f"({{0}} {sign} INTERVAL '{days}' DAY)", "date", _strict(lambda day: day + moved), piece())
    if form == "add":
        days = random.randrange(400)
        return _call(f"date_add('day', {days}, {{0}})", "date", _strict(lambda day: day + timedelta(days)), piece())
    if form == "of":
        return _call("CAST({0} AS date)", "date", _strict(lambda moment: moment.date()), piece("timestamp"))
    return _call("date_trunc('month', {0})", "date", _strict(lambda day: day.replace(day=1)), piece())


def _timestamp(random: Random, piece: Piece) -> Sql:
    form = random.choice(("interval", "of", "trunc"))
    if form == "interval":
        moved = timedelta(minutes=90)
        return _call("({0} - INTERVAL '90' MINUTE)", "timestamp", _strict(lambda moment: moment - moved), piece())
    if form == "of":
        midnight = _strict(lambda day: datetime(day.year, day.month, day.day))
        return _call("CAST({0} AS timestamp)", "timestamp", midnight, piece("date"))
    hour = _strict(lambda moment: moment.replace(minute=0, second=0, microsecond=0))
    return _call("date_trunc('hour', {0})", "timestamp", hour, piece())


def _string(random: Random, piece: Piece) -> Sql | None:
    form = random.choice(("join", "join", "upper", "trim", "substr", "cast"))
    if form == "join":
        return _call("({0} || {1})", "string", _strict(add), piece(), piece())
    if form == "upper":
        return _call("upper({0})", "string", _strict(str.upper), piece())
    if form == "trim":
        return _call("trim({0})", "string", _strict(lambda text: text.strip(" ")), piece())
    if form == "substr":
        return _call("substr({0}, 2, 2)", "string", _strict(lambda text: text[1:3]), piece())
    of = piece(random.choice(("whole", "decimal", "date", "boolean")))
    if of.kind.startswith("decimal"):
        places = _digits(of)[1]
        return (
            _call("CAST({0} AS string)", "string", _strict(lambda value: f"{value:.{places}f}"), of)
            if places < 7
            else None
        )
    return _call("CAST({0} AS string)", "string", _strict(lambda value: str(value).lower()), of)


_FORMS: Mapping[str, Callable[[Random, Piece], Sql | None]] = {
    "whole": _whole, "decimal": _of_decimals, "double": _double, "boolean": _boolean, "date": _date,
    "timestamp": _timestamp, "string": _string,
}  # fmt: skip
