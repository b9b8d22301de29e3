"""The saved queries and their first rows."""

from __future__ import annotations

from lakectl import saved_queries
from lakectl.ops.lake import Lake
from lakectl.ops.report.model import Answer, Rows, section
from lakectl.ops.tables import query
from lakectl.saved_queries import SavedQuery

MOST_ROWS = 50
MOST_PLAN_LINES = 200


def answer(lake: Lake, saved: SavedQuery) -> Answer:
    """Run a saved query. Why it has no answer is in its ``result``."""
    return Answer(saved.name, saved.title, saved.expect, saved.sql, section(lambda: _rows(lake, saved)))


def _rows(lake: Lake, saved: SavedQuery) -> Rows:
    wanted = saved_queries.placeholders(saved.sql)
    sql = query.bound(saved.sql, saved.name, query.given(lake, saved, {}, wanted))
    is_plan = saved_queries.first_word(sql) == "EXPLAIN"
    most = MOST_PLAN_LINES if is_plan else MOST_ROWS
    result = query.run(lake, sql, most=most + 1)
    more = len(result.rows) > most
    return Rows(result.columns, result.types, result.rows[:most], more, result.scanned, result.milliseconds, is_plan)
