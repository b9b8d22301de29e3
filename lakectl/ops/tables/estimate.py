"""How much the files hold that a query may read.

Figures are those of Iceberg's metadata (``total-files-size``) and of S3's listing, never guesses; where there are none,
there is no estimate. A table that is used twice counts twice. Columns and partitions that a query leaves out make it
read less. Athena charges for the bytes that it reads from S3, compressed as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl import prices
from lakectl.aws import explain
from lakectl.errors import LakectlError
from lakectl.ops.console import catalog, iceberg
from lakectl.ops.console.catalog import Table
from lakectl.ops.lake import Lake
from lakectl.ops.tables import named_tables
from lakectl.ops.tables.named_tables import Named, NotUnderstood

MOST_LISTED = 10_000  # objects of a table that is no Iceberg table
_RECURSIVE = re.compile(r"\bRECURSIVE\b", re.IGNORECASE)


@dataclass(frozen=True)
class Estimate:
    """``size``: bytes of the files. ``tables``: the largest first."""

    size: int
    tables: tuple[str, ...]

    @property
    def usd(self) -> float:
        """What reading all of it costs on AWS."""
        return prices.athena(max(self.size, 1))


def of(lake: Lake, sql: str, database: str = "") -> Estimate | None:
    """What a SELECT may read; None for any other statement, and where the size of one table is not known: a view,
    partitions that may be anywhere, more than MOST_LISTED files, or what the caller may not see."""
    try:
        tables = named_tables.of(sql)
    except NotUnderstood:
        return None
    if not tables or _RECURSIVE.search(sql):  # how often a recursion reads a table shows when it has run
        return None
    sizes: dict[str, int] = {}
    for table in tables:
        owner = table.database or database or lake.names.silver_database
        try:
            size = _size(lake, owner, table)
        except LakectlError:  # a missing table or permission is told by the query itself, in Athena's words
            return None
        if size is None:
            return None
        name = f"{owner}.{table.name}"
        sizes[name] = sizes.get(name, 0) + size * table.times
    return Estimate(sum(sizes.values()), tuple(sorted(sizes, key=lambda name: -sizes[name])))


def _size(lake: Lake, database: str, named: Named) -> int | None:
    if named.catalog not in ("", "awsdatacatalog") or "$" in named.name or database == "information_schema":
        return None
    table = catalog.any_table(lake, database, named.name)
    if table is None:
        return None
    if table.metadata:
        state = iceberg.TableStates().of(lake, table.metadata)
        return state.largest if named.travels or state.largest is None else state.size
    return _listed(lake, table)


def _listed(lake: Lake, table: Table) -> int | None:
    if table.format == "view" or not table.location or not table.whole:
        return None
    bucket, _, folder = table.location.removeprefix("s3://").partition("/")
    prefix = folder.rstrip("/") + "/" if folder else ""
    size = count = 0
    try:
        pages: Any = lake.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            found = page.get("Contents", [])
            size, count = size + sum(each["Size"] for each in found), count + len(found)
            if count > MOST_LISTED:
                return None
    except (ClientError, BotoCoreError) as error:
        raise explain(error, f"listing {table.location}") from error
    return size
