"""An Iceberg table as its metadata file tells of it: one request, no query, and no file ever changes."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import explain
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.ops.tables.snapshots import Snapshot, ancestors

MOST_KEPT = 200  # tables whose last metadata is kept in memory
_COUNTS = ("added-records", "deleted-records", "total-records")


@dataclass(frozen=True)
class Field:
    """A column: name, type as Iceberg writes it, comment, whether NULL is allowed."""

    name: str
    type: str
    comment: str
    required: bool


@dataclass(frozen=True)
class TableState:
    """``rows``, ``files`` and ``size`` (bytes) are of the current snapshot, 0 without one. ``snapshots``: newest
    first. ``largest``: the size of the largest of them, None where one does not tell its own."""

    fields: Sequence[Field]
    partition_by: Sequence[str]
    snapshots: list[Snapshot]
    rows: int
    files: int
    size: int
    format_version: int
    largest: int | None = None


class TableStates:
    """Reads metadata files, each once: its name has an id in it, and a change of the table is another file."""

    def __init__(self) -> None:
        self._known: dict[str, TableState] = {}
        self._lock = threading.Lock()

    def of(self, lake: Lake, location: str) -> TableState:
        """The table whose metadata file is at ``location`` (``s3://…``). Raises :class:`LakectlError`."""
        with self._lock:
            known = self._known.pop(location, None)
        state = known or _read(lake, location)
        with self._lock:
            self._known[location] = state  # the one that was used last stands last
            while len(self._known) > MOST_KEPT:
                del self._known[next(iter(self._known))]
        return state


def _read(lake: Lake, location: str) -> TableState:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    try:
        body = lake.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        raise explain(error, f"reading {location}") from error
    try:
        return parsed(json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body))
    except (ValueError, LookupError, TypeError, AttributeError, OSError, EOFError, zlib.error) as error:
        raise LakectlError(f"{location} is no metadata of an Iceberg table: {error!r}") from error


def parsed(metadata: Mapping[str, Any]) -> TableState:
    """The state that a metadata file holds (Iceberg specification, "Table Metadata Fields"). Raises KeyError and
    ValueError for what is none."""
    schemas = metadata.get("schemas") or [metadata["schema"]]
    schema = next((each for each in schemas if each.get("schema-id") == metadata.get("current-schema-id")), schemas[-1])
    names = {field["id"]: field["name"] for field in schema["fields"]}
    specs = {spec["spec-id"]: spec["fields"] for spec in metadata.get("partition-specs", ())}
    current = metadata.get("current-snapshot-id")
    found = sorted(metadata.get("snapshots", ()), key=lambda each: each["timestamp-ms"], reverse=True)
    parents: dict[str | None, str | None] = {
        str(each["snapshot-id"]): _id(each.get("parent-snapshot-id")) for each in found
    }
    sizes = [each.get("summary", {}).get("total-files-size") for each in found]
    history = set(ancestors(parents, _id(current)))
    summary: Mapping[str, str] = next((each.get("summary", {}) for each in found if each["snapshot-id"] == current), {})
    return TableState(
        fields=[
            Field(field["name"], type_text(field["type"]), field.get("doc") or "", bool(field.get("required")))
            for field in schema["fields"]
        ],
        partition_by=[_partition(field, names) for field in specs.get(metadata.get("default-spec-id"), ())],
        snapshots=[_snapshot(each, str(each["snapshot-id"]), _id(current), history) for each in found],
        rows=int(summary.get("total-records", 0)),
        files=int(summary.get("total-data-files", 0)),
        size=int(summary.get("total-files-size", 0)),
        format_version=int(metadata["format-version"]),
        largest=max(map(int, sizes), default=0) if None not in sizes else None,
    )


def type_text(kind: Any) -> str:
    """``decimal(10, 2)``, ``list<string>``, ``struct<a: int>``."""
    if isinstance(kind, str):
        return kind
    if kind["type"] == "list":
        return f"list<{type_text(kind['element'])}>"
    if kind["type"] == "map":
        return f"map<{type_text(kind['key'])}, {type_text(kind['value'])}>"
    fields = (f"{field['name']}: {type_text(field['type'])}" for field in kind["fields"])
    return f"struct<{', '.join(fields)}>"


def _id(snapshot: int | None) -> str | None:
    return None if snapshot in (None, -1) else str(snapshot)  # -1: none, in files of older writers


def _partition(field: Mapping[str, Any], names: Mapping[int, str]) -> str:
    column = names.get(field["source-id"], field["name"])
    return column if field["transform"] == "identity" else f"{field['transform']}({column})"


def _snapshot(entry: Mapping[str, Any], name: str, current: str | None, history: set[str]) -> Snapshot:
    summary = entry.get("summary", {})
    added, deleted, total = (int(summary.get(key, 0)) for key in _COUNTS)
    moment = datetime.fromtimestamp(entry["timestamp-ms"] / 1000, UTC)
    return Snapshot(
        id=name,
        parent_id=_id(entry.get("parent-snapshot-id")),
        committed_at=moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
        operation=summary.get("operation", ""),
        added=added,
        deleted=deleted,
        total=total,
        current=name == current,
        in_history=name in history,
    )
