"""Trino's semantics that DuckDB's own operators don't have, as DuckDB macros."""

from __future__ import annotations


def _fail(message: str) -> str:
    """An expression that fails with ``message``, itself an expression of text. It stands where a value is expected."""
    return f"CAST({message} AS TINYINT)"


def _failing(text: str) -> str:
    return _fail("'" + text.replace("'", "''") + "'")


_SEQUENCE_LONG = "INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries"
_SEQUENCE_ORDER = (
    "INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if step is greater "
    "than zero otherwise stop should be less than or equal to start"
)
_SEQUENCE_STEP = "INVALID_FUNCTION_ARGUMENT: step must not be zero"


def _entries(name: str, count: str, forward: str, back: str) -> str:
    """How many entries a sequence has; checked, so that nothing is made before."""
    return (
        f"CREATE MACRO {name}(a, b, s) AS CASE WHEN s = 0 THEN {_failing(_SEQUENCE_STEP)} "
        f"WHEN ({forward} AND b < a) OR ({back} AND b > a) THEN {_failing(_SEQUENCE_ORDER)} "
        f"WHEN {count} > 10000 THEN {_failing(_SEQUENCE_LONG)} ELSE CAST({count} AS BIGINT) END"
    )


def _cast_text(name: str, test: str, given: str = "t", converted: str = "t") -> str:
    """The text, if it is of the form that Trino casts; ``k``: the type."""
    message = "'INVALID_CAST_ARGUMENT: Cannot cast ''' || t || ''' to ' || k"
    otherwise = f"CAST({_fail(message)} AS VARCHAR)"
    return f"CREATE MACRO {name}({given}, k) AS CASE WHEN {test} THEN {converted} ELSE {otherwise} END"


def _value_text(name: str, pattern: str, kind: str, converted: str = "trim(t)") -> str:
    message = f"'INVALID_CAST_ARGUMENT: Value cannot be cast to {kind}: ' || t"
    far = "'NOT_SUPPORTED: a year beyond 9999 is not supported by the local Athena; it works on AWS: ' || t"
    test = f"regexp_full_match(trim(t), '{pattern}')"
    return (
        f"CREATE MACRO {name}(t) AS CASE WHEN t IS NULL OR {test} THEN {converted} "
        f"WHEN regexp_matches(t, '^\\s*([+-][0-9]{{4,}}|[0-9]{{5,}})-[0-9]{{1,2}}-[0-9]{{1,2}}') "
        f"THEN CAST({_fail(far)} AS VARCHAR) ELSE CAST({_fail(message)} AS VARCHAR) END"
    )


