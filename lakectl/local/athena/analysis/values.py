"""A typed expression, and the errors that name its place in the statement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from lakectl.local.athena import sqltypes
from lakectl.local.athena.dialect import START
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import Type
from lakectl.local.athena.statements import position_of


@dataclass(frozen=True)
class Value:
    """``sql`` computes it in DuckDB, as ``type.physical``.

    ``constant``: of a literal. ``instant`` and ``zone``: of a timestamp with time zone, where they are known apart.
    ``simple``: a column or a literal, whose physical type is certain.
    """

    sql: str
    type: Type
    constant: Any = None
    instant: str | None = None
    zone: str | None = None
    simple: bool = False

    @property
    def moment(self) -> str:
        """The instant of a timestamp with time zone, as TIMESTAMPTZ."""
        return self.instant or f"({self.sql}).t"

    @property
    def zone_sql(self) -> str:
        return self.zone or f"({self.sql}).z"

    @property
    def local(self) -> str:
        """The local time of a timestamp with time zone, as TIMESTAMP."""
        return local_of(self.moment, self.zone_sql)

    def named(self, kind: Type) -> Value:
        return replace(self, type=kind)


NULL = Value("NULL", sqltypes.UNKNOWN, simple=True)


def _literal_zone(zone: str) -> str | None:
    """The name of a zone that is the same in all rows."""
    return zone[1:-1] if zone.startswith("'") and zone.count("'") == 2 else None


def _minutes(name: str) -> int:
    return (int(name[1:3]) * 60 + int(name[4:6])) * (-1 if name[0] == "-" else 1)


def local_of(instant: str, zone: str) -> str:
    """The local time of an instant. The macros look at their arguments often, and a nested call grows by that."""
    name = _literal_zone(zone)
    if name is None:
        return f"athena_local({instant}, {zone})"
    if name[0] in "+-":
        return f"(timezone('UTC', {instant}) + to_minutes({_minutes(name)}))"
    return f"timezone({zone}, {instant})"


def instant_of(local: str, zone: str) -> str:
    """The instant of a local time."""
    name = _literal_zone(zone)
    if name is None:
        return f"athena_instant({local}, {zone})"
    if name[0] in "+-":
        return f"timezone('UTC', {local} - to_minutes({_minutes(name)}))"
    return f"timezone({zone}, {local})"


def zoned(instant: str, zone: str, precision: int) -> Value:
    """A timestamp with time zone of up to six digits."""
    sql = f"struct_pack(t := {instant}, z := {zone})"
    kind = sqltypes.timestamp(precision, zoned=True)
    sql = f"CASE WHEN ({instant}) IS NULL OR ({zone}) IS NULL THEN NULL ELSE {sql} END"
    return Value(sql, kind, instant=instant, zone=zone)


def text(value: str) -> str:
    """A string literal of DuckDB's, which can't hold the character of number 0."""
    quoted = "'" + value.replace("'", "''") + "'"
    return "(" + quoted.replace("\0", "' || chr(0) || '") + ")" if "\0" in value else quoted


def string(value: str) -> Value:
    return Value(text(value), sqltypes.varchar(len(value)), constant=value, simple=True)


def start_of(node: exp.Expr, sql: str) -> tuple[int, int] | None:
    """Where an expression begins in the statement; None if the tree kept no position for it."""
    starts = [int(part.meta[key]) for part in node.walk() for key in ("start", START) if key in part.meta]
    return position_of(sql, min(starts)) if starts else None


def end_of(node: exp.Expr) -> int:
    """The last character of an expression's last name or literal; -1 if there is none."""
    return max((int(part.meta["end"]) for part in node.walk() if "end" in part.meta), default=-1)


def unsupported(what: str, position: tuple[int, int] | None = None) -> QueryError:
    return QueryError("NOT_SUPPORTED", f"{what} is not supported by the local Athena; it works on AWS", position)


def type_of(node: exp.Expr, sql: str = "") -> Type:
    """The type that a CAST names. Raises QueryError where Trino knows no such type."""
    written = _written(node)
    try:
        kind = sqltypes.parse(written)
    except (ValueError, IndexError, KeyError):
        raise QueryError("TYPE_NOT_FOUND", f"Unknown type: {written}", start_of(node, sql)) from None
    _check(kind)
    return kind


def _check(kind: Type) -> None:
    if kind.name == "decimal":
        precision, scale = kind.numbers
        if not 1 <= precision <= 38:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"DECIMAL precision must be in range [1, 38]: {precision}")
        if scale > precision:
            raise QueryError(
                "INVALID_FUNCTION_ARGUMENT", f"DECIMAL scale must be in range [0, precision ({precision})]: {scale}"
            )
    if kind.name.startswith(("timestamp", "time")) and kind.precision > 12:
        raise QueryError("NOT_SUPPORTED", f"{kind.name.upper()} precision must be in range [0, 12]: {kind.precision}")
    for item in kind.items:
        _check(item)


_NAMES = {
    "INT": "integer",
    "FLOAT": "real",
    "TEXT": "varchar",
    "STRUCT": "row",
    "VARBINARY": "varbinary",
    "DATETIME": "timestamp",
    "TIMESTAMPNTZ": "timestamp",
}


def _written(node: exp.Expr) -> str:
    if isinstance(node, exp.ColumnDef):
        name = node.this.name if node.this.args.get("quoted") else node.this.name.lower()
        return f'"{name}" {_written(node.args["kind"])}'
    if isinstance(node, exp.DataTypeParam):
        return str(node.name)
    if isinstance(node, exp.Interval):
        return _interval(node.args["unit"])
    if not isinstance(node, exp.DataType):
        return str(node.name or node.sql(dialect="trino"))
    if isinstance(node.this, exp.Interval):
        return _interval(node.this.args["unit"])
    name = node.this.name if isinstance(node.this, exp.DType) else str(node.this)
    if name == "USERDEFINED":
        return str(node.args.get("kind"))
    name = _NAMES.get(name, name.lower())
    inner = ", ".join(_written(item) for item in node.expressions)
    suffix = ""
    if name in ("timestamptz", "timetz"):
        name, suffix = name.removesuffix("tz"), " with time zone"
    return f"{name}({inner}){suffix}" if inner else f"{name}{suffix}"


def _interval(unit: exp.Expr) -> str:
    first = unit.this.name if isinstance(unit, exp.IntervalSpan) else unit.name
    return "interval year to month" if first.upper() in ("YEAR", "MONTH") else "interval day to second"
