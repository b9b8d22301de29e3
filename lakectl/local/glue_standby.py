"""One process that is warm before the next run needs it: Python, a JVM and Spark's classes, compiled by use.

It serves one run of the same region, worker type and Spark settings, and is replaced after that run has ended. It
has no credentials and no code of any job until it is given its run. ``LAKECTL_GLUE_STANDBY=0`` turns it off.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lakectl.local import glue_flags, glue_launch
from lakectl.local.context import LocalContext
from lakectl.local.glue_launch import Launch, RunSpec
from lakectl.local.glue_process import ScriptProcess
from lakectl.local.glue_standby_child import READY

SWITCH = "LAKECTL_GLUE_STANDBY"
IDLE_SECONDS = 900.0  # a laptop isn't to be burdened by a run of an hour ago
WARM_UP_SECONDS = 120.0  # after which it is given up
LOOK_SECONDS = 0.5
FREE_MB = 3_000  # it takes about 700; below this much free memory none is started

log = logging.getLogger(__name__)


class Standby:
    """A process that warms up and waits. Its thread starts it and must outlive it (PR_SET_PDEATHSIG)."""

    def __init__(self, context: LocalContext, spec: RunSpec, after_seconds: float) -> None:
        self.key = glue_launch.standby_key(spec)
        self.job_run_id = "jr_" + secrets.token_hex(32)  # its folder is the folder of its run
        self.ready = False
        self._context, self._spec, self._after_seconds = context, spec, after_seconds
        self._work_dir = context.state_dir / "glue" / self.job_run_id
        self._process: ScriptProcess | None = None
        self._run: Callable[[ScriptProcess], None] | None = None
        self._decided = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._live, name="glue-standby", daemon=True).start()

    def give(self, run: Callable[[ScriptProcess], None]) -> bool:
        """Call ``run`` with the process, on the thread that has started it; False if that is no longer possible."""
        with self._lock:
            if not self.ready or self._decided.is_set():
                return False
            self._run = run
            self._decided.set()
        return True

    @property
    def ended(self) -> bool:
        return self._decided.is_set()

    def end(self) -> None:
        with self._lock:
            self._decided.set()
            if self._process and self._run is None:
                self._process.kill()

    def _live(self) -> None:
        try:
            if not self._decided.wait(self._after_seconds) and self._start():
                self._wait()
        except Exception:  # a run then starts cold, as if there had been no standby
            log.exception("the standby for Glue runs failed")
        with self._lock:
            self._decided.set()
        if self._run and self._process:
            return self._run(self._process)
        if self._process:
            self._process.end()
        shutil.rmtree(self._work_dir, ignore_errors=True)
        return None

    def _start(self) -> bool:
        self._work_dir.mkdir(parents=True)
        launch = glue_launch.prepare_standby(self._context, self._spec, self._work_dir, glue_flags.standby_flags())
        with self._lock:
            if launch is None or self._decided.is_set():
                return False
            self._process = ScriptProcess(
                launch.arguments, launch.environ, self._work_dir, launch.policy, with_stdin=True
            )
        return True

    def _wait(self) -> None:
        """Until it is given a run, ended, dead or idle for too long."""
        assert self._process is not None  # noqa: S101 - _start made it
        began = time.monotonic()
        said = b""
        while not self._decided.wait(LOOK_SECONDS):
            output, errors = self._process.waiting_output()
            said = (said + output + errors)[-2000:]
            if not self._process.alive():
                log.warning("the standby for Glue runs ended: %s", said.decode("utf-8", "replace"))
                return
            age = time.monotonic() - began
            if not self.ready and READY.encode() in said:
                self.ready = True
                log.info("a standby for Glue runs is ready after %.1f s", age)
            if age > (IDLE_SECONDS if self.ready else WARM_UP_SECONDS):
                log.info("the standby for Glue runs is ended after %.0f s", age)
                return


class Standbys:
    """At most one standby. Thread-safe."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._standby: Standby | None = None
        self.enabled = os.environ.get(SWITCH, "1") != "0"

    def take(self, spec: RunSpec) -> Standby | None:
        """The standby, if it is warm and fits; another is ended, so that the run has the machine for itself."""
        with self._lock:
            standby, self._standby = self._standby, None
        if standby is None:
            return None
        if standby.ready and standby.key == glue_launch.standby_key(spec):
            return standby
        standby.end()
        return None

    def prepare(self, spec: RunSpec, after_seconds: float) -> None:
        """Begin to warm one up for runs like ``spec``, unless there is one or the memory is needed."""
        if not self.enabled or glue_launch.standby_key(spec) is None:
            return
        if free_memory_mb() < FREE_MB:
            log.info("no standby for Glue runs: less than %d MB of memory are free", FREE_MB)
            return
        with self._lock:
            if self._standby and not self._standby.ended and self._standby.key == glue_launch.standby_key(spec):
                return
            if self._standby:
                self._standby.end()
            self._standby = Standby(self._context, spec, after_seconds)

    def end(self) -> None:
        with self._lock:
            standby, self._standby = self._standby, None
            self.enabled = False
        if standby:
            standby.end()


def hand_over(process: ScriptProcess, launch: Launch) -> bool:
    """Make the standby ``process`` run ``launch``; False if it has died. What it wrote until now is nobody's."""
    process.waiting_output()
    script, *arguments = launch.arguments
    line = {"script": script, "arguments": arguments, "environ": launch.environ}
    try:
        if not process.alive():
            raise BrokenPipeError
        process.say(json.dumps(line).encode() + b"\n")
    except BrokenPipeError:
        process.end()
        return False
    return True


def free_memory_mb() -> int:
    """Memory that a new process can have; where the system can't say, a quarter of what it has."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) // 1024
    except OSError:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 // 4
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return free  # no cgroup, or no limit ("max")
    return min(free, (limit - used) // 2**20)
