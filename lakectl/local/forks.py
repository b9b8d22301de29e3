"""Endpoints for tests: each with a state of its own, started in a fraction of a second. Standard library only.

A process that has loaded everything (:mod:`lakectl.local.forkserver`) forks for each. While one is in use, the next one
like it is started already.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from lakectl.errors import LakectlError
from lakectl.local import control, processes, saved
from lakectl.local.control import Endpoint

LOAD_SECONDS = control.START_SECONDS


@dataclass(frozen=True)
class _Start:
    """An endpoint on its way. ``home``: what XDG_STATE_HOME has to be for `lakectl` to find it."""

    home: Path
    source: Path | None
    region: str
    pid: int


class Forks:
    """``folder`` is for the endpoints' files. Call ``close`` at the end; if the caller dies, all of them end, too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._spare: _Start | None = None
        self._ending: list[tuple[int, Path]] = []

    def take(self, region: str, source: Path | None = None) -> tuple[Endpoint, Path]:
        """A running endpoint and its XDG_STATE_HOME. ``source``: the folder of a saved state; None: it holds nothing.

        Raises LakectlError.
        """
        spare, self._spare = self._spare, None
        if spare is not None and (spare.source, spare.region) != (source, region):
            self._end(spare.pid, spare.home)
            spare = None
        taken = spare or self._start(region, source)
        endpoint = self._wait_for(taken)
        self._spare = self._start(region, source)
        return endpoint, taken.home

    def start_in(self, home: Path, region: str = "eu-west-1") -> Endpoint:
        """An endpoint in a folder of the caller's, as ``control.ensure_running`` would start it there."""
        return self._wait_for(self._fork(home, None, region))

    def give_back(self, endpoint: Endpoint, home: Path) -> None:
        """It is not needed any more. Its files go when it has ended."""
        self._end(endpoint.pid, home)

    def close(self) -> None:
        """End all of them, and delete their files."""
        if self._spare is not None:
            self._end(self._spare.pid, self._spare.home)
            self._spare = None
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None
        self._clean(every=True)

    def _start(self, region: str, source: Path | None) -> _Start:
        home = self._folder / uuid.uuid4().hex[:12]
        if source is not None:
            _folder_of(home).mkdir(parents=True, mode=0o700)
            saved.copy_to(source, _folder_of(home) / control.STATE_FOLDER)
        return self._fork(home, source, region)

    def _fork(self, home: Path, source: Path | None, region: str) -> _Start:
        self._clean()
        folder = _folder_of(home)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        arguments = ["--state-dir", str(folder), "--region", region]
        process.stdin.write(json.dumps({"arguments": arguments, "environ": processes.server_environ()}) + "\n")
        process.stdin.flush()
        return _Start(home, source, region, int(process.stdout.readline()))

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            log = self._folder / "forkserver.log"
            with log.open("wb") as errors:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "lakectl.local.forkserver"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    env=processes.server_environ(),
                )
            assert self._process.stdout is not None  # noqa: S101 - a pipe
            if not self._process.stdout.readline():
                self._process = None
                raise LakectlError(
                    f"the local endpoint can't be loaded: {_last_line(log)}", "pip install 'lakectl[local]'"
                )
        return self._process

    def _wait_for(self, start: _Start) -> Endpoint:
        folder = _folder_of(start.home)
        deadline = time.monotonic() + LOAD_SECONDS
        while time.monotonic() < deadline:
            endpoint = control.read_endpoint(folder)
            if endpoint is not None and endpoint.pid == start.pid:
                return endpoint
            if not processes.alive(start.pid):
                break
            time.sleep(0.005)
        raise LakectlError(f"a local endpoint did not start: {_last_line(folder / 'server.log')}")

    def _end(self, pid: int, home: Path) -> None:
        processes.ask_to_end(pid)
        self._ending.append((pid, home))

    def _clean(self, *, every: bool = False) -> None:
        """Delete the files of those that have ended."""
        deadline = time.monotonic() + (control.STOP_SECONDS if every else 0)
        while True:
            gone = [each for each in self._ending if not processes.alive(each[0])]
            for each in gone:
                self._ending.remove(each)
                shutil.rmtree(each[1], ignore_errors=True)
            if not self._ending or time.monotonic() >= deadline:
                return
            time.sleep(0.02)


def _folder_of(home: Path) -> Path:
    return home / "lakectl" / "local"


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "it left no log"
