"""A job run's child process: started in a group of its own, followed to its end, gone with the server."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lakectl.local.confinement import LAUNCHER, Policy
from lakectl.local.glue_logs import LogStream

POLL_SECONDS = 0.1
TERMINATE_SECONDS = 3.0  # between SIGTERM and SIGKILL
TAIL_BYTES = 64_000  # of stderr, kept to find the error message in
CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class Outcome:
    """How the process ended. ``stderr`` is its tail."""

    returncode: int
    stderr: str
    timed_out: bool = False
    stopped: bool = False


class ScriptProcess:
    """``python script arguments`` as a process group, confined. Call all of it from one thread, except ``kill``.

    On Linux the process dies with the thread that made it (PR_SET_PDEATHSIG); its JVM ends when its stdin closes.
    """

    def __init__(
        self, arguments: list[str], environ: dict[str, str], work_dir: Path, policy: Policy, *, with_stdin: bool = False
    ) -> None:
        # A program of its own confines itself, as a preexec_fn isn't safe beside threads.
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
        command = [*launcher, json.dumps(policy), str(os.getpid()), *arguments]
        self._process = subprocess.Popen(
            command,
            env=environ,
            cwd=work_dir,
            stdin=subprocess.PIPE if with_stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def alive(self) -> bool:
        return self._process.poll() is None

    def waiting_output(self) -> tuple[bytes, bytes]:
        """What stdout and stderr hold now; never waits. For what is written before ``follow``."""
        found = []
        for pipe in self._pipes():
            os.set_blocking(pipe.fileno(), False)
            read = b""
            with contextlib.suppress(BlockingIOError):
                while chunk := os.read(pipe.fileno(), CHUNK_BYTES):
                    read += chunk
            found.append(read)
        return found[0], found[1]

    def say(self, line: bytes) -> None:
        """Write ``line`` to its stdin and close that. Raises BrokenPipeError when nobody reads."""
        assert self._process.stdin is not None  # noqa: S101 - it was started with one
        with self._process.stdin as stdin:
            stdin.write(line)

    def end(self) -> None:
        """Kill the group and forget the process: nobody follows it."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, *self._pipes()):
            if pipe:
                pipe.close()

    def follow(self, output: LogStream, error: LogStream, timeout_seconds: float, stop: threading.Event) -> Outcome:
        """Stream both pipes until the process ends, is stopped or exceeds its time."""
        deadline = time.monotonic() + timeout_seconds
        tail = b""
        timed_out = False
        with selectors.DefaultSelector() as selector:
            for pipe, log_stream in zip(self._pipes(), (output, error), strict=True):
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, log_stream)
            ended = False
            while not ended:
                # Asked before reading: what the script wrote before it ended is then surely read.
                ended = self._process.poll() is not None
                tail = (tail + self._read(selector, 0 if ended else POLL_SECONDS))[-TAIL_BYTES:]
                timed_out = not ended and time.monotonic() > deadline
                if timed_out or stop.is_set():
                    break
        stopped = stop.is_set() and self._process.poll() is None
        if timed_out or stopped:
            self._terminate()
        output.close()
        error.close()
        return Outcome(self._process.wait(), tail.decode("utf-8", "replace"), timed_out, stopped)

    def _read(self, selector: selectors.BaseSelector, wait_seconds: float) -> bytes:
        """Feed everything that can be read now; returns what came on stderr."""
        tail = b""
        if not selector.get_map():  # both pipes are closed, the process is about to end
            time.sleep(min(wait_seconds, 0.01))
        while ready := selector.select(wait_seconds):
            wait_seconds = 0
            for key, _ in ready:
                chunk = os.read(key.fd, CHUNK_BYTES)
                if not chunk:
                    selector.unregister(key.fileobj)
                    continue
                key.data.feed(chunk)
                if key.fileobj is self._process.stderr:
                    tail = (tail + chunk)[-TAIL_BYTES:]
                key.data.flush_if_due()
        for key in selector.get_map().values():
            key.data.flush_if_due()
        return tail

    def _terminate(self) -> None:
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(TERMINATE_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()
        self.kill()

    def kill(self) -> None:
        """End the whole group at once: the script, its JVM, Spark's Python workers."""
        self._signal(signal.SIGKILL)

    def close(self, within_seconds: float) -> bool:
        """Wait for what the script left behind (its JVM shutting down), then end it. Call it after follow.

        Returns whether all of it ended by itself: then nobody holds the pipes any more. The group can't
        tell, for in a container without an init its dead stay in it as zombies.
        """
        deadline = time.monotonic() + within_seconds
        with contextlib.suppress(OSError):  # it has ended; else, whoever waits for an answer goes first
            os.setpriority(os.PRIO_PGRP, self._process.pid, 10)
        with selectors.DefaultSelector() as selector:
            for pipe in self._pipes():
                selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map() and (left := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    if not os.read(key.fd, CHUNK_BYTES):
                        selector.unregister(key.fileobj)
            ended = not selector.get_map()
        for pipe in self._pipes():
            pipe.close()
        if not ended:
            self.kill()
        return ended

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process.stdout is not None  # noqa: S101 - Popen was given pipes
        assert self._process.stderr is not None  # noqa: S101
        return self._process.stdout, self._process.stderr

    def _signal(self, number: int) -> bool:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:  # macOS says so of a group of zombies
            return False
        return True
