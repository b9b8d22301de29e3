"""The starter: the ledger first, then a run if there is a reason for one."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from landing_events import JOB, bridge_event, load_handler, record_event

from lakectl.spec.model import FileFormat, LakeSpec, SourceSpec


class Glue:
    """Glue as the starter sees it."""

    class exceptions:
        class ConcurrentRunsExceededException(Exception):
            pass

        class EntityNotFoundException(Exception):
            pass

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.started: list[dict[str, Any]] = []
        self.at_limit = False

    def get_job_runs(self, **_request: Any) -> dict[str, Any]:
        return {"JobRuns": self.runs}

    def get_job_run(self, *, JobName: str, RunId: str) -> dict[str, Any]:
        assert JobName == JOB
        return {"JobRun": next(run for run in self.runs if run["Id"] == RunId)}

    def start_job_run(self, **request: Any) -> dict[str, Any]:
        if self.at_limit:
            raise self.exceptions.ConcurrentRunsExceededException
        self.started.append(request)
        return {"JobRunId": f"jr_new{len(self.started)}"}

    def has(self, run_id: str, state: str, began: datetime | None = None) -> None:
        self.runs.append({"Id": run_id, "JobRunState": state, "StartedOn": began or datetime.now(UTC)})


@pytest.fixture
def glue() -> Glue:
    return Glue()


@pytest.fixture
def starter(glue):
    module = load_handler("start_glue_job")
    module.GLUE = glue
    return module


def ended(run_id: str, state: str) -> dict[str, Any]:
    return {
        "source": "aws.glue",
        "detail-type": "Glue Job State Change",
        "detail": {"jobName": JOB, "jobRunId": run_id, "state": state},
    }


# No source of the tutorial is in it.
RIDES = LakeSpec(
    {
        "rides": SourceSpec("rides", (), file=FileFormat(format="jsonl"), starts_run=True),
        "zones": SourceSpec("zones", (), file=FileFormat(format="parquet"), starts_run=True),
        "drivers": SourceSpec("drivers", ()),
    }
)
SCHEDULE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
BATCH = "retail/orders/ingest_date=2026-11-24/batch=0003/orders.csv"


@pytest.mark.parametrize("event", [record_event(BATCH), bridge_event(BATCH)])
def test_a_landing_of_a_source_that_starts_runs_starts_one(starter, glue, rows, event) -> None:
    assert starter.handler(event, None)["started"] == "jr_new1"
    assert glue.started == [{"JobName": JOB, "JobRunQueuingEnabled": True}]
    assert len(rows("PENDING#orders")) == 1


@pytest.mark.parametrize(
    "key",
    [
        "retail/orders/test_orders.csv",
        "retail/orders/orders.csv",
        "retail/orders/ingest_date=2026-11-24/preorders.csv",
        "retail/customers/ingest_date=2026-11-24/customers.csv",
    ],
)
def test_other_keys_start_nothing(starter, glue, key) -> None:
    assert starter.handler(bridge_event(key), None)["started"] is None
    assert glue.started == []


@pytest.mark.parametrize("state", ["WAITING", "STARTING"])
def test_a_run_that_has_not_begun_will_load_it(starter, glue, rows, state) -> None:
    glue.has("jr_1", state)
    assert starter.handler(bridge_event(), None)["started"] is None
    assert len(rows("PENDING#orders")) == 1


def test_behind_a_running_run_one_is_queued(starter, glue) -> None:
    glue.has("jr_1", "RUNNING")
    assert starter.handler(bridge_event(), None)["started"]


def test_at_the_limit_of_concurrent_runs_the_landing_stays_pending(starter, glue, rows) -> None:
    glue.at_limit = True
    answer = starter.handler(bridge_event(), None)
    assert answer["started"] is None
    assert "limit" in answer["why"]
    assert len(rows("PENDING#orders")) == 1


def test_a_second_delivery_after_the_load_starts_nothing(starter, glue, ledger) -> None:
    starter.handler(bridge_event(), None)
    (entry,) = ledger.pending("orders")
    ledger.claim(entry, "jr_new1")
    ledger.loaded(entry, "jr_new1", snapshot_id="1", rows=1)
    assert starter.handler(bridge_event(), None)["started"] is None
    assert len(glue.started) == 1


def test_the_schedule_starts_nothing_when_nothing_is_pending(starter) -> None:
    assert starter.handler(SCHEDULE, None)["started"] is None


def test_the_schedule_drains_what_starts_no_run_itself(starter, glue, log_function) -> None:
    log_function.handler(record_event("retail/customers/ingest_date=2026-11-24/customers.csv"), None)
    assert starter.handler(SCHEDULE, None)["started"]
    assert glue.started == [{"JobName": JOB, "JobRunQueuingEnabled": True}]


def test_what_a_live_run_holds_is_not_pending_and_what_a_dead_one_held_is(starter, glue, ledger) -> None:
    glue.at_limit = True
    starter.handler(bridge_event(), None)
    glue.at_limit = False
    (entry,) = ledger.pending("orders")
    ledger.claim(entry, "jr_1")
    glue.has("jr_1", "RUNNING")
    assert starter.handler(SCHEDULE, None)["started"] is None
    glue.runs[0]["JobRunState"] = "FAILED"
    assert starter.handler(SCHEDULE, None)["started"]


def test_the_end_of_a_run_starts_the_next_for_what_came_meanwhile(starter, glue, log_function) -> None:
    glue.has("jr_1", "SUCCEEDED")
    log_function.handler(record_event(), None)
    assert starter.handler(ended("jr_1", "SUCCEEDED"), None)["started"]


def test_the_end_of_a_run_starts_nothing_without_work(starter, glue) -> None:
    glue.has("jr_1", "SUCCEEDED")
    assert starter.handler(ended("jr_1", "SUCCEEDED"), None)["started"] is None


def test_a_run_that_failed_on_what_was_there_is_not_started_for_ever(starter, glue, log_function) -> None:
    log_function.handler(record_event(), None)
    glue.has("jr_1", "FAILED", began=datetime(2099, 1, 1, tzinfo=UTC))
    assert starter.handler(ended("jr_1", "FAILED"), None)["started"] is None


def test_after_a_failed_run_what_landed_during_it_is_loaded(starter, glue, log_function) -> None:
    glue.has("jr_1", "FAILED", began=datetime(2020, 1, 1, tzinfo=UTC))
    log_function.handler(record_event(), None)
    assert starter.handler(ended("jr_1", "FAILED"), None)["started"]


def test_a_crash_is_tried_again_three_times_and_no_more(starter, glue, log_function, ledger) -> None:
    log_function.handler(record_event(), None)
    outcomes = []
    for number in range(1, 5):
        (entry,) = ledger.pending("orders")
        ledger.claim(entry, f"jr_{number}")
        glue.has(f"jr_{number}", "FAILED", began=datetime(2099, 1, 1, tzinfo=UTC))
        outcomes.append(bool(starter.handler(ended(f"jr_{number}", "FAILED"), None)["started"]))
    assert outcomes == [True, True, False, False]


def test_other_jobs_and_other_states_start_nothing(starter) -> None:
    event = ended("jr_1", "SUCCEEDED")
    event["detail"]["jobName"] = "another"
    assert starter.handler(event, None)["started"] is None
    assert starter.handler(ended("jr_1", "RUNNING"), None)["started"] is None


def test_of_many_landings_at_once_one_starts_a_run(starter, glue, rows) -> None:
    start = glue.start_job_run

    def slow(**request: Any) -> dict[str, Any]:
        time.sleep(0.1)
        answer = start(**request)
        glue.has(answer["JobRunId"], "STARTING")
        return answer

    glue.start_job_run = slow
    keys = [f"retail/orders/ingest_date=2026-11-24/batch={n:04d}/orders.csv" for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda key: starter.handler(bridge_event(key), None), keys))
    assert len(glue.started) == 1
    assert sum(bool(answer["started"]) for answer in answers) == 1
    assert len(rows("PENDING#orders")) == 8
    assert rows("LEASE#") == []


def test_a_caller_that_died_with_its_turn_holds_up_the_others_for_its_timeout_only(starter, glue, monkeypatch) -> None:
    starter.LEASE.take("dead")
    monkeypatch.setattr(starter, "LEASE_PATIENCE_S", 0.1)
    with pytest.raises(TimeoutError):
        starter.handler(bridge_event(), None)
    assert glue.started == []
    later = time.time() + 31
    monkeypatch.setattr("lakectl.core.lease.time.time", lambda: later)
    assert starter.handler(bridge_event(), None)["started"]


def test_a_turn_that_was_lost_meanwhile_is_not_ended(starter, rows) -> None:
    starter.LEASE.take("one")
    starter.LEASE.end("another")
    assert len(rows("LEASE#")) == 1
    starter.LEASE.end("one")
    assert rows("LEASE#") == []


def test_a_record_that_fails_does_not_stop_the_run_for_the_others(starter, glue, rows) -> None:
    event = record_event(BATCH)
    event["Records"].insert(0, {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"})
    with pytest.raises(RuntimeError, match="1 of 2 records not recorded"):
        starter.handler(event, None)
    assert len(glue.started) == 1
    assert len(rows("PENDING#orders")) == 1


def test_the_replayed_end_of_a_run_that_glue_has_forgotten_drains(starter, glue, log_function) -> None:
    log_function.handler(record_event(), None)

    def gone(**_request: Any) -> None:
        raise glue.exceptions.EntityNotFoundException

    glue.get_job_run = gone
    assert starter.handler(ended("jr_old", "FAILED"), None)["started"]


def test_the_quick_test_s_event_is_written_down_and_starts_nothing(starter, glue, rows) -> None:
    """Item 27: how `lakectl smoke` knows that S3's event came through EventBridge."""
    starter.handler(bridge_event(BATCH), None)
    key = "retail/_smoke/0123/test.csv"
    for _ in range(2):
        answer = starter.handler(bridge_event(key), None)
        assert answer == {"started": None, "why": "the quick test"}
    assert [(item["pk"], item["sk"]) for item in rows("SMOKE#")] == [("SMOKE#start", key)]
    assert len(glue.started) == 1
    assert rows("SRC#_smoke") == []


@pytest.mark.parametrize(
    ("below", "starts"),
    [
        ("rides/ingest_date=2026-11-24/rides.jsonl.gz", True),
        ("zones/ingest_date=2026-11-24/zones.parquet", True),
        ("drivers/ingest_date=2026-11-24/drivers.csv", False),
        ("rides/ingest_date=2026-11-24/rides.csv", False),
        ("orders/ingest_date=2026-11-24/orders.csv", False),
    ],
)
def test_which_landings_start_a_run_is_what_the_lake_s_specification_says(glue, rows, below: str, starts: bool) -> None:
    module = load_handler("start_glue_job", RIDES)
    module.GLUE = glue
    assert bool(module.handler(bridge_event(f"retail/{below}"), None)["started"]) == starts
    assert [item["key"] for item in rows("PENDING#")] == [f"retail/{below}"] * starts


def test_the_schedule_drains_every_source_of_the_specification(glue) -> None:
    module, log = load_handler("start_glue_job", RIDES), load_handler("log_ingestion_run", RIDES)
    module.GLUE = glue
    log.handler(record_event("retail/drivers/ingest_date=2026-11-24/drivers.csv"), None)
    assert module.handler(SCHEDULE, None)["started"]
