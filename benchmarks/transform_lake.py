"""A lake for measuring its transform, and runs of its job from StartJobRun to their end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.sandbox import fresh_endpoint, lakectl, open_lake
from lakectl.local import processes
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake
from lakectl.ops.runs import results

POLL_S = 0.3  # as run-transform looks: to look more often would take the run a tenth of a core
STANDBY_S = 180.0
SWITCH = "LAKECTL_GLUE_STANDBY"
ACTIVE = ("WAITING", "STARTING", "RUNNING", "STOPPING")


@dataclass(frozen=True)
class Ran:
    """``seconds`` from StartJobRun to the end; ``peak_mb`` of all its processes (0: the system can't say)."""

    seconds: float
    peak_mb: float
    result: dict[str, Any]


@contextmanager
def bench_lake(*, standby: bool) -> Iterator[tuple[Endpoint, Lake]]:
    """A lake without functions and rules: a run starts when it is asked for, and never by an event."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "1" if standby else "0"
    try:
        with fresh_endpoint() as endpoint:
            for command in ("create-buckets", "create-table", "create-roles", "create-databases", "create-glue-job"):
                lakectl(command)
            yield endpoint, open_lake(endpoint)
    finally:
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before


def put(lake: Lake, source: str, file: Path, day: str) -> None:
    key = f"retail/{source}/ingest_date={day}/{source}.csv"
    lake.client("s3").upload_file(str(file), lake.names.raw_bucket, key)


def run(endpoint: Endpoint, lake: Lake, job: str = "", arguments: dict[str, str] | None = None) -> Ran:
    """One run of ``job`` (default: the transform). Raises SystemExit when it does not succeed."""
    glue, name, peak = lake.client("glue"), job or lake.names.glue_job, 0.0
    started = time.time()  # the clock of the run's own times
    run_id = glue.start_job_run(JobName=name, Arguments=arguments or {})["JobRunId"]
    while (found := glue.get_job_run(JobName=name, RunId=run_id)["JobRun"])["JobRunState"] in ACTIVE:
        peak = max(peak, _memory_mb(endpoint.pid))
        time.sleep(POLL_S)
    seconds = found["CompletedOn"].timestamp() - started
    if found["JobRunState"] != "SUCCEEDED":
        raise SystemExit(f"{name} {run_id}: {found['JobRunState']} {found.get('ErrorMessage', '')}")
    return Ran(seconds, peak, results.read(lake, run_id))


def wait_for_standbys(endpoint: Endpoint, count: int) -> None:
    """Until the ``count``-th standby of this endpoint is warm."""
    deadline = time.monotonic() + STANDBY_S
    while (endpoint.state_dir / "server.log").read_text().count("standby for Glue runs is ready") < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"no standby within {STANDBY_S:.0f} s; see {endpoint.state_dir / 'server.log'}")
        time.sleep(0.5)


def settle(endpoint: Endpoint) -> None:
    """Until nothing that the endpoint has started is left: a first run writes its class archive after its end."""
    deadline = time.monotonic() + STANDBY_S
    # Not its children: the JVM is nobody's child once its script has ended.
    while set(processes.orphans(endpoint.state_dir)) - {endpoint.pid} and time.monotonic() < deadline:
        time.sleep(0.2)


def renumbered(source: Path, target: Path, by: int, *, every: int = 1, most: int = 0, qty: str = "") -> Path:
    """``source`` with ``by`` added to the order ids: one row in ``every``, at ``most`` that many, with ``qty``."""
    taken = 0
    with source.open() as rows, target.open("w") as out:
        out.write(next(rows))
        for number, row in enumerate(rows):
            if number % every:
                continue
            cells = row.split(",")
            cells[0] = str(int(cells[0]) + by)
            cells[4] = qty or cells[4]
            out.write(",".join(cells))
            taken += 1
            if taken == most:
                break
    return target


def _memory_mb(pid: int) -> float:
    """Resident memory of everything that ``pid`` has started, and what that has started; not its own."""
    total = 0.0
    for file in Path(f"/proc/{pid}/task").glob("*/children"):  # each thread has its own
        for child in _text(file).split():
            if _text(Path(f"/proc/{child}/cmdline")) == _text(Path(f"/proc/{pid}/cmdline")):
                continue  # forked and about to become another program: its memory is its parent's
            status = [line for line in _text(Path(f"/proc/{child}/status")).splitlines() if line.startswith("VmRSS")]
            total += int(status[0].split()[1]) * 1024 / 1e6 if status else 0
            total += _memory_mb(int(child))
    return total


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""  # it has ended, or there is no /proc
