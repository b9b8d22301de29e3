"""A plan as AWS CLI commands. The resources' own code makes them: its writes are recorded, not sent."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl import packages
from lakectl.aws import Aws
from lakectl.aws import explain as one_line
from lakectl.engine.model import Action, Plan, Step
from lakectl.engine.retry import Reason, patience
from lakectl.ops.lake import Lake
from lakectl.ops.provision import refuse_foreign
from lakectl.ops.provision.aws_cli import Command, translate, wait
from lakectl.project import shipped_root

# Version 1 of the AWS CLI sends these to AWS whatever AWS_ENDPOINT_URL says; only the option moves it
# (awscli/customizations/overridesslcommonname.py).
DEAF_TO_ENDPOINT_URL = frozenset(("sqs",))
READS = ("Get", "List", "Describe", "Head", "BatchGet")
PACKAGES_FOLDER = Path("build")


@dataclass(frozen=True)
class Line:
    """A command, and what it may have to wait for (each ends the sentence "waits for …")."""

    command: Command
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explained:
    """One step of the plan and the commands that do it."""

    step: Step
    lines: tuple[Line, ...]


class Recorder(Aws):
    """Reads from ``aws``; keeps writes and waits in ``lines`` instead of sending them."""

    def __init__(self, aws: Aws, path_of: Callable[[bytes], str]) -> None:
        super().__init__(aws.session, aws.region, aws.endpoint_url, aws.attempts)
        self.real = aws
        self.path_of = path_of
        self.lines: list[Line] = []

    @property
    def account(self) -> str:
        return self.real.account

    def client(self, service: str) -> Any:
        return _RecordingClient(self, service)

    def add(self, command: Command, reasons: tuple[Reason, ...] = ()) -> None:
        self.lines.append(Line(command, tuple(reason.says for reason in reasons if reason.at_first)))


class _RecordingClient:
    """Stands for a boto3 client. The answer of a recorded call is empty."""

    def __init__(self, recorder: Recorder, service: str) -> None:
        self._recorder = recorder
        self._service = service
        self._real = recorder.real.client(service)

    def __getattr__(self, method: str) -> Any:
        operation = self._real.meta.method_to_api_mapping.get(method)
        if operation is None or operation.startswith(READS):
            return getattr(self._real, method)
        model = self._real.meta.service_model.operation_model(operation)

        def call(**parameters: Any) -> dict[str, Any]:
            command = translate(self._service, model, parameters, self._recorder.path_of)
            if self._recorder.endpoint_url and self._service in DEAF_TO_ENDPOINT_URL:
                command = replace(command, options=(*command.options, ("--endpoint-url", self._recorder.endpoint_url)))
            self._recorder.add(command, patience.get())
            return {}

        return call

    def get_waiter(self, name: str) -> _RecordingWaiter:
        return _RecordingWaiter(self._recorder, self._service, self._real, name)


@dataclass(frozen=True)
class _RecordingWaiter:
    recorder: Recorder
    service: str
    client: Any
    name: str

    def wait(self, WaiterConfig: Any = None, **parameters: Any) -> None:  # noqa: ARG002 - as boto3 has it
        operation = self.client.get_waiter(self.name).config.operation
        model = self.client.meta.service_model.operation_model(operation)
        self.recorder.add(wait(self.service, self.name, model, parameters))


def explain(lake: Lake, todo: Plan) -> list[Explained]:
    """The commands that do what ``todo`` says, in the tutorial's order. Only reads.

    Raises what ``up`` would raise for a foreign resource, and :class:`LakectlError` when a read fails.
    """
    refuse_foreign(lake, todo)
    payloads = _Payloads(lake)
    place = {resource.id: number for number, resource in enumerate(lake.resources)}
    explained = []
    for step in sorted(todo.pending, key=lambda step: place[step.resource.id]):
        recorder = Recorder(lake.aws, payloads.path_of)
        try:
            if step.action is Action.CREATE:
                step.resource.create(recorder)
            else:
                step.resource.update(recorder, step.changes)
        except (ClientError, BotoCoreError) as error:
            raise one_line(error, f"explaining {step.resource.kind} {step.resource.name}") from error
        explained.append(Explained(step, (*payloads.newly_used(), *recorder.lines)))
    return explained


class _Payloads:
    """In which file the user has what is uploaded: the jobs' scripts as they are, packages built on the way."""

    def __init__(self, lake: Lake) -> None:
        self._project = lake.project
        self._scripts = {
            packages.job_script(lake.project, name): packages.job_script_path(lake.project, name)
            for name in packages.SCRIPTS
        }
        self._packages = {packages.build(lake.project, lake.config.spec, name): name for name in packages.NAMES}
        self._built: list[str] = []
        self._told = 0

    def path_of(self, content: bytes) -> str:
        path = self._scripts.get(content)
        if path is not None:
            return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
        name = self._packages[content]
        if name not in self._built:
            self._built.append(name)
        return str(PACKAGES_FOLDER / packages.file_of(name))

    def newly_used(self) -> Iterator[Line]:
        """The commands that build what :meth:`path_of` has named since the last time."""
        chosen = self._project.config_file
        found_anyway = chosen in (Path("config/lake.yaml"), shipped_root() / "config/lake.yaml")
        for name in self._built[self._told :]:
            options = () if found_anyway else (("-c", str(chosen)),)
            yield Line(Command(("lakectl", "package", name, str(PACKAGES_FOLDER / packages.file_of(name))), options))
        self._told = len(self._built)


