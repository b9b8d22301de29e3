"""Athena's semantics that DuckDB's own operators don't have, as DuckDB macros."""

from __future__ import annotations

_DIVISION_BY_ZERO = "error('DIVISION_BY_ZERO: Division by zero')"

_SEQUENCE_LONG = "error('INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries')"
_SEQUENCE_ORDER = (
    "error('INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if step is "
    "greater than zero otherwise stop should be less than or equal to start')"
)
_SEQUENCE_STEP = "error('INVALID_FUNCTION_ARGUMENT: step must not be zero')"


def _sequence(name: str, entries: str, forward: str, back: str, zero: str, result: str) -> tuple[str, str]:
    """Trino's sequence(): the checks stand in the place of ``b``, so that nothing is made before they have passed."""
    return (
        f"CREATE MACRO {name}_stop(a, b, s) AS CASE WHEN {zero} THEN {_SEQUENCE_STEP} "
        f"WHEN ({forward} AND b < a) OR ({back} AND b > a) THEN {_SEQUENCE_ORDER} "
        f"WHEN {entries} > 10000 THEN {_SEQUENCE_LONG} ELSE b END",
        f"CREATE MACRO {name}(a, b, s) AS {result}",
    )


MACROS = (
    "CREATE MACRO athena_direction(a, b) AS CASE WHEN b >= a THEN 1 ELSE -1 END",
    *_sequence(
        "athena_sequence",
        "(CAST(b AS HUGEINT) - CAST(a AS HUGEINT)) // s + 1",
        "s > 0",
        "s < 0",
        "s = 0",
        "generate_series(CAST(a AS BIGINT), CAST(athena_sequence_stop(a, b, s) AS BIGINT), CAST(s AS BIGINT))",
    ),
    *_sequence(
        "athena_time_sequence",
        "abs(epoch(b) - epoch(a)) / abs(epoch(s)) + 1",
        "epoch(s) > 0",
        "epoch(s) < 0",
        "epoch(s) = 0",
        "generate_series(CAST(a AS TIMESTAMP), CAST(athena_time_sequence_stop(a, b, s) AS TIMESTAMP), s)",
    ),
    # Of months: each entry is counted from the start, so that 31 January + 2 months is 31 March.
    *_sequence(
        "athena_month_sequence",
        "datesub('month', a, b) // s + 1",
        "s > 0",
        "s < 0",
        "s = 0",
        "list_transform(range(datesub('month', a, athena_month_sequence_stop(a, b, s)) // s + 1), "
        "lambda i: a + to_months(CAST(i * s AS INTEGER)))",
    ),
    "CREATE MACRO athena_repeat_count(n) AS CASE "
    "WHEN n > 10000 THEN error('INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be less than or "
    "equal to 10000') "
    "WHEN n < 0 THEN error('INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be greater than or "
    "equal to 0') ELSE n END",
    "CREATE MACRO athena_repeat(x, n) AS CASE WHEN n IS NULL THEN NULL ELSE "
    "list_transform(range(CAST(athena_repeat_count(n) AS BIGINT)), lambda i: x) END",
    "CREATE MACRO athena_recursion_ended(x) AS CASE WHEN x IS NULL OR x IS NOT NULL THEN CAST(error('NOT_SUPPORTED: "
    "Recursion depth limit exceeded (10). Use ''max_recursion_depth'' session property to modify the limit.') "
    "AS BOOLEAN) END",
    # DuckDB gives NULL for x / 0; Athena raises. TRY() cannot hold error(), so it gets the NULL form.
    f"CREATE MACRO athena_divide(a, b) AS CASE WHEN b = 0 THEN {_DIVISION_BY_ZERO} ELSE a // b END",
    "CREATE MACRO athena_try_divide(a, b) AS CASE WHEN b = 0 THEN NULL ELSE a // b END",
    # By -1, DuckDB fails for the least bigint; by 1, the remainder is the same.
    "CREATE MACRO athena_remainder(a, b) AS a % CASE WHEN b = -1 THEN 1 ELSE b END",
    f"CREATE MACRO athena_modulo(a, b) AS CASE WHEN b = 0 THEN {_DIVISION_BY_ZERO} ELSE athena_remainder(a, b) END",
    "CREATE MACRO athena_try_modulo(a, b) AS CASE WHEN b = 0 THEN NULL ELSE athena_remainder(a, b) END",
    f"CREATE MACRO athena_divide_decimal(a, b) AS CASE WHEN b = 0 THEN {_DIVISION_BY_ZERO} ELSE a / b END",
    "CREATE MACRO athena_try_divide_decimal(a, b) AS CASE WHEN b = 0 THEN NULL ELSE a / b END",
    # DuckDB makes ß one capital letter, Java leaves it.
    "CREATE MACRO athena_upper(t) AS CASE WHEN contains(t, 'ß') "
    "THEN array_to_string(list_transform(string_split(t, 'ß'), lambda part: upper(part)), 'ß') ELSE upper(t) END",
    "CREATE MACRO athena_subscript(a, i) AS CASE "
    "WHEN i > len(a) THEN error('INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array "
    "length: ' || i || ' > ' || len(a)) "
    "WHEN i < 1 THEN error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') ELSE a[i] END",
    # java.lang.Double.toString: plain between 1e-3 and 1e7, else d.dddE±x. DuckDB's text has the same
    # shortest digits, in another notation ('12345678.5', '1.5e+16', '1e-05').
    "CREATE MACRO athena_digits(t) AS ltrim(replace(split_part(t, 'e', 1), '.', ''), '0')",
    "CREATE MACRO athena_mantissa(d) AS left(d, 1) || '.' || "
    "CASE WHEN rtrim(d[2:], '0') = '' THEN '0' ELSE rtrim(d[2:], '0') END",
    "CREATE MACRO athena_exponent(v, t) AS CASE WHEN contains(t, 'e') THEN CAST(split_part(t, 'e', 2) AS INTEGER) "
    "WHEN v >= 1 THEN length(split_part(t, '.', 1)) - 1 "
    "ELSE length(ltrim(split_part(t, '.', 2), '0')) - length(split_part(t, '.', 2)) - 1 END",
    "CREATE MACRO athena_double_text(v) AS CASE WHEN isnan(v) THEN 'NaN' "
    "WHEN isinf(v) THEN CASE WHEN v > 0 THEN 'Infinity' ELSE '-Infinity' END "
    "WHEN v = 0 OR (abs(v) >= 1e-3 AND abs(v) < 1e7) THEN CAST(v AS VARCHAR) "
    "ELSE CASE WHEN v < 0 THEN '-' ELSE '' END || athena_mantissa(athena_digits(CAST(abs(v) AS VARCHAR))) "
    "|| 'E' || athena_exponent(abs(v), CAST(abs(v) AS VARCHAR)) END",
)
