"""Mathematical and bitwise functions."""

from __future__ import annotations

import math
from collections.abc import Callable

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import operators
from lakectl.local.athena.analysis.values import Value, unsupported
from lakectl.local.athena.functions.python import Failure, function
from lakectl.local.athena.functions.registry import Family
from lakectl.local.athena.render import double
from lakectl.local.athena.sqltypes import Type

maths, bitwise = Family("math"), Family("bitwise")


def _same(kind: Type, *_: Type) -> Type:
    return kind


def _whole(kind: Type) -> Type:
    precision, scale = kind.numbers
    return sqltypes.decimal(precision - scale + min(scale, 1), 0)


def _to_whole(name: str) -> Callable[[Value], str]:
    return lambda value: f"CAST({name}({value.sql}) AS {_whole(value.type).physical})"


maths.add("abs(integral) -> integral", "abs({0})")
maths.add("abs(decimal) -> decimal", "abs({0})", _same)
maths.add("abs(real) -> real", "abs({0})")
maths.add("abs(double) -> double", "abs({0})")
for name in ("acos", "asin"):
    maths.add(
        f"{name}(double) -> double", f"(CASE WHEN abs({{0}}) > 1 THEN CAST('NaN' AS DOUBLE) ELSE {name}({{0}}) END)"
    )
for name in ("cosh", "sinh", "tanh", "atan", "degrees", "radians", "exp"):
    maths.add(f"{name}(double) -> double", f"{name}({{0}})")
for name in ("cos", "sin", "tan"):
    maths.add(f"{name}(double) -> double", f"{name}(CASE WHEN isinf({{0}}) THEN CAST('NaN' AS DOUBLE) ELSE {{0}} END)")
maths.add("cbrt(double) -> double", "athena_cbrt({0})")
maths.add("atan2(double, double) -> double", "atan2({0}, {1})")
for name in ("ceil", "floor"):
    names = "ceiling" if name == "ceil" else ""
    maths.add(f"{name}(integral) -> integral", "{0}", names=names)
    maths.add(f"{name}(decimal) -> decimal", _to_whole(name), _whole, names=names)
    maths.add(f"{name}(real) -> real", f"{name}({{0}})", names=names)
    maths.add(f"{name}(double) -> double", f"{name}({{0}})", names=names)
maths.add("e() -> double", "exp(1.0::DOUBLE)")
maths.add("pi() -> double", "pi()")
maths.add("infinity() -> double", "CAST('Infinity' AS DOUBLE)")
maths.add("nan() -> double", "CAST('NaN' AS DOUBLE)")
maths.add("is_nan(real) -> boolean", "isnan({0})")
maths.add("is_nan(double) -> boolean", "isnan({0})")
maths.add("is_finite(double) -> boolean", "isfinite({0})")
maths.add("is_infinite(double) -> boolean", "isinf({0})")
maths.add("ln(double) -> double", "athena_ln({0})")
maths.add("log2(double) -> double", "(athena_ln({0}) / ln(2.0::DOUBLE))")
maths.add("log10(double) -> double", "(CASE WHEN {0} > 0 THEN log10({0}) ELSE athena_ln({0}) END)")
maths.add("log(double, double) -> double", "(athena_ln({1}) / athena_ln({0}))")
maths.add("power(double, double) -> double", "pow({0}, {1})", names="pow")
maths.add("sqrt(double) -> double", "(CASE WHEN {0} < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt({0}) END)")
maths.add("sign(integral) -> integral", lambda value: f"CAST(sign({value.sql}) AS {value.type.physical})")
maths.add("sign(decimal) -> decimal(1,0)", "CAST(sign({0}) AS DECIMAL(1,0))")
maths.refuse("sign(real)")
maths.add("sign(double) -> double", "(CASE WHEN isnan({0}) THEN {0} ELSE CAST(sign({0}) AS DOUBLE) END)")
maths.add("round(integral) -> integral", "{0}")
maths.add("round(decimal) -> decimal", _to_whole("round"), _whole)
maths.add("round(real) -> real", "round({0})")
maths.add("round(double) -> double", "round({0})")
maths.add(
    "round(integral, integer) -> integral",
    lambda value, digits: f"CAST(athena_round_whole({value.sql}, {digits.sql}) AS {value.type.physical})",
)
maths.add("round(real, integer) -> real", "CAST(round(CAST({0} AS DOUBLE), {1}) AS FLOAT)")
maths.add("round(double, integer) -> double", "round({0}, {1})")
maths.refuse("truncate(integral)")
maths.add("truncate(double) -> double", "trunc({0})")
maths.add("truncate(real) -> real", "trunc({0})")


