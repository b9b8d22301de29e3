"""Properties of Iceberg tables: those that Athena has, and what they are called in the table's metadata.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html and
https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html
"""

from __future__ import annotations

from collections.abc import Mapping

from lakectl.local.athena.errors import QueryError

_NUMBERS = (
    "vacuum_max_snapshot_age_seconds",
    "vacuum_min_snapshots_to_keep",
    "vacuum_max_metadata_files_to_keep",
    "optimize_rewrite_delete_file_threshold",
    "optimize_rewrite_data_file_threshold",
    "optimize_rewrite_min_data_file_size_bytes",
    "optimize_rewrite_max_data_file_size_bytes",
    "write_target_data_file_size_bytes",
    "compression_level",
)
_NAMES = {
    "format": "write.format.default",
    "write_compression": "write.parquet.compression-codec",
    "compression_level": "write.parquet.compression-level",
    "write_target_data_file_size_bytes": "write.target-file-size-bytes",
}
_FORMATS = ("parquet", "orc", "avro")
_CODECS = {"snappy": "snappy", "gzip": "gzip", "zstd": "zstd", "lz4": "lz4", "none": "uncompressed"} | {
    "uncompressed": "uncompressed"
}
_ELSEWHERE = ("table_type", "location", "partitioning", "is_external")  # these say what the table is


def stored(settings: Mapping[str, str]) -> dict[str, str]:
    """The properties as the metadata holds them. Raises QueryError for one that Athena refuses."""
    found = {}
    for key, value in settings.items():
        if key in _ELSEWHERE:
            continue
        stored_name = name(key)
        found[stored_name] = _value(key, value)
    return found


def name(key: str) -> str:
    """What a property is called in the metadata. Raises QueryError for one that Athena does not have."""
    if key not in _NUMBERS and key not in _NAMES:
        raise QueryError("INVALID_TABLE_PROPERTY", f"Unsupported table property key: {key}")
    return _NAMES.get(key, key)


def _value(key: str, value: str) -> str:
    if key in _NUMBERS:
        if not value.isdigit():
            raise QueryError("INVALID_TABLE_PROPERTY", f"Invalid value for table property {key}: {value}")
        return value
    folded = value.lower()
    if key == "format":
        if folded not in _FORMATS:
            raise QueryError("INVALID_TABLE_PROPERTY", f"Invalid value for table property format: {value}")
        if folded != "parquet":
            raise QueryError(
                "NOT_SUPPORTED",
                f"Iceberg tables of format {value} are not supported by the local Athena; it works on AWS",
            )
        return folded
    if folded not in _CODECS:
        raise QueryError("INVALID_TABLE_PROPERTY", f"Invalid value for table property {key}: {value}")
    return _CODECS[folded]
