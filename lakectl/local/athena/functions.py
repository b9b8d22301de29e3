"""Functions of Athena that sqlglot keeps by name, and what DuckDB calls them.

A value of None means: Athena has it, the local engine does not, and a query that uses it fails with
NOT_SUPPORTED. https://docs.aws.amazon.com/athena/latest/ug/functions.html
"""

from __future__ import annotations

_SAME_NAME = """
    acos asin atan atan2 cbrt ceil ceiling cos cosh cot degrees e ln log10 log2 pi radians sign sin sinh sqrt tan tanh
    truncate bit_count chr codepoint concat_ws ends_with starts_with levenshtein_distance hamming_distance
    lower upper lpad rpad ltrim rtrim trim replace reverse translate md5 sha1 sha256
    bool_and bool_or bitwise_and bitwise_or corr covar_pop covar_samp kurtosis regr_intercept regr_slope skewness
    histogram entropy first_value last_value nth_value lag lead ntile rank dense_rank percent_rank cume_dist row_number
    map_keys map_values map_entries map_concat map_from_entries cardinality flatten repeat
    day_of_month day_of_year hour minute second millisecond month quarter week year
    normalize soundex to_base64 from_base64 uuid random typeof nullif coalesce
""".split()
_OTHER_NAME = {
    "at_timezone": "timezone",
    "arbitrary": "any_value",
    "array_average": "list_avg",
    "array_distinct": "list_distinct",
    "array_except": "list_except",
    "array_intersect": "list_intersect",
    "array_max": "list_max",
    "array_min": "list_min",
    "array_position": "list_position",
    "array_sort": "list_sort",
    "arrays_overlap": "list_has_any",
    "array_sum": "list_sum",
    "bitwise_and_agg": "bit_and",
    "bitwise_or_agg": "bit_or",
    "bitwise_xor": "xor",
    "current_timezone": "current_setting",
    "day_of_month": "dayofmonth",
    "day_of_year": "dayofyear",
    "every": "bool_and",
    "filter": "list_filter",
    "from_hex": "unhex",
    "geometric_mean": "geomean",
    "hamming_distance": "hamming",
    "json_array_length": "json_array_length",
    "json_extract": "json_extract",
    "json_extract_scalar": "json_extract_string",
    "levenshtein_distance": "levenshtein",
    "map": "map",
    "sequence": "generate_series",
    "slice": "list_slice",
    "to_hex": "hex",
    "to_unixtime": "epoch",
    "transform": "list_transform",
    "truncate": "trunc",
    "year_of_week": "isoyear",
    "yow": "isoyear",
    "zip": "list_zip",
}
_NOT_HERE = """
    all_match any_match array_join array_remove array_union approx_most_frequent approx_set cast_from classify
    codepoint combinations contains_sequence date_format_joda format_datetime from_iso8601_date from_iso8601_timestamp
    from_utf8 human_readable_seconds json_format json_object json_parse json_query json_value json_size map_agg
    map_filter map_union map_zip_with merge multimap_agg ngrams none_match numeric_histogram parse_datetime
    parse_duration reduce reduce_agg regexp_count regexp_extract_all regexp_position regexp_split shuffle
    split_to_map timezone_hour timezone_minute to_iso8601 to_milliseconds to_utf8 transform_keys
    transform_values trim_array try_cast url_decode url_encode url_extract_fragment url_extract_host
    url_extract_parameter url_extract_path url_extract_port url_extract_protocol url_extract_query width_bucket
    with_timezone zip_with bitwise_not bitwise_left_shift bitwise_right_shift day_of_week dow doy
    split_part checksum count_if geometric format last_day_of_month
""".split()
ATHENA_FUNCTIONS: dict[str, str | None] = {
    **dict.fromkeys(_NOT_HERE),
    **{name: name for name in _SAME_NAME},
    **_OTHER_NAME,
    "from_iso8601_date": "athena_iso_date",
    "from_iso8601_timestamp": "athena_iso_timestamp",
    "day_of_week": "isodow",
    "dow": "isodow",
    "doy": "dayofyear",
    "array_join": "array_to_string",
    "array_union": "athena_array_union",
    "split_part": "split_part",
    "url_decode": "url_decode",
    "url_encode": "url_encode",
    "map_agg": "athena_map_agg",
    "reduce": None,
    "to_utf8": "encode",
    "from_utf8": "decode",
    "json_parse": "json",
    "json_format": "json_text",
    "checksum": None,
}
