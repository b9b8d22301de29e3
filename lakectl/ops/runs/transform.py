"""Running a Glue job of the lake and following it. Without a ``job``, the transform is meant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.core.glue_runs import ENDED
from lakectl.errors import LakectlError, UsageError
from lakectl.glue_versions import LEAST_BILLED_S
from lakectl.ops.lake import Lake
from lakectl.ops.runs import results
from lakectl.ops.runs.logs import LogTail

POLL_S = (0.3, 5.0)  # first and longest pause between two looks at a run
LAST = 50  # runs in which one that has not ended is looked for


@dataclass(frozen=True)
class Job:
    """A Glue job of the lake, and the prefix of its log groups."""

    name: str
    log_prefix: str


@dataclass
class JobRun:
    """A run of a Glue job. ``result`` is what the job wrote into the run log (:mod:`lakectl.ops.runs.results`); empty
    before its end, and for a run that wrote nothing. ``started_at``: ISO 8601 UTC, to the second.

    ``dpu_seconds``: as Glue reports it, or the run's capacity times its time; ``None`` while it is unknown.
    """

    id: str
    state: str
    error: str = ""
    seconds: int = 0
    dpu_seconds: float | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    started_at: str = ""
    glue_version: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def dpu_hours(self) -> float | None:
        return None if self.dpu_seconds is None else self.dpu_seconds / 3600


def transform_job(lake: Lake) -> Job:
    return Job(lake.names.glue_job, lake.names.glue_log_prefix)


def start(
    lake: Lake,
    arguments: Mapping[str, str] | None = None,
    workers: int | None = None,
    job: Job | None = None,
) -> str:
    """Start a run (queued when one is active) and return its id. Raises :class:`LakectlError`.

    ``workers`` replaces the job's number of workers for this run.
    """
    name = (job or transform_job(lake)).name
    size = {"WorkerType": lake.config.glue.worker_type, "NumberOfWorkers": workers} if workers else {}
    try:
        # Queueing is decided on StartJobRun: left out there, the run is not queued.
        answer = lake.client("glue").start_job_run(
            JobName=name, Arguments=dict(arguments or {}), JobRunQueuingEnabled=True, **size
        )
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "EntityNotFoundException":
            raise LakectlError(f"there is no Glue job {name}", "make it with: lakectl create-glue-job") from error
        if code_of(error) == "ConcurrentRunsExceededException":
            raise LakectlError(
                "another run is active and the job does not queue", "wait for it: lakectl run-transform --attach"
            ) from error
        raise explain(error, f"starting {name}") from error
    return str(answer["JobRunId"])


def arguments(
    lake: Lake,
    *,
    path: str | None = None,
    batch: str | None = None,
    full: bool = False,
    on_bad_rows: str | None = None,
    retry_failed: bool = False,
    retry_quarantined: bool = False,
) -> dict[str, str]:
    """The run arguments of the transform. Raises :class:`UsageError` for a path outside the raw bucket."""
    root = f"s3://{lake.names.raw_bucket}/"
    if path and not path.startswith(root):
        raise UsageError(f"--path {path} is not in the raw bucket", f"it must start with {root}")
    given = {
        "--RAW_PATH": path,
        "--BATCH_ID": batch,
        "--FULL": "true" if full else None,
        "--ON_BAD_ROWS": on_bad_rows,
        "--RETRY_FAILED": "true" if retry_failed else None,
        "--RETRY_QUARANTINED": "true" if retry_quarantined else None,
    }
    return {key: value for key, value in given.items() if value}


def get(lake: Lake, run_id: str, job: Job | None = None) -> JobRun:
    """The run as Glue has it now."""
    name = (job or transform_job(lake)).name
    try:
        run = lake.client("glue").get_job_run(JobName=name, RunId=run_id)["JobRun"]
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "EntityNotFoundException":
            raise LakectlError(
                f"the job {name} has no run {run_id}", "see the runs' logs: lakectl logs glue"
            ) from error
        raise explain(error, f"reading run {run_id}") from error
    return _job_run(run)


def latest(lake: Lake) -> JobRun | None:
    """The newest run, or ``None``."""
    return next(recent(lake, 1), None)


def active(lake: Lake, job: Job | None = None) -> JobRun | None:
    """The oldest run that has not ended, or ``None``: the one that others wait for."""
    return next(iter(active_runs(lake, job)), None)


def active_runs(lake: Lake, job: Job | None = None) -> list[JobRun]:
    """Those of the last runs that have not ended, oldest first."""
    # Runs come newest first, and one that waits may be older than one that has ended: look at all of a page.
    return [run for run in recent(lake, LAST, job) if not run.ended][::-1]


def recent(lake: Lake, most: int, job: Job | None = None) -> Iterator[JobRun]:
    """The last ``most`` runs, newest first; none when the job is absent. Their ``result`` is not read."""
    name = (job or transform_job(lake)).name
    pages = (
        lake.client("glue")
        .get_paginator("get_job_runs")
        .paginate(JobName=name, PaginationConfig={"MaxItems": most, "PageSize": min(most, LAST)})
    )
    try:
        for page in pages:
            yield from map(_job_run, page["JobRuns"])
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "EntityNotFoundException":
            return
        raise explain(error, f"reading the runs of {name}") from error


def named(lake: Lake, run_id: str) -> JobRun:
    """The run with this id, or with the only one of the last 50 that begins so; ``latest`` means the active one, or
    the newest. Raises :class:`LakectlError`."""
    if run_id != "latest":
        found = {run.id for run in recent(lake, LAST) if run.id.startswith(run_id)}
        if len(found) > 1 and run_id not in found:
            raise UsageError(f"{len(found)} runs begin with {run_id!r}", f"one of: {', '.join(sorted(found))}")
        return get(lake, found.pop() if len(found) == 1 else run_id)
    run = active(lake) or latest(lake)
    if run is None:
        raise LakectlError(f"the job {lake.names.glue_job} has no runs", "start one: lakectl run-transform")
    return run


def follow(
    lake: Lake,
    run_id: str,
    on_state: Callable[[JobRun], None] = lambda _: None,
    on_line: Callable[[str], None] = lambda _: None,
    job: Job | None = None,
) -> JobRun:
    """Watch a run until it has ended; ``on_line`` gets what the job prints, as far as CloudWatch shows it by then.

    Returns the ended run with its result, whatever its state: the caller judges it.
    """
    job = job or transform_job(lake)
    tail = LogTail(lake, f"{job.log_prefix}/output", run_id)
    pause, last_state = POLL_S[0], ""
    while True:
        run = get(lake, run_id, job)
        if run.state != last_state:
            on_state(run)
            pause, last_state = POLL_S[0], run.state
        for line in tail.new_lines():
            on_line(line)
        if run.ended:
            break
        time.sleep(pause)
        pause = min(pause * 1.2, POLL_S[1])
    run.result = results.read(lake, run_id)
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
    seconds = int(run.get("ExecutionTime") or 0)
    used = run.get("DPUSeconds")
    # Glue reports DPUSeconds for auto-scaled and Flex runs only (JobRun, API reference).
    if used is None and seconds and run.get("MaxCapacity"):
        used = float(run["MaxCapacity"]) * max(seconds, LEAST_BILLED_S)
    return JobRun(
        id=run["Id"],
        state=run["JobRunState"],
        error=run.get("ErrorMessage", ""),
        seconds=seconds,
        dpu_seconds=used,
        arguments=run.get("Arguments", {}),
        glue_version=run.get("GlueVersion", ""),
        started_at=run["StartedOn"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if "StartedOn" in run else "",
    )
