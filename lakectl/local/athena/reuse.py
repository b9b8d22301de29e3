"""Reuse of results: https://docs.aws.amazon.com/athena/latest/ug/reusing-query-results.html"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Any

from lakectl.local.athena.executions import Execution

DEFAULT_MINUTES = 60
# "Queries that use nondeterministic functions" are run again.
_CHANGING = re.compile(
    r"\b(rand|random|shuffle|uuid|now|current_date|current_time|current_timestamp|localtime|localtimestamp|"
    r"information_schema|tablesample)\b",
    re.I,
)


def asked(request: dict[str, Any]) -> dict[str, Any] | None:
    """ResultReuseByAgeConfiguration of a StartQueryExecution, complete; None where nobody asks for it."""
    wanted = (request.get("ResultReuseConfiguration") or {}).get("ResultReuseByAgeConfiguration") or {}
    if not wanted.get("Enabled"):
        return None
    return {"Enabled": True, "MaxAgeInMinutes": int(wanted.get("MaxAgeInMinutes", DEFAULT_MINUTES))}


def find(execution: Execution, others: Iterable[Execution]) -> Execution | None:
    """The newest execution whose result may stand for that of ``execution``."""
    if execution.reuse is None or not execution.statement.is_query or _CHANGING.search(execution.statement.sql):
        return None
    oldest = time.time() - 60 * execution.reuse["MaxAgeInMinutes"]
    same = [other for other in others if _is_same(execution, other) and (other.completed or 0) >= oldest]
    return max(same, key=lambda other: other.completed or 0, default=None)


def _is_same(one: Execution, other: Execution) -> bool:
    def key(execution: Execution) -> tuple[Any, ...]:
        context = {name.lower(): value.lower() for name, value in execution.context.items()}
        catalog, database = context.get("catalog", "awsdatacatalog"), context.get("database", "default")
        where = (execution.region, execution.workgroup, catalog, database)
        return (*where, execution.statement.sql, execution.configuration)

    return other.state == "SUCCEEDED" and not other.reused and key(one) == key(other)


def take_over(execution: Execution, earlier: Execution) -> None:
    """End ``execution`` with the result of ``earlier``."""
    for name in ("location", "columns", "header", "update_count", "has_file", "row_count", "output_bytes"):
        setattr(execution, name, getattr(earlier, name))
    execution.started = execution.completed = time.time()
    execution.state, execution.reused = "SUCCEEDED", True
