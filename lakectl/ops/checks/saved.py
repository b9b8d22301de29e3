"""A saved query as a check: it runs, and what its header expects holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lakectl.ops.checks.model import Verdict, counted
from lakectl.ops.lake import Lake
from lakectl.ops.tables import query
from lakectl.ops.tables.query import QueryResult
from lakectl.saved_queries import VERDICT, SavedQuery

WIDTH = 100  # of a row in a detail
MOST_KEPT = 201  # rows of an answer that stay with its verdict: a report shows 200 lines of a plan at most


def judge(lake: Lake, saved: SavedQuery, started: Callable[[str], None] = lambda _: None) -> Verdict:
    """Run the query once; ``started`` hears its id.

    Raises QueryFailed, and UsageError for a parameter without a value.
    """
    values = query.given(lake, saved, {}, on_start=started)
    result = query.run(lake, query.bound(saved.judged, saved.name, values), started)
    own = [place for place, name in enumerate(result.columns) if not name.startswith(VERDICT)]
    failed = _failed(saved, result, own)
    if saved.plan:
        failed += [f"the plan lacks {text!r}" for text in saved.plan_failed(_plan(result))]
    failed += [f"{counted(len(result.rows), 'row')}, not {text}" for text in saved.rows_failed(len(result.rows))]
    return Verdict(not failed, "; ".join(failed) or _said(result, own, saved), _only(result, own))


def _only(result: QueryResult, places: list[int]) -> QueryResult:
    """The first rows, with the query's own columns and without those of its verdicts."""
    return replace(
        result,
        columns=[result.columns[place] for place in places],
        types=[result.types[place] for place in places],
        rows=[[row[place] for place in places] for row in result.rows[:MOST_KEPT]],
    )


def _failed(saved: SavedQuery, result: QueryResult, own: list[int]) -> list[str]:
    failed = []
    for number, text in enumerate(saved.asserts, 1):
        place = result.columns.index(f"{VERDICT}{number}")
        rows = [row for row in result.rows if row[place] != "true"]
        if rows:
            failed.append(f"not {text} in {counted(len(rows), 'row')}, such as {_shown(result, rows[0], own)}")
    return failed


def _plan(result: QueryResult) -> str:
    return "\n".join(row[0] or "" for row in result.rows)


def _said(result: QueryResult, own: list[int], saved: SavedQuery) -> str:
    if saved.plan:
        return "the plan has " + ", ".join(saved.plan)
    if len(result.rows) == 1 and own:
        return _shown(result, result.rows[0], own)
    return counted(len(result.rows), "row")


def _shown(result: QueryResult, row: list[str | None], own: list[int]) -> str:
    text = ", ".join(f"{result.columns[place]} = {'NULL' if row[place] is None else row[place]}" for place in own)
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
