"""SQL of derived columns and checks: read, judged, and written for Spark and for Athena so that it means the same.

The operators are here; the functions are a list of their own (:mod:`lakectl.spec.sql_functions`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakectl.spec import column_types, parsed_sql, sql_functions, sql_parsing
from lakectl.spec.column_types import decimal_of
from lakectl.spec.model import Expression
from lakectl.spec.sql_parsing import MAX_DEPTH, Refused
from lakectl.spec.typed_sql import (
    INTEGERS,
    NULL,
    Typed,
    alike,
    as_decimal,
    both,
    cast,
    common,
    decimal,
    is_number,
    moment,
    number,
    same,
    text,
    widened,
)

__all__ = ["Refused", "UnknownColumn", "compile_sql", "typed"]

_COMPARISONS = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_INTERVALS = ("year", "month", "day", "hour", "minute", "second")
# What each kind of node may hold beside its operands. Anything else, as a format of CAST, is refused.
_ARGUMENTS = {
    "Anonymous": {"expressions"},
    "Between": {"low", "high", "symmetric"},
    "Case": {"ifs", "default"},
    "Cast": {"to"},
    "Column": {"table", "db", "catalog"},
    "DPipe": {"safe"},
    "Div": {"typed", "safe"},
    "In": {"expressions", "query"},
    "Interval": {"unit"},
    "Like": {"negate"},
    "Literal": {"is_string"},
}
_WRITTEN = {
    "ilike": "ILIKE", "bracket": "[…]", "jsonextract": "->", "star": "*", "nullsafeeq": "IS NOT DISTINCT FROM",
    "nullsafeneq": "IS DISTINCT FROM", "intdiv": "DIV", "regexplike": "a regular expression", "concat": "'a' 'b'",
    "bitwisexor": "^", "bitwiseand": "&", "bitwiseor": "|", "bitwisenot": "~",
}  # fmt: skip


class UnknownColumn(Refused):
    def __init__(self, column: str) -> None:
        super().__init__(f"{column!r} is not a column")
        self.column = column


def compile_sql(sql: str, columns: Mapping[str, str], kind: str) -> Expression:
    """``sql`` over ``columns`` (name in lower case -> type) as a value of ``kind``.

    Raises UnknownColumn, and Refused for everything else that can't be: no SQL, a subquery, an aggregate, a window,
    what gives another value each time, a function or an operator that is not on the list, types that do not fit.
    """

    def compiled() -> list[Any]:
        used: dict[str, None] = {}
        return [*_declared(typed(sql, columns, used), kind), list(used)]

    spark, athena, named = parsed_sql.kept("expression", [sql, sorted(columns.items()), kind], compiled)
    return Expression(sql.strip(), spark, athena, tuple(named))


def typed(sql: str, columns: Mapping[str, str], used: dict[str, None] | None = None) -> Typed:
    """The type of ``sql`` and its two texts. The columns that it names are put into ``used``."""
    tree = sql_parsing.parse(sql)
    return _Compiler(columns, {} if used is None else used).piece(tree, 0)


def _declared(found: Typed, kind: str) -> tuple[str, str]:
    if kind == "boolean" and found.kind not in ("boolean", NULL):
        raise Refused(f"the expression is {found.kind}; expected a predicate, which is true or false")
    fits = found.kind in (kind, NULL) or column_types.widens(found.kind, kind)
    if not fits and decimal_of(kind) and is_number(found.kind) and found.kind != "double":
        fits = _holds(kind, found)
    if not fits:
        raise Refused(f"the expression is {found.kind}, not {kind}", f"write CAST(… AS {kind})")
    made = widened(found, kind)
    return made.spark, made.athena


def _holds(kind: str, found: Typed) -> bool:
    """Whether the decimal ``kind`` has room for every value of an integer or a decimal."""
    (most, places), (precision, scale) = decimal_of(kind) or (0, 0), as_decimal(found)
    return scale <= places and precision - scale <= most - places


class _Compiler:
    def __init__(self, columns: Mapping[str, str], used: dict[str, None]) -> None:
        self._columns = columns
        self._used = used

    def piece(self, node: Any, depth: int) -> Typed:
        if depth > MAX_DEPTH:
            raise Refused("the expression is nested too deeply")
        rule = getattr(self, f"_{type(node).__name__.lower()}", None)
        if rule is None and type(node).__name__ in _COMPARISONS:
            return self._compare(_COMPARISONS[type(node).__name__], self._parts(node, depth))
        if rule is None:
            raise _refusal(node)
        _only_known_arguments(node)
        made: Typed = rule(node, depth + 1)
        return made

    def _parts(self, node: Any, depth: int) -> list[Typed]:
        return [self.piece(node.this, depth + 1), self.piece(node.expression, depth + 1)]

    def _paren(self, node: Any, depth: int) -> Typed:
        return self.piece(node.this, depth)

    def _literal(self, node: Any, _: int) -> Typed:
        return text(node.this) if node.is_string else number(node.this)

    def _boolean(self, node: Any, _: int) -> Typed:
        return same("boolean", "TRUE" if node.this else "FALSE")

    def _null(self, _node: Any, _: int) -> Typed:
        return same(NULL, "NULL")

    def _column(self, node: Any, _: int) -> Typed:
        written = ".".join(part.name for part in node.parts)
        name = written.lower()
        if name in sql_functions.NOT_THE_SAME_TWICE and name not in self._columns:
            raise Refused(f"{written} gives another value each time; a derived column or check must not")
        if name not in self._columns:
            raise UnknownColumn(written)
        self._used[name] = None
        return Typed(self._columns[name], f"`{name}`", f'"{name}"')

    def _anonymous(self, node: Any, depth: int) -> Typed:
        function = sql_functions.find(str(node.this))
        given = node.expressions
        return function.make([self.piece(each, depth) for each in given])

    def _case(self, node: Any, depth: int) -> Typed:
        operand = self.piece(node.this, depth) if node.this is not None else None
        conditions, values = [], []
        for branch in node.args["ifs"]:
            condition = self.piece(branch.this, depth)
            if operand is not None:
                condition = self._compare("=", [operand, condition])
            conditions.append(_truth(condition, "WHEN"))
            values.append(self.piece(branch.args["true"], depth))
        default = node.args.get("default")
        values.append(self.piece(default, depth) if default is not None else same(NULL, "NULL"))
        values = alike(values, "CASE")
        kind = common((value.kind for value in values), "CASE")
        branches = " ".join(f"WHEN {{{2 * at}}} THEN {{{2 * at + 1}}}" for at in range(len(conditions)))
        parts = [part for pair in zip(conditions, values, strict=False) for part in pair]
        return same(kind, f"(CASE {branches} ELSE {{{len(parts)}}} END)", *parts, values[-1])

    def _cast(self, node: Any, depth: int) -> Typed:
        written = node.args["to"].sql().lower().replace(" ", "")
        written = {"text": "string", "varchar": "string"}.get(written, written)
        try:
            kind = column_types.parse(written)
        except ValueError as error:
            raise Refused(f"CAST: {error}") from None
        piece = self.piece(node.this, depth)
        if kind in ("date", "timestamp") and isinstance(piece.literal, str):
            return moment(kind, piece.literal)
        return cast(piece, kind)

    def _not(self, node: Any, depth: int) -> Typed:
        return same("boolean", "(NOT {0})", _truth(self.piece(node.this, depth), "NOT"))

    def _and(self, node: Any, depth: int) -> Typed:
        return same("boolean", "({0} AND {1})", *(_truth(part, "AND") for part in self._parts(node, depth)))

    def _or(self, node: Any, depth: int) -> Typed:
        return same("boolean", "({0} OR {1})", *(_truth(part, "OR") for part in self._parts(node, depth)))

    def _is(self, node: Any, depth: int) -> Typed:
        if type(node.expression).__name__ != "Null":
            raise Refused("IS takes NULL or NOT NULL only")
        return same("boolean", "({0} IS NULL)", self.piece(node.this, depth))

    def _compare(self, sign: str, parts: list[Typed]) -> Typed:
        parts = alike(parts, sign)
        if parts[0].kind == "boolean" and sign not in ("=", "<>"):
            raise Refused(f"{sign}: boolean values have no order")
        return same("boolean", f"({{0}} {sign} {{1}})", *parts)

    def _between(self, node: Any, depth: int) -> Typed:
        if node.args.get("symmetric"):
            raise Refused("BETWEEN SYMMETRIC is not supported")
        three = [self.piece(part, depth) for part in (node.this, node.args["low"], node.args["high"])]
        return same("boolean", "({0} BETWEEN {1} AND {2})", *alike(three, "BETWEEN"))

    def _in(self, node: Any, depth: int) -> Typed:
        if node.args.get("query") is not None or not node.expressions:
            raise Refused("a subquery is not allowed; derived columns and checks see one row")
        parts = alike([self.piece(part, depth) for part in (node.this, *node.expressions)], "IN")
        listed = ", ".join(f"{{{at}}}" for at in range(1, len(parts)))
        return same("boolean", f"({{0}} IN ({listed}))", *parts)

    def _like(self, node: Any, depth: int) -> Typed:
        value, pattern = self._parts(node, depth)
        if value.kind != "string" or not isinstance(pattern.literal, str):
            raise Refused("LIKE takes a text and a pattern in quotes")
        if "\\" in pattern.literal:
            raise Refused("LIKE: a backslash in a pattern means another thing in Athena than in Spark")
        sign = "NOT LIKE" if node.args.get("negate") else "LIKE"
        return same("boolean", f"({{0}} {sign} {{1}})", value, pattern)

    def _dpipe(self, node: Any, depth: int) -> Typed:
        return sql_functions.find("concat").make(self._parts(node, depth))

    def _neg(self, node: Any, depth: int) -> Typed:
        piece = self.piece(node.this, depth)
        if isinstance(piece.literal, int):
            return Typed(piece.kind, f"(-{piece.spark})", f"(-{piece.athena})", -piece.literal)
        if piece.kind in INTEGERS:
            return _integers("-", "try_subtract", [number("0"), piece])
        _numbers("-", [piece])
        return same(piece.kind, "(- {0})", piece)

    def _add(self, node: Any, depth: int) -> Typed:
        return self._sum("+", "try_add", node, depth)

    def _sub(self, node: Any, depth: int) -> Typed:
        return self._sum("-", "try_subtract", node, depth)

    def _sum(self, sign: str, trying: str, node: Any, depth: int) -> Typed:
        if type(node.expression).__name__ == "Interval":
            _only_known_arguments(node.expression)
            return _moved(sign, self.piece(node.this, depth), node.expression)
        parts = self._parts(node, depth)
        if {part.kind for part in parts} & {"date", "timestamp"}:
            way = "date_add('day', n, d)" if sign == "+" else "date_diff('day', earlier, later)"
            raise Refused(f"{sign}: {' and '.join(part.kind for part in parts)} is not supported", f"write {way}")
        kind = _numbers(sign, parts)
        if kind in INTEGERS:
            return _integers(sign, trying, parts)
        if kind == "double":
            return same(kind, f"({{0}} {sign} {{1}})", *(widened(part, kind) for part in parts))
        (left, left_scale), (right, right_scale) = (as_decimal(part) for part in parts)
        scale = max(left_scale, right_scale)
        kind = decimal(max(left - left_scale, right - right_scale) + scale + 1, scale, sign)
        return same(kind, f"({{0}} {sign} {{1}})", *map(_exact, parts))

    def _mul(self, node: Any, depth: int) -> Typed:
        parts = self._parts(node, depth)
        kind = _numbers("*", parts)
        if kind in INTEGERS:
            return _integers("*", "try_multiply", parts)
        if kind == "double":
            return same(kind, "({0} * {1})", *(widened(part, kind) for part in parts))
        (left, left_scale), (right, right_scale) = (as_decimal(part) for part in parts)
        # Spark counts one digit more than Athena, and loses decimal places beyond 38.
        decimal(left + right + 1, left_scale + right_scale, "*")
        kind = f"decimal({left + right},{left_scale + right_scale})"
        return both(kind, f"CAST({{0}} * {{1}} AS {kind.upper()})", "({0} * {1})", *map(_exact, parts))

    def _div(self, node: Any, depth: int) -> Typed:
        parts = self._parts(node, depth)
        kind = _numbers("/", parts)
        if kind != "double":
            raise Refused(
                f"/: {parts[0].kind} by {parts[1].kind} gives another value in Athena than in Spark",
                "write CAST(… AS double) / …",
            )
        return same(kind, "({0} / NULLIF({1}, 0E0))", *(widened(part, kind) for part in parts))

    def _mod(self, node: Any, depth: int) -> Typed:
        parts = self._parts(node, depth)
        kind = _numbers("%", parts)
        if kind not in INTEGERS:
            raise Refused(f"%: {parts[0].kind} and {parts[1].kind} is not supported; it takes integers")
        return same("bigint", "(CAST({0} AS BIGINT) % NULLIF(CAST({1} AS BIGINT), 0))", *parts)


def _only_known_arguments(node: Any) -> None:
    known = {"this", "expression", *_ARGUMENTS.get(type(node).__name__, ())}
    for argument, value in node.args.items():
        if argument not in known and value not in (None, False, []):
            raise Refused(f"{_snake(node)} with {argument.replace('_', ' ')} is not supported")


def _truth(piece: Typed, where: str) -> Typed:
    if piece.kind not in ("boolean", NULL):
        raise Refused(f"{where}: expected true or false, found {piece.kind}")
    return widened(piece, "boolean")


def _numbers(sign: str, parts: list[Typed]) -> str:
    """The common type of ``parts``, which must be numbers."""
    for part in parts:
        if not is_number(part.kind):
            raise Refused(f"{sign}: expected numbers, found {part.kind}", "convert it: CAST(… AS TYPE)")
    kind = "double" if any(part.kind == "double" for part in parts) else ""
    integers = all(part.kind in INTEGERS for part in parts)
    return kind or ("bigint" if integers else "decimal")


def _exact(piece: Typed) -> Typed:
    return piece if decimal_of(piece.kind) else widened(piece, f"decimal({as_decimal(piece)[0]},0)")


def _integers(sign: str, trying: str, parts: list[Typed]) -> Typed:
    """Two integers to a bigint. NULL where that overflows: Spark would wrap around, Athena would fail."""
    parts = [piece if piece.kind == "bigint" else same("bigint", "CAST({0} AS BIGINT)", piece) for piece in parts]
    return both("bigint", f"{trying}({{0}}, {{1}})", f"TRY({{0}} {sign} {{1}})", *parts)


def _moved(sign: str, piece: Typed, interval: Any) -> Typed:
    """A date or timestamp plus or minus INTERVAL '7' DAY."""
    unit = interval.text("unit").lower()
    amount = interval.this.name if interval.this is not None else ""
    if unit not in _INTERVALS or not amount.isdecimal() or not interval.this.is_string:
        raise Refused("INTERVAL: expected for example INTERVAL '7' DAY, with " + ", ".join(_INTERVALS))
    allowed = {"date": ("year", "month", "day"), "timestamp": _INTERVALS}.get(piece.kind, ())
    if unit not in allowed:
        raise Refused(
            f"{sign} INTERVAL: {piece.kind} takes {', '.join(allowed) or 'none; expected a date or timestamp'}"
        )
    if int(amount) > 100_000:
        raise Refused(f"INTERVAL '{amount}' is too long; at most 100000 are allowed")
    return same(piece.kind, f"({{0}} {sign} INTERVAL '{int(amount)}' {unit.upper()})", piece)


def _refusal(node: Any) -> Refused:
    from sqlglot import exp

    if isinstance(node, exp.Query | exp.Subquery | exp.Exists | exp.SubqueryPredicate):
        return Refused("a subquery is not allowed; derived columns and checks see one row")
    if isinstance(node, exp.Window | exp.IgnoreNulls | exp.RespectNulls | exp.WithinGroup | exp.Filter):
        return Refused("a window or an aggregate is not allowed; derived columns and checks see one row")
    if isinstance(node, exp.CurrentDate | exp.CurrentTime | exp.CurrentTimestamp | exp.CurrentUser):
        return Refused(f"{_snake(node)} gives another value each time; a derived column or check must not")
    if isinstance(node, exp.Tuple | exp.Alias):
        return Refused("not one expression")
    if isinstance(node, exp.Escape):
        return Refused("LIKE … ESCAPE is not supported")
    if isinstance(node, exp.Placeholder | exp.Parameter):
        return Refused("parameters are not allowed")
    return Refused(f"{_WRITTEN.get(node.key, _snake(node))} is not supported", "docs/expressions.md lists what is")


def _snake(node: Any) -> str:
    name = type(node).__name__
    return "".join(
        f"_{letter.lower()}" if letter.isupper() and at else letter.lower() for at, letter in enumerate(name)
    )
