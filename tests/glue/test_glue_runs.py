"""The states of a job run, with small scripts that run as real processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from lakectl.local import processes
from lakectl.local.glue_runtime import ConcurrentRunsExceeded, JobRun

SLEEP = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n"


@pytest.fixture
def pid_of(glue: SimpleNamespace) -> Callable[[JobRun], int]:
    """The process id that a running SLEEP script has logged."""

    def wait(run: JobRun) -> int:
        deadline = time.monotonic() + 20
        while not glue.context.logs.streams.get(("/aws-glue/jobs/output", run.job_run_id)):
            assert time.monotonic() < deadline, f"no output while {run.state}"
            time.sleep(0.02)
        return int(glue.output(run)[0])

    return wait


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while processes.alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not processes.alive(pid)


def test_a_run_that_ends_well_has_succeeded(glue: SimpleNamespace) -> None:
    run = glue.wait(glue.start("print('hello')"))
    shown = run.as_dict()
    assert shown["JobRunState"] == "SUCCEEDED"
    assert "ErrorMessage" not in shown
    assert shown["StartedOn"] <= shown["CompletedOn"] == shown["LastModifiedOn"]
    assert glue.output(run) == ["hello"]


def test_a_run_shows_what_it_was_started_with(glue: SimpleNamespace) -> None:
    run = glue.wait(glue.start("", arguments={"--A": "1"}, worker_type="G.2X", number_of_workers=2, max_capacity=4))
    shown = run.as_dict()
    assert shown["Arguments"] == {"--A": "1"}
    assert (shown["WorkerType"], shown["NumberOfWorkers"], shown["AllocatedCapacity"]) == ("G.2X", 2, 4)
    assert shown["DPUSeconds"] == pytest.approx(4 * run.execution_seconds)
    assert shown["GlueVersion"] == "5.1"


def test_the_exception_of_a_failed_script_is_the_error_message(glue: SimpleNamespace) -> None:
    run = glue.wait(glue.start("raise RuntimeError('orders.csv has no header')"))
    assert run.as_dict()["JobRunState"] == "FAILED"
    assert run.as_dict()["ErrorMessage"] == "RuntimeError: orders.csv has no header"
    assert "Traceback (most recent call last):" in glue.output(run, "error")


def test_a_missing_script_fails_the_run_and_names_the_object(glue: SimpleNamespace) -> None:
    from lakectl.local.glue_launch import RunSpec

    spec = RunSpec("job", "eu-west-1", "pythonshell", "s3://scripts/gone.py")
    run = glue.wait(glue.runtime.start(spec, glue.history))
    assert run.state == "FAILED"
    assert "bucket: scripts, key: gone.py. NoSuchKey" in run.error


def test_output_is_streamed_while_the_script_runs(glue: SimpleNamespace, pid_of: Callable[[JobRun], int]) -> None:
    run = glue.start(SLEEP)
    pid_of(run)
    assert run.state == "RUNNING"
    glue.runtime.stop(run)
    glue.wait(run)


def test_all_output_is_there_when_the_run_has_ended(glue: SimpleNamespace) -> None:
    run = glue.wait(glue.start("for i in range(5000): print(i)\nprint('no newline', end='')"))
    assert glue.output(run) == [*map(str, range(5000)), "no newline"]
    assert glue.context.logs.calls["/aws-glue/jobs/output", run.job_run_id] < 50, "lines go in batches"


def test_logs_go_to_the_groups_of_the_custom_prefix(glue: SimpleNamespace) -> None:
    run = glue.start("print('x')", arguments={"--custom-logGroup-prefix": "/aws-glue/demo"})
    glue.wait(run)
    assert glue.output(run, prefix="/aws-glue/demo") == ["x"]
    assert run.as_dict()["LogGroupName"] == "/aws-glue/demo"


def test_a_run_beyond_the_limit_is_refused(glue: SimpleNamespace) -> None:
    run = glue.start(SLEEP)
    with pytest.raises(ConcurrentRunsExceeded):
        glue.start(SLEEP)
    assert glue.history == [run]


def test_as_many_runs_as_the_job_allows_are_active_at_once(glue: SimpleNamespace) -> None:
    runs = [glue.start(SLEEP, max_concurrent_runs=2) for _ in range(2)]
    with pytest.raises(ConcurrentRunsExceeded):
        glue.start(SLEEP, max_concurrent_runs=2)
    for run in runs:
        glue.wait(run, ("RUNNING",))


def test_a_queued_run_waits_for_its_slot_and_then_runs(glue: SimpleNamespace) -> None:
    first = glue.start("import time; time.sleep(0.3)")
    second, third = (glue.start("", queue=True) for _ in range(2))
    assert [run.state for run in glue.history[1:]] == ["WAITING", "WAITING"]
    for run in (first, second, third):
        glue.wait(run, ("SUCCEEDED",))
    assert first.completed_on <= second.started_on
    assert second.completed_on <= third.started_on


def test_a_waiting_run_can_be_stopped(glue: SimpleNamespace) -> None:
    first, second = glue.start(SLEEP), glue.start(SLEEP, queue=True)
    assert glue.runtime.stop(second)
    assert second.state == "STOPPED"
    glue.runtime.stop(first)
    glue.wait(first)


def test_stop_ends_the_process_and_frees_the_slot(glue: SimpleNamespace, pid_of: Callable[[JobRun], int]) -> None:
    run = glue.start(SLEEP)
    pid = pid_of(run)
    queued = glue.start("", queue=True)
    assert glue.runtime.stop(run)
    assert run.state in ("STOPPING", "STOPPED")
    glue.wait(run, ("STOPPED",))
    assert gone(pid)
    glue.wait(queued, ("SUCCEEDED",))
    assert not glue.runtime.stop(run), "a run that has ended can't be stopped"


def test_stop_ends_a_script_that_ignores_sigterm_and_its_children(
    glue: SimpleNamespace, pid_of: Callable[[JobRun], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakectl.local.glue_process.TERMINATE_SECONDS", 0.3)
    script = (
        "import signal, subprocess, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['sleep', '60']).pid, flush=True)\ntime.sleep(60)\n"
    )
    run = glue.start(script)
    child = pid_of(run)
    glue.runtime.stop(run)
    glue.wait(run, ("STOPPED",))
    assert gone(child)


def test_a_run_that_exceeds_its_timeout_is_ended(glue: SimpleNamespace, pid_of: Callable[[JobRun], int]) -> None:
    run = glue.start(SLEEP, timeout_minutes=5)  # of 0.2 s each here
    pid = pid_of(run)
    glue.wait(run, ("TIMEOUT",))
    assert gone(pid)
    assert "timeout of 5 minutes" in run.error


def test_a_failed_run_is_retried_as_often_as_the_job_says(glue: SimpleNamespace) -> None:
    glue.start("raise ValueError('no')", max_retries=2)
    deadline = time.monotonic() + 20
    while [run.state for run in glue.history] != ["FAILED"] * 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    first, second, third = glue.history
    assert second.job_run_id == f"{first.job_run_id}_attempt_1"
    assert third.job_run_id == f"{first.job_run_id}_attempt_2"
    assert third.as_dict()["PreviousRunId"] == second.job_run_id
    assert [run.attempt for run in glue.history] == [0, 1, 2]


@pytest.mark.parametrize(
    ("script", "state", "severity", "message"),
    [
        ("", "SUCCEEDED", "INFO", "Job run succeeded"),
        ("raise ValueError('no')", "FAILED", "ERROR", "ValueError: no"),
    ],
)
def test_the_end_of_a_run_is_an_event(
    glue: SimpleNamespace, script: str, state: str, severity: str, message: str
) -> None:
    run = glue.wait(glue.start(script))
    deadline = time.monotonic() + 5
    while not glue.context.events and time.monotonic() < deadline:
        time.sleep(0.01)
    (event,) = glue.context.events
    assert (event["source"], event["detail-type"]) == ("aws.glue", "Glue Job State Change")
    assert event["detail"] == {
        "jobName": "job",
        "severity": severity,
        "state": state,
        "jobRunId": run.job_run_id,
        "message": message,
    }


def test_the_run_before_is_over_when_its_event_is_sent(glue: SimpleNamespace) -> None:
    """Whoever starts the next run on that event finds a free slot."""
    seen: list[str] = []
    glue.context.emit_event = lambda *_: seen.append(glue.start("", max_concurrent_runs=1).state) if not seen else None
    glue.wait(glue.start(""))
    deadline = time.monotonic() + 5
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen == ["STARTING"]
    glue.wait(glue.history[-1])


def test_nothing_of_a_run_is_left_in_the_state_folder(glue: SimpleNamespace) -> None:
    glue.wait(glue.start("open('written', 'w').write('x')"))
    deadline = time.monotonic() + 10
    while any((glue.context.state_dir / "glue").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_shut_down_ends_the_processes(glue: SimpleNamespace, pid_of: Callable[[JobRun], int]) -> None:
    run = glue.start(SLEEP)
    pid = pid_of(run)
    glue.runtime.shut_down()
    assert gone(pid)
