"""The JSON functions that are plain calls. json_value and its like are in ``analysis.json_calls``."""

from __future__ import annotations

from lakectl.local.athena.functions import json_functions, json_objects, json_paths
from lakectl.local.athena.functions.registry import Family
from lakectl.local.athena.sqltypes import VARCHAR, Type

__all__ = ["json_functions", "json_objects", "json_paths"]
jsons = Family("json")


def _length(kind: Type, _: Type) -> Type:
    return kind if kind.name == "varchar" else VARCHAR


for kind in ("json", "varchar"):
    jsons.add(f"json_extract({kind}, varchar) -> json", "athena_json_extract({0}, {1})")
    jsons.add(f"json_extract_scalar({kind}, varchar) -> varchar", "athena_json_extract_scalar({0}, {1})", _length)
    jsons.add(f"json_size({kind}, varchar) -> bigint", "athena_json_size({0}, {1})")
    jsons.add(f"json_array_length({kind}) -> bigint", "athena_json_array_length({0})")
    jsons.add(f"json_array_get({kind}, bigint) -> json", "athena_json_array_get({0}, {1})")
    jsons.add(f"is_json_scalar({kind}) -> boolean", "athena_is_json_scalar({0})")
    jsons.add(
        f"json_array_contains({kind}, boolean) -> boolean",
        "athena_json_array_contains({0}, 'boolean', CAST({1} AS VARCHAR))",
    )
    jsons.add(
        f"json_array_contains({kind}, bigint) -> boolean",
        "athena_json_array_contains({0}, 'bigint', CAST({1} AS VARCHAR))",
    )
    jsons.add(
        f"json_array_contains({kind}, double) -> boolean",
        "athena_json_array_contains({0}, 'double', athena_double_text({1}))",
    )
    jsons.add(
        f"json_array_contains({kind}, varchar) -> boolean",
        "athena_json_array_contains({0}, 'varchar', athena_json_string({1}))",
    )
jsons.add("json_parse(varchar) -> json", "athena_json_parse({0})")
jsons.add("json_format(json) -> varchar", "{0}")