def _rounded(kind: Type, _: Type) -> Type:
    return sqltypes.decimal(kind.numbers[0] + 1, kind.numbers[1])


def _round_decimal(value: Value, digits: Value) -> str:
    wanted, scale = _rounded(value.type, digits.type).physical, value.type.numbers[1]
    if isinstance(digits.constant, int):
        return f"CAST(round(CAST({value.sql} AS {wanted}), {min(digits.constant, scale)}) AS {wanted})"
    raise unsupported("round of a decimal by a number of digits that is no literal")


def _truncated(value: Value, digits: Value) -> str:
    scale = value.type.numbers[1]
    if not isinstance(digits.constant, int):
        raise unsupported("truncate by a number of digits that is no literal")
    factor = f"CAST({10 ** max(0, min(37, scale - digits.constant))} AS HUGEINT)"
    whole = f"athena_unscaled({value.sql}, {scale}) // {factor} * {factor}"
    return f"CAST(athena_scaled({whole}, {scale}) AS {value.type.physical})"


def _random(low: str, high: Value) -> str:
    size = f"athena_random_size(CAST({low} AS HUGEINT), CAST({high.sql} AS HUGEINT))"
    return f"CAST({low} + CAST(floor(random() * {size}) AS BIGINT) AS {high.type.physical})"


def _cut(kind: Type) -> Type:
    return sqltypes.decimal(max(1, kind.numbers[0] - kind.numbers[1]), 0)


maths.add("round(decimal, integer) -> decimal", _round_decimal, _rounded)
maths.add(
    "truncate(decimal) -> decimal", lambda value: f"CAST(trunc({value.sql}) AS {_cut(value.type).physical})", _cut
)
maths.add("mod(T, U) -> T", lambda a, b: operators.arithmetic("%", a, b, None).sql,
          lambda a, b: operators.arithmetic("%", Value("a", a), Value("b", b), None).type)  # fmt: skip
maths.add("truncate(decimal, integer) -> decimal", _truncated, _same)
for name in ("random", "rand"):
    for kind in ("tinyint", "smallint", "integer", "bigint"):
        maths.add(f"{name}({kind}) -> {kind}", lambda bound: _random("0", bound))
        maths.add(f"{name}({kind}, {kind}) -> {kind}", lambda low, high: _random(low.sql, high))
    maths.refuse(f"{name}(double)")
    maths.refuse(f"{name}(double, double)")
maths.refuse("width_bucket(double, array(double))")
maths.add("random() -> double", "random()", names="rand")
maths.add("width_bucket(double, double, double, bigint) -> bigint", "athena_width_bucket({0}, {1}, {2}, {3})")
maths.add("from_base(varchar, bigint) -> bigint", "athena_from_base({0}, {1})")
maths.add("to_base(bigint, bigint) -> varchar(64)", "athena_to_base({0}, {1})")
maths.add(
    "cosine_similarity(map(varchar,double), map(varchar,double)) -> double",
    "athena_cosine_similarity(map_keys({0}), map_values({0}), map_keys({1}), map_values({1}))",
)


@function("athena_real_text", "DOUBLE -> VARCHAR")
def _real_text(value: float) -> str:
    return double(value, narrow=True)


@function("athena_cbrt", "DOUBLE -> DOUBLE")
def _cbrt(value: float) -> float:
    root = math.cbrt(value)  # the C library's may be off by the last digit
    return root - (root**3 - value) / (3 * root * root) if root and math.isfinite(root) else root


