"""The statements that the console has sent to Athena: each ends, is cancelled, or is stopped at its time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from lakectl import saved_queries
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.ops.report.model import Rows
from lakectl.ops.tables import query
from lakectl.ops.tables.query import ENDED

LIMIT_S = 600.0
MOST_ROWS = 500
MOST_CHARACTERS = 2_000  # of a value
MOST_KEPT = 200


@dataclass
class Statement:
    """``started`` and ``limit``: seconds of a monotonic clock, and how many it may take. ``stopped``: why we stopped
    it. ``problem``: why we could not."""

    id: str
    sql: str
    started: float
    limit: float
    ended: bool = False
    stopped: str = ""
    problem: str = ""
    timer: threading.Timer | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Look:
    """``state``: Athena's. ``scanned`` in bytes so far, ``seconds`` since it was sent. ``reason``: Athena's own, in
    full, and ours where we stopped it. ``rows``: of a statement that has succeeded."""

    id: str
    sql: str
    state: str
    seconds: float
    scanned: int
    reason: str
    rows: Rows | None = None

    @property
    def running(self) -> bool:
        return self.state not in ENDED


class Statements:
    """Those of this console. For any thread."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._known: dict[str, Statement] = {}
        self._lock = threading.Lock()

    def start(self, lake: Lake, sql: str, token: str = "") -> Statement:
        """Send a statement; it is stopped after the time limit. The same ``token`` sends it once.

        Raises :class:`QueryFailed` when Athena refuses it, :class:`LakectlError` when Athena can't be reached.
        """
        query_id = query.begin(lake, sql, token or query.new_token())
        statement = Statement(query_id, sql, time.monotonic(), self._limit_s)
        statement.timer = threading.Timer(self._limit_s, self._stop, (lake, statement, self._too_long()))
        statement.timer.daemon = True
        with self._lock:
            self._known[query_id] = statement
            for old in [each for each in self._known.values() if each.ended][: max(0, len(self._known) - MOST_KEPT)]:
                del self._known[old.id]
        statement.timer.start()
        return statement

    def _too_long(self) -> str:
        return f"stopped by the console after {self._limit_s:,.0f} s; lakectl query has no such limit"

    def look(self, lake: Lake, query_id: str) -> Look:
        """How far it is, with its rows if it has succeeded. Raises :class:`LakectlError` for one that is not known."""
        statement = self._of(query_id)
        execution = query.look(lake, query_id)
        status, statistics = execution["Status"], execution.get("Statistics", {})
        state, rows = status["State"], None
        if state in ENDED:
            self._end(statement)
        if state == "SUCCEEDED":
            rows = _rows(lake, statement.sql, execution)
        reasons = (statement.stopped, status.get("StateChangeReason", ""), statement.problem)
        return Look(
            id=query_id,
            sql=statement.sql,
            state=state,
            seconds=time.monotonic() - statement.started,
            scanned=int(statistics.get("DataScannedInBytes") or 0),
            reason="\n".join(dict.fromkeys(filter(None, reasons))) if state != "SUCCEEDED" else "",
            rows=rows,
        )

    def cancel(self, lake: Lake, query_id: str) -> None:
        """Stop a statement; one that has ended stays as it is. Raises :class:`LakectlError`."""
        statement = self._of(query_id)
        if not statement.ended:
            query.stop(lake, query_id)
            statement.stopped = "cancelled"

    def running(self) -> Sequence[Statement]:
        """Those that had not ended when they were last looked at, oldest first."""
        with self._lock:
            return [each for each in self._known.values() if not each.ended]

    def close(self, lake: Lake) -> list[str]:
        """Stop all that run. Returns what could not be stopped, in words."""
        left = []
        for statement in self.running():
            self._stop(lake, statement, "the console has ended")
            if statement.problem:
                left.append(f"query {statement.id} may still run: {statement.problem}")
        return left

    def _of(self, query_id: str) -> Statement:
        with self._lock:
            if query_id not in self._known:
                raise LakectlError(f"this console has sent no query {query_id}", "run the statement again")
            return self._known[query_id]

    def _stop(self, lake: Lake, statement: Statement, why: str) -> None:
        try:
            if query.look(lake, statement.id)["Status"]["State"] not in ENDED:  # nobody may have looked since
                query.stop(lake, statement.id)
                statement.stopped = why
        except LakectlError as error:
            statement.problem = f"it could not be stopped: {error.message}"
        self._end(statement)

    @staticmethod
    def _end(statement: Statement) -> None:
        statement.ended = True
        if statement.timer:
            statement.timer.cancel()


def _rows(lake: Lake, sql: str, execution: dict[str, object]) -> Rows:
    result = query.fetch(lake, sql, execution, MOST_ROWS + 1)
    shown = [[_cut(value) for value in row] for row in result.rows[:MOST_ROWS]]
    is_plan = saved_queries.first_word(sql) == "EXPLAIN"
    more = len(result.rows) > MOST_ROWS
    return Rows(result.columns, result.types, shown, more, result.scanned, result.milliseconds, is_plan)


def _cut(value: str | None) -> str | None:
    if value is None or len(value) <= MOST_CHARACTERS:
        return value
    return f"{value[:MOST_CHARACTERS]}… ({len(value):,} characters in all)"
