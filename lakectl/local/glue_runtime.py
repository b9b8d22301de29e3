"""Glue job runs that really run: states, concurrency, queueing, retries, and the attempt itself."""

from __future__ import annotations

import datetime
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakectl.errors import LakectlError
from lakectl.local import glue_flags, glue_launch, glue_standby
from lakectl.local.context import LocalContext
from lakectl.local.glue_errors import error_message
from lakectl.local.glue_launch import Launch, LaunchError, RunSpec
from lakectl.local.glue_logs import LogStream
from lakectl.local.glue_process import Outcome, ScriptProcess
from lakectl.local.glue_standby import Standbys

ACTIVE = ("STARTING", "RUNNING", "STOPPING")
STOPPABLE = ("WAITING", "STARTING", "RUNNING")
TERMINAL = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
# severity and message of "Glue Job State Change" [AWS: EventBridge events of Glue]
EVENT_TEXT = {
    "SUCCEEDED": ("INFO", "Job run succeeded"),
    "STOPPED": ("INFO", "Job run stopped"),
    "TIMEOUT": ("WARN", "Job run timed out"),
}
STANDBY_AFTER_RUN = 1.0  # seconds: the end of a run may start the next
STANDBY_AFTER_JOB = 10.0  # whoever makes a job is mostly busy making more
INTERRUPTED = "the local endpoint ended while this run was active"
SHUTDOWN_SECONDS = 5.0  # for a JVM to end after its script
ARCHIVE_SECONDS = 120.0  # for a JVM to write its class archive after its script

log = logging.getLogger(__name__)


class ConcurrentRunsExceeded(Exception):
    """All runs that the job may have at once are active, and this one may not wait."""


@dataclass(eq=False)
class JobRun:
    """One run, as GetJobRun shows it. ``history`` is the list of its job's runs, oldest first."""

    spec: RunSpec
    job_run_id: str
    history: list[JobRun]
    attempt: int = 0
    previous_run_id: str | None = None
    queuing: bool = False
    state: str = "STARTING"
    error: str = ""
    started_on: datetime.datetime = field(default_factory=lambda: _now())
    modified_on: datetime.datetime = field(default_factory=lambda: _now())
    running_since: float | None = None
    execution_seconds: float = 0.0
    completed_on: datetime.datetime | None = None
    stop_requested: threading.Event = field(default_factory=threading.Event)

    def advance(self) -> None:
        """moto moves its own runs on when they are read; these move by themselves."""

    def execution_time(self) -> int:
        if self.running_since is not None and self.completed_on is None:
            return int(time.monotonic() - self.running_since)
        return int(self.execution_seconds)

    def as_dict(self) -> dict[str, Any]:
        spec = self.spec
        optional = {
            "PreviousRunId": self.previous_run_id,
            "CompletedOn": self.completed_on,
            "ErrorMessage": self.error or None,
            "WorkerType": spec.worker_type,
            "NumberOfWorkers": spec.number_of_workers,
            "SecurityConfiguration": spec.security_configuration,
            "NotificationProperty": spec.notification_property,
            "DPUSeconds": spec.max_capacity * self.execution_seconds if self.completed_on else None,
        }
        return {
            "Id": self.job_run_id,
            "Attempt": self.attempt,
            "JobName": spec.job_name,
            "JobMode": "SCRIPT",
            "JobRunQueuingEnabled": self.queuing,
            "StartedOn": self.started_on,
            "LastModifiedOn": self.modified_on,
            "JobRunState": self.state,
            "Arguments": spec.arguments,
            "PredecessorRuns": [],
            "AllocatedCapacity": int(spec.max_capacity),
            "ExecutionTime": self.execution_time(),
            "Timeout": spec.timeout_minutes,
            "MaxCapacity": spec.max_capacity,
            "LogGroupName": spec.log_group_prefix,
            "GlueVersion": spec.glue_version,
            "ExecutionClass": spec.execution_class,
        } | {key: value for key, value in optional.items() if value is not None}


