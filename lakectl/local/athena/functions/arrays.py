"""Array functions, with and without lambdas."""

from __future__ import annotations

import itertools
import math

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import json_casts, operators, texts
from lakectl.local.athena.analysis.casts import fresh
from lakectl.local.athena.analysis.values import Value, unsupported
from lakectl.local.athena.functions.lists import bound, distinct, holds
from lakectl.local.athena.functions.python import Failure, function
from lakectl.local.athena.functions.registry import Family, applied
from lakectl.local.athena.sqltypes import MONTHS, SECONDS, Type

arrays, lambdas = Family("array"), Family("lambda")


def plain(kind: Type) -> None:
    """Raise NOT_SUPPORTED for elements that DuckDB compares otherwise than Trino."""
    if kind.items or kind.name in ("timestamp with time zone", "time with time zone", "json", "ipaddress", "uuid"):
        raise unsupported(f"this function of array({kind})")


def alike(kind: Type) -> None:
    """Raise NOT_SUPPORTED for elements of which DuckDB finds others equal than Trino."""
    if kind.holds("timestamp with time zone", "time with time zone", "map"):
        raise unsupported(f"this function of array({kind})")


def _checked(sql: str):  # type: ignore[no-untyped-def]
    def made(*values: Value) -> str:
        plain(values[0].type.items[0])
        shown = sql
        for at, value in enumerate(values):
            shown = shown.replace(f"{{{at}}}", value.sql)
        return shown

    return made


def _distinct(value: Value) -> str:
    alike(value.type.items[0])
    return distinct(value.sql)


def _except(one: Value, other: Value) -> str:
    alike(one.type.items[0])
    item = fresh()
    kept = bound(other.sql, lambda others: f"list_filter({one.sql}, lambda {item}: NOT ({holds(others, item)}))")
    return f"(CASE WHEN {other.sql} IS NOT NULL THEN {distinct(kept)} END)"


def _intersect(one: Value, other: Value) -> str:
    """In the order of the longer array, as Trino does it."""
    alike(one.type.items[0])
    item = fresh()
    longer = f"CASE WHEN len({one.sql}) >= len({other.sql}) THEN {one.sql} ELSE {other.sql} END"
    shorter = f"CASE WHEN len({one.sql}) >= len({other.sql}) THEN {other.sql} ELSE {one.sql} END"
    both = bound(shorter, lambda items: f"list_filter({longer}, lambda {item}: {holds(items, item)})")
    return f"(CASE WHEN {one.sql} IS NOT NULL AND {other.sql} IS NOT NULL THEN {distinct(both)} END)"


def _union(one: Value, other: Value) -> str:
    alike(one.type.items[0])
    both = distinct(f"list_concat({one.sql}, {other.sql})")
    return f"(CASE WHEN {one.sql} IS NOT NULL AND {other.sql} IS NOT NULL THEN {both} END)"


def _join(value: Value, separator: Value, null: Value | None = None) -> str:
    item = fresh()
    kind = value.type.items[0]
    if kind.name == "json":  # a string without its quotes, and null as no element
        shown = json_casts.of_json(item, sqltypes.VARCHAR)
    else:
        shown = "CAST(NULL AS VARCHAR)" if kind.name == "unknown" else texts.plain(Value(item, kind))
    if null is not None:
        shown = f"coalesce({shown}, {null.sql})"
    made = f"list_filter(list_transform({value.sql}, lambda {item}: {shown}), lambda {item}: {item} IS NOT NULL)"
    return joined(made, separator)


def joined(texts: str, separator: Value) -> str:
    """A list's texts, without NULLs, with the separator between. DuckDB wants a separator that is a constant."""
    if separator.constant is not None:
        return f"array_to_string({texts}, {separator.sql})"
    item, between = fresh(), separator.sql
    led = f"list_transform({texts}, lambda {item}: {between} || {item})"
    return f"substring(array_to_string({led}, ''), length({between}) + 1)"


