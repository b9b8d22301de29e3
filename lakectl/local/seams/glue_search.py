"""Glue's SearchTables, which moto lacks. Added: ``GlueResponse.search_tables``.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html#aws-glue-api-catalog-tables-SearchTables
A text is looked for in names, descriptions, columns and parameters; in quotes, a whole value must be equal to it.
Filters compare tokens, as that page says: Name=link finds xx-link-yy, and not xxlinkyy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.glue.responses import GlueResponse

from lakectl.local.context import LocalContext
from lakectl.local.seams.glue_jobs import InvalidInputException

MOST = 1000  # of MaxResults
_BETWEEN_TOKENS = re.compile(r"[^A-Za-z0-9_]+")


def install(context: LocalContext) -> None:  # noqa: ARG001 - all seams are installed alike
    GlueResponse.search_tables = search_tables


def search_tables(self: GlueResponse) -> ActionResult:
    """Raises InvalidInputException for a filter or an order that is not known here, or a NextToken that is none."""
    request = self.parameters
    found = [
        table.as_dict()
        for database in self.glue_backend.get_databases()
        for table in self.glue_backend.get_tables(database.name, None)
    ]
    text = (request.get("SearchText") or "").lower()
    if text:
        found = [table for table in found if _holds(table, text)]
    for each in request.get("Filters") or []:
        found = [table for table in found if _passes(table, each)]
    for order in reversed(request.get("SortCriteria") or []):
        field = order.get("FieldName", "")
        found.sort(key=lambda table: str(table.get(field, "")), reverse=order.get("Sort") == "DESC")
    start, size = request.get("NextToken") or "0", int(request.get("MaxResults") or MOST)
    if not start.isdecimal():
        raise InvalidInputException(f"NextToken is not one of SearchTables: {start}")
    answer: dict[str, Any] = {"TableList": found[int(start) : int(start) + size]}
    if int(start) + size < len(found):
        answer["NextToken"] = str(int(start) + size)
    return ActionResult(answer)


def _texts(table: dict[str, Any]) -> Iterator[str]:
    columns = [*table.get("StorageDescriptor", {}).get("Columns", []), *table.get("PartitionKeys", [])]
    yield from (table["Name"], table["DatabaseName"], table.get("Description", ""))
    for column in columns:
        yield from (column["Name"], column.get("Comment", ""))
    for name, value in table.get("Parameters", {}).items():
        yield from (name, str(value))


def _holds(table: dict[str, Any], text: str) -> bool:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return any(each.lower() == text[1:-1] for each in _texts(table))
    return any(text in each.lower() for each in _texts(table))


def _passes(table: dict[str, Any], asked: dict[str, Any]) -> bool:
    key, value = asked.get("Key", ""), str(asked.get("Value", "")).lower()
    if asked.get("Comparator", "EQUALS") != "EQUALS" or key not in ("Name", "DatabaseName", "Description", "Owner"):
        raise InvalidInputException(f"The local Glue does not filter tables by {key} {asked.get('Comparator', '')}")
    own = str(table.get(key) or "").lower()
    return own == value or value in _BETWEEN_TOKENS.split(own)