class GlueRuntime:
    """Starts, queues, follows and stops runs. The runs themselves live in the lists that callers own."""

    def __init__(self, context: LocalContext, minute_seconds: float = 60.0) -> None:
        self._context = context
        self._minute_seconds = minute_seconds
        self._lock = threading.RLock()
        self._processes: set[ScriptProcess] = set()
        self._standbys = Standbys(context)
        self._active = 0  # threads of runs, until the last of their processes has ended
        self._stopped = False

    def start(
        self, spec: RunSpec, history: list[JobRun], *, queue: bool = False, previous: str | None = None
    ) -> JobRun:
        """A new run, STARTING or (with ``queue``, when no slot is free) WAITING; appended to ``history``.

        Raises ConcurrentRunsExceeded when no slot is free and it may not wait.
        """
        with self._lock:
            free = sum(run.state in ACTIVE for run in history) < spec.max_concurrent_runs
            if not free and not queue:
                raise ConcurrentRunsExceeded(f"Concurrent runs exceeded for {spec.job_name}")
            run = JobRun(spec, _new_id(), history, queuing=queue, previous_run_id=previous)
            history.append(run)
            if free:
                self._launch(run, may_adopt=True)
            else:
                run.state = "WAITING"
        return run

    def is_working(self) -> bool:
        """Whether a run has a process."""
        with self._lock:
            return self._active > 0

    def expect(self, spec: RunSpec) -> None:
        """A job like ``spec`` is there: its first run may come."""
        with self._lock:
            if not self._active and not self._stopped:
                self._standbys.prepare(spec, STANDBY_AFTER_JOB)

    def stop(self, run: JobRun) -> bool:
        """Ask a run to stop; False if it is past that. It is STOPPING until its process has ended."""
        with self._lock:
            if run.state not in STOPPABLE:
                return False
            waiting = run.state == "WAITING"
            run.state, run.modified_on = "STOPPING", _now()
            run.stop_requested.set()
        if waiting:
            self._finish(run, "STOPPED", "")
        return True

    def shut_down(self) -> None:
        """Kill every process of every run: the server is going."""
        with self._lock:
            self._stopped = True
            processes = list(self._processes)
        self._standbys.end()
        for process in processes:
            process.kill()

    def _launch(self, run: JobRun, *, may_adopt: bool = False) -> None:
        """Run it on a thread of its own. ``may_adopt``: nobody knows its id yet, so it can take a standby's."""
        run.state = "STARTING"
        self._active += 1
        standby = self._standbys.take(run.spec)
        if standby and may_adopt and glue_flags.suits_standby(self._s3(run), run.spec):
            own_id, run.job_run_id = run.job_run_id, standby.job_run_id
            if standby.give(lambda process: self._run(run, process)):
                return
            run.job_run_id = own_id
        elif standby:
            standby.end()
        # A thread of its own: on Linux a child dies with the thread that made it (PR_SET_PDEATHSIG).
        threading.Thread(target=self._run, args=(run,), name=run.job_run_id[:11], daemon=True).start()

    def _run(self, run: JobRun, standby: ScriptProcess | None = None) -> None:
        work_dir = self._context.state_dir / "glue" / run.job_run_id
        after: Callable[[], None] | None = None
        try:
            state, error, after = self._attempt(run, work_dir, standby)
        except LaunchError as failure:
            state, error = "FAILED", f"LAUNCH ERROR | {failure}"
        except LakectlError as failure:
            hint = f". {failure.hint}" if failure.hint else ""
            state, error = "FAILED", f"LAUNCH ERROR | {failure.message}{hint}"
        except Exception as failure:
            log.exception("job run %s failed to start", run.job_run_id)
            state, error = "FAILED", f"LAUNCH ERROR | {type(failure).__name__}: {failure}"
        try:
            self._finish(run, state, error)
            if after:
                after()
            elif standby:
                standby.end()
        finally:
            shutil.rmtree(work_dir, ignore_errors=True)
            with self._lock:
                self._active -= 1
                if after and not self._active and not self._stopped:
                    self._standbys.prepare(run.spec, STANDBY_AFTER_RUN)

    def _s3(self, run: JobRun) -> Any:
        return self._context.client("s3", run.spec.region)

    def _attempt(
        self, run: JobRun, work_dir: Path, standby: ScriptProcess | None
    ) -> tuple[str, str, Callable[[], None] | None]:
        """Run the script once: the terminal state, its error message, and what is to be done after it."""
        work_dir.mkdir(parents=True, exist_ok=standby is not None)
        flags = glue_flags.standby_flags()
        if not standby:
            flags = glue_flags.flags_for(self._s3(run), run.spec)
        launch = glue_launch.prepare(
            self._context, run.spec, run.job_run_id, work_dir, flags, may_write=standby is None
        )
        logs = self._context.client("logs", run.spec.region)
        prefix = run.spec.log_group_prefix
        output = LogStream(logs, f"{prefix}/output", run.job_run_id, run.spec.role)
        error = LogStream(logs, f"{prefix}/error", run.job_run_id, run.spec.role)
        with self._lock:
            if run.stop_requested.is_set() or self._stopped:
                return "STOPPED", "", None
            process = _process(launch, work_dir, standby)
            self._processes.add(process)
            run.state, run.modified_on, run.running_since = "RUNNING", _now(), time.monotonic()
        self._save(run)
        timeout = run.spec.timeout_minutes * self._minute_seconds
        try:
            outcome = process.follow(output, error, timeout, run.stop_requested)
        except BaseException:
            process.kill()
            raise
        run.execution_seconds = time.monotonic() - run.running_since
        state, message = _verdict(run, outcome)
        return state, message, lambda: self._close(process, launch, outcome)

    def _close(self, process: ScriptProcess, launch: Launch, outcome: Outcome) -> None:
        """After the run has ended: let its JVM end, and take the class archive that it wrote."""
        writes = launch.archive_partial is not None and outcome.returncode == 0
        ended = process.close(ARCHIVE_SECONDS if writes else SHUTDOWN_SECONDS)
        with self._lock:
            self._processes.discard(process)
        launch.settle_archive(accept=writes and ended, broken="JAVA_GATEWAY_EXITED" in outcome.stderr)

    def _finish(self, run: JobRun, state: str, error: str) -> None:
        with self._lock:
            run.state, run.error = state, error
            run.completed_on = run.modified_on = _now()
            if self._stopped:
                return
            if state == "FAILED" and run.attempt < run.spec.max_retries:
                self._retry(run)
            self._start_waiting(run.history)
        severity, message = EVENT_TEXT.get(state, ("ERROR", error))
        detail = {
            "jobName": run.spec.job_name,
            "severity": severity,
            "state": state,
            "jobRunId": run.job_run_id,
            "message": message,
        }
        # The event is accepted in the commit that ends the run: whoever dies after it, it is delivered.
        with self._context.database.transaction():
            self._context.emit_event("aws.glue", "Glue Job State Change", detail, [], run.spec.region)
            self._save(run)

    def _save(self, run: JobRun) -> None:
        self._context.save("glue", run.spec.region)

    def recover(self, history: list[JobRun]) -> None:
        """After a restart: what ran then has failed, and its end is told; what waited starts."""
        # Chosen first: the end of one starts one that waited, which then is active too.
        for run in [run for run in history if run.state in ACTIVE]:
            self._finish(run, "FAILED", INTERRUPTED)
        with self._lock:
            self._start_waiting(history)

    def _retry(self, run: JobRun) -> None:
        attempt = run.attempt + 1
        first = run.job_run_id.partition("_attempt_")[0]
        again = JobRun(run.spec, f"{first}_attempt_{attempt}", run.history, attempt, run.job_run_id)
        run.history.append(again)
        self._launch(again)

    def _start_waiting(self, history: list[JobRun]) -> None:
        for run in history:  # oldest first
            active = sum(other.state in ACTIVE for other in history)
            if run.state == "WAITING" and active < run.spec.max_concurrent_runs:
                run.modified_on = run.started_on = _now()
                self._launch(run)


def _verdict(run: JobRun, outcome: Outcome) -> tuple[str, str]:
    if outcome.timed_out:
        return "TIMEOUT", f"Job run exceeded its timeout of {run.spec.timeout_minutes} minutes"
    if outcome.stopped:
        return "STOPPED", ""
    if outcome.returncode == 0:
        return "SUCCEEDED", ""
    return "FAILED", error_message(outcome.stderr, outcome.returncode)


def _process(launch: Launch, work_dir: Path, standby: ScriptProcess | None) -> ScriptProcess:
    """The standby with the run handed over, or, without a living one, a new process."""
    if standby and glue_standby.hand_over(standby, launch):
        return standby
    return ScriptProcess(launch.arguments, launch.environ, work_dir, launch.policy)


def _new_id() -> str:
    return "jr_" + secrets.token_hex(32)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