def _extreme(name: str):  # type: ignore[no-untyped-def]
    def made(value: Value) -> str:
        plain(value.type.items[0])
        item = fresh()
        nulls = f"len(list_filter({value.sql}, lambda {item}: {item} IS NULL)) > 0"
        if value.type.items[0].is_float:
            return f"(CASE WHEN {nulls} THEN NULL ELSE list_{name}(athena_without_nan({value.sql})) END)"
        return f"(CASE WHEN {nulls} THEN NULL ELSE list_{name}({value.sql}) END)"

    return made


def _same_as(item: str, wanted: Value, kind: Type) -> str:
    same = operators.equal(item, wanted.sql, kind)
    return f"athena_no_null_within({same}, {wanted.sql}, {item})" if kind.items else same


def _contains(value: Value, wanted: Value) -> str:
    item = fresh()
    same = _same_as(item, wanted, value.type.items[0])
    found = f"athena_any(list_transform({value.sql}, lambda {item}: {same}))"
    return f"(CASE WHEN {wanted.sql} IS NOT NULL THEN {found} END)"


def _remove(value: Value, unwanted: Value) -> str:
    item = fresh()
    same = _same_as(item, unwanted, value.type.items[0])
    return (
        f"(CASE WHEN {unwanted.sql} IS NOT NULL THEN list_filter({value.sql}, lambda {item}: ({same}) IS NOT TRUE) END)"
    )


def _overlap(one: Value, other: Value) -> str:
    plain(one.type.items[0])
    item, each = fresh(), fresh()
    same = f"{item} = {each}"
    tests = f"list_transform({other.sql}, lambda {each}: {same})"
    return f"athena_any(flatten(list_transform({one.sql}, lambda {item}: {tests})))"


def _sort(value: Value) -> str:
    plain(value.type.items[0])
    return f"list_sort({value.sql}, 'ASC', 'NULLS LAST')"


def _sort_by(value: Value, compare: Value) -> str:
    """Each element's place is the number of those that come before it; of equal ones, the first comes first."""
    array, one, other, each = value.sql, fresh(), fresh(), fresh()
    less = f"athena_comparison({applied(compare, f'({array})[{other}]', f'({array})[{one}]')})"
    more = f"athena_comparison({applied(compare, f'({array})[{one}]', f'({array})[{other}]')})"
    before = f"CASE WHEN (({less}) < 0) = (({more}) < 0) THEN {other} < {one} ELSE ({less}) < 0 END"
    places = f"list_filter(range(1, len({array}) + 1), lambda {other}: {before})"
    ranked = f"list_transform(range(1, len({array}) + 1), lambda {one}: struct_pack(r := len({places}), i := {one}))"
    return f"list_transform(list_sort({ranked}), lambda {each}: ({array})[{each}.i])"


def reduced(items: str, kind: Type, start: Value, step: Value, finish: Value | None) -> str:
    """The state and each element go through list_reduce together, since their types may differ."""
    both, state, item = fresh(), fresh(), fresh()
    physical = f"STRUCT(s {start.type.physical}, e {kind.physical})"
    elements = f"list_transform({items}, lambda {both}: CAST(struct_pack(s := NULL, e := {both}) AS {physical}))"
    first = f"CAST(struct_pack(s := {start.sql}, e := NULL) AS {physical})"
    after = applied(step, f"{state}.s", f"{item}.e")
    made = f"CAST(struct_pack(s := {after}, e := NULL) AS {physical})"
    result = f"(list_reduce(list_prepend({first}, {elements}), lambda {state}, {item}: {made})).s"
    done = result if finish is None else applied(finish, result)
    return f"(CASE WHEN {items} IS NOT NULL THEN {done} END)"


def _reduce(value: Value, start: Value, step: Value, finish: Value) -> str:
    return reduced(value.sql, value.type.items[0], start, step, finish)


def _reduce_state(*kinds: Type) -> Type:
    return kinds[3]


def _zip(*values: Value) -> str:
    at = fresh()
    parts = ", ".join(f"f{place} := ({value.sql})[{at}]" for place, value in enumerate(values))
    longest = ", ".join(f"len({value.sql})" for value in values)
    missing = " OR ".join(f"({value.sql}) IS NULL" for value in values)
    made = f"list_transform(range(1, greatest({longest}) + 1), lambda {at}: struct_pack({parts}))"
    return f"(CASE WHEN {missing} THEN NULL ELSE {made} END)"