def script(lake: Lake, explained: list[Explained]) -> str:
    """The commands as a shell script, grouped by the tutorial's steps."""
    name, region, account = lake.config.name, lake.names.region, lake.names.account
    where = lake.aws.where
    if not explained:
        return f"#!/usr/bin/env bash\n# Nothing to do: lake '{name}' on {where}, {region}, is in place.\n"
    count = sum(len(each.lines) for each in explained)
    parts = [HEADER.format(name=name, where=where, count=count, access=_access(lake))]
    parts.append(SETTINGS.format(region=region, account=account))
    if any(line.waits_for for each in explained for line in each.lines):
        parts.append(AGAIN)
    section, told = "", set[str]()
    for each in explained:
        resource = each.step.resource
        if resource.step != section:
            parts.append(f"# ── {resource.step} ".ljust(80, "─"))
            section = resource.step
        if resource.kind not in told:
            parts.append(f"# {resource.why}")
            told.add(resource.kind)
        if each.step.changes:
            fields = ", ".join(change.field for change in each.step.changes)
            parts.append(f"# {each.step.action.value.capitalize()} {resource.kind} {resource.name}: {fields}")
        parts += [_shell(line) for line in each.lines]
        parts.append("")
    return "\n".join(parts)


def _access(lake: Lake) -> str:
    """What points the AWS CLI to where the plan was made."""
    config = lake.config
    if lake.aws.environment:
        return f'eval "$(lakectl {lake.aws.environment})"'
    settings = {"AWS_PROFILE": config.profile, "AWS_ENDPOINT_URL": config.endpoint_url}
    given = [f"{key}={shlex.quote(value)}" for key, value in settings.items() if value]
    return "export " + " ".join(given) if given else "log in to AWS as usual (`aws configure`, AWS_PROFILE)"


def _shell(line: Line) -> str:
    if not line.waits_for:
        return line.command.shell()
    return f"# Waits for {' and for '.join(line.waits_for)}.\n" + line.command.shell("again ")


HEADER = """\
#!/usr/bin/env bash
# What `lakectl up` would do now for lake '{name}' on {where}, as {count} commands of the AWS CLI (version 1 or 2).
# First: {access}
# Run it in this folder, which holds what is uploaded. When a command fails: fix the cause, and
# let `lakectl explain` print what is still to do."""

SETTINGS = """\
set -euo pipefail
export AWS_DEFAULT_REGION={region} AWS_REGION={region} AWS_PAGER=""
[ "$(aws sts get-caller-identity --query Account --output text)" = {account} ] ||
  {{ echo "these credentials are not those of account {account}" >&2; exit 1; }}
"""

AGAIN = """\
# AWS takes some seconds to know a new role or permission everywhere, and answers with an error until then.
again() { for pause in 1 2 4 8 16 32; do "$@" && return; sleep "$pause"; done; "$@"; }
"""
