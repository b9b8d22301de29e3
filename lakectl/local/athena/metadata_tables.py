"""Iceberg's metadata tables (``"rides_silver$snapshots"`` ...), in the columns and order that Athena has them.

Columns: https://trino.io/docs/current/connector/iceberg.html#metadata-tables, as far as Athena offers them
(https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-table-metadata.html).
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

KINDS = ("files", "history", "manifests", "partitions", "refs", "snapshots")

_INSTANT = pa.timestamp("ms", tz="UTC")
_TEXT_MAP = pa.map_(pa.string(), pa.string())
_COUNTS = pa.map_(pa.int32(), pa.int64())
_BOUNDS = pa.map_(pa.int32(), pa.string())
_SUMMARIES = pa.list_(
    pa.struct(
        [
            ("contains_null", pa.bool_()),
            ("contains_nan", pa.bool_()),
            ("lower_bound", pa.string()),
            ("upper_bound", pa.string()),
        ]
    )
)
_COLUMNS: dict[str, list[tuple[str, Any]]] = {
    "snapshots": [
        ("committed_at", _INSTANT),
        ("snapshot_id", pa.int64()),
        ("parent_id", pa.int64()),
        ("operation", pa.string()),
        ("manifest_list", pa.string()),
        ("summary", _TEXT_MAP),
    ],
    "history": [
        ("made_current_at", _INSTANT),
        ("snapshot_id", pa.int64()),
        ("parent_id", pa.int64()),
        ("is_current_ancestor", pa.bool_()),
    ],
    "refs": [
        ("name", pa.string()),
        ("type", pa.string()),
        ("snapshot_id", pa.int64()),
        ("max_reference_age_in_ms", pa.int64()),
        ("min_snapshots_to_keep", pa.int32()),
        ("max_snapshot_age_in_ms", pa.int64()),
    ],
    "manifests": [
        ("path", pa.string()),
        ("length", pa.int64()),
        ("partition_spec_id", pa.int32()),
        ("added_snapshot_id", pa.int64()),
        ("added_data_files_count", pa.int32()),
        ("added_rows_count", pa.int64()),
        ("existing_data_files_count", pa.int32()),
        ("existing_rows_count", pa.int64()),
        ("deleted_data_files_count", pa.int32()),
        ("deleted_rows_count", pa.int64()),
        ("partition_summaries", _SUMMARIES),
    ],
    "files": [
        ("content", pa.int32()),
        ("file_path", pa.string()),
        ("file_format", pa.string()),
        ("record_count", pa.int64()),
        ("file_size_in_bytes", pa.int64()),
        ("column_sizes", _COUNTS),
        ("value_counts", _COUNTS),
        ("null_value_counts", _COUNTS),
        ("nan_value_counts", _COUNTS),
        ("lower_bounds", _BOUNDS),
        ("upper_bounds", _BOUNDS),
        ("key_metadata", pa.binary()),
        ("split_offsets", pa.list_(pa.int64())),
        ("equality_ids", pa.list_(pa.int32())),
    ],
}


def read(table: Any, kind: str) -> pa.Table:
    """The metadata table ``kind`` (one of KINDS) of a PyIceberg table, at its current state."""
    if kind == "partitions":
        return _partitions(table)
    rows = {
        "snapshots": _snapshots,
        "history": _history,
        "refs": _refs,
        "manifests": _manifests,
        "files": _files,
    }[kind](table)
    return pa.Table.from_pylist(rows, schema=pa.schema(_COLUMNS[kind]))


def _snapshots(table: Any) -> list[dict[str, Any]]:
    rows = []
    for snapshot in table.metadata.snapshots:
        summary = snapshot.summary
        rows.append(
            {
                "committed_at": snapshot.timestamp_ms,
                "snapshot_id": snapshot.snapshot_id,
                "parent_id": snapshot.parent_snapshot_id,
                "operation": summary.operation.value if summary else None,
                "manifest_list": snapshot.manifest_list,
                "summary": list(summary.additional_properties.items()) if summary else None,
            }
        )
    return rows


def _history(table: Any) -> list[dict[str, Any]]:
    by_id = {snapshot.snapshot_id: snapshot for snapshot in table.metadata.snapshots}
    ancestors = set()
    current = table.metadata.current_snapshot_id
    while current is not None and current in by_id:
        ancestors.add(current)
        current = by_id[current].parent_snapshot_id
    return [
        {
            "made_current_at": entry.timestamp_ms,
            "snapshot_id": entry.snapshot_id,
            "parent_id": by_id[entry.snapshot_id].parent_snapshot_id if entry.snapshot_id in by_id else None,
            "is_current_ancestor": entry.snapshot_id in ancestors,
        }
        for entry in table.metadata.snapshot_log
    ]


def _refs(table: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "type": ref.snapshot_ref_type.value.upper(),
            "snapshot_id": ref.snapshot_id,
            "max_reference_age_in_ms": ref.max_ref_age_ms,
            "min_snapshots_to_keep": ref.min_snapshots_to_keep,
            "max_snapshot_age_in_ms": ref.max_snapshot_age_ms,
        }
        for name, ref in table.metadata.refs.items()
    ]


def _manifests(table: Any) -> list[dict[str, Any]]:
    snapshot = table.current_snapshot()
    if snapshot is None:
        return []
    summaries = {row["path"]: row["partition_summaries"] for row in table.inspect.manifests().to_pylist()}
    return [
        {
            "path": manifest.manifest_path,
            "length": manifest.manifest_length,
            "partition_spec_id": manifest.partition_spec_id,
            "added_snapshot_id": manifest.added_snapshot_id,
            "added_data_files_count": manifest.added_files_count,
            "added_rows_count": manifest.added_rows_count,
            "existing_data_files_count": manifest.existing_files_count,
            "existing_rows_count": manifest.existing_rows_count,
            "deleted_data_files_count": manifest.deleted_files_count,
            "deleted_rows_count": manifest.deleted_rows_count,
            "partition_summaries": summaries.get(manifest.manifest_path),
        }
        for manifest in snapshot.manifests(table.io)
    ]


def _files(table: Any) -> list[dict[str, Any]]:
    if table.current_snapshot() is None:
        return []
    rows = table.inspect.files().to_pylist()
    for row in rows:
        for bounds in ("lower_bounds", "upper_bounds"):
            row[bounds] = [(field, _bound_text(table, field, raw)) for field, raw in row[bounds] or []]
        row["key_metadata"] = row["key_metadata"] or None
    return rows


def _bound_text(table: Any, field_id: int, raw: bytes) -> str | None:
    from pyiceberg.conversions import from_bytes
    from pyiceberg.transforms import IdentityTransform

    schema = next((schema for schema in reversed(table.metadata.schemas) if field_id in schema._lazy_id_to_field), None)
    if schema is None:
        return None
    kind = schema.find_field(field_id).field_type
    identity: Any = IdentityTransform()
    return str(identity.to_human_string(kind, from_bytes(kind, raw)))


def _partitions(table: Any) -> pa.Table:
    """One row for each partition: its values, its counts, and each column's least and greatest value."""
    from pyiceberg.io.pyarrow import schema_to_pyarrow
    from pyiceberg.schema import Schema
    from pyiceberg.transforms import IdentityTransform

    spec, schema = table.spec(), table.schema()
    fixed = {field.source_id for field in spec.fields if isinstance(field.transform, IdentityTransform)}
    names = [field.name for field in schema.fields if field.field_type.is_primitive and field.field_id not in fixed]
    arrow = schema_to_pyarrow(Schema(*schema.fields), include_field_ids=False)
    partition = pa.struct(schema_to_pyarrow(Schema(*spec.partition_type(schema).fields), include_field_ids=False))
    stats = {
        name: pa.struct(
            [
                ("min", arrow.field(name).type),
                ("max", arrow.field(name).type),
                ("null_count", pa.int64()),
                ("nan_count", pa.int64()),
            ]
        )
        for name in names
    }
    columns = [("partition", partition)] if spec.fields else []
    columns += [
        ("record_count", pa.int64()),
        ("file_count", pa.int64()),
        ("total_size", pa.int64()),
        ("data", pa.struct(list(stats.items()))),
    ]
    rows: dict[str, dict[str, Any]] = {}
    files = table.inspect.files().to_pylist() if table.current_snapshot() is not None else []
    for file in files:
        if file["content"] != 0:
            continue
        key = repr(file["partition"])
        if key not in rows:
            rows[key] = {
                "partition": file["partition"],
                "record_count": 0,
                "file_count": 0,
                "total_size": 0,
                "data": {name: {} for name in names},
            }
        _add_file(rows[key], file, names)
    return pa.Table.from_pylist(list(rows.values()), schema=pa.schema(columns))


def _add_file(row: dict[str, Any], file: dict[str, Any], names: list[str]) -> None:
    row["record_count"] += file["record_count"]
    row["file_count"] += 1
    row["total_size"] += file["file_size_in_bytes"]
    for name in names:
        found, total = file["readable_metrics"][name], row["data"][name]
        for bound, key, choose in (("lower_bound", "min", min), ("upper_bound", "max", max)):
            value = found[bound]
            if value is not None:
                total[key] = value if total.get(key) is None else choose(total[key], value)
        for metric, key in (("null_value_count", "null_count"), ("nan_value_count", "nan_count")):
            if found[metric] is not None:
                total[key] = (total.get(key) or 0) + found[metric]
