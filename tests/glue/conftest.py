"""A GlueRuntime on fakes: real child processes, but no server, no Spark and no jars."""

from __future__ import annotations

import io
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lakectl.local import glue_launch, jars
from lakectl.local.glue_launch import RunSpec
from lakectl.local.glue_runtime import TERMINAL, GlueRuntime, JobRun
from lakectl.local.iam import credentials, roles

SCRIPT = "s3://scripts/jobs/job.py"
ROLE = "arn:aws:iam::123456789012:role/job"


class NotThere(ClientError):
    pass


class FakeS3:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            reason = {"Code": "NoSuchKey", "Message": "The specified key does not exist."}
            raise NotThere({"Error": reason}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}


class FakeLogs:
    class exceptions:
        ResourceNotFoundException = NotThere
        ResourceAlreadyExistsException = FileExistsError

    meta = SimpleNamespace(region_name="eu-west-1")

    def __init__(self) -> None:
        self.streams: dict[tuple[str, str], list[str]] = {}
        self.calls: dict[tuple[str, str], int] = defaultdict(int)

    def create_log_group(self, logGroupName: str) -> None:
        pass

    def create_log_stream(self, logGroupName: str, logStreamName: str) -> None:
        self.streams.setdefault((logGroupName, logStreamName), [])

    def put_log_events(self, logGroupName: str, logStreamName: str, logEvents: list[dict[str, Any]]) -> None:
        key = (logGroupName, logStreamName)
        if key not in self.streams:
            raise NotThere({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "PutLogEvents")
        self.calls[key] += 1
        self.streams[key] += [event["message"] for event in logEvents]


class FakeContext:
    endpoint_url = "http://127.0.0.1:9"
    region = "eu-west-1"

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.s3, self.logs = FakeS3(), FakeLogs()
        self.events: list[dict[str, Any]] = []
        self.database = SimpleNamespace(transaction=nullcontext)

    def save(self, service: str, region: str) -> None:
        pass

    def client(self, service: str, _region: str | None = None) -> Any:
        return {"s3": self.s3, "logs": self.logs}[service]

    def worker_environ(self, region: str) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "AWS_REGION": region}

    def emit_event(
        self, source: str, detail_type: str, detail: dict[str, Any], resources: list[str], region: str
    ) -> None:
        event = {"source": source, "detail-type": detail_type, "detail": detail}
        self.events.append({**event, "resources": resources, "region": region})


@pytest.fixture
def glue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """``glue.start(script)`` starts a pythonshell run; ``glue.wait(run)`` waits for its end."""
    monkeypatch.setattr(jars, "ensure_jars", lambda: tmp_path / "jars")
    # What a role may do has tests of its own.
    monkeypatch.setattr(roles, "refusal", lambda *_: "")
    monkeypatch.setattr(credentials, "environ", lambda _: {"AWS_SESSION_TOKEN": "the role's"})
    monkeypatch.setattr(glue_launch, "assume_role", lambda _: None)
    context = FakeContext(tmp_path / "state")
    runtime = GlueRuntime(context, minute_seconds=0.2)  # type: ignore[arg-type]
    history: list[JobRun] = []

    def start(script: str, *, queue: bool = False, arguments: dict[str, str] | None = None, **spec: Any) -> JobRun:
        context.s3.objects["scripts", "jobs/job.py"] = script.encode()
        run_spec = RunSpec("job", "eu-west-1", "pythonshell", SCRIPT, arguments or {}, role=ROLE, **spec)
        return runtime.start(run_spec, history, queue=queue)

    def wait(run: JobRun, states: tuple[str, ...] = TERMINAL, seconds: float = 20) -> JobRun:
        wait_until(lambda: run.state in states, seconds, lambda: f"{run.state} {run.error}")
        return run

    def output(run: JobRun, kind: str = "output", prefix: str = "/aws-glue/jobs") -> list[str]:
        return context.logs.streams[f"{prefix}/{kind}", run.job_run_id]

    yield SimpleNamespace(
        start=start,
        wait=wait,
        wait_until=wait_until,
        output=output,
        runtime=runtime,
        context=context,
        history=history,
    )
    runtime.shut_down()


def wait_until(condition: Callable[[], bool], seconds: float = 20, say: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s {say()}"
        time.sleep(0.02)
