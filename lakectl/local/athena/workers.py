"""The query workers, seen from the endpoint: watched, and ended when a query does not end.

A worker takes 1.7 s of a core to start: libraries, DuckDB's extensions, AWS's models. So two are started before
somebody asks, and stay; a query waits a moment for a busy one before a third is started.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable

from lakectl.local import processes
from lakectl.local.athena.errors import QueryCancelled, QueryError, exhausted
from lakectl.local.athena.failures import internal
from lakectl.local.athena.tasks import Outcome, Task
from lakectl.local.context import LocalContext

log = logging.getLogger(__name__)

MEMORY_BYTES = 768 << 20  # of one worker; about 150 MB of it is taken by its libraries
WATCH_SECONDS = 0.05  # between two looks at a worker's memory
GRACE_SECONDS = 3.0  # for a query to end by itself once it has been cancelled
WARM = 2  # workers that stay, however long nobody asks
IDLE_SECONDS = 300.0  # of the others
PATIENCE = 1.0  # seconds that a query waits for a busy worker
READ_BYTES = 1 << 16

Stop = Callable[[], QueryError | QueryCancelled | None]


class Worker:
    """One worker process. Not thread-safe: the pool hands it to one query at a time."""

    def __init__(self, context: LocalContext) -> None:
        self.idle_since = time.monotonic()
        self._folder = context.state_dir / "athena" / uuid.uuid4().hex
        self._folder.mkdir(parents=True)
        environ = context.worker_environ(context.region) | {"TMPDIR": str(self._folder)}
        # Each task brings the keys of its caller; there are no others.
        environ = {name: value for name, value in environ.items() if not name.startswith("AWS_ACCESS_KEY")}
        environ.pop("AWS_SECRET_ACCESS_KEY", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lakectl.local.athena.worker", context.endpoint_url, str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
            process_group=0,  # Ctrl-C on a terminal is the endpoint's business
        )
        assert self.process.stdin is not None  # noqa: S101 - for the type checker: pipes were asked for
        assert self.process.stdout is not None  # noqa: S101
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._buffer = b""

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def run(self, task: Task, stop: Stop) -> Outcome:
        """Run a statement to its end. ``stop`` is asked again and again; what it returns ends the query.

        Raises what ``stop`` returned, or QueryError when the worker took too much memory or died.
        """
        self._send(task.to_json())
        asked: QueryError | QueryCancelled | None = None
        patience = 0.0
        while (line := self._line()) is None:
            if processes.memory_bytes(self.process.pid) > MEMORY_BYTES:
                self.close()
                raise exhausted()
            if asked is not None and time.monotonic() > patience:
                self.close()
                raise asked
            if asked is None and (asked := stop()) is not None:
                self._send(json.dumps("cancel"))
                patience = time.monotonic() + GRACE_SECONDS
        if not line:
            self.close()
            raise asked or QueryError("GENERIC_INTERNAL_ERROR", "the query worker ended; see the endpoint's log")
        try:
            outcome = Outcome.from_json(line.decode())
        except ValueError as error:
            self.close()  # what comes next may belong to this statement
            log.error("a query worker answered with something else: %s", error)
            raise asked or internal() from None
        if outcome.error is not None:
            raise asked or outcome.error
        return outcome

    def _send(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has died: reading from it says so
            self._stdin.write(line.encode() + b"\n")
            self._stdin.flush()

    def _line(self) -> bytes | None:
        """The next line, ``b""`` at the end, None if there is nothing yet."""
        if self._selector.select(WATCH_SECONDS):
            data = os.read(self._stdout.fileno(), READ_BYTES)
            if not data:
                return b""
            self._buffer += data
        line, found, rest = self._buffer.partition(b"\n")
        if not found:
            return None
        self._buffer = rest
        return line

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._selector.close()
        for pipe in (self._stdin, self._stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class WorkerPool:
    """Workers that wait for a query, and those that run one. As many run as there are callers. Thread-safe."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._closed = False
        self._lock = threading.Lock()
        self._freed = threading.Condition(self._lock)
        shutil.rmtree(context.state_dir / "athena", ignore_errors=True)  # of a server that was killed

    def run(self, task: Task, stop: Stop) -> Outcome:
        """See ``Worker.run``."""
        worker = self._take()
        try:
            return worker.run(task, stop)
        finally:
            self._give_back(worker)

    def warm(self) -> None:
        """Start workers until WARM are there. They get ready by themselves: a query may be sent at once."""
        with self._lock:
            while not self._closed and len(self._idle) + len(self._busy) < WARM:
                self._idle.append(Worker(self._context))

    def _take(self) -> Worker:
        patience = time.monotonic() + PATIENCE
        with self._freed:
            while True:
                while self._idle:
                    worker = self._idle.pop()
                    if worker.alive:
                        self._busy.add(worker)
                        return worker
                    worker.close()
                if self._closed:
                    raise QueryError("GENERIC_INTERNAL_ERROR", "the local endpoint ends")
                left = patience - time.monotonic()
                if len(self._busy) < WARM or left <= 0:
                    break
                self._freed.wait(left)
        worker = Worker(self._context)
        with self._lock:
            self._busy.add(worker)
        return worker

    def _give_back(self, worker: Worker) -> None:
        with self._freed:
            self._busy.discard(worker)
            self._freed.notify()
            if not worker.alive or self._closed:
                worker.close()
                return
            worker.idle_since = time.monotonic()
            self._idle.append(worker)
            if len(self._idle) + len(self._busy) <= WARM:
                return
        timer = threading.Timer(IDLE_SECONDS + 1, self._end_idle)
        timer.daemon = True
        timer.start()

    def _end_idle(self) -> None:
        limit = time.monotonic() - IDLE_SECONDS
        with self._lock:
            spare = len(self._idle) + len(self._busy) - WARM
            old = [worker for worker in self._idle if worker.idle_since < limit][: max(0, spare)]
            self._idle = [worker for worker in self._idle if worker not in old]
        for worker in old:
            worker.close()

    def close(self) -> None:
        """End all workers, those that run a query too."""
        with self._lock:
            self._closed = True
            self._freed.notify_all()
            for worker in (*self._idle, *self._busy):
                worker.process.kill()
