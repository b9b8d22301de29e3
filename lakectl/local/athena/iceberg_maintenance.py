"""OPTIMIZE and VACUUM of Iceberg tables.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-data-optimization.html,
https://docs.aws.amazon.com/athena/latest/ug/optimize-statement.html and
https://docs.aws.amazon.com/athena/latest/ug/vacuum-statement.html
"""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Any

from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table.snapshots import Operation, ancestors_of
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lakectl.local.athena import assignment, dialect, iceberg_commits, iceberg_files, pruning, sqltypes, types
from lakectl.local.athena.commands import Cursor
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.iceberg_commits import committed
from lakectl.local.athena.results import Result, split
from lakectl.local.athena.tables import PATH

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

# Defaults of the table properties
_SMALLEST, _LARGEST, _FILES, _DELETES = 0.75, 1.8, 5, 2  # the first two: of the target size
_TARGET_BYTES = 512 << 20
_AGE_SECONDS, _SNAPSHOTS, _METADATA_FILES = 432_000, 1, 100
# A file that no snapshot names may be of a commit that is being made.
_ORPHAN_SECONDS = 432_000


def optimize(run: Run) -> Result:
    """``OPTIMIZE table REWRITE DATA USING BIN_PACK [WHERE …]``: small files, and files with deletes, are rewritten."""
    cursor = Cursor(run.statement.sql, hive=False)
    cursor.expect("OPTIMIZE")
    database, name = cursor.table(run.database)
    cursor.expect("REWRITE DATA USING BIN_PACK")
    where = cursor.rest() if cursor.match("WHERE") else ""
    cursor.end()
    table = run.catalog.load_for_write(database, name)
    condition = _partition_filter(run, table, database, name, where) if where.strip() else AlwaysTrue()
    if table.current_snapshot() is None:
        return Result()
    tasks = list(table.scan(row_filter=condition).plan_files())
    groups: dict[Any, list[Any]] = {}
    for task in tasks:
        groups.setdefault((task.file.spec_id, repr(task.file.partition)), []).append(task)
    chosen = [task for group in groups.values() for task in _chosen(table, group)]
    if chosen:
        _rewrite(run, table, database, name, chosen)
    return Result()


def _number(table: Any, name: str, default: float) -> int:
    return int(table.properties.get(name, default))


def _chosen(table: Any, group: list[Any]) -> list[Any]:
    """The files of one partition that are to be written again."""
    target = _number(table, "write.target-file-size-bytes", _TARGET_BYTES)
    least = _number(table, "optimize_rewrite_min_data_file_size_bytes", target * _SMALLEST)
    most = _number(table, "optimize_rewrite_max_data_file_size_bytes", target * _LARGEST)
    deletes = _number(table, "optimize_rewrite_delete_file_threshold", _DELETES)
    odd = [task for task in group if not least <= task.file.file_size_in_bytes <= most]
    deleted = [task for task in group if len(task.delete_files) >= deletes]
    if len(odd) >= _number(table, "optimize_rewrite_data_file_threshold", _FILES):
        deleted += [task for task in odd if task not in deleted]
    return deleted


def _partition_filter(run: Run, table: Any, database: str, name: str, where: str) -> Any:
    """The WHERE clause, which may speak of partition columns only, as an Iceberg filter."""
    try:
        parsed = dialect.parse(where.replace(where.lstrip(), f"SELECT 1 WHERE {where.lstrip()}"))[0]
    except SqlglotError:
        parsed = None
    clause = parsed.args.get("where") if isinstance(parsed, exp.Select) else None
    if clause is None:
        raise QueryError("SYNTAX_ERROR", "the WHERE clause can't be read")
    node = exp.table_(exp.to_identifier(name, quoted=True), db=exp.to_identifier(database, quoted=True))
    checked = run.analyze(exp.select("*").from_(node).where(clause.this))
    condition = checked.tree.args["where"].this
    schema = {field.name.lower(): field.name for field in table.schema().fields}
    partitioned = {(table.schema().find_column_name(field.source_id) or "").lower() for field in table.spec().fields}
    other = next((c.name for c in condition.find_all(exp.Column) if c.name.lower() not in partitioned), None)
    if other is not None:
        message = f"OPTIMIZE may filter partition columns only: {other} is none"
        raise QueryError("NOT_SUPPORTED", f"Unexpected FilterNode found in plan; {message}")
    try:
        found = pruning.exact_filter(condition, schema)
        list(table.scan(row_filter=found).plan_files())  # PyIceberg reads the literals when it plans
    except (pruning.Inexact, ValueError, TypeError):
        raise QueryError(
            "NOT_SUPPORTED",
            "OPTIMIZE with this WHERE clause is not supported by the local Athena, which compares columns with "
            "literals only; nothing was changed",
        ) from None
    return found


