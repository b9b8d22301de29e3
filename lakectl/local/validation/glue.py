"""Glue: the role, the version, the workers and the tags of a job; names of databases.

Wrapped: ``GlueResponse.create_job``, ``update_job`` and ``start_job_run``, ``GlueBackend``'s methods for databases.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.glue.models import GlueBackend
from moto.glue.responses import GlueResponse

from lakectl.glue_versions import STREAMING_ONLY
from lakectl.local.iam import roles
from lakectl.local.seams.glue_jobs import InvalidInputException

VERSIONS = ("0.9", "1.0", "2.0", "3.0", "4.0", "5.0", "5.1", "6.0")
AUTO = "auto"  # a version that Glue chooses
WORKERS = (
    ("Standard", "Z.2X")
    + tuple(f"G.{size}X" for size in ("025", "1", "2", "4", "8", "12", "16"))
    + tuple(f"R.{size}X" for size in (1, 2, 4, 8))
)
MIN_WORKERS, MAX_WORKERS = 2, 299
# "available only for Glue version ... or later" of CreateJob's WorkerType
NEEDED_VERSION = (
    {"G.025X": 3.0, "G.4X": 3.0, "G.8X": 3.0}
    | dict.fromkeys(("G.12X", "G.16X"), 4.0)
    | dict.fromkeys(("R.1X", "R.2X", "R.4X", "R.8X"), 4.0)
)
MAX_TAGS, MAX_NAME = 50, 255


def install() -> None:
    GlueResponse.create_job = _creating(GlueResponse.create_job)
    GlueResponse.update_job = _updating(GlueResponse.update_job)
    GlueResponse.start_job_run = _starting(GlueResponse.start_job_run)
    GlueBackend.create_database = _named_database(GlueBackend.create_database)
    for name in ("get_database", "update_database", "delete_database"):
        setattr(GlueBackend, name, _folding(getattr(GlueBackend, name)))


def _creating(original: Callable[..., ActionResult]) -> Callable[..., ActionResult]:
    def create_job(self: GlueResponse) -> ActionResult:
        request = self.parameters
        if len(request.get("Tags") or {}) > MAX_TAGS:
            raise InvalidInputException(f"A resource can't have more than {MAX_TAGS} tags")
        _check_job(self, request)
        return original(self)

    return create_job


def _updating(original: Callable[..., ActionResult]) -> Callable[..., ActionResult]:
    def update_job(self: GlueResponse) -> ActionResult:
        self.glue_backend.get_job(self.parameters["JobName"])
        _check_job(self, self.parameters.get("JobUpdate") or {})
        return original(self)

    return update_job


def _starting(original: Callable[..., ActionResult]) -> Callable[..., ActionResult]:
    def start_job_run(self: GlueResponse) -> ActionResult:
        workers = self.parameters.get("NumberOfWorkers")
        if workers is not None and int(workers) < MIN_WORKERS:
            job = self.glue_backend.get_job(self.parameters["JobName"])
            worker = self.parameters.get("WorkerType") or job.worker_type
            raise InvalidInputException(
                f"To use Worker Type {worker}, minimum allowed value of Number of Workers is {MIN_WORKERS}."
            )
        return original(self)

    return start_job_run


def _check_job(response: GlueResponse, job: dict[str, Any]) -> None:
    version, worker, workers = job.get("GlueVersion"), job.get("WorkerType"), job.get("NumberOfWorkers")
    if version and version not in (*VERSIONS, AUTO):
        raise InvalidInputException(f"Glue Version {version} is not supported; valid are {', '.join(VERSIONS)}")
    if worker and worker not in WORKERS:
        raise InvalidInputException(f"Worker type {worker} is not supported; valid are {', '.join(WORKERS)}")
    if version not in (None, "", AUTO) and worker and float(version) < NEEDED_VERSION.get(worker, 0):
        raise InvalidInputException(f"Worker type {worker} is not supported for Glue Version {version}")
    if worker in STREAMING_ONLY and (job.get("Command") or {}).get("Name") == "glueetl":
        raise InvalidInputException(f"Worker type {worker} is only available for streaming jobs")
    if workers is not None and not MIN_WORKERS <= int(workers) <= MAX_WORKERS:
        raise InvalidInputException(f"Number of workers should be between {MIN_WORKERS} and {MAX_WORKERS}")
    if job.get("Timeout") is not None and int(job["Timeout"]) < 1:
        raise InvalidInputException("Timeout should be at least 1 minute")
    if job.get("Role"):
        backend = response.glue_backend
        role = roles.find_role(job["Role"], backend.account_id, backend.partition)
        if role is None or not roles.may_be_assumed(role, "glue.amazonaws.com"):
            message = f"Role {job['Role']} should be given assume role permissions for Glue Service."
            raise InvalidInputException(message)


def _named_database(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_database(self: GlueBackend, database_name: str, database_input: dict[str, Any], *rest: Any) -> Any:
        if not 1 <= len(database_name or "") <= MAX_NAME:
            raise InvalidInputException(f"A database's name has 1 to {MAX_NAME} characters")
        # The catalog keeps names in lower case, and finds them in any.
        folded = database_name.lower()
        return original(self, folded, database_input | {"Name": folded}, *rest)

    return create_database


def _folding(original: Callable[..., Any]) -> Callable[..., Any]:
    def handle(self: GlueBackend, database_name: str, *rest: Any, **named: Any) -> Any:
        return original(self, database_name.lower(), *rest, **named)

    return handle
