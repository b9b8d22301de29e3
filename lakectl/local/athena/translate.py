"""The same meaning in DuckDB's SQL: an analyzed query, with what the two engines do differently spelled out."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from lakectl.local.athena import types
from lakectl.local.athena.analyze import Analyzed
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.functions import ATHENA_FUNCTIONS
from lakectl.local.athena.scoping import CTE
from lakectl.local.athena.session import Session

_WRAPPERS = (exp.Filter, exp.Window, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)
Rule = Callable[[exp.Expr], exp.Expr | None]


def to_duckdb(query: Analyzed, session: Session) -> str:
    """DuckDB SQL for an analyzed query. Registers what its sources need in ``session``."""
    tree = query.tree.copy()
    for node in reversed(list(tree.walk(bfs=True))):  # children before parents
        rule = _RULES.get(type(node))
        replacement = rule(node) if rule else None
        if replacement is not None:
            replacement.type = node.type
            if node is tree:
                tree = replacement
            else:
                node.replace(replacement)
    relations = {name: source.relation(session, name) for name, source in query.sources.items()}
    for table in list(tree.find_all(exp.Table)):
        if table.name not in relations:
            if not table.name.startswith(CTE):
                raise ValueError(f"DuckDB must not look up the name {table.name!r}")
        elif relations[table.name] != f'"{table.name}"':
            table.set("this", exp.Var(this=relations[table.name]))  # generated as it stands, its alias and joins stay
    return str(tree.sql(dialect="duckdb"))


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def _cast(node: exp.Expr, kind: str | exp.DataType | None) -> exp.Expr:
    if kind is None:
        return node
    to = exp.DataType.build(kind, dialect="duckdb") if isinstance(kind, str) else kind.copy()
    return exp.Cast(this=node, to=to)


def _tried(node: exp.Expr) -> bool:
    return any(
        isinstance(parent, exp.Try) or (isinstance(parent, exp.Anonymous) and parent.name.lower() == "try")
        for parent in _ancestors(node)
    )


def _ancestors(node: exp.Expr) -> list[exp.Expr]:
    found = []
    parent = node.parent
    while parent is not None:
        found.append(parent)
        parent = parent.parent
    return found


def _divide(node: exp.Expr) -> exp.Expr | None:
    left, right = node.this, node.expression
    prefix = "athena_try_" if _tried(node) else "athena_"
    if types.is_integer(left) and types.is_integer(right):
        return _call(prefix + "divide", left, right)
    if types.decimal_of(left) and types.decimal_of(right):
        return _cast(_call(prefix + "divide_decimal", left, right), node.type)
    node.set("typed", False)  # doubles divide alike in both engines; sqlglot must not add its own guards
    node.set("safe", False)
    return None


def _multiply(node: exp.Expr) -> exp.Expr | None:
    """Two decimals of up to 18 digits, multiplied, have 18 digits in DuckDB, in Athena as many as both."""
    left, right = types.decimal_of(node.this), types.decimal_of(node.expression)
    if not (types.is_decimal(node.this) or types.is_decimal(node.expression)) or not left or not right:
        return None
    digits = min(38, left[0] + right[0])
    node.set("this", _cast(node.this, f"decimal({digits}, {left[1]})"))
    return None


def _modulo(node: exp.Expr) -> exp.Expr | None:
    if types.is_float(node.this) or types.is_float(node.expression):
        return None
    return _call("athena_try_modulo" if _tried(node) else "athena_modulo", _bare(node.this), _bare(node.expression))


def _bare(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Paren) else node


def _sum(node: exp.Expr) -> None:
    """DuckDB's SUM of integers is HUGEINT, Athena's is bigint."""
    if types.is_integer(node.this):
        _cast_outside(node, exp.DataType.build("bigint"))


def _avg(node: exp.Expr) -> None:
    """DuckDB's AVG of a decimal is double, Athena's has the decimal's own type."""
    if types.is_decimal(node.this):
        _cast_outside(node, node.type)


def _percentile(node: exp.Expr) -> None:
    if types.is_integer(node.this):
        _cast_outside(node, exp.DataType.build("bigint"))


def _cast_outside(node: exp.Expr, kind: exp.DataType | None) -> None:
    """Cast an aggregate's result: around FILTER and OVER, which belong to the call."""
    outer = node
    while isinstance(outer.parent, _WRAPPERS) and outer.arg_key == "this":
        outer = outer.parent
    cast = _cast(exp.Placeholder(), kind)
    cast.type = kind
    outer.replace(cast)
    cast.set("this", outer)


def _date_diff(node: exp.Expr) -> exp.Expr:
    """Athena counts whole units that have passed, DuckDB's date_diff the boundaries crossed."""
    unit = exp.Literal.string((node.text("unit") or "day").lower())
    return _call("date_sub", unit, node.expression, node.this)


def _stay_date(node: exp.Expr) -> exp.Expr | None:
    """date_trunc, date_add and ± INTERVAL of a date: a date in Athena, a timestamp in DuckDB."""
    if not (node.type and node.type.is_type("date")):
        return None
    return _cast(node.copy(), "date")