def _rewrite(run: Run, table: Any, database: str, name: str, chosen: list[Any]) -> None:
    """Write the rows of these files again, and take the files and what is deleted of them away in one commit."""
    files = [task.file.file_path for task in chosen]
    columns = [field.name for field in table.schema().fields]
    kinds = [sqltypes.parse(types.of_iceberg(field.field_type)) for field in table.schema().fields]
    node = exp.table_(exp.to_identifier(name, quoted=True), db=exp.to_identifier(database, quoted=True))
    path = exp.column(exp.to_identifier(PATH, quoted=True))
    query = run.analyze(
        exp.select(*(exp.column(exp.to_identifier(column, quoted=True)) for column in columns))
        .from_(node)
        .where(exp.In(this=path, expressions=[exp.Literal.string(file) for file in files]))
    )
    writer = iceberg_files.DataWriter(table)
    try:
        rows = run.reader(assignment.to_table(query, run.session, kinds, columns))
        for part in iceberg_files.parts(run, rows):
            writer.write(part)
        expected = sum(task.file.record_count for task in chosen)
        if writer.rows > expected:
            raise QueryError("ICEBERG_COMMIT_ERROR", "Failed to commit Iceberg update to table: its files have changed")
        gone = {*files, *_only_of(table, set(files))}
        iceberg_commits.change(table, Operation.REPLACE, writer.files, [], gone)
    except BaseException:
        writer.discard()
        raise


def _only_of(table: Any, files: set[str]) -> set[str]:
    """Files of deletes that no other data file needs."""
    needed: set[str] = set()
    mine: set[str] = set()
    for task in table.scan().plan_files():
        paths = {delete.file_path for delete in task.delete_files}
        if task.file.file_path in files:
            mine |= paths
        else:
            needed |= paths
    return mine - needed


def vacuum(run: Run) -> Result:
    """``VACUUM table``: old snapshots, files that no snapshot names, and old metadata files are removed."""
    cursor = Cursor(run.statement.sql, hive=False)
    cursor.expect("VACUUM")
    database, name = cursor.table(run.database)
    cursor.end()
    table = run.catalog.load_for_write(database, name)
    expired = _expired(table)
    if expired:
        with committed():
            table.maintenance.expire_snapshots().by_ids(expired).commit()
        table = run.catalog.load_for_write(database, name)
    _remove_orphans(run, table)
    return Result()


def _expired(table: Any) -> list[int]:
    """Snapshots older than the age, but for the newest ones and those that a branch or tag names."""
    oldest = (time.time() - _number(table, "vacuum_max_snapshot_age_seconds", _AGE_SECONDS)) * 1000
    keep = _number(table, "vacuum_min_snapshots_to_keep", _SNAPSHOTS)
    named = {ref.snapshot_id for ref in table.metadata.refs.values()}
    line = [snapshot.snapshot_id for snapshot in ancestors_of(table.current_snapshot(), table.metadata)]
    kept = {*named, *line[:keep]}
    old = [each.snapshot_id for each in table.metadata.snapshots if each.timestamp_ms < oldest]
    return [snapshot_id for snapshot_id in old if snapshot_id not in kept]


def _remove_orphans(run: Run, table: Any) -> None:
    known = _known_files(table)
    location = table.location().rstrip("/") + "/"
    bucket, prefix = split(location)
    now = time.time()
    age = min(_ORPHAN_SECONDS, _number(table, "vacuum_max_snapshot_age_seconds", _AGE_SECONDS))
    for page in run.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        orphans = [
            {"Key": entry["Key"]}
            for entry in page.get("Contents", [])
            if f"s3://{bucket}/{entry['Key']}" not in known and now - _seconds(entry["LastModified"]) > age
        ]
        if orphans:
            run.s3.delete_objects(Bucket=bucket, Delete={"Objects": orphans, "Quiet": True})


def _known_files(table: Any) -> set[str]:
    """All files that a snapshot needs, and the newest metadata files."""
    metadata = table.metadata
    known = {table.metadata_location}
    previous = [entry.metadata_file for entry in metadata.metadata_log]
    keep = _number(table, "vacuum_max_metadata_files_to_keep", _METADATA_FILES)
    known.update(previous[-keep:] if keep else [])
    known.update(each.statistics_path for each in metadata.statistics)
    known.update(each.statistics_path for each in metadata.partition_statistics)
    seen: set[str] = set()
    for snapshot in metadata.snapshots:
        known.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path in seen:
                continue
            seen.add(manifest.manifest_path)
            entries = manifest.fetch_manifest_entry(table.io, discard_deleted=True)
            known.update(entry.data_file.file_path for entry in entries)
    return known | seen


def _seconds(text: Any) -> float:
    """When an object was written, from a listing (``access`` leaves times as text)."""
    return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
