"""Glue jobs: runs that run. moto keeps the jobs and their lists of runs; GlueRuntime does the rest.

Also what moto drops or lacks: UpdateJob, BatchStopJobRun, JobRunQueuingEnabled, the defaults that GetJob shows.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.glue.exceptions import (
    ConcurrentRunsExceededException,
    GlueClientError,
    JobRunNotFoundException,
)
from moto.glue.models import FakeJob, glue_backends
from moto.glue.responses import GlueResponse

from lakectl.glue_versions import DPU_PER_WORKER
from lakectl.local.context import LocalContext
from lakectl.local.glue_launch import RunSpec, merge_arguments
from lakectl.local.glue_runtime import ConcurrentRunsExceeded, GlueRuntime, JobRun

DEFAULT_CAPACITY = 10.0  # DPU of a job that names neither workers nor capacity
DEFAULT_TIMEOUT_MINUTES = dict.fromkeys("01234", 2880)  # by major version; from Glue 5 on it is 480
# API field -> attribute of moto's FakeJob, for all that CreateJob and UpdateJob take
JOB_FIELDS = {
    "Role": "role",
    "Command": "command",
    "Description": "description",
    "LogUri": "log_uri",
    "ExecutionProperty": "execution_property",
    "DefaultArguments": "default_arguments",
    "NonOverridableArguments": "non_overridable_arguments",
    "Connections": "connections",
    "MaxRetries": "max_retries",
    "AllocatedCapacity": "allocated_capacity",
    "Timeout": "timeout",
    "MaxCapacity": "max_capacity",
    "SecurityConfiguration": "security_configuration",
    "NotificationProperty": "notification_property",
    "GlueVersion": "glue_version",
    "NumberOfWorkers": "number_of_workers",
    "WorkerType": "worker_type",
    "CodeGenConfigurationNodes": "code_gen_configuration_nodes",
    "ExecutionClass": "execution_class",
    "SourceControlDetails": "source_control_details",
}
QUEUING = "job_run_queuing_enabled"  # an attribute of ours on FakeJob


class IdempotentParameterMismatchException(GlueClientError):
    def __init__(self, job: str) -> None:
        super().__init__(
            "IdempotentParameterMismatchException",
            f"Job with name {job} already submitted with different configuration",
        )


class InvalidInputException(GlueClientError):
    def __init__(self, message: str) -> None:
        super().__init__("InvalidInputException", message)


def install(context: LocalContext) -> None:
    runtime = GlueRuntime(context)
    context.on_stop.append(runtime.shut_down)
    context.working.append(runtime.is_working)
    context.on_start.append(lambda: _recover(runtime))
    _install_jobs(runtime)
    _install_runs(runtime)


def _recover(runtime: GlueRuntime) -> None:
    for account in list(glue_backends.values()):
        for backend in list(account.values()):
            for job in list(backend.jobs.values()):
                runtime.recover(job.job_runs)


def _install_jobs(runtime: GlueRuntime) -> None:
    create_job, job_as_dict = GlueResponse.create_job, FakeJob.as_dict

    def create(self: GlueResponse) -> ActionResult:
        name = self.parameters.get("Name", "")
        existing = self.glue_backend.jobs.get(name)
        if existing is not None:
            # moto would replace the job, and its runs with it.
            if _asked(self.parameters) != existing.asked:
                raise IdempotentParameterMismatchException(name)
            return ActionResult({"Name": name})
        _check_job(self.parameters)
        result = create_job(self)
        job = self.glue_backend.jobs[name]
        job.asked = _asked(self.parameters)
        setattr(job, QUEUING, bool(self.parameters.get("JobRunQueuingEnabled")))
        runtime.expect(_spec(job, {}))
        return result

    def update(self: GlueResponse) -> ActionResult:
        job = self.glue_backend.get_job(self.parameters["JobName"])
        _update(job, self.parameters.get("JobUpdate", {}))
        return ActionResult({"JobName": job.name})

    def as_dict(self: FakeJob) -> dict[str, Any]:
        capacity = _capacity(self.max_capacity, self.allocated_capacity, self.worker_type, self.number_of_workers)
        defaults = {
            "JobMode": "SCRIPT",
            "JobRunQueuingEnabled": getattr(self, QUEUING, False),
            "ExecutionProperty": {"MaxConcurrentRuns": 1, **self.execution_property},
            "MaxRetries": self.max_retries or 0,
            "AllocatedCapacity": int(capacity),
            "MaxCapacity": capacity,
            "Timeout": _timeout_minutes(self),
        }
        fields = job_as_dict(self) | defaults
        return {name: value for name, value in fields.items() if value is not None}

    GlueResponse.create_job = create
    GlueResponse.update_job = update
    FakeJob.as_dict = as_dict


def _install_runs(runtime: GlueRuntime) -> None:
    def start(self: GlueResponse) -> ActionResult:
        request = self.parameters
        job = self.glue_backend.get_job(request["JobName"])
        if request.get("AllocatedCapacity") and request.get("MaxCapacity"):
            raise InvalidInputException("Please set only Allocated Capacity or Max Capacity")
        previous = request.get("JobRunId")
        if previous:
            _find(job, previous)
        # The run's own value decides; a run that gives none isn't queued, whatever the job says.
        queue = bool(request.get("JobRunQueuingEnabled"))
        try:
            run = runtime.start(_spec(job, request), job.job_runs, queue=queue, previous=previous)
        except ConcurrentRunsExceeded as error:
            raise ConcurrentRunsExceededException(str(error)) from error
        return ActionResult({"JobRunId": run.job_run_id})

    def batch_stop(self: GlueResponse) -> ActionResult:
        name = self.parameters["JobName"]
        stopped, errors = [], []
        for run_id in self.parameters.get("JobRunIds", []):
            item = {"JobName": name, "JobRunId": run_id}
            try:
                _stop(runtime, self.glue_backend.get_job(name), run_id)
            except GlueClientError as error:
                detail = {"ErrorCode": error.error_type, "ErrorMessage": error.message}
                errors.append({**item, "ErrorDetail": detail})
            else:
                stopped.append(item)
        return ActionResult({"SuccessfulSubmissions": stopped, "Errors": errors})

    GlueResponse.start_job_run = start
    GlueResponse.batch_stop_job_run = batch_stop
    FakeJob.get_job_run = _find
    FakeJob.get_job_runs = lambda self: list(reversed(self.job_runs))  # newest first


def _find(job: FakeJob, run_id: str) -> JobRun:
    run: JobRun
    for run in job.job_runs:
        if run.job_run_id == run_id:
            return run
    raise JobRunNotFoundException(run_id)


def _stop(runtime: GlueRuntime, job: FakeJob, run_id: str) -> None:
    run = _find(job, run_id)
    if not runtime.stop(run):
        message = f"Job run {run_id} is {run.state}: it can't be stopped"
        error = GlueClientError("JobRunInTerminalStateException", message)
        raise error


def _asked(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: parameters[name] for name in (*JOB_FIELDS, "JobRunQueuingEnabled") if name in parameters}


def _check_job(parameters: dict[str, Any]) -> None:
    for name in ("Role", "Command"):
        if not parameters.get(name):
            raise InvalidInputException(f"{name} should be set")
    if parameters.get("WorkerType") and parameters.get("MaxCapacity"):
        raise InvalidInputException("Please do not set Max Capacity if using Worker Type and Number of Workers")


def _update(job: FakeJob, update: dict[str, Any]) -> None:
    """UpdateJob replaces the whole definition: a field that isn't given goes back to its default."""
    _check_job(update)
    for name, attribute in JOB_FIELDS.items():
        setattr(job, attribute, update.get(name))
    job.execution_property = update.get("ExecutionProperty") or {}
    job.default_arguments = update.get("DefaultArguments") or {}
    job.execution_class = update.get("ExecutionClass") or "STANDARD"
    job.asked = _asked(update)
    setattr(job, QUEUING, bool(update.get("JobRunQueuingEnabled")))
    job.last_modified_on = utcnow()