def _zip_type(*kinds: Type) -> Type:
    return sqltypes.array(sqltypes.row(tuple(kind.items[0] for kind in kinds)))


def _zip_with(one: Value, other: Value, join: Value) -> str:
    at = fresh()
    made = applied(join, f"({one.sql})[{at}]", f"({other.sql})[{at}]")
    return (
        f"(CASE WHEN {one.sql} IS NOT NULL AND {other.sql} IS NOT NULL THEN "
        f"list_transform(range(1, greatest(len({one.sql}), len({other.sql})) + 1), lambda {at}: {made}) END)"
    )


def _slice(value: Value, start: Value, length: Value) -> str:
    first = f"athena_slice_start({start.sql}, len({value.sql}))"
    return f"({value.sql})[{first}:{first} + athena_slice_length({length.sql}) - 1]"


def _combinations(value: Value, count: Value) -> str:
    places, at = fresh(), fresh()
    chosen = f"list_transform({places}, lambda {at}: ({value.sql})[{at}])"
    return f"list_transform(athena_combinations(len({value.sql}), {count.sql}), lambda {places}: {chosen})"


def _ngrams(value: Value, count: Value) -> str:
    at = fresh()
    size = f"athena_positive({count.sql})"
    return (
        f"list_transform(range(1, greatest(1, len({value.sql}) - {size} + 1) + 1), "
        f"lambda {at}: ({value.sql})[{at}:{at} + {size} - 1])"
    )


def _contains_sequence(value: Value, wanted: Value) -> str:
    plain(value.type.items[0])
    at = fresh()
    part = f"({value.sql})[{at}:{at} + len({wanted.sql}) - 1] = {wanted.sql}"
    starts = f"range(1, greatest(0, len({value.sql}) - len({wanted.sql}) + 1) + 1)"
    return f"athena_any(list_transform({starts}, lambda {at}: {part}))"


def _time_sequence(start: Value, stop: Value, step: Value | None = None) -> str:
    if start.type.name != "date" and start.type.precision > 6:
        raise unsupported(f"sequence of {start.type}")
    if step is None:
        days = f"86400000 * athena_direction({start.sql}, {stop.sql})"
        return f"list_transform(athena_time_sequence({start.sql}, {stop.sql}, {days}), lambda d: CAST(d AS DATE))"
    name = "athena_month_sequence" if step.type == MONTHS else "athena_time_sequence"
    by = f"athena_days_of({step.sql})" if start.type.name == "date" and step.type == SECONDS else step.sql
    made = f"{name}({start.sql}, {stop.sql}, {by})"
    item = fresh()
    return f"list_transform({made}, lambda {item}: CAST({item} AS {start.type.physical}))"


arrays.add("array_distinct(array(T)) -> array(T)", _distinct)
arrays.add("array_except(array(T), array(T)) -> array(T)", _except)
arrays.add("array_intersect(array(T), array(T)) -> array(T)", _intersect)
arrays.add("array_union(array(T), array(T)) -> array(T)", _union)
arrays.add("array_join(array(T), varchar) -> varchar", _join)
arrays.add("array_join(array(T), varchar, varchar) -> varchar", _join)
arrays.add("array_max(array(T)) -> T", _extreme("max"))
arrays.add("array_min(array(T)) -> T", _extreme("min"))
arrays.add(
    "array_position(array(T), T) -> bigint",
    _checked(
        "(CASE WHEN {1} IS NOT NULL THEN "
        "CAST(coalesce(list_position({0}, {1}), CASE WHEN {0} IS NOT NULL THEN 0 END) AS BIGINT) END)"
    ),
)
arrays.add("array_remove(array(T), T) -> array(T)", _remove)
arrays.add("array_sort(array(T)) -> array(T)", _sort)
lambdas.add("array_sort(array(T), function(T,T,integer)) -> array(T)", _sort_by)
arrays.add("arrays_overlap(array(T), array(T)) -> boolean", _overlap)
arrays.add("cardinality(array(T)) -> bigint", "len({0})")
arrays.add("combinations(array(T), integer) -> array(array(T))", _combinations)
arrays.add("contains(array(T), T) -> boolean", _contains)
arrays.add("contains_sequence(array(T), array(T)) -> boolean", _contains_sequence)
arrays.add("element_at(array(T), bigint) -> T", "athena_element({0}, {1})")
arrays.add("flatten(array(array(T))) -> array(T)", "flatten(list_filter({0}, lambda each: each IS NOT NULL))")
arrays.add("ngrams(array(T), bigint) -> array(array(T))", _ngrams)
arrays.add("repeat(T, integer) -> array(T)", "athena_repeat({0}, {1})")
arrays.add("sequence(bigint, bigint) -> array(bigint)", "athena_sequence({0}, {1}, athena_direction({0}, {1}))")
arrays.add("sequence(bigint, bigint, bigint) -> array(bigint)", "athena_sequence({0}, {1}, {2})")
arrays.add("sequence(date, date) -> array(date)", _time_sequence)
for kind in ("date", "timestamp"):
    for step in (str(SECONDS), str(MONTHS)):
        arrays.add(
            f"sequence({kind}, {kind}, {step}) -> array({kind})",
            _time_sequence,
            lambda first, *_: sqltypes.array(first),
        )
