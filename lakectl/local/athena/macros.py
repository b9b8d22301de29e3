"""Athena's semantics that DuckDB's own operators don't have, as DuckDB macros."""

from __future__ import annotations

_DIVISION_BY_ZERO = "error('DIVISION_BY_ZERO: Division by zero')"

MACROS = (
    # DuckDB gives NULL for x / 0; Athena raises. TRY() cannot hold error(), so it gets the NULL form.
    f"CREATE MACRO athena_divide(a, b) AS CASE WHEN b = 0 THEN {_DIVISION_BY_ZERO} ELSE a // b END",
    "CREATE MACRO athena_try_divide(a, b) AS CASE WHEN b = 0 THEN NULL ELSE a // b END",
    f"CREATE MACRO athena_modulo(a, b) AS CASE WHEN b = 0 THEN {_DIVISION_BY_ZERO} ELSE a % b END",
    "CREATE MACRO athena_try_modulo(a, b) AS CASE WHEN b = 0 THEN NULL ELSE a % b END",
    f"CREATE MACRO athena_divide_decimal(a, b) AS CASE WHEN b = 0 THEN {_DIVISION_BY_ZERO} ELSE a / b END",
    "CREATE MACRO athena_try_divide_decimal(a, b) AS CASE WHEN b = 0 THEN NULL ELSE a / b END",
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
