"""The functions that SQL in the YAML may use: what each means, and its text for Spark and for Athena.

One entry each. What is not here is refused by name.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lakectl.spec.column_types import decimal_of
from lakectl.spec.sql_parsing import Refused
from lakectl.spec.typed_sql import INTEGERS, NULL, Typed, alike, both, common, is_number, same, widened

_AGGREGATES = (
    "any_value approx_distinct approx_percentile arbitrary array_agg avg bool_and bool_or checksum collect_list "
    "collect_set corr count count_if covar_pop covar_samp every first geometric_mean grouping histogram kurtosis last "
    "listagg map_agg max max_by mean median min min_by mode percentile skewness some std stddev stddev_pop "
    "stddev_samp string_agg sum var_pop var_samp variance"
)
AGGREGATES = frozenset(_AGGREGATES.split())
_WINDOWS = "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number"
WINDOWS = frozenset(_WINDOWS.split())
_NOT_THE_SAME_TWICE = (
    "current_catalog current_database current_date current_schema current_time current_timestamp current_timezone "
    "current_user getdate input_file_name localtime localtimestamp monotonically_increasing_id now rand randn random "
    "session_user shuffle spark_partition_id sysdate unix_timestamp user uuid"
)
NOT_THE_SAME_TWICE = frozenset(_NOT_THE_SAME_TWICE.split())
_TIME_UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
_DATE_UNITS = _TIME_UNITS[:5]
# Where Spark takes an int: no text has a position beyond.
MAX_POSITION = 2**31 - 1
# Both engines hold days from year 1 to 9999 with this; a longer way leaves that range anyway.
_MAX_DAYS = 4_000_000
# The Greek letters that one other letter stands for in upper case, though Java makes them two.
_IOTA = "".join(
    map(chr, (*range(0x1F80, 0x1F88), *range(0x1F90, 0x1F98), *range(0x1FA0, 0x1FA8), 0x1FB3, 0x1FC3, 0x1FF3))
)
_IOTA_TITLED = "".join(chr(ord(letter) + (9 if ord(letter) > 0x1FAF else 8)) for letter in _IOTA)

Rule = Callable[["Function", Sequence[Typed]], Typed]


@dataclass(frozen=True)
class Function:
    """``written``: how it is called; ``least`` and ``most``: numbers of arguments; ``example``: over the columns of
    the docs (``i`` int, ``b`` bigint, ``x`` double, ``m`` decimal(10,2), ``s`` string, ``d`` date, ``t`` timestamp)."""

    written: str
    meaning: str
    example: str
    least: int
    most: int
    rule: Rule

    @property
    def name(self) -> str:
        return self.written.partition("(")[0]

    def make(self, arguments: Sequence[Typed]) -> Typed:
        """The call with these arguments. Raises Refused when they do not fit."""
        if not self.least <= len(arguments) <= self.most:
            raise Refused(f"{self.name}: {len(arguments)} arguments; expected {self.written}")
        return self.rule(self, arguments)

    def refuse(self, problem: str, hint: str | None = None) -> Refused:
        return Refused(f"{self.name}: {problem}", hint or f"expected {self.written}")


def find(name: str) -> Function:
    """The function called ``name``, in any case. Raises Refused."""
    lower = name.lower()
    if lower in FUNCTIONS:
        return FUNCTIONS[lower]
    if lower in AGGREGATES:
        raise Refused(f"{name} is an aggregate; derived columns and checks see one row")
    if lower in WINDOWS:
        raise Refused(f"{name} is a window function; derived columns and checks see one row")
    if lower in NOT_THE_SAME_TWICE:
        raise Refused(f"{name} gives another value each time; a derived column or check must not")
    near = difflib.get_close_matches(lower, FUNCTIONS, n=1)
    hint = f"did you mean {near[0]}?" if near else "docs/expressions.md lists what is"
    raise Refused(f"{name} is not a function that is known here; functions: {', '.join(FUNCTIONS)}", hint)


def _texts(function: Function, arguments: Sequence[Typed]) -> list[Typed]:
    for argument in arguments:
        if argument.kind not in ("string", NULL):
            raise function.refuse(f"expected text, found {argument.kind}", "convert it: CAST(… AS string)")
    return [widened(argument, "string") for argument in arguments]


def _text_to_text(spark: str, athena: str = "") -> Rule:
    def rule(function: Function, arguments: Sequence[Typed]) -> Typed:
        return both("string", spark, athena or spark, *_texts(function, arguments))

    return rule


def _lower(function: Function, arguments: Sequence[Typed]) -> Typed:
    return _letter_by_letter(
        "lower", "CASE WHEN c = 'İ' THEN 'i' ELSE lower(c) END", "{0}", _texts(function, arguments)
    )


def _upper(function: Function, arguments: Sequence[Typed]) -> Typed:
    one = "CASE WHEN length(upper(c)) = 1 THEN upper(c) ELSE c END"
    titled = f"translate({{0}}, '{_IOTA}', '{_IOTA_TITLED}')"
    return _letter_by_letter("upper", one, titled, _texts(function, arguments))


def _letter_by_letter(name: str, one: str, text: str, parts: Sequence[Typed]) -> Typed:
    """Athena changes each letter into one. Java, and so Spark, looks at its neighbours and may make two (ß)."""
    each = f"array_join(transform(split({text}, ''), c -> {one}), '')"
    spark = f"(CASE WHEN length({{0}}) = octet_length({{0}}) THEN {name}({{0}}) ELSE {each} END)"
    return both("string", spark, f"{name}({{0}})", *parts)


def _concat(function: Function, arguments: Sequence[Typed]) -> Typed:
    joined = " || ".join(f"{{{at}}}" for at in range(len(arguments)))
    return same("string", f"({joined})", *_texts(function, arguments))


def _length(function: Function, arguments: Sequence[Typed]) -> Typed:
    return both("bigint", "CAST(length({0}) AS BIGINT)", "length({0})", *_texts(function, arguments))


def _strpos(function: Function, arguments: Sequence[Typed]) -> Typed:
    return both("bigint", "CAST(instr({0}, {1}) AS BIGINT)", "strpos({0}, {1})", *_texts(function, arguments))


def _starts_with(function: Function, arguments: Sequence[Typed]) -> Typed:
    return both("boolean", "startswith({0}, {1})", "starts_with({0}, {1})", *_texts(function, arguments))


def _replace(function: Function, arguments: Sequence[Typed]) -> Typed:
    parts = _texts(function, arguments)
    if not arguments[1].literal:
        raise function.refuse("the text to look for must be written in quotes, and not be empty")
    return same("string", "replace({0}, {1}, {2})", *parts)


def _substr(function: Function, arguments: Sequence[Typed]) -> Typed:
    """Zero and negative positions mean different things to the engines."""
    value = _texts(function, arguments[:1])[0]
    for at, number in enumerate(arguments[1:]):
        if number.kind not in INTEGERS:
            raise function.refuse(f"expected an integer, found {number.kind}")
        if isinstance(number.literal, int) and not 1 - at <= number.literal <= MAX_POSITION:
            raise function.refuse(f"{number.literal} is not allowed; positions count from 1, lengths from 0")
    spark = ["{0}", *(f"CAST({{{at}}} AS INT)" for at in range(1, len(arguments)))]
    athena = [f"{{{at}}}" for at in range(len(arguments))]
    tests = [
        f"{{{at}}} BETWEEN {2 - at} AND {MAX_POSITION}"
        for at in range(1, len(arguments))
        if arguments[at].literal is None
    ]
    wrap = f"(CASE WHEN {' AND '.join(tests)} THEN {{call}} END)" if tests else "{call}"
    return both(
        "string",
        wrap.replace("{call}", f"substr({', '.join(spark)})"),
        wrap.replace("{call}", f"substr({', '.join(athena)})"),
        value,
        *arguments[1:],
    )


def _number(function: Function, argument: Typed) -> Typed:
    if not is_number(argument.kind):
        raise function.refuse(f"expected a number, found {argument.kind}")
    return argument


def _abs(function: Function, arguments: Sequence[Typed]) -> Typed:
    piece = _number(function, arguments[0])
    if piece.kind in INTEGERS:  # the least bigint has no counterpart
        wide = piece if piece.kind == "bigint" else same("bigint", "CAST({0} AS BIGINT)", piece)
        spark = "(CASE WHEN {0} < 0 THEN try_subtract(CAST(0 AS BIGINT), {0}) ELSE {0} END)"
        return both("bigint", spark, "TRY(abs({0}))", wide)
    return same(piece.kind, "abs({0})", piece)


def _round(function: Function, arguments: Sequence[Typed]) -> Typed:
    piece = _number(function, arguments[0])
    digits = arguments[1].literal if len(arguments) > 1 else 0
    if not isinstance(digits, int) or not 0 <= digits <= 15:
        raise function.refuse("the number of decimal places must be written as a number from 0 to 15")
    if piece.kind in INTEGERS:
        return piece
    if found := decimal_of(piece.kind):
        precision, scale = found
        if digits >= scale:
            return piece
        kind = f"decimal({precision - scale + digits + 1},{digits})"
        return same(kind, f"CAST(round({{0}}, {digits}) AS {kind.upper()})", piece)
    # Spark rounds the decimal digits of a double, Athena the double times a power of ten: here, both do the latter.
    return same("double", f"(round({{0}} * 1E{digits}) / 1E{digits})" if digits else "round({0})", piece)


def _whole(function: Function, arguments: Sequence[Typed]) -> Typed:
    piece = _number(function, arguments[0])
    if piece.kind in INTEGERS:
        return piece
    if found := decimal_of(piece.kind):
        precision, scale = found
        if not scale:
            return piece
        kind = f"decimal({precision - scale + 1},0)"
        return same(kind, f"CAST({function.name}({{0}}) AS {kind.upper()})", piece)
    # Spark's is a bigint, which ends where a double has no fraction any more.
    spark = f"(CASE WHEN abs({{0}}) < 9E15 THEN CAST({function.name}({{0}}) AS DOUBLE) ELSE {{0}} END)"
    return both("double", spark, f"{function.name}({{0}})", piece)


def _coalesce(function: Function, arguments: Sequence[Typed]) -> Typed:
    parts = alike(arguments, function.name)
    listed = ", ".join(f"{{{at}}}" for at in range(len(parts)))
    return same(common((part.kind for part in parts), function.name), f"coalesce({listed})", *parts)


def _nullif(function: Function, arguments: Sequence[Typed]) -> Typed:
    parts = alike(arguments, function.name)
    kind = common((part.kind for part in parts), function.name)
    # The engines differ in whether the result has the type of the first or of both.
    return same(kind, "nullif({0}, {1})", *(part if part.kind == NULL else widened(part, kind) for part in parts))


def _field_of(spark: str, athena: str, *kinds: str) -> Rule:
    def rule(function: Function, arguments: Sequence[Typed]) -> Typed:
        if arguments[0].kind not in kinds:
            raise function.refuse(f"expected a {' or '.join(kinds)}, found {arguments[0].kind}")
        return both("bigint", f"CAST({spark} AS BIGINT)", athena, arguments[0])

    return rule


def _unit(function: Function, argument: Typed, units: Sequence[str]) -> str:
    unit = argument.literal.lower() if isinstance(argument.literal, str) else ""
    if unit not in units:
        raise function.refuse(f"the first argument must be one of {', '.join(map(repr, units))}")
    return unit


def _date_trunc(function: Function, arguments: Sequence[Typed]) -> Typed:
    piece = arguments[1]
    if piece.kind not in ("date", "timestamp"):
        raise function.refuse(f"expected a date or timestamp, found {piece.kind}")
    unit = _unit(function, arguments[0], _DATE_UNITS if piece.kind == "date" else _TIME_UNITS)
    call = f"date_trunc('{unit}', {{0}})"
    return both(piece.kind, f"CAST({call} AS DATE)" if piece.kind == "date" else call, call, piece)


def _date_add(function: Function, arguments: Sequence[Typed]) -> Typed:
    _unit(function, arguments[0], ("day",))
    number, piece = arguments[1:]
    if number.kind not in INTEGERS or piece.kind != "date":
        raise function.refuse(f"expected an integer and a date, found {number.kind} and {piece.kind}")
    if isinstance(number.literal, int) and abs(number.literal) > _MAX_DAYS:
        raise function.refuse(f"{number.literal} is not allowed; at most {_MAX_DAYS} days")
    near = f"{{0}} BETWEEN -{_MAX_DAYS} AND {_MAX_DAYS}"
    spark = f"(CASE WHEN {near} THEN date_add({{1}}, CAST({{0}} AS INT)) END)"
    return both("date", spark, f"(CASE WHEN {near} THEN date_add('day', {{0}}, {{1}}) END)", number, piece)


def _date_diff(function: Function, arguments: Sequence[Typed]) -> Typed:
    _unit(function, arguments[0], ("day",))
    for piece in arguments[1:]:
        if piece.kind != "date":
            raise function.refuse(f"expected dates, found {piece.kind}", "convert it: CAST(… AS date)")
    spark = "CAST(datediff({1}, {0}) AS BIGINT)"
    return both("bigint", spark, "date_diff('day', {0}, {1})", *arguments[1:])


_MOMENT = ("date", "timestamp")
_SPACES = "Only the character space; both engines' own trim differ."
_LIST = (
    Function("lower(text)", "In lower case, letter by letter.", "lower(s)", 1, 1, _lower),
    Function("upper(text)", "In upper case, letter by letter: `ß` stays.", "upper(s)", 1, 1, _upper),
    Function(
        "trim(text)", f"Without spaces at both ends. {_SPACES}", "trim(s)", 1, 1,
        _text_to_text("trim({0})", "trim(BOTH ' ' FROM {0})"),
    ),
    Function(
        "ltrim(text)", "Without spaces at the start.", "ltrim(s)", 1, 1,
        _text_to_text("ltrim({0})", "trim(LEADING ' ' FROM {0})"),
    ),
    Function(
        "rtrim(text)", "Without spaces at the end.", "rtrim(s)", 1, 1,
        _text_to_text("rtrim({0})", "trim(TRAILING ' ' FROM {0})"),
    ),
    Function(
        "substr(text, start[, length])",
        "Characters from `start` on, which counts from 1. A computed `start` below 1 or `length` below 0 gives NULL.",
        "substr(s, 2, 3)", 2, 3, _substr,
    ),
    Function("length(text)", "The number of characters, as bigint.", "length(s)", 1, 1, _length),
    Function("concat(text, text, …)", "Joined, as `||`; NULL where one is NULL.", "concat(s, '-', s)", 2, 100, _concat),
    Function(
        "replace(text, 'old', new)", "Every `old` replaced; `old` is a text in quotes.", "replace(s, 'a', 'o')", 3, 3,
        _replace,
    ),
    Function(
        "strpos(text, part)", "Where the first `part` begins, from 1; 0: nowhere.", "strpos(s, 'b')", 2, 2,
        _strpos,
    ),
    Function("starts_with(text, part)", "Whether it begins with `part`.", "starts_with(s, 'a')", 2, 2, _starts_with),
    Function("abs(number)", "Without its sign; integers as bigint.", "abs(i)", 1, 1, _abs),
    Function(
        "round(number[, places])",
        "Half away from zero, to `places` (0 to 15, written as a number). A double is multiplied, rounded and divided.",
        "round(x, 2)", 1, 2, _round,
    ),
    Function("floor(number)", "The next integer below, in the number's own kind.", "floor(x)", 1, 1, _whole),
    Function("ceil(number)", "The next integer above, in the number's own kind.", "ceil(x)", 1, 1, _whole),
    Function("coalesce(a, b, …)", "The first that is not NULL.", "coalesce(i, 0)", 2, 100, _coalesce),
    Function("nullif(a, b)", "NULL where both are equal, else `a`.", "nullif(i, 0)", 2, 2, _nullif),
    Function(
        "year(d)", "Of a date or timestamp, as bigint.", "year(d)", 1, 1, _field_of("year({0})", "year({0})", *_MOMENT)
    ),
    Function("quarter(d)", "1 to 4.", "quarter(d)", 1, 1, _field_of("quarter({0})", "quarter({0})", *_MOMENT)),
    Function("month(d)", "1 to 12.", "month(d)", 1, 1, _field_of("month({0})", "month({0})", *_MOMENT)),
    Function("week(d)", "ISO week, 1 to 53.", "week(d)", 1, 1, _field_of("weekofyear({0})", "week({0})", *_MOMENT)),
    Function("day(d)", "Of the month, 1 to 31.", "day(d)", 1, 1, _field_of("day({0})", "day({0})", *_MOMENT)),
    Function(
        "day_of_week(d)", "1 is Monday, 7 is Sunday.", "day_of_week(d)", 1, 1,
        _field_of("weekday({0}) + 1", "day_of_week({0})", *_MOMENT),
    ),
    Function("hour(t)", "Of a timestamp, 0 to 23.", "hour(t)", 1, 1, _field_of("hour({0})", "hour({0})", "timestamp")),
    Function("minute(t)", "0 to 59.", "minute(t)", 1, 1, _field_of("minute({0})", "minute({0})", "timestamp")),
    Function("second(t)", "0 to 59.", "second(t)", 1, 1, _field_of("second({0})", "second({0})", "timestamp")),
    Function(
        "date_trunc('unit', d)",
        "The start of its year, quarter, month, week (Monday) or day, and of a timestamp also hour, minute or second. "
        "Has the type of `d`.",
        "date_trunc('month', d)", 2, 2, _date_trunc,
    ),
    Function(
        "date_add('day', n, date)", f"`n` days later. NULL where `n` is beyond {_MAX_DAYS:,} days.",
        "date_add('day', i, d)", 3, 3, _date_add,
    ),
    Function(
        "date_diff('day', from, to)", "The number of days between two dates, as bigint.",
        "date_diff('day', d, DATE '2025-12-31')", 3, 3, _date_diff,
    ),
)  # fmt: skip
FUNCTIONS = {function.name: function for function in _LIST}
