"""Runs Lambda functions: warm processes for each function, a bound on how many, logs in CloudWatch Logs."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lakectl.local.context import LocalContext
from lakectl.local.functions import process
from lakectl.local.functions.process import FunctionSpec, Invocation, Outcome, Worker

WORKERS_PER_FUNCTION = int(os.environ.get("LAKECTL_LAMBDA_WORKERS", "4"))
IDLE_SECONDS = 300.0
REAP_EVERY_SECONDS = 15.0

log = logging.getLogger(__name__)


class Throttled(Exception):
    """As many invocations run as are reserved for the function."""


LogSink = Callable[[FunctionSpec, str, list[tuple[int, str]]], None]


class FunctionPool:
    """The processes of one function: never more than ``limit``; who comes later waits."""

    def __init__(self, context: LocalContext, limit: int = WORKERS_PER_FUNCTION) -> None:
        self.context = context
        self.limit = limit
        self.closed = False
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._starting = 0
        self._changed = threading.Condition()

    def acquire(self, spec: FunctionSpec) -> Worker:
        """An idle process of exactly this code and configuration, or a new one; blocks while all are busy."""
        with self._changed:
            while True:
                stale = [worker for worker in self._idle if worker.spec.key != spec.key or worker.outlived()]
                for worker in stale:
                    self._idle.remove(worker)
                    worker.close()
                if self._idle:
                    worker = self._idle.pop()
                    if worker.process.poll() is not None:
                        worker.close()
                        continue
                    self._busy.add(worker)
                    return worker
                if len(self._busy) + self._starting < self.limit:
                    self._starting += 1
                    break
                self._changed.wait()
        return self._start(spec)

    def _start(self, spec: FunctionSpec) -> Worker:
        worker: Worker | None = None
        try:
            worker = Worker(spec, self.context)
        finally:
            with self._changed:
                self._starting -= 1
                if worker is not None:
                    self._busy.add(worker)
                self._changed.notify()
        return worker

    def release(self, worker: Worker, reusable: bool) -> None:
        with self._changed:
            self._busy.discard(worker)
            if reusable and not self.closed:
                worker.idle_since = time.monotonic()
                self._idle.append(worker)
            else:
                worker.close()
            self._changed.notify()

    def reap(self, idle_seconds: float) -> None:
        """End processes that have had nothing to do for ``idle_seconds``."""
        horizon = time.monotonic() - idle_seconds
        with self._changed:
            for worker in [worker for worker in self._idle if worker.idle_since < horizon]:
                self._idle.remove(worker)
                worker.close()

    def close(self) -> None:
        """End idle processes now, and busy ones as soon as they have answered."""
        self.closed = True
        self.reap(0)

    def kill(self) -> None:
        self.closed = True
        with self._changed:
            for worker in [*self._idle, *self._busy]:
                worker.kill()


class LambdaRuntime:
    """All functions of one server. ``invoke`` may be called from any thread."""

    def __init__(self, context: LocalContext, log_sink: LogSink) -> None:
        self.context = context
        self._log_sink = log_sink
        self._pools: dict[str, FunctionPool] = {}
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()
        context.on_stop.append(self.close)
        shutil.rmtree(context.state_dir / process.FOLDER, ignore_errors=True)  # of a server that was killed
        threading.Thread(target=self._reap, name="lambda-reaper", daemon=True).start()

    def invoke(self, spec: FunctionSpec, invocation: Invocation, reserved: int | None = None) -> Outcome:
        """Run the function once and wait for it.

        Raises Throttled when ``reserved`` invocations of it run already; None: no such limit. Beyond the processes
        that a version gets on this machine it waits.
        """
        with self._counted(spec.arn, reserved):
            return self._invoke(spec, invocation)

    @contextmanager
    def _counted(self, arn: str, reserved: int | None) -> Iterator[None]:
        with self._lock:
            if reserved is not None and self._running[arn] >= reserved:
                raise Throttled(arn)
            self._running[arn] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[arn] -= 1

    def _invoke(self, spec: FunctionSpec, invocation: Invocation) -> Outcome:
        pool = self._pool(f"{spec.arn}:{spec.version}")
        worker = pool.acquire(spec)
        reusable = False
        try:
            outcome = worker.invoke(invocation)
            reusable = outcome.reusable
        finally:
            pool.release(worker, reusable)
        self._log_sink(spec, worker.log_stream, outcome.log_lines)
        return outcome

    def forget(self, arn: str) -> None:
        """A function or a version was deleted: its idle processes end, busy ones after their answer."""
        with self._lock:
            gone = [each for each in self._pools if each == arn or each.startswith(f"{arn}:")]
            pools = [self._pools.pop(each) for each in gone]
        for pool in pools:
            pool.close()

    def close(self) -> None:
        with self._lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.kill()

    def _pool(self, arn: str) -> FunctionPool:
        with self._lock:
            return self._pools.setdefault(arn, FunctionPool(self.context))

    def _reap(self) -> None:
        while True:
            time.sleep(REAP_EVERY_SECONDS)
            with self._lock:
                pools = list(self._pools.values())
            for pool in pools:
                pool.reap(IDLE_SECONDS)
