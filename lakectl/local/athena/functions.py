"""Functions of Athena that sqlglot keeps by name, and what DuckDB calls them.

A value of None means: Athena has it, the local engine does not, and a query that uses it fails with
NOT_SUPPORTED. https://docs.aws.amazon.com/athena/latest/ug/functions.html
"""

from __future__ import annotations

_SAME_NAME = (
    "acos asin atan atan2 bit_count bool_and bool_or cbrt ceil ceiling chr concat_ws corr cos cosh cot covar_pop "
    "covar_samp cume_dist degrees dense_rank ends_with entropy first_value flatten histogram hour kurtosis lag "
    "last_value lead ln log10 log2 lower lpad ltrim map_concat map_entries map_from_entries map_keys map_values md5 "
    "millisecond minute month nth_value ntile percent_rank pi quarter radians random rank regr_intercept regr_slope "
    "replace reverse row_number rpad rtrim second sha1 sha256 sign sin sinh skewness split_part sqrt "
    "starts_with tan tanh translate trim try typeof upper url_decode url_encode uuid week year"
)
_OTHER_NAME = {
    "array_join": "array_to_string",
    "at_timezone": "timezone",
    "arbitrary": "any_value",
    "array_average": "list_avg",
    "array_distinct": "list_distinct",
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
    "day_of_month": "dayofmonth",
    "day_of_year": "dayofyear",
    "every": "bool_and",
    "dow": "isodow",
    "doy": "dayofyear",
    "filter": "list_filter",
    "from_hex": "unhex",
    "geometric_mean": "geomean",
    "hamming_distance": "hamming",
    "json_array_length": "json_array_length",
    "json_extract": "json_extract",
    "json_extract_scalar": "json_extract_string",
    "levenshtein_distance": "levenshtein",
    "map": "map",
    "slice": "list_slice",
    "to_hex": "hex",
    "to_unixtime": "epoch",
    "transform": "list_transform",
    "truncate": "trunc",
    "year_of_week": "isoyear",
    "yow": "isoyear",
    "zip": "list_zip",
}
_NOT_HERE = (
    "all_match any_match approx_most_frequent approx_set array_except array_union bitwise_and bitwise_left_shift "
    "bitwise_not bitwise_or bitwise_right_shift checksum classify codepoint combinations contains_sequence e "
    "format_datetime from_iso8601_date from_iso8601_timestamp human_readable_seconds json_format json_object "
    "json_query json_size json_value map_agg map_filter map_union map_zip_with merge multimap_agg ngrams none_match "
    "normalize numeric_histogram parse_datetime parse_duration reduce reduce_agg regexp_position shuffle soundex "
    "split_to_map timezone_hour timezone_minute to_iso8601 to_milliseconds transform_keys transform_values trim_array "
    "url_extract_fragment url_extract_host url_extract_parameter url_extract_path url_extract_port "
    "url_extract_protocol url_extract_query width_bucket with_timezone zip_with"
)
ATHENA_FUNCTIONS: dict[str, str | None] = {
    **dict.fromkeys(_NOT_HERE.split()),
    **{name: name for name in _SAME_NAME.split()},
    **_OTHER_NAME,
}