arrays.add("slice(array(T), bigint, bigint) -> array(T)", _slice)
arrays.add("trim_array(array(T), bigint) -> array(T)", "({0})[1:len({0}) - athena_trimmed({1}, len({0}))]")
arrays.add("zip(array(T), array(U)) -> array(row(T,U))", _zip, _zip_type)
arrays.add("zip(array(T), array(U), array(V)) -> array(row(T,U,V))", _zip, _zip_type)
arrays.add("zip(array(T), array(U), array(V), array(W)) -> array(row(T,U,V,W))", _zip, _zip_type)
lambdas.add("zip_with(array(T), array(U), function(T,U,R)) -> array(R)", _zip_with)
lambdas.add("transform(array(T), function(T,U)) -> array(U)", "list_transform({0}, {1})")
lambdas.add("filter(array(T), function(T,boolean)) -> array(T)", "list_filter({0}, {1})")
lambdas.add("any_match(array(T), function(T,boolean)) -> boolean", "athena_any(list_transform({0}, {1}))")
lambdas.add("all_match(array(T), function(T,boolean)) -> boolean", "athena_all(list_transform({0}, {1}))")
lambdas.add("none_match(array(T), function(T,boolean)) -> boolean", "(NOT athena_any(list_transform({0}, {1})))")
lambdas.add("reduce(array(T), S, function(S,T,S), function(S,R)) -> R", _reduce, _reduce_state)


@function("athena_combinations", "BIGINT, BIGINT -> BIGINT[][]")
def _combined(length: int, count: int) -> list[list[int]]:
    if count < 0:
        raise Failure(f"combination size must not be negative: {count}")
    if count > 5:
        raise Failure("combination size must not exceed 5")
    if count > length:
        return []
    if math.comb(length, count) > 100_000:
        raise Failure("combinations exceed max size of 100000")
    # Trino's order: by the last place, then by the one before it.
    return sorted((list(each) for each in itertools.combinations(range(1, length + 1), count)), key=lambda it: it[::-1])


@function("athena_slice_start", "BIGINT, BIGINT -> BIGINT")
def _slice_start(start: int, length: int) -> int:
    if start == 0:
        raise Failure("SQL array indices start at 1")
    return start if start > 0 else length + start + 1 if length + start >= 0 else length + 1


@function("athena_slice_length", "BIGINT -> BIGINT")
def _slice_length(length: int) -> int:
    if length < 0:
        raise Failure("length must be greater than or equal to 0")
    return length


@function("athena_positive", "BIGINT -> BIGINT")
def _positive(count: int) -> int:
    if count <= 0:
        raise Failure("N must be positive")
    return count


@function("athena_trimmed", "BIGINT, BIGINT -> BIGINT")
def _trimmed(count: int, length: int) -> int:
    if count < 0:
        raise Failure(f"size must not be negative: {count}")
    if count > length:
        raise Failure(f"size must not exceed array cardinality {length}: {count}")
    return count
