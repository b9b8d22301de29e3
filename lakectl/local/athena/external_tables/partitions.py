"""The partitions of an external table in the Glue catalog, and their files.

https://docs.aws.amazon.com/athena/latest/ug/partitions.html
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from lakectl.local.athena.access import Access
from lakectl.local.athena.external_tables import projection
from lakectl.local.athena.external_tables.files import File, listed, unread
from lakectl.local.athena.external_tables.limits import Limits
from lakectl.local.athena.sqltypes import Type

NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"  # Hive's name for the value NULL
_FEW = 3  # partitions, whose folders are listed one by one


@dataclass(frozen=True)
class Partition:
    """``values``: as Glue keeps them; NULL is NULL_FOLDER."""

    values: tuple[str, ...]
    location: str


def folder(keys: list[str], values: list[str | None]) -> str:
    """``year=2025/month=9/``, with Hive's escapes."""
    return "".join(
        f"{key}={NULL_FOLDER if value is None else escaped(value)}/" for key, value in zip(keys, values, strict=True)
    )


def escaped(value: str) -> str:
    """As Hive writes a value in a path (FileUtils.escapePathName)."""
    return quote(value, safe="!$&()+,-.;<>@_`|~ ") if not value.isalnum() else value


def unescaped(value: str) -> str | None:
    """A value from a path; None for NULL."""
    return None if value == NULL_FOLDER else unquote(value)


def of_table(glue: Any, entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Glue's entries of all partitions."""
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName=entry["DatabaseName"], TableName=entry["Name"])
    for page in pages:
        yield from page["Partitions"]


def files(
    access: Access, entry: Mapping[str, Any], keys: Mapping[str, Type], limits: Limits, label: str
) -> dict[str, File]:
    """The files that a query may need, with the values of their partitions."""
    storage, parameters = entry.get("StorageDescriptor", {}), entry.get("Parameters", {})
    root = storage.get("Location", "").rstrip("/") + "/"
    if not root.startswith("s3://"):
        raise unread(label, f"its location is {root.rstrip('/') or 'not set'}")
    if not keys:
        return {path: File(etag, size) for path, etag, size in listed(access, root)}
    if projection.is_projected(parameters):
        return projection.files(access, root, keys, parameters, limits, label)
    found = []
    for partition in of_table(access.client("glue"), entry):
        values = tuple(partition["Values"])
        texts = [None if value == NULL_FOLDER else value for value in values]
        if not limits.hold(keys, texts):
            continue
        described = partition.get("StorageDescriptor", {})
        serde = described.get("SerdeInfo", {}).get("SerializationLibrary")
        if serde and serde != storage.get("SerdeInfo", {}).get("SerializationLibrary"):
            raise unread(label, f"its partition {'/'.join(values)} has another SerDe than the table")
        found.append(Partition(values, described.get("Location", "").rstrip("/") + "/"))
    return _files_of(access, root, found, label)


def _files_of(access: Access, root: str, found: list[Partition], label: str) -> dict[str, File]:
    """One listing of the table's folder, and one of each partition that lies elsewhere. Raises QueryError where two
    partitions hold the same file."""
    within = [each for each in found if each.location.startswith(root) and each.location != root]
    within.sort(key=lambda each: each.location)
    nested = any(after.location.startswith(before.location) for before, after in itertools.pairwise(within))
    if len(found) <= _FEW or nested:
        within = []
    starts = [each.location for each in within]
    files: dict[str, File] = {}
    for path, etag, size in listed(access, root) if within else ():
        at = bisect.bisect_right(starts, path) - 1
        if at >= 0 and path.startswith(starts[at]):
            files[path] = File(etag, size, _texts(within[at]))
    one_by_one = set(found) - set(within)
    for each in found:
        for path, etag, size in listed(access, each.location) if each in one_by_one else ():
            if path in files:
                raise unread(label, f"two of its partitions hold {path}")
            files[path] = File(etag, size, _texts(each))
    return files


def _texts(partition: Partition) -> tuple[str | None, ...]:
    return tuple(None if value == NULL_FOLDER else value for value in partition.values)
