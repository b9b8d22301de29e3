"""Glue runs a failed run again: with ``glue.version: auto`` on the version before. What its first attempt had committed
is in silver once. AWS names sources like the one here as those that get rows twice (AWS Glue developer guide,
"Managing auto upgrade": "For targets written in append mode, the failed run and the retry can both add records")."""

from __future__ import annotations

import time
from typing import Any

import pytest
from lakes import quiet_lake
from test_job_kill import kill_driver, land, until_it_says
from test_job_races import Killed, at, die
from whole_job import JobLake

from lakectl.local.control import Endpoint
from lakectl.ops.runs import transform
from lakectl.ops.tables import query

EVENTS = {"loading": "append", "starts_run": True, "columns": {"id": "bigint", "qty": "int"}}


@pytest.mark.parametrize("second", ["jr_{0}", pytest.param("jr_{0}_attempt_1", marks=pytest.mark.long)])
def test_the_second_attempt_of_a_run_that_died_after_its_commit_adds_nothing(
    spark: Any, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    from lake.append import Append

    lake = JobLake(spark, endpoint, {"sources": {"events": EVENTS}})
    lake.land("events", "id,qty\n1,1\n1,1\n2,5\n")
    with monkeypatch.context() as patch:
        at(patch, (Append, "commit"), die, after=True)
        with pytest.raises(Killed):
            lake.run(JOB_RUN_ID=f"jr_{lake.raw}")
    assert lake.rows("id", "qty", table="events_silver") == [(1, 1), (1, 1), (2, 5)]
    assert set(lake.statuses().values()) == {"CLAIMED"}
    again = lake.run(JOB_RUN_ID=second.format(lake.raw))
    assert not again.error, again.error
    assert lake.result(second.format(lake.raw))["sources"]["events"]["rows_unchanged"] == 3
    assert lake.rows("id", "qty", table="events_silver") == [(1, 1), (1, 1), (2, 5)]
    assert (lake.snapshots("events_silver"), set(lake.statuses().values())) == (1, {"LOADED"})


@pytest.mark.long
def test_glue_runs_a_job_of_version_auto_again_and_nothing_is_there_twice(endpoint: Endpoint) -> None:
    """Killed at the end of its first attempt, by the local Glue's own retry."""
    with quiet_lake(endpoint, glue={"version": "auto"}) as lake:
        assert lake.client("glue").get_job(JobName=lake.names.glue_job)["Job"]["MaxRetries"] == 1
        land(lake, 0)
        run_id = transform.start(lake, {})
        until_it_says(lake, run_id, "to write:")
        kill_driver(run_id)
        retried, deadline = f"{run_id}_attempt_1", time.monotonic() + 60
        while not any(run["Id"] == retried for run in _runs(lake)) and time.monotonic() < deadline:
            time.sleep(0.2)
        ended = transform.follow(lake, retried)
        assert ended.state == "SUCCEEDED", ended.error
        silver = f"{lake.names.silver_database}.orders_silver"
        counted = query.run(lake, f"SELECT COUNT(*), COUNT(DISTINCT order_id) FROM {silver}").rows
        assert [list(row) for row in counted] == [["3000", "3000"]]


def _runs(lake: Any) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = lake.client("glue").get_job_runs(JobName=lake.names.glue_job)["JobRuns"]
    return runs
