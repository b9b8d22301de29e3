"""Aggregates and window functions. ``{over}`` is where FILTER and OVER go."""

from __future__ import annotations

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis.values import Value, unsupported
from lakectl.local.athena.functions.arrays import alike, plain, reduced
from lakectl.local.athena.functions.lists import all_of_each, first_of_each
from lakectl.local.athena.functions.registry import AGGREGATE, Family
from lakectl.local.athena.sqltypes import Type

aggregates, windows = Family("aggregate"), Family("window")


def _same(kind: Type, *_: Type) -> Type:
    return kind


def _sum_type(kind: Type) -> Type:
    return sqltypes.decimal(38, kind.numbers[1])


def _comparable(kind: Type) -> None:
    unlike = ("json", "time with time zone", "ipaddress", "uuid")
    if kind.items or kind.name in unlike or (kind.is_zoned and kind.precision > 6):
        raise unsupported(f"an aggregate that compares {kind}")


def _extreme(name: str):  # type: ignore[no-untyped-def]
    def made(value: Value) -> str:
        _comparable(value.type)
        if value.type.is_float and name == "max":  # NaN is the greatest in DuckDB, and counts last in Trino
            return f"(-min(-{value.sql.removeprefix('DISTINCT ')}){{over}})"
        if value.type.is_zoned:
            bare = value.sql.removeprefix("DISTINCT ")
            return f"arg_{name}({bare}, ({bare}).t){{over}}"
        return f"{name}({value.sql}){{over}}"

    return made


def _extremes(name: str):  # type: ignore[no-untyped-def]
    def made(value: Value, count: Value) -> str:
        _comparable(value.type)
        if value.type.is_zoned or count.constant is None:
            raise unsupported(f"{name} of these arguments")
        return f"{name}({value.sql}, {count.constant}){{over}}"

    return made


def _order(name: str, key: Value) -> str:
    if key.type.is_zoned:
        return f"({key.sql}).t"
    if key.type.is_float and name == "max":
        return f"CASE WHEN isnan({key.sql}) THEN CAST('-Infinity' AS DOUBLE) ELSE {key.sql} END"
    return key.sql


def _by(name: str):  # type: ignore[no-untyped-def]
    def made(value: Value, key: Value) -> str:
        _comparable(key.type)
        order = _order(name, key)
        return f"(arg_{name}(struct_pack(v := {value.sql}), {order}){{over}}).v"

    return made


def _by_many(name: str):  # type: ignore[no-untyped-def]
    def made(value: Value, key: Value, count: Value) -> str:
        _comparable(key.type)
        if count.constant is None:
            raise unsupported(f"{name}_by of these arguments")
        order = _order(name, key)
        made = f"arg_{name}(struct_pack(v := {value.sql}), {order}, {count.constant}){{over}}"
        return f"list_transform({made}, lambda each: each.v)"

    return made


def _average_decimal(value: Value) -> str:
    kind = value.type
    bare = value.sql
    total = f"athena_unscaled(sum({bare}){{over}}, {kind.numbers[1]})"
    mean = f"athena_half_up_quotient({total}, CAST(count({bare}){{over}} AS HUGEINT))"
    return f"CAST(athena_scaled({mean}, {kind.numbers[1]}) AS {kind.physical})"


def _percentile(value: Value, share: Value, *more: Value) -> str:
    if share.constant is None or more:
        raise unsupported("approx_percentile of these arguments")
    if not 0 <= float(share.constant) <= 1:
        from lakectl.local.athena.errors import QueryError

        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Percentile must be between 0 and 1")
    return f"quantile_disc({value.sql}, {float(share.constant)}){{over}}"


def _entries(key: Value, value: Value, first: bool) -> str:
    plain(key.type)
    bare = key.sql.removeprefix("DISTINCT ")
    ordered, _, order = value.sql.partition(" ORDER BY ")
    tail = f" ORDER BY {order}" if order else ""
    collected = f"list(struct_pack(k := {bare}, v := {ordered}){tail}){{over}}"
    known = f"list_filter({collected}, lambda each: each.k IS NOT NULL)"
    return first_of_each(known, "k", "v") if first else all_of_each(known, "k", "v")


def _union(value: Value) -> str:
    plain(value.type.items[0])
    collected = f"list({value.sql}){{over}}"
    entries = f"flatten(list_transform({collected}, lambda each: map_entries(each)))"
    return first_of_each(entries, "key", "value")


def _reduce(value: Value, start: Value, step: Value, _: Value) -> str:
    collected = f"list({value.sql}){{over}}"
    known = f"list_filter({collected}, lambda each: each IS NOT NULL)"
    return reduced(known, value.type, start, step, None)


def _histogram(value: Value) -> str:
    plain(value.type)
    return f"CAST(histogram({value.sql}){{over}} AS MAP({value.type.physical}, BIGINT))"


def _distinct(value: Value, *_: Value) -> str:
    alike(value.type)
    return f"count(DISTINCT {value.sql.removeprefix('DISTINCT ')}){{over}}"


def _arbitrary(value: Value) -> str:
    return f"any_value({value.sql}){{over}}"