def _subtract(node: exp.Expr) -> exp.Expr | None:
    if types.is_date(node.this) and types.is_date(node.expression):
        return _call("to_days", _cast(node.copy(), "int"))
    return _stay_date(node)


def _sequence(node: exp.Expr) -> exp.Expr:
    start, stop, step = node.args["start"], node.args["end"], node.args.get("step")
    is_date = types.is_date(start)
    if is_date or types.is_timestamp(start) or isinstance(step, exp.Interval):
        kind = node.type if node.type is not None and (is_date or types.is_timestamp(start)) else None
        months = _months(step)
        if months is not None:
            return _cast(_call("athena_month_sequence", start, stop, months), kind)
        day = exp.Interval(this=exp.Literal.string("1"), unit=exp.var("DAY"))
        return _cast(_call("athena_time_sequence", start, stop, step if step is not None else day), kind)
    return _call("athena_sequence", start, stop, step if step is not None else _call("athena_direction", start, stop))


def _months(step: exp.Expr | None) -> exp.Expr | None:
    """The number of months in INTERVAL '1' MONTH or YEAR; None for another step."""
    unit = step.text("unit").upper().rstrip("S") if isinstance(step, exp.Interval) else ""
    if step is None or unit not in ("MONTH", "YEAR") or not isinstance(step.this, exp.Literal):
        return None
    return exp.Literal.number(int(step.this.name) * (12 if unit == "YEAR" else 1))


def _repeat(node: exp.Expr) -> exp.Expr:
    return _call("athena_repeat", node.this, node.args["times"])


def _upper(node: exp.Expr) -> exp.Expr:
    return _call("athena_upper", node.this)


def _text_cast(node: exp.Expr) -> exp.Expr | None:
    source, to = node.this, node.args["to"]
    if to.is_type("varchar", "char", "text"):
        text = _text_of(source)
        if to.expressions:
            text = _call("left", text or _cast(source.copy(), "varchar"), exp.Literal.number(to.expressions[0].name))
        return text
    if to.is_type("tinyint", "smallint", "int", "bigint") and (types.is_float(source) or types.is_decimal(source)):
        # 2.5 becomes 3 in Athena (half up), 2 in DuckDB (half to even)
        return exp.Cast(this=_call("round", source), to=to.copy())
    if to.is_type("timestamp", "timestamptz") and to.expressions:
        return exp.Cast(this=source.copy(), to=exp.DataType(this=to.this))  # DuckDB keeps microseconds always
    return None


def _text_of(source: exp.Expr) -> exp.Expr | None:
    if types.is_float(source):
        return _call("athena_double_text", source)
    if types.is_timestamp(source) and source.type is not None:
        digits = source.type.expressions[0].name if source.type.expressions else "3"
        pattern = "%Y-%m-%d %H:%M:%S" + {"0": "", "6": ".%f"}.get(digits, ".%g")
        text = _call("strftime", source, exp.Literal.string(pattern))
        if source.type.is_type("timestamptz"):
            return exp.DPipe(this=text, expression=exp.Literal.string(" UTC"))
        return text
    return None


def _subscript(node: exp.Expr) -> exp.Expr | None:
    """``a[i]`` beyond the end raises in Athena; ``element_at`` (marked safe) gives NULL in both."""
    source = node.this
    if node.args.get("safe") or not (source.type and source.type.is_type("array", "list")):
        return None
    if len(node.expressions) != 1 or _tried(node):
        return None
    index = node.expressions[0].copy()
    if node.args.get("offset") != 1:
        index = exp.Add(this=index, expression=exp.Literal.number(1 - int(node.args.get("offset") or 0)))
    return _call("athena_subscript", source, index)


def _typeof(node: exp.Expr) -> exp.Expr | None:
    shown = types.display(node.this)
    return None if shown == "unknown" else exp.Literal.string(shown)


def _by_name(node: exp.Expr) -> exp.Expr | None:
    name = node.name.lower()
    known = ATHENA_FUNCTIONS.get(name)
    if name.startswith("athena_") or name == "date_sub" or name not in ATHENA_FUNCTIONS:
        return None  # our own, made by another rule
    if known is None:
        raise QueryError("NOT_SUPPORTED", f"function {name} exists in Athena, but not in the local Athena")
    arguments = node.expressions
    if name == "at_timezone":
        arguments = list(reversed(arguments))
    return _call(known, *arguments)


_RULES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr | None]] = {
    exp.Div: _divide,
    exp.Mod: _modulo,
    exp.Mul: _multiply,
    exp.Sum: _sum,
    exp.Avg: _avg,
    exp.ApproxQuantile: _percentile,
    exp.DateDiff: _date_diff,
    exp.TimestampTrunc: _stay_date,
    exp.DateTrunc: _stay_date,
    exp.DateAdd: _stay_date,
    exp.DateSub: _stay_date,
    exp.Add: _stay_date,
    exp.Sub: _subtract,
    exp.Cast: _text_cast,
    exp.Bracket: _subscript,
    exp.GenerateSeries: _sequence,
    exp.Repeat: _repeat,
    exp.Typeof: _typeof,
    exp.Upper: _upper,
    exp.Anonymous: _by_name,
}
