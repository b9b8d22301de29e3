"""The Glue Spark job."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.core import glue_runs
from lakectl.engine.forms import Block, Module, Template
from lakectl.engine.model import Change, Resource, State
from lakectl.engine.retry import pause, until_ready
from lakectl.errors import LakectlError
from lakectl.naming import Place
from lakectl.resources.database import CATALOG_BUSY
from lakectl.resources.role import ROLE_NOT_READY

STOP_LIMIT_S = 180
STOP_POLL_S = 1.0


class GlueJob(Resource):
    """A ``glueetl`` job. ``arguments`` are its default arguments (``--NAME`` → value)."""

    kind = "glue-job"
    why = "The Spark job. A run that meets another one waits in the queue, instead of failing."
    arn_format = "arn:{partition}:glue:{region}:{account}:job/{name}"
    reads = ("glue:GetJobRun", "glue:GetJobRuns")
    writes = ("glue:StartJobRun",)
    starts_writes = True
    exists_codes = frozenset(("AlreadyExistsException", "IdempotentParameterMismatchException"))
    tagging: ClassVar = {"CreateJob": "glue:TagResource"}
    reads_back_s = 0.0  # once: emulators drop the tags of CreateJob, and a job without ours would be foreign

    def __init__(
        self,
        name: str,
        *,
        step: str,
        tags: Mapping[str, str],
        place: Place,
        role_arn: str,
        script: str,
        arguments: Mapping[str, str],
        glue_version: str,
        worker_type: str,
        workers: int,
        timeout_minutes: int,
        max_concurrent_runs: int,
        description: str,
        retries: int = 0,
        needs: tuple[str, ...],
    ) -> None:
        super().__init__(name, step=step, tags=tags, needs=needs, place=place)
        # In the shape of CreateJob, which UpdateJob takes as JobUpdate.
        self.definition: dict[str, Any] = {
            "Description": description,
            "Role": role_arn,
            "Command": {"Name": "glueetl", "ScriptLocation": script, "PythonVersion": "3"},
            "DefaultArguments": dict(arguments),
            "GlueVersion": glue_version,
            "WorkerType": worker_type,
            "NumberOfWorkers": workers,
            "Timeout": timeout_minutes,
            "MaxRetries": retries,
            "ExecutionProperty": {"MaxConcurrentRuns": max_concurrent_runs},
            "JobRunQueuingEnabled": True,
        }

    def desired(self) -> Mapping[str, Any]:
        return self.definition

    def unavailable(self, aws: Aws) -> str:
        return aws.lacks(f"Glue {self.definition['GlueVersion']}")

    def read(self, aws: Aws) -> State | None:
        glue = aws.client("glue")
        try:
            job = glue.get_job(JobName=self.name)["Job"]
            tags = glue.get_tags(ResourceArn=self.arn)["Tags"]
        except ClientError as error:
            if code_of(error) == "EntityNotFoundException":
                return None
            raise
        return State({field: job.get(field) for field in self.definition}, tags)

    def create(self, aws: Aws) -> None:
        until_ready(
            lambda: aws.client("glue").create_job(Name=self.name, Tags=self.tags, **self.definition),
            ROLE_NOT_READY + CATALOG_BUSY,
        )

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        glue = aws.client("glue")
        fields = {change.field: change for change in changes}
        if fields.keys() - {"tags"}:
            until_ready(
                lambda: glue.update_job(JobName=self.name, JobUpdate=self.definition),
                ROLE_NOT_READY + CATALOG_BUSY,
            )
        if "tags" in fields:
            glue.tag_resource(ResourceArn=self.arn, TagsToAdd=fields["tags"].new)

    def destroy(self, aws: Aws) -> None:
        """Stop its runs, wait until they have ended, delete it."""
        glue = aws.client("glue")
        try:
            self._stop_runs(glue)
            glue.delete_job(JobName=self.name)
        except ClientError as error:
            if code_of(error) != "EntityNotFoundException":
                raise

    def _stop_runs(self, glue: Any) -> None:
        deadline = time.monotonic() + STOP_LIMIT_S
        while True:
            pages = glue.get_paginator("get_job_runs").paginate(JobName=self.name)
            active = [run for page in pages for run in page["JobRuns"] if run["JobRunState"] not in glue_runs.ENDED]
            if not active:
                return
            stoppable = [run["Id"] for run in active if run["JobRunState"] != "STOPPING"]
            if stoppable:
                glue.batch_stop_job_run(JobName=self.name, JobRunIds=stoppable[:25])
            if time.monotonic() > deadline:
                raise LakectlError(
                    f"run {active[0]['Id']} did not stop within {STOP_LIMIT_S} s",
                    "run `lakectl down` again in a minute",
                )
            pause(STOP_POLL_S)

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        template.add(self.id, "AWS::Glue::Job", {"Name": self.name, **self.definition, "Tags": self.tags}, needs=needs)

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        want = self.definition
        command = want["Command"]
        module.add(
            self.id,
            "aws_glue_job",
            self.name,
            {
                "name": self.name,
                "description": want["Description"],
                "role_arn": want["Role"],
                "glue_version": want["GlueVersion"],
                "worker_type": want["WorkerType"],
                "number_of_workers": want["NumberOfWorkers"],
                "timeout": want["Timeout"],
                "max_retries": want["MaxRetries"],
                "job_run_queuing_enabled": want["JobRunQueuingEnabled"],
                "default_arguments": want["DefaultArguments"],
                "tags": self.tags,
                "command": Block(
                    name=command["Name"],
                    script_location=command["ScriptLocation"],
                    python_version=command["PythonVersion"],
                ),
                "execution_property": Block(max_concurrent_runs=want["ExecutionProperty"]["MaxConcurrentRuns"]),
            },
            import_id=self.name,
            needs=needs,
        )
