"""A statement that the console sends ends, is cancelled, or is stopped: none is forgotten."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from console_client import lake_of

from lakectl.errors import LakectlError
from lakectl.ops.console import statements as ops
from lakectl.ops.console.statements import Statements


class Athena:
    """``state``: of each statement. Its answer is so many rows of one column."""

    def __init__(self, rows: int = 0, state: str = "RUNNING") -> None:
        self.state, self.reason, self.rows, self.stopped = state, "", rows, []
        self.fails = False

    def start_query_execution(self, **request: Any) -> dict[str, str]:
        assert len(request["ClientRequestToken"]) >= 32
        return {"QueryExecutionId": "q1"}

    def stop_query_execution(self, *, QueryExecutionId: str) -> None:
        if self.fails:
            raise EndpointConnectionError(endpoint_url="http://x")
        self.stopped.append(QueryExecutionId)
        self.state = "CANCELLED"

    def get_query_execution(self, **_: Any) -> dict[str, Any]:
        status = {"State": self.state, "StateChangeReason": self.reason}
        return {"QueryExecution": {"QueryExecutionId": "q1", "Status": status, "StatementType": "DML"}}

    def get_query_results(self, **_: Any) -> dict[str, Any]:
        rows = [{"Data": [{"VarCharValue": value}]} for value in ("x", *("y" * 5_000 for _ in range(self.rows)))]
        info = {"ColumnInfo": [{"Name": "x", "Type": "varchar"}]}
        return {"ResultSet": {"ResultSetMetadata": info, "Rows": rows}}


def test_rows_and_values_are_bounded_and_it_is_said() -> None:
    known, athena = Statements(), Athena(ops.MOST_ROWS + 7, "SUCCEEDED")
    lake = lake_of(lambda _: athena)
    known.start(lake, "SELECT x FROM t")
    look = known.look(lake, "q1")
    assert look.rows is not None
    assert (len(look.rows.rows), look.rows.more) == (ops.MOST_ROWS, True)
    assert look.rows.rows[0][0] == "y" * ops.MOST_CHARACTERS + "… (5,000 characters in all)"
    assert not known.running()


def test_a_statement_that_takes_too_long_is_stopped() -> None:
    known, athena = Statements(limit_s=0.05), Athena()
    lake = lake_of(lambda _: athena)
    known.start(lake, "SELECT 1")
    deadline = time.monotonic() + 5
    while not athena.stopped and time.monotonic() < deadline:
        time.sleep(0.01)
    look = known.look(lake, "q1")
    assert (look.state, athena.stopped) == ("CANCELLED", ["q1"])
    assert look.reason.startswith("stopped by the console after 0 s")


def test_what_failed_before_the_time_limit_was_not_stopped() -> None:
    known, athena = Statements(limit_s=0.05), Athena(state="FAILED")
    lake = lake_of(lambda _: athena)
    statement = known.start(lake, "SELECT 1")
    deadline = time.monotonic() + 5
    while not statement.ended and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (known.look(lake, "q1").reason, athena.stopped) == ("", [])


def test_what_failed_says_athenas_reason_in_full() -> None:
    known, athena = Statements(), Athena(state="FAILED")
    athena.reason = "line 1:8: Column 'x' cannot be resolved\n" + "more " * 300
    lake = lake_of(lambda _: athena)
    known.start(lake, "SELECT x")
    assert known.look(lake, "q1").reason == athena.reason


def test_the_end_of_the_console_stops_what_runs_and_says_what_it_could_not() -> None:
    known, athena = Statements(), Athena()
    lake = lake_of(lambda _: athena)
    known.start(lake, "SELECT 1")
    assert known.close(lake) == []
    assert athena.stopped == ["q1"]
    athena.fails, athena.state = True, "RUNNING"
    known.start(lake, "SELECT 1")
    (left,) = known.close(lake)
    assert left.startswith("query q1 may still run: it could not be stopped: running the query: can't reach AWS")


def test_cancelling_what_has_ended_changes_nothing() -> None:
    known, athena = Statements(), Athena(state="SUCCEEDED")
    lake = lake_of(lambda _: athena)
    known.start(lake, "SELECT 1")
    known.look(lake, "q1")
    known.cancel(lake, "q1")
    assert athena.stopped == []
    with pytest.raises(LakectlError, match="sent no query q2"):
        known.cancel(lake, "q2")


def test_old_statements_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "MOST_KEPT", 3)
    known, athena = Statements(), Athena(state="SUCCEEDED")
    lake = lake_of(lambda _: athena)
    numbers = iter(range(10))
    athena.start_query_execution = lambda **_: {"QueryExecutionId": f"q{next(numbers)}"}  # type: ignore[method-assign]
    for number in range(10):
        known.start(lake, "SELECT 1")
        known.look(lake, f"q{number}")
    with pytest.raises(LakectlError):
        known.look(lake, "q0")
    assert known.look(lake, "q9").state == "SUCCEEDED"
