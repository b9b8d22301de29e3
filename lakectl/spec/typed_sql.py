"""Pieces of SQL with a type, written for Spark and for Athena at once: literals, conversions, common types.

What the engines do differently is spelled out here, so that a piece means the same in both (Spark 3.5 without ANSI
mode, Trino as of Athena's engine version 3). What does not fit a type is NULL: `TRY` in Athena, `try_*` in Spark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lakectl.spec.column_types import MAX_PRECISION, decimal_of
from lakectl.spec.sql_parsing import Refused

NULL = "null"
INTEGERS = ("int", "bigint")
MAX_TEXT = 100_000  # characters of compiled SQL
# Digits that every value of the type has at most.
_DIGITS = {"int": 10, "bigint": 19}
_SPARK = {"string": "STRING", "int": "INT"}
_ATHENA = {"string": "VARCHAR", "int": "INTEGER", "timestamp": "TIMESTAMP(6)"}
_DATE = re.compile(r"(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_TIMESTAMP = re.compile(rf"{_DATE.pattern} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{{1,6}})?")


@dataclass(frozen=True)
class Typed:
    """``kind``: a column type, or ``null`` for a bare NULL. ``literal``: the value of an integer or text literal."""

    kind: str
    spark: str
    athena: str
    literal: int | str | None = None


def same(kind: str, template: str, *parts: Typed) -> Typed:
    """A piece whose text is the same in both engines but for its parts, which ``{0}``, ``{1}`` stand for."""
    return both(kind, template, template, *parts)


def both(kind: str, spark: str, athena: str, *parts: Typed) -> Typed:
    made = Typed(kind, spark.format(*(p.spark for p in parts)), athena.format(*(p.athena for p in parts)))
    if max(len(made.spark), len(made.athena)) > MAX_TEXT:  # some functions name their argument more than once
        raise Refused("too long; split it into several derived columns")
    return made


def is_number(kind: str) -> bool:
    return kind in (*INTEGERS, "double") or decimal_of(kind) is not None


def spark_type(kind: str) -> str:
    return _SPARK.get(kind, kind.upper())


def athena_type(kind: str) -> str:
    return _ATHENA.get(kind, kind.upper())


def text(value: str) -> Typed:
    """A text literal. Spark reads backslashes as escapes, does not know '' for a quote, and replaces ${…}."""
    spark = value.replace("\\", "\\\\").replace("'", "\\'").replace("$", "\\u0024")
    athena = value.replace("'", "''")
    return Typed("string", f"'{spark}'", f"'{athena}'", value)


def number(written: str) -> Typed:
    """A literal without a sign: an integer, a decimal (1.5) or a double (1e3)."""
    if re.fullmatch(r"\d+", written):
        value = int(written)
        if value >= 2**63:
            raise Refused(f"{written} is too large; a bigint has at most {2**63 - 1}")
        return Typed("int" if value < 2**31 else "bigint", str(value), str(value), value)
    if re.fullmatch(r"\d*\.\d*", written) and written != ".":
        whole, _, fraction = written.partition(".")
        whole = whole.lstrip("0")
        precision = max(len(whole) + len(fraction), 1)
        if precision > MAX_PRECISION:
            raise Refused(f"{written} has more than {MAX_PRECISION} digits")
        shown = f"{whole or '0'}.{fraction}" if fraction else whole or "0"
        kind = f"decimal({precision},{len(fraction)})"
        return both(kind, f"CAST({shown} AS {kind.upper()})", f"CAST({shown} AS {kind.upper()})")
    if re.fullmatch(r"(\d+\.?\d*|\.\d+)[eE][+-]?\d+", written):
        return _double(written)
    raise Refused(f"{written} is not a number")


def _double(written: str) -> Typed:
    value = float(written)
    if value == float("inf"):
        raise Refused(f"{written} is too large for a double")
    mantissa, _, exponent = repr(value).partition("e")
    shown = f"{mantissa}E{int(exponent or 0)}"
    return Typed("double", shown, shown)


def moment(kind: str, written: str) -> Typed:
    """DATE '2025-10-04' or TIMESTAMP '2025-10-04 12:30:00'."""
    pattern, example = (_DATE, "2025-10-04") if kind == "date" else (_TIMESTAMP, "2025-10-04 12:30:00")
    if not pattern.fullmatch(written):
        raise Refused(f"{written!r} is not a {kind}; expected for example {kind.upper()} '{example}'")
    import datetime

    try:
        datetime.datetime.fromisoformat(written)
    except ValueError as error:
        raise Refused(f"{written!r} is not a {kind}: {error}") from None
    return Typed(kind, f"{kind.upper()} '{written}'", f"{kind.upper()} '{written}'")


def common(kinds: Iterable[str], where: str) -> str:
    """The type that can hold a value of each of ``kinds`` without a loss. Refuses where there is none."""
    found = [kind for kind in dict.fromkeys(kinds) if kind != NULL]
    if not found:
        return NULL
    if len(found) == 1:
        return found[0]
    if set(found) == {"date", "timestamp"}:
        return "timestamp"
    if not all(is_number(kind) for kind in found):
        raise Refused(f"{where}: {' and '.join(found)} can't be compared or mixed", "convert one: CAST(… AS TYPE)")
    if "double" in found:
        return "double"
    if all(kind in INTEGERS for kind in found):
        return "bigint"
    whole, scale = 0, 0
    for kind in found:
        precision, digits = decimal_of(kind) or (_DIGITS[kind], 0)
        whole, scale = max(whole, precision - digits), max(scale, digits)
    return decimal(whole + scale, scale, where)


def decimal(precision: int, scale: int, where: str) -> str:
    if precision > MAX_PRECISION:
        raise Refused(
            f"{where}: the result needs {precision} digits; a decimal has at most {MAX_PRECISION}",
            "make an operand smaller: CAST(… AS decimal(p,s)) or CAST(… AS double)",
        )
    return f"decimal({precision},{scale})"


def as_decimal(piece: Typed) -> tuple[int, int]:
    """(precision, scale) of an integer or a decimal."""
    found = decimal_of(piece.kind)
    if found:
        return found
    return (len(str(abs(piece.literal))) if isinstance(piece.literal, int) else _DIGITS[piece.kind]), 0


def _least(piece: Typed) -> str:
    """The type of ``piece``; of an integer literal the decimal that has its digits."""
    return f"decimal({as_decimal(piece)[0]},0)" if isinstance(piece.literal, int) else piece.kind


def widened(piece: Typed, kind: str) -> Typed:
    """``piece`` as ``kind``, which can hold each of its values."""
    if piece.kind == kind:
        return piece
    if kind == "double" and isinstance(piece.literal, int):
        return _double(str(piece.literal))
    return both(kind, f"CAST({{0}} AS {spark_type(kind)})", f"CAST({{0}} AS {athena_type(kind)})", piece)


def alike(pieces: Sequence[Typed], where: str) -> list[Typed]:
    """All ``pieces`` in their common type. Integers of two sizes stay: both engines widen them alike."""
    exact = any(decimal_of(piece.kind) for piece in pieces) and all(piece.kind != "double" for piece in pieces)
    kind = common((_least(piece) if exact else piece.kind for piece in pieces), where)
    if kind == "bigint":
        return [piece if piece.kind in INTEGERS else widened(piece, kind) for piece in pieces]
    return [piece if kind == NULL else widened(piece, kind) for piece in pieces]


def cast(piece: Typed, kind: str) -> Typed:
    """CAST as users write it. A value that does not fit is NULL; a fraction is rounded, half away from zero."""
    old = piece.kind
    if old == kind:
        return piece
    if old == NULL or (old, kind) in (("int", "bigint"), ("date", "timestamp"), ("timestamp", "date")):
        return widened(piece, kind)
    if kind == "double" and is_number(old):
        return widened(piece, kind)
    target, athena = f" AS {spark_type(kind)})", f"TRY(CAST({{0}} AS {athena_type(kind)}))"
    if is_number(old) and is_number(kind):
        # Spark cuts a fraction off where it makes an integer; Athena rounds.
        rounds = kind in INTEGERS and old not in INTEGERS
        return both(kind, ("try_cast(round({0})" if rounds else "try_cast({0}") + target, athena, piece)
    if kind == "string":
        return _as_text(piece)
    if old == "boolean" and kind in INTEGERS:
        return widened(same("", "CASE WHEN {0} THEN 1 WHEN NOT {0} THEN 0 END", piece), kind)
    if old == "string" and kind in _GUARDS:
        # Each engine reads some texts that the other doesn't; what is of the wrong shape does not get that far.
        guarded = same(old, f"CASE WHEN {_GUARDS[kind]} THEN {{0}} END", piece)
        return both(kind, "try_cast({0}" + target, athena, guarded)
    if old == "string" and decimal_of(kind):
        guarded = same(old, f"CASE WHEN {_only('0123456789-.')} THEN {{0}} END", piece)
        return both(kind, "try_cast({0}" + target, athena, guarded)
    raise Refused(f"CAST of {old} AS {kind} is not supported")


def _only(characters: str) -> str:
    return f"translate({{0}}, '{characters}', '') = ''"


_GUARDS = {
    "int": _only("0123456789-"),
    "bigint": _only("0123456789-"),
    "double": _only("0123456789-.eE"),
    "date": "translate({0}, '0123456789', '') = '--' AND {0} LIKE '____-__-__'",
    "timestamp": "translate({0}, '0123456789', '') = '-- ::' AND {0} LIKE '____-__-__ __:__:__'",
}


def _as_text(piece: Typed) -> Typed:
    precise = decimal_of(piece.kind)
    if piece.kind in ("double", "timestamp"):
        way = "to decimal(p,s)" if piece.kind == "double" else "to date, or take its year, month, day and hour"
        raise Refused(f"CAST of {piece.kind} AS string gives another text in Athena than in Spark", f"convert it {way}")
    # Java writes a decimal of more places in powers of ten: 0E-7.
    if precise and precise[1] > 6:
        raise Refused(f"CAST of {piece.kind} AS string is not supported; at most 6 decimal places can be text")
    return both("string", "CAST({0} AS STRING)", "CAST({0} AS VARCHAR)", piece)
