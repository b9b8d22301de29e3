"""A Lambda execution environment seen from the server: the child process, one invocation at a time."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakectl.local import confinement, processes
from lakectl.local.context import LocalContext
from lakectl.local.functions import code
from lakectl.local.iam import credentials
from lakectl.local.iam.credentials import SESSIONS

# AWS gives 10 s to import the module. A laptop that also runs Spark gets more.
INIT_SECONDS = 60.0
READ_BYTES = 1 << 20
THIS_RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
RENEW_SECONDS = 1800.0
CACHE = "code"  # of unpacked zips, below the state folder
FOLDER = "functions"  # of the folders that processes may write in: home and TMPDIR
NETWORK_VARIABLE = "LAKECTL_LAMBDA_NETWORK"  # "open": functions may reach more than the endpoint
WATCH_SECONDS = 0.05  # between two looks at how much memory a function has


@dataclass(frozen=True)
class FunctionSpec:
    """What an execution environment depends on. ``key`` changes with every change of code or configuration."""

    arn: str
    name: str
    version: str
    region: str
    handler: str
    runtime: str
    memory_mb: int
    storage_mb: int  # of /tmp
    timeout_seconds: int
    environment: tuple[tuple[str, str], ...]
    log_group: str
    role: str  # ARN
    code: Path  # its zip, which is named by what is in it
    layers: tuple[Path, ...] = ()

    @property
    def key(self) -> int:
        return hash(self)


@dataclass(frozen=True)
class Invocation:
    """One call of a function. ``arn`` is the one that it was called by; ``client_context`` is JSON text or empty."""

    payload: str  # JSON text
    arn: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    trace_id: str = field(default_factory=lambda: new_trace_id())
    client_context: str = ""


def new_trace_id() -> str:
    """As X-Ray writes it in a header; nothing is sampled here."""
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"


@dataclass
class Outcome:
    """What one invocation gave: ``payload`` is JSON text, ``error`` says whether it is an error's."""

    request_id: str
    payload: str
    error: bool
    log_lines: list[tuple[int, str]]  # (ms since the epoch, message)
    reusable: bool  # whether the process may serve another invocation