aggregates.aggregate("any_value(T) -> T", _arbitrary, _same, names="arbitrary")
aggregates.aggregate("array_agg(T) -> array(T)", "list({0}){over}")
aggregates.aggregate("avg(bigint) -> double", "avg({0}){over}")
aggregates.aggregate("avg(decimal) -> decimal", _average_decimal, _same)
aggregates.aggregate("avg(real) -> real", "CAST(avg({0}){over} AS FLOAT)")
aggregates.aggregate("avg(double) -> double", "avg({0}){over}")
aggregates.aggregate("bool_and(boolean) -> boolean", "bool_and({0}){over}", names="every")
aggregates.aggregate("bool_or(boolean) -> boolean", "bool_or({0}){over}")
aggregates.aggregate("count() -> bigint", "count(*){over}")
aggregates.aggregate("count(T) -> bigint", "count({0}){over}")
aggregates.aggregate("count_if(boolean) -> bigint", "count(CASE WHEN {0} THEN 1 END){over}")
aggregates.aggregate("geometric_mean(double) -> double", "exp(avg(athena_ln({0})){over})")
for name in ("max", "min"):
    aggregates.aggregate(f"{name}(T) -> T", _extreme(name), _same)
    aggregates.aggregate(f"{name}(T, bigint) -> array(T)", _extremes(name))
    aggregates.aggregate(f"{name}_by(V, K) -> V", _by(name), _same)
    aggregates.aggregate(f"{name}_by(V, K, bigint) -> array(V)", _by_many(name))
aggregates.aggregate("sum(bigint) -> bigint", "CAST(sum({0}){over} AS BIGINT)")
aggregates.aggregate("sum(decimal) -> decimal", "sum({0}){over}", _sum_type)
aggregates.aggregate("sum(real) -> real", "CAST(sum({0}){over} AS FLOAT)")
aggregates.aggregate("sum(double) -> double", "sum({0}){over}")
for kind in ("interval day to second", "interval year to month"):
    aggregates.aggregate(f"sum({kind}) -> {kind}", "CAST(sum({0}){over} AS " + sqltypes.parse(kind).physical + ")")
aggregates.aggregate("approx_distinct(T) -> bigint", _distinct)
aggregates.aggregate("approx_distinct(T, double) -> bigint", _distinct)
for kind in ("bigint", "double", "real"):
    aggregates.aggregate(f"approx_percentile({kind}, array(double)) -> array({kind})", "quantile_disc({0}, {1}){over}")
    for weight in ("double", "bigint"):
        aggregates.refuse(f"approx_percentile({kind}, {weight}, array(double))", AGGREGATE)
        aggregates.refuse(f"approx_percentile({kind}, {weight}, double)", AGGREGATE)
for name in ("corr", "covar_pop", "covar_samp", "regr_intercept", "regr_slope"):
    aggregates.refuse(f"{name}(real, real)", AGGREGATE)
aggregates.refuse("geometric_mean(real)", AGGREGATE)
for kind in ("interval day to second", "interval year to month"):
    aggregates.refuse(f"avg({kind})", AGGREGATE)
for kind in ("bigint", "double", "real"):
    aggregates.aggregate(f"approx_percentile({kind}, double) -> {kind}", _percentile)
for name in ("and", "or", "xor"):
    aggregates.aggregate(f"bitwise_{name}_agg(bigint) -> bigint", f"bit_{name}({{0}}){{over}}")
for name in ("corr", "covar_pop", "covar_samp", "regr_intercept", "regr_slope"):
    aggregates.aggregate(f"{name}(double, double) -> double", f"{name}({{0}}, {{1}}){{over}}")
for name in ("stddev_pop", "var_pop"):
    aggregates.aggregate(f"{name}(double) -> double", f"{name}({{0}}){{over}}")
aggregates.aggregate("stddev(double) -> double", "stddev_samp({0}){over}", names="stddev_samp")
aggregates.aggregate("variance(double) -> double", "var_samp({0}){over}", names="var_samp")
aggregates.aggregate("histogram(T) -> map(T,bigint)", _histogram)
aggregates.aggregate("map_agg(K, V) -> map(K,V)", lambda key, value: _entries(key, value, True))
aggregates.aggregate("multimap_agg(K, V) -> map(K,array(V))", lambda key, value: _entries(key, value, False))
aggregates.aggregate("map_union(map(K,V)) -> map(K,V)", _union)
aggregates.aggregate("reduce_agg(T, S, function(S,T,S), function(S,S,S)) -> S", _reduce, lambda *kinds: kinds[1])


def _listagg(value: Value, separator: Value) -> str:
    ordered, _, order = separator.sql.partition(" ORDER BY ")
    tail = f" ORDER BY {order}" if order else ""
    return f"athena_limited_text(string_agg({value.sql}, {ordered}{tail}){{over}})"


aggregates.aggregate("listagg(varchar, varchar) -> varchar", _listagg)

for name in ("row_number", "rank", "dense_rank"):
    windows.window(f"{name}() -> bigint", f"CAST({name}(){{over}} AS BIGINT)")
for name in ("percent_rank", "cume_dist"):
    windows.window(f"{name}() -> double", f"{name}(){{over}}")
windows.window("ntile(bigint) -> bigint", "CAST(ntile({0}){over} AS BIGINT)")
for name in ("lag", "lead"):
    windows.window(f"{name}(T) -> T", f"{name}({{0}}){{over}}", _same)
    windows.window(f"{name}(T, bigint) -> T", f"{name}({{0}}, athena_offset_of_row({{1}})){{over}}", _same)
    windows.window(f"{name}(T, bigint, T) -> T", f"{name}({{0}}, athena_offset_of_row({{1}}), {{2}}){{over}}")
for name in ("first_value", "last_value"):
    windows.window(f"{name}(T) -> T", f"{name}({{0}}){{over}}", _same)
windows.window("nth_value(T, bigint) -> T", "nth_value({0}, {1}){over}", _same)
