"""Running the Glue job and following it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.ops.logs import LogTail

ENDED = frozenset(("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"))
RESULT_MARK = "LAKECTL_RESULT "
POLL_S = (0.3, 5.0)  # first and longest pause between two looks at a run
LOGS_LAG_S = 10.0  # CloudWatch may show the last lines some seconds after the run has ended


@dataclass
class JobRun:
    """A run of the Glue job. ``result`` is what the job says it did (its LAKECTL_RESULT line)."""

    id: str
    state: str
    error: str = ""
    seconds: int = 0
    arguments: Mapping[str, str] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def start(lake: Lake, arguments: Mapping[str, str] | None = None) -> str:
    """Start a run (queued when one is active) and return its id. Raises :class:`LakectlError`."""
    try:
        # Queueing is decided on StartJobRun: left out there, the run is not queued.
        answer = lake.client("glue").start_job_run(
            JobName=lake.names.glue_job, Arguments=dict(arguments or {}), JobRunQueuingEnabled=True
        )
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "EntityNotFoundException":
            raise LakectlError(
                f"there is no Glue job {lake.names.glue_job}", "make it with: lakectl create-glue-job"
            ) from error
        if code_of(error) == "ConcurrentRunsExceededException":
            raise LakectlError(
                "another run is active and the job does not queue", "wait for it: lakectl run-transform --attach"
            ) from error
        raise explain(error, f"starting {lake.names.glue_job}") from error
    return str(answer["JobRunId"])


def get(lake: Lake, run_id: str) -> JobRun:
    """The run as Glue has it now."""
    try:
        run = lake.client("glue").get_job_run(JobName=lake.names.glue_job, RunId=run_id)["JobRun"]
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "EntityNotFoundException":
            raise LakectlError(
                f"the job {lake.names.glue_job} has no run {run_id}", "list what happened with: lakectl logs glue"
            ) from error
        raise explain(error, f"reading run {run_id}") from error
    return _job_run(run)


def latest(lake: Lake) -> JobRun | None:
    """The newest run, or ``None``."""
    try:
        runs = lake.client("glue").get_job_runs(JobName=lake.names.glue_job, MaxResults=1)["JobRuns"]
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "EntityNotFoundException":
            return None
        raise explain(error, "reading the job's runs") from error
    return _job_run(runs[0]) if runs else None


def follow(
    lake: Lake,
    run_id: str,
    on_state: Callable[[JobRun], None] = lambda _: None,
    on_line: Callable[[str], None] = lambda _: None,
) -> JobRun:
    """Watch a run until it has ended; ``on_line`` gets what the job prints, as it prints it.

    Returns the ended run, whatever its state: the caller judges it.
    """
    tail = LogTail(lake, f"{lake.names.glue_log_prefix}/output", run_id)
    result: dict[str, Any] = {}
    pause, last_state = POLL_S[0], ""

    def drain() -> None:
        for line in tail.new_lines():
            if line.startswith(RESULT_MARK):
                result.update(json.loads(line.removeprefix(RESULT_MARK)))
            else:
                on_line(line)

    while True:
        run = get(lake, run_id)
        if run.state != last_state:
            on_state(run)
            pause, last_state = POLL_S[0], run.state
        drain()
        if run.ended:
            break
        time.sleep(pause)
        pause = min(pause * 1.2, POLL_S[1])
    deadline = time.monotonic() + LOGS_LAG_S
    while run.state == "SUCCEEDED" and not result and time.monotonic() < deadline:
        time.sleep(POLL_S[0])
        drain()
    run.result = result
    return run


def stop(lake: Lake, run_id: str) -> None:
    """Ask Glue to stop a run. Raises :class:`LakectlError` when Glue won't."""
    try:
        answer = lake.client("glue").batch_stop_job_run(JobName=lake.names.glue_job, JobRunIds=[run_id])
    except (ClientError, BotoCoreError) as error:
        raise explain(error, f"stopping run {run_id}") from error
    for failure in answer.get("Errors", []):
        raise LakectlError(f"can't stop run {run_id}: {failure['ErrorDetail']['ErrorMessage']}")


def _job_run(run: Mapping[str, Any]) -> JobRun:
    return JobRun(
        id=run["Id"],
        state=run["JobRunState"],
        error=run.get("ErrorMessage", ""),
        seconds=int(run.get("ExecutionTime") or 0),
        arguments=run.get("Arguments", {}),
    )
