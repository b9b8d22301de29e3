"""``"sales$partitions"`` of an external table: the partitions in the catalog, a row with the values of each.

Columns are the partition keys, as Trino's Hive connector has them:
https://trino.io/docs/current/connector/hive.html#partitions-table
https://docs.aws.amazon.com/athena/latest/ug/querying-glue-catalog-listing-partitions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import pyarrow as pa

from lakectl.local.athena.access import Access
from lakectl.local.athena.external_tables import partitions, projection
from lakectl.local.athena.external_tables.files import quoted, unread
from lakectl.local.athena.external_tables.source import checked, typed
from lakectl.local.athena.session import Session
from lakectl.local.athena.sqltypes import Type


class PartitionList:
    """See ``tables.Source``. Raises QueryError for a value that its column can't hold, and for projected partitions,
    which are not in the catalog."""

    hidden: frozenset[str] = frozenset()

    def __init__(self, entry: Mapping[str, Any], access: Access, label: str) -> None:
        self.label, self._entry, self._access = label, entry, access
        if projection.is_projected(entry.get("Parameters", {})):
            raise unread(label, "its partitions are projected")
        self._keys = typed(entry["PartitionKeys"], label)

    @cached_property
    def columns(self) -> dict[str, str]:
        return {name: str(kind) for name, kind in self._keys.items()}

    def relation(self, session: Session, name: str) -> str:
        found = [each["Values"] for each in partitions.of_table(self._access.client("glue"), self._entry)]
        texts = {
            f"k{at}": pa.array([self._text(key, kind, values[at]) for values in found], pa.string())
            for at, (key, kind) in enumerate(self._keys.items())
        }
        session.register(name, pa.table(texts))
        fields = ", ".join(
            f"CAST(k{at} AS {kind.physical}) AS {quoted(key)}" for at, (key, kind) in enumerate(self._keys.items())
        )
        return f'(SELECT {fields} FROM "{name}")'  # noqa: S608

    def _text(self, key: str, kind: Type, value: str) -> str | None:
        return None if value == partitions.NULL_FOLDER else checked(key, kind, value)
