"""EXPLAIN (TYPE IO): which tables a query reads, limited to which ranges. https://trino.io/docs/current/sql/explain.html

Figures are those of the table's metadata: rows and bytes of the files that are left. What is not known is "NaN", as
Trino writes it.
"""

from __future__ import annotations

import json
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from lakectl.local.athena import types
from lakectl.local.athena.analyze import Analyzed
from lakectl.local.athena.plans import condition_of, limits_of
from lakectl.local.athena.pruning import Span
from lakectl.local.athena.tables import IcebergSource
from lakectl.local.athena.view_source import ViewSource

_UNKNOWN: dict[str, Any] = {
    "outputRowCount": "NaN",
    "outputSizeInBytes": "NaN",
    "cpuCost": "NaN",
    "maxMemory": "NaN",
    "networkCost": "NaN",
}


def io_plan(query: Analyzed, target: tuple[str, str] | None = None) -> str:
    """``target``: the (database, table) that is written to."""
    found: dict[str, Any] = {"inputTableColumnInfos": _tables(query)}
    if target is not None:
        found["outputTable"] = _named(*target)
    return json.dumps({**found, "estimate": _UNKNOWN}, indent=2)


def _named(database: str, table: str) -> dict[str, Any]:
    return {"catalog": "awsdatacatalog", "schemaTable": {"schema": database, "table": table}}


def _tables(query: Analyzed) -> list[dict[str, Any]]:
    found = []
    for scope in traverse_scope(query.tree):
        for alias, (_, table) in scope.selected_sources.items():
            if not isinstance(table, exp.Table) or table.name not in query.sources:
                continue
            source: Any = query.sources[table.name]
            if isinstance(source, ViewSource):
                found += _tables(source.query)
            else:
                found.append(_table(scope.expression, alias, source))
    return found


def _table(select: Any, alias: str, source: Any) -> dict[str, Any]:
    database, _, name = source.label.partition("$data@")[0].partition(".")
    constraints, estimate = [], _UNKNOWN
    if isinstance(source, IcebergSource):
        fields = {field.name.lower(): field for field in source.schema.fields}
        constraints = [
            {
                "columnName": column,
                "type": types.of_iceberg(fields[column].field_type),
                "domain": {"nullsAllowed": False, "ranges": [_range(span) for span in ranges]},
            }
            for column, ranges in limits_of(select, alias, source).items()
        ]
        files = []
        if source.snapshot_id is not None:
            files = [task.file for task in source.scan(row_filter=condition_of(select, alias, source)).plan_files()]
        estimate = {
            **_UNKNOWN,
            "outputRowCount": sum(file.record_count for file in files),
            "outputSizeInBytes": sum(file.file_size_in_bytes for file in files),
        }
    return {
        "table": _named(database, name),
        "constraint": {"none": False, "columnConstraints": constraints},
        "estimate": estimate,
    }


def _range(span: Span) -> dict[str, Any]:
    def bound(value: Any, included: bool, beyond: str) -> dict[str, str]:
        if value is None:
            return {"bound": beyond}
        return {"value": str(value), "bound": "EXACTLY" if included else beyond}

    return {"low": bound(span.low, span.low_included, "ABOVE"), "high": bound(span.high, span.high_included, "BELOW")}
