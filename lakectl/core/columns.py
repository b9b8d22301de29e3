"""Names of columns: the job's own, silver's, and what a column of a file may be called there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# The job's own columns begin with this while it works. Nobody else's can.
RESERVED_PREFIX = "_lake_"
# What silver has beside a source's columns, and its types there.
ENRICHED = {"region": "STRING", "category": "STRING", "sales_amount": "DOUBLE"}
LINEAGE = {
    "ingest_batch": "STRING",
    "ingest_date": "DATE",
    "source_file": "STRING",
    "source_version": "STRING",
    "landed_at": "TIMESTAMP",
    "loaded_at": "TIMESTAMP",
}
# What every engine that reads the table takes without quotes (Athena: "Name tables, databases, and columns").
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,127}")


def unfit(names: Iterable[str]) -> list[str]:
    """Those of ``names``, further columns of an orders file, that no column of silver can be called."""
    return [
        name
        for name in names
        if not _NAME.fullmatch(name) or name in ENRICHED or name in LINEAGE or name.startswith(RESERVED_PREFIX)
    ]


def required(source: str, keys: Iterable[str], columns: Mapping[str, str]) -> tuple[str, ...]:
    """Columns that must have a value: the keys, and what an order is worth nothing without."""
    return tuple(
        name for name, kind in columns.items() if name in tuple(keys) or (source == "orders" and kind != "string")
    )
