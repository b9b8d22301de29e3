"""The saved queries and their first rows, as their checks have found them: each is run once."""

from __future__ import annotations

from collections.abc import Iterable

from lakectl import saved_queries
from lakectl.ops.checks.validate import Check
from lakectl.ops.report.model import Answer, Rows, Section
from lakectl.ops.tables.query import QueryResult
from lakectl.saved_queries import SavedQuery

MOST_ROWS = 50
MOST_PLAN_LINES = 200


def answers(saved: Iterable[SavedQuery], checks: Section[list[Check]]) -> list[Answer]:
    """``checks``: those of the saved queries. Why a query has no answer is in its ``result``."""
    found = {check.name: check for check in checks.value or ()}
    return [
        Answer(each.name, each.title, each.expect, each.sql, _result(each, found.get(each.name), checks))
        for each in saved
    ]


def _result(saved: SavedQuery, check: Check | None, checks: Section[list[Check]]) -> Section[Rows]:
    if check is None:
        return Section(problem=checks.problem, hint=checks.hint)
    if check.result is None:
        return Section(problem=check.detail, hint=f"lakectl query {saved.name}")
    return Section(_rows(saved, check.result))


def _rows(saved: SavedQuery, result: QueryResult) -> Rows:
    is_plan = saved_queries.first_word(saved.sql) == "EXPLAIN"
    most = MOST_PLAN_LINES if is_plan else MOST_ROWS
    more = len(result.rows) > most
    return Rows(result.columns, result.types, result.rows[:most], more, result.scanned, result.milliseconds, is_plan)