_CASTS = (
    _cast_text("athena_integer_text", "t IS NULL OR regexp_full_match(t, '[+-]?[0-9]+')"),
    _cast_text(
        "athena_number_text",
        "t IS NULL OR regexp_full_match(t, "
        "'\\s*[+-]?(([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|Infinity)\\s*')",
    ),
    _cast_text(
        "athena_decimal_text",
        "t IS NULL OR regexp_full_match(t, '[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?')",
    ),
    _cast_text("athena_finite_text", "v IS NULL OR isfinite(v)", "v", "CAST(v AS VARCHAR)").replace(
        "|| t ||", "|| CAST(v AS VARCHAR) ||"
    ),
    "CREATE MACRO athena_to_boolean(t) AS CASE WHEN lower(t) IN ('true', 't', '1') THEN true "
    "WHEN lower(t) IN ('false', 'f', '0') THEN false WHEN t IS NOT NULL THEN CAST("
    + _fail("'INVALID_CAST_ARGUMENT: Cannot cast ''' || t || ''' to BOOLEAN'")
    + " AS BOOLEAN) END",
    _value_text(
        "athena_date_text",
        "\\s*[+]?0*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\\s*",
        "date",
        "CASE WHEN length(t) <= 10 THEN trim(t) ELSE regexp_extract(t, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') END",
    ),
    # What is behind the sixth digit of a second, and whether it rounds up to one microsecond.
    "CREATE MACRO athena_six_digits(t) AS CASE WHEN length(t) > 15 AND contains(t, '.') "
    "THEN regexp_replace(t, '(\\.[0-9]{6})[0-9]+', '\\1') ELSE t END",
    "CREATE MACRO athena_picoseconds(t) AS CAST(rpad(regexp_extract(t, '\\.[0-9]{6}([0-9]*)', 1), 6, '0') AS BIGINT)",
    _value_text(
        "athena_zoned_time_text",
        "[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,12})?)? ?[+-][0-9]{2}:[0-9]{2}",
        "time with time zone",
    ),
    # What a time with time zone is compared by: microseconds of the day in UTC.
    "CREATE MACRO athena_utc_of_day(v) AS ((epoch_us((v).t) - CAST((v).z AS BIGINT) * 60000000) % "
    "86400000000 + 86400000000) % 86400000000",
    "CREATE MACRO athena_seventh(t) AS CASE WHEN length(t) > 15 AND regexp_matches(t, '\\.[0-9]{6}[5-9]') "
    "THEN 1 ELSE 0 END",
    _value_text(
        "athena_timestamp_text",
        "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,12})?)?)?"
        "( ?[A-Za-z][A-Za-z0-9/_+:-]*| ?[+-][0-9]{1,2}:?[0-9]{2})?",
        "timestamp",
        "CASE WHEN regexp_full_match(trim(t), '[-0-9]+( [0-9:.]+)?') THEN "
        "CASE WHEN regexp_full_match(trim(t), '.* [0-9]+:[0-9]+') THEN trim(t) || ':00' ELSE trim(t) END "
        # The zone must be one, and is left out.
        "ELSE regexp_replace(regexp_extract(trim(t), '^[0-9]+-[0-9]+-[0-9]+( [0-9:.]+)?'), "
        "'( [0-9]+:[0-9]+)$', '\\1:00') "
        "|| left(athena_zone_name(ltrim(regexp_replace(trim(t), '^[0-9]+-[0-9]+-[0-9]+( [0-9:.]+)?', ''))), 0) END",
    ),
    _value_text(
        "athena_time_text",
        "[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,12})?)?",
        "time",
        "CASE WHEN regexp_full_match(trim(t), '[0-9]+:[0-9]+') THEN trim(t) || ':00' ELSE trim(t) END",
    ),
    "CREATE MACRO athena_fits(t, n, k) AS CASE WHEN length(t) <= n OR t IS NULL THEN t ELSE CAST("
    + _fail("'INVALID_CAST_ARGUMENT: Value ' || t || ' cannot be represented as ' || k")
    + " AS VARCHAR) END",
    # LISTAGG: what is longer, ON OVERFLOW is for.
    "CREATE MACRO athena_limited_text(t) AS CASE WHEN strlen(t) > 1048576 THEN CAST("
    + _failing(
        "NOT_SUPPORTED: LISTAGG of more than 1048576 bytes is not supported by the local Athena; it works on AWS"
    )
    + " AS VARCHAR) ELSE t END",
    "CREATE MACRO athena_like_pattern(p, e) AS CASE WHEN length(e) <= 1 OR e IS NULL THEN p ELSE CAST("
    + _failing("INVALID_FUNCTION_ARGUMENT: Escape string must be a single character")
    + " AS VARCHAR) END",
)
_NUMBERS = (
    f"CREATE MACRO athena_divisor(b) AS CASE WHEN b = 0 THEN {_failing('DIVISION_BY_ZERO: Division by zero')} "
    f"ELSE b END",
    # Half up; Java's roundLong knows no power of ten beyond the eighteenth.
    "CREATE MACRO athena_round_whole(v, n) AS CASE WHEN n >= 0 THEN CAST(v AS HUGEINT) WHEN n < -18 THEN "
    + _failing("NUMERIC_VALUE_OUT_OF_RANGE: Rounding out of range")
    + " ELSE (CAST(v AS HUGEINT) + sign(v) * CAST(pow(10, -n) AS HUGEINT) // 2) // CAST(pow(10, -n) AS HUGEINT) "
    "* CAST(pow(10, -n) AS HUGEINT) END",
    # Beyond the range of 32 bits, Java's cast gives infinity.
    "CREATE MACRO athena_to_real(v) AS CASE WHEN abs(v) > 3.4028235677973366e38 AND NOT isnan(v) THEN "
    "CAST('Infinity' AS FLOAT) * CAST(sign(v) AS FLOAT) ELSE CAST(v AS FLOAT) END",
    "CREATE MACRO athena_random_size(a, b) AS CASE WHEN b <= a THEN "
    + " CASE WHEN a = 0 THEN "
    + _failing("INVALID_FUNCTION_ARGUMENT: bound must be positive")
    + " ELSE "
    + _failing("INVALID_FUNCTION_ARGUMENT: start value must be less than stop value")
    + " END ELSE b - a END",
    "CREATE MACRO athena_remainder(a, b) AS a % CASE WHEN b = -1 THEN 1 ELSE b END",
    # As Java divides, also by zero: DuckDB follows IEEE 754. A macro's argument is expanded wherever it stands, so each
    # stands once: a chain of divisions would grow by its power.
    "CREATE MACRO athena_divide_double(a, b) AS a / b",
    "CREATE MACRO athena_divide_real(a, b) AS CAST(a / b AS FLOAT)",
    "CREATE MACRO athena_modulo_double(a, b) AS a % b",  # with the sign of a; fmod has the sign of b
    "CREATE MACRO athena_modulo_real(a, b) AS CAST(a % b AS FLOAT)",
    # A decimal's digits without the point, and back.
    "CREATE MACRO athena_unscaled(v, s) AS CAST(replace(CAST(v AS VARCHAR), '.', '') AS HUGEINT)",
    # In a list of one element, so that the argument is computed once, however often it is looked at.
    "CREATE MACRO athena_scaled(v, s) AS list_transform([v], lambda x: CASE WHEN x IS NULL THEN NULL ELSE "
    "CASE WHEN x < 0 THEN '-' ELSE '' END || CASE WHEN s = 0 THEN CAST(abs(x) AS VARCHAR) ELSE "
    "left(lpad(CAST(abs(x) AS VARCHAR), CAST(greatest(s + 1, length(CAST(abs(x) AS VARCHAR))) AS INTEGER), '0'), "
    "-s) || '.' || right(lpad(CAST(abs(x) AS VARCHAR), CAST(greatest(s, length(CAST(abs(x) AS VARCHAR))) AS "
    "INTEGER), '0'), s) END END)[1]",
    "CREATE MACRO athena_half_up_quotient(a, b) AS list_transform([struct_pack(a := a, b := b)], lambda q: "
    "(abs(q.a) * 2 + abs(q.b)) // (abs(q.b) * 2) * sign(q.a) * sign(q.b))[1]",
    "CREATE MACRO athena_half_up(v, s) AS round(v, s)",
    "CREATE MACRO athena_nan(test, v) AS CASE WHEN test THEN v ELSE CAST('NaN' AS DOUBLE) END",
    "CREATE MACRO athena_ln(v) AS CASE WHEN v > 0 THEN ln(v) WHEN v = 0 THEN CAST('-Infinity' AS DOUBLE) "
    "WHEN v IS NOT NULL THEN CAST('NaN' AS DOUBLE) END",
)
_TEXTS = (
    # DuckDB makes ß one capital letter, Java leaves it.
    "CREATE MACRO athena_upper(t) AS CASE WHEN contains(t, 'ß') "
    "THEN array_to_string(list_transform(string_split(t, 'ß'), lambda part: upper(part)), 'ß') ELSE upper(t) END",
    "CREATE MACRO athena_blank() AS chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(28) || chr(29) || "
    "chr(30) || chr(31) || ' ' || chr(5760) || chr(8232) || chr(8233) || chr(8287) || chr(12288)",
    "CREATE MACRO athena_substring(t, f, n) AS CASE WHEN n <= 0 OR f = 0 OR -f > length(t) OR f > length(t) "
    "THEN CASE WHEN t IS NOT NULL AND f IS NOT NULL AND n IS NOT NULL THEN '' END ELSE "
    "substring(t, f, least(n, 2147483647)) END",
    "CREATE MACRO athena_pad(p) AS CASE WHEN p <> '' THEN p WHEN p IS NOT NULL THEN CAST("
    + _failing("INVALID_FUNCTION_ARGUMENT: Padding string must not be empty")
    + " AS VARCHAR) END",
    "CREATE MACRO athena_pad_length(n) AS CASE WHEN n < 0 OR n > 2147483647 THEN "
    + _failing("INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]")
    + " ELSE CAST(n AS INTEGER) END",
    "CREATE MACRO athena_delimiter(d) AS CASE WHEN d <> '' THEN d WHEN d IS NOT NULL THEN CAST("
    + _failing("INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string")
    + " AS VARCHAR) END",
    "CREATE MACRO athena_part_index(i) AS CASE WHEN i < 1 THEN "
    + _failing("INVALID_FUNCTION_ARGUMENT: Index must be greater than zero")
    + " ELSE i END",
    # java.lang.Double.toString: plain between 1e-3 and 1e7, else d.dddE±x. DuckDB's text has the same
    # shortest digits, in another notation ('12345678.5', '1.5e+16', '1e-05').
    "CREATE MACRO athena_digits(t) AS ltrim(replace(split_part(t, 'e', 1), '.', ''), '0')",
    "CREATE MACRO athena_mantissa(d) AS left(d, 1) || '.' || "
    "CASE WHEN rtrim(d[2:], '0') = '' THEN '0' ELSE rtrim(d[2:], '0') END",
    "CREATE MACRO athena_exponent(v, t) AS CASE WHEN contains(t, 'e') THEN CAST(split_part(t, 'e', 2) AS INTEGER) "
    "WHEN v >= 1 THEN length(split_part(t, '.', 1)) - 1 "
    "ELSE length(ltrim(split_part(t, '.', 2), '0')) - length(split_part(t, '.', 2)) - 1 END",
    "CREATE MACRO athena_double_text(v) AS list_transform([v], lambda x: CASE WHEN isnan(x) THEN 'NaN' "
    "WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END "
    "WHEN x = 0 OR (abs(x) >= 1e-3 AND abs(x) < 1e7) THEN CAST(x AS VARCHAR) "
    "ELSE CASE WHEN x < 0 THEN '-' ELSE '' END || athena_mantissa(athena_digits(CAST(abs(x) AS VARCHAR))) "
    "|| 'E' || athena_exponent(abs(x), CAST(abs(x) AS VARCHAR)) END)[1]",
)
# CAST of a double or real to varchar (DoubleOperators.castToVarchar): always d.dddE±x.
_FLOATS = (
    "CREATE MACRO athena_scientific(v) AS list_transform([v], lambda x: CASE WHEN isnan(x) THEN 'NaN' "
    "WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END "
    "WHEN x = 0 THEN CASE WHEN CAST(x AS VARCHAR) = '-0.0' THEN '-0E0' ELSE '0E0' END "
    "ELSE CASE WHEN x < 0 THEN '-' ELSE '' END || athena_mantissa(athena_digits(CAST(abs(x) AS VARCHAR))) "
    "|| 'E' || athena_exponent(abs(x), CAST(abs(x) AS VARCHAR)) END)[1]",
    # DuckDB leaves out the 0 before the point where all digits stand behind it.
    "CREATE MACRO athena_decimal_shown(v) AS regexp_replace(CAST(v AS VARCHAR), '^(-?)[.]', '\\10.')",
)
_TIMES = (
    "CREATE MACRO athena_offset(z) AS (CASE WHEN left(z, 1) = '-' THEN -1 ELSE 1 END) * "
    "(CAST(substring(z, 2, 2) AS INTEGER) * 60 + CAST(substring(z, 5, 2) AS INTEGER))",
    "CREATE MACRO athena_local(t, z) AS CASE WHEN z = 'UTC' THEN timezone('UTC', t) "
    "WHEN left(z, 1) IN ('+', '-') THEN timezone('UTC', t) + to_minutes(athena_offset(z)) ELSE timezone(z, t) END",
    "CREATE MACRO athena_instant(l, z) AS CASE WHEN z = 'UTC' THEN timezone('UTC', l) "
    "WHEN left(z, 1) IN ('+', '-') THEN timezone('UTC', l - to_minutes(athena_offset(z))) ELSE timezone(z, l) END",
    # Minutes from UTC of a zone at an instant.
    "CREATE MACRO athena_minutes_of(t, z) AS CAST(epoch(athena_local(t, z)) - epoch(timezone('UTC', t)) AS "
    "BIGINT) // 60",
    "CREATE MACRO athena_offset_text(m) AS (CASE WHEN m < 0 THEN '-' ELSE '+' END) || "
    "lpad(CAST(abs(m) // 60 AS VARCHAR), 2, '0') || ':' || lpad(CAST(abs(m) % 60 AS VARCHAR), 2, '0')",
    # Half up to a multiple of u microseconds; of TIME, beyond midnight.
    "CREATE MACRO athena_round_time(t, u) AS t + to_microseconds("
    "(CASE WHEN (((microsecond(t) % u) + u) % u) * 2 >= u THEN u ELSE 0 END) - (((microsecond(t) % u) + u) % u))",
    "CREATE MACRO athena_milliseconds_between(a, b) AS CAST(sign(epoch_us(b) - epoch_us(a)) * ((abs(epoch_us(b) - "
    "epoch_us(a)) + 500) // 1000) AS BIGINT)",
    "CREATE MACRO athena_time_plus(t, ms) AS CAST(TIMESTAMP '2000-01-01 00:00:00' + to_microseconds("
    "((epoch_us(t) + ms * 1000) % 86400000000 + 86400000000) % 86400000000) AS TIME)",
    "CREATE MACRO athena_whole_days(ms) AS CASE WHEN ms % 86400000 <> 0 THEN "
    + _failing("INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date")
    + " ELSE CAST(ms // 86400000 AS INTEGER) END",
    "CREATE MACRO athena_time_shown(t, p) AS left(strftime(TIMESTAMP '2000-01-01 00:00:00' + "
    "to_microseconds(epoch_us(t)), "
    "'%H:%M:%S.%f'), CASE WHEN p = 0 THEN 8 ELSE 9 + p END)",
    "CREATE MACRO athena_seconds_shown(ms) AS (CASE WHEN ms < 0 THEN '-' ELSE '' END) || (abs(ms) // "
    "86400000) || ' ' || "
    "lpad(CAST(abs(ms) // 3600000 % 24 AS VARCHAR), 2, '0') || ':' || lpad(CAST(abs(ms) // 60000 % 60 AS "
    "VARCHAR), 2, '0') "
    "|| ':' || lpad(CAST(abs(ms) // 1000 % 60 AS VARCHAR), 2, '0') || '.' || lpad(CAST(abs(ms) % 1000 AS "
    "VARCHAR), 3, '0')",
    "CREATE MACRO athena_months_shown(m) AS (CASE WHEN m < 0 THEN '-' ELSE '' END) || (abs(m) // 12) || '-' "
    "|| (abs(m) % 12)",
    "CREATE MACRO athena_current_timestamp() AS struct_pack(t := current_timestamp, z := 'UTC')",
    "CREATE MACRO athena_localtimestamp() AS timezone('UTC', current_timestamp)",
)
_ARRAYS = (
    "CREATE MACRO athena_offset_of_row(n) AS CASE WHEN n IS NULL THEN "
    + _failing("INVALID_FUNCTION_ARGUMENT: Offset must not be null")
    + " WHEN n < 0 THEN "
    + _failing("INVALID_FUNCTION_ARGUMENT: Offset must be at least 0")
    + " ELSE n END",
    "CREATE MACRO athena_comparison(n) AS CASE WHEN n IN (-1, 0, 1) THEN n ELSE "
    + _failing("INVALID_FUNCTION_ARGUMENT: Lambda comparator must return either -1, 0, or 1")
    + " END",
    "CREATE MACRO athena_days_of(ms) AS CASE WHEN ms % 86400000 <> 0 THEN "
    + _failing("INVALID_FUNCTION_ARGUMENT: sequence step must be a day interval if start and end values are dates")
    + " ELSE ms END",
    # DuckDB would lose digits of a double that is too large for the decimal.
    "CREATE MACRO athena_below(v, most, k) AS CASE WHEN abs(v) >= most THEN CAST("
    "'INVALID_CAST_ARGUMENT: Cannot cast ' || replace(k, ' ''', ' ''' || athena_double_text(v) || '''') AS TINYINT) "
    "ELSE v END",
    "CREATE MACRO athena_no_null_within(same, wanted, item) AS CASE WHEN same IS NULL AND wanted IS NOT NULL AND "
    "item IS NOT NULL THEN CAST("
    + _failing("NOT_SUPPORTED: arrays with elements that are null or contain null can not be compared")
    + " AS BOOLEAN) ELSE same END",
    "CREATE MACRO athena_direction(a, b) AS CASE WHEN b >= a THEN 1 ELSE -1 END",
    _entries("athena_sequence_entries", "((CAST(b AS HUGEINT) - CAST(a AS HUGEINT)) // s + 1)", "s > 0", "s < 0"),
    "CREATE MACRO athena_sequence(a, b, s) AS list_transform(range(athena_sequence_entries(a, b, s)), "
    "lambda i: CAST(a + i * s AS BIGINT))",
    _entries("athena_time_entries", "((epoch_ms(b) - epoch_ms(a)) // s + 1)", "s > 0", "s < 0"),
    "CREATE MACRO athena_time_sequence(a, b, s) AS list_transform(range(athena_time_entries(a, b, s)), "
    "lambda i: a + to_milliseconds(i * s))",
    # Of months: each entry is counted from the start, so that 31 January + 2 months is 31 March.
    _entries("athena_month_entries", "(datesub('month', a, b) // s + 1)", "s > 0", "s < 0"),
    "CREATE MACRO athena_month_sequence(a, b, s) AS list_transform(range(athena_month_entries(a, b, s)), "
    "lambda i: a + to_months(CAST(i * s AS INTEGER)))",
    "CREATE MACRO athena_repeat_count(n) AS CASE WHEN n > 10000 THEN "
    + _failing("INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be less than or equal to 10000")
    + " WHEN n < 0 THEN "
    + _failing("INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be greater than or equal to 0")
    + " ELSE n END",
    "CREATE MACRO athena_repeat(x, n) AS CASE WHEN n IS NULL THEN NULL ELSE "
    "list_transform(range(CAST(athena_repeat_count(n) AS BIGINT)), lambda i: x) END",
    "CREATE MACRO athena_recursion_ended(x) AS CASE WHEN x IS NULL OR x IS NOT NULL THEN CAST(error('NOT_SUPPORTED: "
    "Recursion depth limit exceeded (10). Use ''max_recursion_depth'' session property to modify the limit.') "
    "AS BOOLEAN) END",
    "CREATE MACRO athena_index(a, i) AS CASE WHEN i > len(a) THEN "
    + _fail(
        "'INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: ' || i || ' "
        "> ' || len(a)"
    )
    + " WHEN i = 0 THEN "
    + _failing("INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1")
    + " WHEN i < 0 THEN "
    + _fail("'INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || i")
    + " ELSE i END",
    "CREATE MACRO athena_subscript(a, i) AS list_extract(a, athena_index(a, i))",
    "CREATE MACRO athena_element(a, i) AS list_extract(a, CASE WHEN i = 0 THEN "
    + _failing("INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1")
    + " ELSE i END)",
    "CREATE MACRO athena_map_subscript(m, k, shown) AS list_extract(map_extract(m, k), CASE WHEN "
    "len(map_extract(m, k)) = 0 "
    "THEN " + _fail("'INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || shown") + " ELSE 1 END)",
    "CREATE MACRO athena_without_nan(a) AS CASE WHEN len(list_filter(a, lambda x: isnan(x))) > 0 THEN list_slice(a, 1, "
    + _failing("NOT_SUPPORTED: NaN among the compared values is not supported by the local Athena; it works on AWS")
    + ") ELSE a END",
    "CREATE MACRO athena_comparable(a) AS CASE WHEN len(list_filter(a, lambda x: x IS NULL)) > 0 THEN list_slice(a, 1, "
    + _failing("NOT_SUPPORTED: ARRAY comparison not supported for arrays with null elements")
    + ") ELSE a END",
    "CREATE MACRO athena_all_equal(a, b, same) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(a) <> len(b) "
    "THEN false WHEN list_contains(same, false) THEN false WHEN len(list_filter(same, lambda x: x IS NULL)) > 0 "
    "THEN NULL ELSE true END",
    # true if any is, else NULL if any is unknown
    "CREATE MACRO athena_any(tests) AS CASE WHEN tests IS NULL THEN NULL WHEN list_contains(tests, true) THEN true "
    "WHEN len(list_filter(tests, lambda x: x IS NULL)) > 0 THEN NULL ELSE false END",
    "CREATE MACRO athena_all(tests) AS CASE WHEN tests IS NULL THEN NULL WHEN list_contains(tests, false) THEN false "
    "WHEN len(list_filter(tests, lambda x: x IS NULL)) > 0 THEN NULL ELSE true END",
)
MACROS = (*_CASTS, *_NUMBERS, *_TEXTS, *_FLOATS, *_TIMES, *_ARRAYS)
