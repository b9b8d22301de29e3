"""The order of steps, what follows a failure and a Ctrl-C, and that the lake is always deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acceptance import scanning
from botocore.exceptions import ClientError
from lakes import open_test_lake

from lakectl.errors import AccessError, LakectlError, UsageError
from lakectl.local.control import Endpoint
from lakectl.ops.acceptance import evidence, running, story
from lakectl.ops.acceptance.calls import Calls
from lakectl.ops.acceptance.drifts import DRIFTS
from lakectl.ops.acceptance.evidence import Evidence
from lakectl.ops.acceptance.masking import Mask
from lakectl.ops.acceptance.model import Outcome, Seen, Step, StepFailed, StepResult, Trial


@pytest.fixture
def trial(endpoint: Endpoint, tmp_path: Path) -> Trial:
    return Trial(open_test_lake(endpoint), tmp_path, Calls(), observe_s=0, event_limit_s=1)


class Record:
    """Steps that note their names, and do what they are told to."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.seen: list[StepResult] = []
        self.told: list[str] = []

    def step(self, name: str, error: BaseException | None = None, *, vital: bool = False) -> Step:
        def do(_: Trial) -> Seen:
            self.done.append(name)
            if error:
                raise error
            return Seen(f"{name} seen")

        return Step(name, name.title(), do, vital, advice=f"mend {name}")

    def run(self, trial: Trial, *steps: Step, ending: Callable[[], list[Step]] | None = None) -> list[StepResult]:
        last = [self.step("cost"), self.step("down"), self.step("left")] if ending is None else ending()
        return running.story_and_end(trial, steps, last, self.seen.append, lambda: self.told.append("interrupted"))


def outcomes(results: list[StepResult]) -> dict[str, str]:
    return {result.name: str(result.outcome) for result in results}


def test_the_story_is_told_in_the_order_of_the_issue() -> None:
    assert [step.name for step in (*story.BEFORE, *story.STORY, *story.ENDING)] == [
        *("permissions", "quotas", "up", "up-again", "plan-1", "contract", "plan-2", "plan-3", "land", "event-run"),
        *("validate", "duplicate", "bad-file", "second-batch", "rollback", "maintenance", "validate-again", "drift"),
        *("cost", "down", "nothing-left"),
    ]


def test_every_step_that_fails_is_told_and_others_go_on(trial: Trial) -> None:
    record = Record()
    results = record.run(trial, record.step("a"), record.step("b", LakectlError("no", "do c")), record.step("c"))
    assert record.done == ["a", "b", "c", "cost", "down", "left"]
    assert record.seen == results
    assert (results[1].problem, results[1].advice, results[0].detail) == ("no", "do c", "a seen")


def test_after_a_vital_step_that_failed_the_others_are_skipped_and_the_lake_is_deleted(trial: Trial) -> None:
    record = Record()
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "CreateRole")
    results = record.run(trial, record.step("a", denied, vital=True), record.step("b"))
    assert record.done == ["a", "cost", "down", "left"]
    assert outcomes(results) == {"a": "failed", "b": "skipped", "cost": "ok", "down": "ok", "left": "ok"}
    assert results[0].exit_code == AccessError.exit_code
    assert results[0].advice.startswith("ask for the permission")


def test_after_ctrl_c_the_lake_is_deleted(trial: Trial) -> None:
    record = Record()
    results = record.run(trial, record.step("a", KeyboardInterrupt()), record.step("b"))
    assert record.done == ["a", "cost", "down", "left"]
    assert record.told == ["interrupted"]
    assert outcomes(results)["a"] == "interrupted"
    assert evidence.outcome_of(results) == "interrupted"


def test_a_terminal_that_is_gone_deletes_the_lake_too(trial: Trial) -> None:
    record = Record()

    def gone() -> None:
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        running.story_and_end(
            trial, [record.step("a", KeyboardInterrupt())], [record.step("down")], record.seen.append, gone
        )
    assert record.done == ["a", "down"]


def test_an_error_that_a_ctrl_c_brought_about_is_one(trial: Trial) -> None:
    def do(_: Trial) -> Seen:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise LakectlError("not confirmed") from None

    record = Record()
    assert outcomes(record.run(trial, Step("a", "A", do)))["a"] == "interrupted"


def test_a_second_ctrl_c_while_it_is_deleted_ends_it_and_is_told(trial: Trial) -> None:
    record = Record()
    last = [record.step("cost"), record.step("down", KeyboardInterrupt()), record.step("left")]
    results = record.run(trial, record.step("a", KeyboardInterrupt()), ending=lambda: last)
    assert record.done == ["a", "cost", "down"]
    assert outcomes(results)["left"] == "skipped"


def test_a_fault_of_ours_deletes_the_lake_too(trial: Trial) -> None:
    record = Record()
    with pytest.raises(ZeroDivisionError):
        record.run(trial, record.step("a", ZeroDivisionError()))
    assert record.done == ["a", "cost", "down", "left"]


@pytest.mark.parametrize("error", [UsageError("can't write: No space left"), BrokenPipeError("nobody reads")])
def test_what_can_not_be_shown_or_written_deletes_the_lake_too(trial: Trial, error: Exception) -> None:
    record = Record()

    def full(_: StepResult) -> None:
        raise error

    last = [record.step("down"), record.step("left")]
    with pytest.raises(type(error), match=str(error)):
        running.story_and_end(trial, [record.step("a"), record.step("b")], last, full, lambda: None)
    assert record.done == ["a", "b", "down", "left"]