@function("athena_width_bucket", "DOUBLE, DOUBLE, DOUBLE, BIGINT -> BIGINT")
def _width_bucket(value: float, low: float, high: float, count: int) -> int:
    if count <= 0:
        raise Failure("bucketCount must be greater than 0")
    if math.isnan(value):
        raise Failure("operand must not be NaN")
    if not math.isfinite(low):
        raise Failure("first bound must be finite")
    if not math.isfinite(high):
        raise Failure("second bound must be finite")
    if low == high:
        raise Failure("bounds cannot equal each other")
    lower, upper = min(low, high), max(low, high)
    if count == 2**63 - 1 and (value >= upper if low < high else value < lower):
        raise Failure(f"Bucket for value {double(value)} is out of range", "NUMERIC_VALUE_OUT_OF_RANGE")
    if value < lower:
        bucket = 0
    elif value >= upper:
        bucket = count + 1
    else:
        bucket = int(count * (value - lower) / (upper - lower)) + 1
    return count - bucket + 1 if low > high else bucket


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _radix(radix: int) -> None:
    if not 2 <= radix <= 36:
        raise Failure("Radix must be between 2 and 36")


@function("athena_from_base", "VARCHAR, BIGINT -> BIGINT")
def _from_base(text: str, radix: int) -> int:
    _radix(radix)
    digits = text.lower().removeprefix("-").removeprefix("+") if text[:1] in "+-" else text.lower()
    if not digits or any(digit not in _DIGITS[:radix] for digit in digits):
        raise Failure(f"Not a valid base-{radix} number: {text}")
    value = int(text, radix)
    if not -(2**63) <= value < 2**63:
        raise Failure(f"Not a valid base-{radix} number: {text}")
    return value


@function("athena_to_base", "BIGINT, BIGINT -> VARCHAR")
def _to_base(value: int, radix: int) -> str:
    _radix(radix)
    digits, left = "", abs(value)
    while left or not digits:
        left, digit = divmod(left, radix)
        digits = _DIGITS[digit] + digits
    return f"-{digits}" if value < 0 else digits


@function("athena_cosine_similarity", "VARCHAR[], DOUBLE[], VARCHAR[], DOUBLE[] -> DOUBLE")
def _cosine(keys: list[str], values: list[float], others: list[str], weights: list[float]) -> float | None:
    left, right = dict(zip(keys, values, strict=True)), dict(zip(others, weights, strict=True))
    if None in (*values, *weights):
        return None
    norms = [math.sqrt(sum(each * each for each in vector.values())) for vector in (left, right)]
    if 0 in norms:
        return None
    return float(sum(value * right.get(key, 0.0) for key, value in left.items()) / (norms[0] * norms[1]))


for name, sign in (("and", "{0} & {1}"), ("or", "{0} | {1}"), ("xor", "xor({0}, {1})")):
    bitwise.add(f"bitwise_{name}(bigint, bigint) -> bigint", f"({sign})")
bitwise.add("bitwise_not(bigint) -> bigint", "(~{0})")
bitwise.add("bit_count(bigint, bigint) -> bigint", "athena_bit_count({0}, {1})")
_BITS = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}
for name in ("left_shift", "right_shift", "right_shift_arithmetic"):
    bitwise.add(
        f"bitwise_{name}(integral, bigint) -> integral",
        lambda value, by, name=name: (
            f"CAST(athena_{name}({value.sql}, {by.sql}, {_BITS[value.type.name]}) AS {value.type.physical})"
        ),
    )


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


@function("athena_left_shift", "BIGINT, BIGINT, INTEGER -> BIGINT")
def _left(value: int, by: int, bits: int) -> int:
    return 0 if by >= bits or by < 0 else _signed(value << by, bits)


@function("athena_right_shift", "BIGINT, BIGINT, INTEGER -> BIGINT")
def _right(value: int, by: int, bits: int) -> int:
    return 0 if by >= bits or by < 0 else _signed((value & ((1 << bits) - 1)) >> by, bits)


@function("athena_right_shift_arithmetic", "BIGINT, BIGINT, INTEGER -> BIGINT")
def _arithmetic(value: int, by: int, _: int) -> int:
    return value >> min(by, 63) if by >= 0 else (0 if value >= 0 else -1)


@function("athena_bit_count", "BIGINT, BIGINT -> BIGINT")
def _bit_count(value: int, bits: int) -> int:
    if not 2 <= bits <= 64:
        raise Failure(f"Bits specified in bit_count must be between 2 and 64, got {bits}")
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise Failure(
            f"Number must be representable with the bits specified. {value} cannot be represented with {bits} bits"
        )
    return (value & ((1 << bits) - 1)).bit_count()