class Worker:
    """One warm process. Not thread-safe: the pool hands it to one invocation at a time."""

    def __init__(self, spec: FunctionSpec, context: LocalContext) -> None:
        self.spec = spec
        self.idle_since = time.monotonic()
        self.log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[{spec.version}]{uuid.uuid4().hex}"
        self.started = time.monotonic()
        self.init_ms: float | None = None
        cache = context.state_dir / CACHE
        task_root = code.unpack([spec.code], cache)
        self._layers = code.unpack(spec.layers, cache) if spec.layers else None
        self._folder = context.state_dir / FOLDER / uuid.uuid4().hex  # the function's own
        self._folder.mkdir(parents=True)
        self._answer_fd, write_fd = os.pipe()
        try:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("worker.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._environ(context, task_root),
                cwd=task_root,
                pass_fds=(write_fd,),
                process_group=0,  # a timeout ends the function's own children too
            )
            with contextlib.suppress(BrokenPipeError):  # it has ended: the first invocation says how
                self._write(self._setup(context, task_root) | {"answers": write_fd})
        except BaseException:
            os.close(self._answer_fd)
            shutil.rmtree(self._folder)
            raise
        finally:
            os.close(write_fd)
        self._out_of_memory = False
        self._answers = b""
        self._output = b""
        self._lines: list[tuple[int, str]] = []
        assert self.process.stdout is not None  # noqa: S101 - for the type checker: a pipe was asked for
        self._stdout_fd = self.process.stdout.fileno()
        os.set_blocking(self._stdout_fd, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._answer_fd, selectors.EVENT_READ)
        self._selector.register(self._stdout_fd, selectors.EVENT_READ)

    def _environ(self, context: LocalContext, task_root: Path) -> dict[str, str]:
        spec = self.spec
        self.session = SESSIONS.assume(spec.role, spec.name)
        return (
            context.worker_environ(spec.region)
            | credentials.environ(self.session)
            | {
                "_HANDLER": spec.handler,
                "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
                "AWS_LAMBDA_FUNCTION_NAME": spec.name,
                "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
                "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
                "LAMBDA_TASK_ROOT": str(task_root),
                "HOME": str(self._folder),
                "TMPDIR": str(self._folder),
                "PYTHONUNBUFFERED": "1",
                "TZ": ":UTC",
            }
        )

    def _setup(self, context: LocalContext, task_root: Path) -> dict[str, Any]:
        """The first line for the process. With the function's variables: none works before it is confined."""
        closed = os.environ.get(NETWORK_VARIABLE) != "open"
        port = int(context.endpoint_url.rpartition(":")[2]) if closed else None
        given = [each for each in (task_root, self._layers) if each is not None]
        return {
            "confinement": confinement.policy(context.state_dir, read=given, write=[self._folder], port=port),
            "layers": str(self._layers or ""),
            "storage_bytes": self.spec.storage_mb << 20,
            "environment": dict(self.spec.environment),
        }

    def outlived(self) -> bool:
        """Whether its credentials could expire during another invocation (15 minutes at most, on AWS)."""
        return self.session.expires - time.time() < RENEW_SECONDS

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run the handler once. Kills the process when the function's timeout has passed."""
        spec, request_id = self.spec, invocation.request_id
        self._log(f"START RequestId: {request_id} Version: {spec.version}")
        report_init = self.init_ms is None
        if report_init and spec.runtime != THIS_RUNTIME:
            self._log(f"[WARNING] lakectl runs this function on {THIS_RUNTIME}; on AWS its runtime is {spec.runtime}")
        ready = not report_init or self._next_answer(time.monotonic() + INIT_SECONDS) is not None
        if report_init:
            self.init_ms = (time.monotonic() - self.started) * 1000
        begun = time.monotonic()
        answer: dict[str, Any] | None = None
        if ready and self._send(invocation):
            answer = self._next_answer(begun + spec.timeout_seconds)
        duration_ms = (time.monotonic() - begun) * 1000
        memory_kb = (answer or {}).get("peak_memory_kb") or self._peak_memory_kb()
        if self._out_of_memory:
            memory_kb = spec.memory_mb * 1024
        timed_out = answer is None and self.process.poll() is None
        if answer is None:
            self.kill()
        self._read_output()
        if answer is None:
            answer = {"error": self._death(request_id, timed_out)}
        error = answer.get("error")
        if error is not None:
            error |= {"requestId": request_id}
            self._log(_error_text(error))
        self._log(f"END RequestId: {request_id}")
        self._log(self._report(request_id, duration_ms, memory_kb, report_init, error, timed_out))
        lines, self._lines = self._lines, []
        return Outcome(
            request_id=request_id,
            payload=json.dumps(error) if error is not None else answer["result"],
            error=error is not None,
            log_lines=lines,
            reusable=self.process.poll() is None and not _is_init_error(error),
        )

    def _send(self, invocation: Invocation) -> bool:
        line = {
            "id": invocation.request_id,
            "payload": invocation.payload,
            "deadline_ms": int((time.time() + self.spec.timeout_seconds) * 1000),
            "arn": invocation.arn,
            "trace_id": invocation.trace_id,
            "client_context": invocation.client_context,
        }
        try:
            self._write(line)
        except BrokenPipeError:
            return False
        return True

    def _write(self, line: dict[str, Any]) -> None:
        assert self.process.stdin is not None  # noqa: S101 - for the type checker: a pipe was asked for
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def _next_answer(self, deadline: float) -> dict[str, Any] | None:
        """The next line of the answer pipe; None when the deadline passed or the process ended.

        A function that takes more memory than it has is killed, as on AWS.
        """
        while b"\n" not in self._answers:
            left = deadline - time.monotonic()
            ready = self._selector.select(max(0.0, min(left, WATCH_SECONDS)))
            if processes.memory_bytes(self.process.pid) > self.spec.memory_mb << 20:
                self._out_of_memory = True
                self.kill()
                return None
            if not ready and left <= WATCH_SECONDS:
                return None
            for selected, _ in ready:
                if selected.fd == self._stdout_fd:
                    self._read_output()
                else:
                    data = os.read(self._answer_fd, READ_BYTES)
                    if not data:
                        with contextlib.suppress(subprocess.TimeoutExpired):
                            self.process.wait(1)
                        return None
                    self._answers += data
        line, self._answers = self._answers.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _read_output(self) -> None:
        """Take what the function printed so far; a line counts when it is complete, or the invocation over."""
        while True:
            try:
                data = os.read(self._stdout_fd, READ_BYTES)
            except BlockingIOError:
                break
            if not data:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(self._stdout_fd)
                break
            self._output += data
        *lines, self._output = self._output.split(b"\n")
        for line in lines:
            self._lines.append((_now_ms(), line.decode(errors="replace")))

    def _log(self, message: str) -> None:
        if self._output:
            self._lines.append((_now_ms(), self._output.decode(errors="replace")))
            self._output = b""
        self._lines.append((_now_ms(), message))

    def _death(self, request_id: str, timed_out: bool) -> dict[str, Any]:
        if timed_out:
            text = f"RequestId: {request_id} Error: Task timed out after {self.spec.timeout_seconds}.00 seconds"
            return {"errorType": "Sandbox.Timedout", "errorMessage": text}
        status = self.process.poll()
        # In Go's words, in which AWS's runtime is written: "signal: killed".
        how = f"signal: {signal.strsignal(-status)}".lower() if status and status < 0 else f"exit status {status}"
        text = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
        return {"errorType": "Runtime.ExitError", "errorMessage": text}

    def _report(
        self,
        request_id: str,
        duration_ms: float,
        memory_kb: int,
        with_init: bool,
        error: dict[str, Any] | None,
        timed_out: bool,
    ) -> str:
        parts = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {int(duration_ms) + 1} ms",
            f"Memory Size: {self.spec.memory_mb} MB",
            f"Max Memory Used: {max(1, memory_kb // 1024)} MB",
        ]
        if with_init:
            parts.append(f"Init Duration: {self.init_ms:.2f} ms")
        if timed_out:
            parts.append("Status: timeout")
        elif error is not None and error["errorType"] == "Runtime.ExitError":
            parts += ["Status: error", "Error Type: Runtime.ExitError"]
        return "\t".join(parts)

    def _peak_memory_kb(self) -> int:
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)

    def kill(self) -> None:
        """End the process and whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        self.kill()
        self._selector.close()
        os.close(self._answer_fd)
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _is_init_error(error: dict[str, Any] | None) -> bool:
    return error is not None and str(error["errorType"]).startswith("Runtime.")


def _error_text(error: dict[str, Any]) -> str:
    if error["errorType"] == "Sandbox.Timedout":
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        return f"{moment}Z {error['requestId']} {error['errorMessage'].partition('Error: ')[2]}"
    head = f"[ERROR] {error['errorType']}: {error['errorMessage']}"
    trace = "".join(error.get("stackTrace", []))
    return f"{head}\nTraceback (most recent call last):\n{trace}".rstrip() if trace else head


def _now_ms() -> int:
    return int(time.time() * 1000)