def _spec(job: FakeJob, request: dict[str, Any]) -> RunSpec:
    worker_type = request.get("WorkerType") or job.worker_type
    workers = request.get("NumberOfWorkers") or job.number_of_workers
    if request.get("MaxCapacity") or request.get("AllocatedCapacity"):
        worker_type = workers = None
    capacity = _capacity(
        request.get("MaxCapacity") or job.max_capacity,
        request.get("AllocatedCapacity") or job.allocated_capacity,
        worker_type,
        workers,
    )
    fixed = job.non_overridable_arguments
    return RunSpec(
        job_name=job.name,
        region=job.backend.region_name,
        command_name=job.command.get("Name") or "glueetl",
        script_location=job.command.get("ScriptLocation") or "",
        role=_role_arn(job.role or "", job.backend.account_id),
        arguments=merge_arguments(job.default_arguments, request.get("Arguments"), fixed),
        timeout_minutes=request.get("Timeout") or _timeout_minutes(job),
        max_retries=job.max_retries or 0,
        max_concurrent_runs=job.execution_property.get("MaxConcurrentRuns", 1),
        max_capacity=capacity,
        glue_version=job.glue_version or "0.9",
        worker_type=worker_type,
        number_of_workers=workers,
        execution_class=request.get("ExecutionClass") or job.execution_class,
        security_configuration=request.get("SecurityConfiguration") or job.security_configuration,
        notification_property=request.get("NotificationProperty") or job.notification_property,
    )


def _role_arn(name: str, account: str) -> str:
    """Glue takes a role's name as well as its ARN."""
    return name if name.startswith("arn:") else f"arn:aws:iam::{account}:role/{name}"


def _capacity(maximum: float | None, allocated: int | None, worker_type: str | None, workers: int | None) -> float:
    """DPU: what the workers have, or what is given."""
    if worker_type and workers:
        return DPU_PER_WORKER.get(worker_type, 1.0) * workers
    return float(maximum or allocated or DEFAULT_CAPACITY)


def _timeout_minutes(job: FakeJob) -> int:
    if job.timeout:
        return int(job.timeout)
    return DEFAULT_TIMEOUT_MINUTES.get((job.glue_version or "0.9").split(".")[0], 480)
