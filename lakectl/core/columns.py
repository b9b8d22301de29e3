"""Names of columns: silver's, those of rejected rows, and what a column of a file may be called there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lakectl.spec.model import LANDING_FOLDERS, LINEAGE, RESERVED_PREFIX

__all__ = ["LINEAGE", "REJECTED", "RESERVED_PREFIX", "ROW_VERSION", "unfit"]

# The order of landings, greatest last: silver takes a row only from a greater row version.
ROW_VERSION = ("_lake_ingest_date", "_lake_batch", "_lake_landed_at", "_lake_version")
# What a table of rejected rows has beside the file's columns, which are text there. A row of a landing is in it once:
# its identity is file, version and row hash, and ``_lake_occurrences`` says how often the landing has it.
REJECTED: Mapping[str, str] = {
    "_lake_reasons": "string",  # the checks that failed, with commas between
    "_lake_line": "string",  # the whole line, of a row that could not be cut into fields
    "_lake_row_hash": "string",
    "_lake_occurrences": "bigint",
    "_lake_file": "string",
    "_lake_version": "string",
    "_lake_ingest_date": "date",
    "_lake_batch": "string",
    "_lake_landed_at": "timestamp",
    "_lake_run": "string",
    "_lake_rejected_at": "timestamp",
}
# What every engine that reads the table takes without quotes (Athena: "Name tables, databases, and columns").
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,127}")


def unfit(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Those of ``names``, further columns of a file, that no column of silver can be called. ``taken``: names that the
    source's silver table has for something else (looked-up and derived columns)."""
    used = set(taken)
    return [
        name
        for name in names
        if not _NAME.fullmatch(name) or name in used or name in LANDING_FOLDERS or name.startswith(RESERVED_PREFIX)
    ]