def test_a_ctrl_c_while_evidence_is_written_deletes_the_lake_too(trial: Trial) -> None:
    record, calls = Record(), 0

    def observer(_: StepResult) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyboardInterrupt

    steps = [record.step("a"), record.step("b")]
    results = running.story_and_end(trial, steps, [record.step("down")], observer, lambda: None)
    assert record.done == ["a", "down"]
    assert outcomes(results) == {"a": "interrupted", "b": "skipped", "down": "ok"}


def test_calls_are_counted_and_those_that_write_or_fail_are_kept(trial: Trial) -> None:
    def do(trial: Trial) -> Seen:
        s3, queue = trial.lake.client("s3"), trial.lake.client("sqs").create_queue(QueueName="acceptance-calls")
        for bucket in ("absent-x", "absent-y"):
            with pytest.raises(ClientError):
                s3.list_objects_v2(Bucket=bucket)
        trial.lake.client("sqs").delete_queue(QueueUrl=queue["QueueUrl"])
        with pytest.raises(ClientError):
            trial.lake.client("athena").get_work_group(WorkGroup="absent-x")
        return Seen("")

    trial.lake.aws.record(trial.calls.take)
    (result,) = running.carry_out(trial, [Step("a", "A", do)], lambda _: None)
    assert result.calls["count"] == 5
    assert result.calls["by_operation"]["s3 ListObjectsV2"] == 2
    kept = [(each["operation"], each["answer"], bool(each["request_id"])) for each in result.calls["requests"]]
    assert kept == [
        ("sqs CreateQueue", "ok", True),
        ("sqs DeleteQueue", "ok", True),
        ("athena GetWorkGroup", "InvalidRequestException", True),
    ]


def written(folder: Path, *results: StepResult) -> tuple[dict[str, Any], str]:
    mask = Mask("acceptance-0a1b2c3d", ["anna"])
    seen = Evidence(folder, mask, {"endpoint": "AWS", "region": "eu-west-1", "billed": True}, {"lakectl": "0.1.0"})
    for result in results:
        seen.add(result)
    assert json.loads((folder / "evidence.json").read_text())["outcome"] == "unfinished"
    seen.end()
    return json.loads((folder / "evidence.json").read_text()), (folder / "evidence.md").read_text()


def test_evidence_tells_steps_failures_differences_and_cost(tmp_path: Path) -> None:
    difference = {
        "row": "job-absent", "expected": "EntityNotFoundException", "answered": "404 | 111122223333", "source": "API",
        "request_id": "r-1", "agrees": False,
    }  # fmt: skip
    call = {"operation": "s3 PutObject", "answer": "SlowDown", "status": 503, "request_id": "r-2", "seconds": 1.0}
    cost = {"usd": 0.25, "at_most_usd": 1.92, "billed": True, "runs": 6, "dpu_hours": 0.5, "queries": 9}
    found, text = written(
        tmp_path,
        StepResult("up", "Make", Outcome.OK, detail="49 made", calls={"count": 7, "requests": [call]}),
        StepResult("contract", "Answers", Outcome.OK, facts={"differences": [difference]}),
        StepResult("drift", "Drift", Outcome.FAILED, problem="anna of 111122223333 | x", advice="ask", exit_code=1),
        StepResult("land", "Land", Outcome.SKIPPED),
        StepResult("cost", "Cost", Outcome.OK, facts={**cost, "scanned_bytes": 10_000_000}),
    )
    assert found["form"] == evidence.FORM
    assert found["outcome"] == "failed"
    assert found["differences"] == [{**difference, "answered": "404 | <account>"}]
    assert found["cost"]["usd"] == 0.25
    assert "| Make | ok | 0.0 | 7 | 49 made |" in text
    assert "- **Drift**: <name> of <account> \\| x. Try: ask" in text
    assert "| job-absent | EntityNotFoundException | 404 \\| <account> | API | r-1 |" in text
    assert "| up | s3 PutObject | 503 SlowDown | r-2 |" in text
    assert "0.2500 USD of at most 1.92 USD" in text
    assert scanning.found(text) == []


def test_evidence_of_what_was_cut_off_is_there(tmp_path: Path) -> None:
    found, text = written(tmp_path, StepResult("up", "Make", Outcome.FAILED, problem="no"))
    assert found["cost"] == {}
    assert "Not known." in text
    assert "None of those that were asked." in text


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't write"):
        written(tmp_path / "absent", StepResult("up", "Make", Outcome.OK))


def test_each_kind_of_resource_has_a_drift(endpoint: Endpoint) -> None:
    kinds = {resource.kind for resource in open_test_lake(endpoint).resources}
    assert {drift.kind for drift in DRIFTS} == kinds


def test_what_a_step_saw_is_in_the_facts_of_its_failure(trial: Trial) -> None:
    record = Record()
    (result, *_) = record.run(trial, record.step("a", StepFailed("no", facts={"log": ["x"]})))
    assert result.facts == {"log": ["x"]}
    assert result.advice == "mend a"
