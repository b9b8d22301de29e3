"""Starting, finding and stopping the local endpoint: one background process for each state folder.

Standard library only: every command that needs the endpoint pays for this import.

Files under ``<state dir>/local``: ``state/`` (what the lake holds), ``endpoint.json`` (present while the server
answers), ``server.lock`` (held by the server: there is never a second one), ``start.lock``, ``server.log``,
``last_stop.json``, ``saved/`` (``lakectl.local.saved``). A pid in a file may be stale or another process's by now, so
the endpoint itself is asked for its pid.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from lakectl.errors import LakectlError
from lakectl.local import processes, swapped
from lakectl.project import state_dir

ACCOUNT_ID = "123456789012"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
HEALTH_PATH = "/_lakectl/health"
HEALTH_SECONDS = 5.0
FULL_BYTES = 1 << 20  # a disk with less counts as full
# Exit statuses of the server process.
DISK_FULL = 96
ALREADY_RUNNING = 97
PORT_TAKEN = 98
STATE_REFUSED = 99
# How a server ended.
STOPPED, DIED = "stopped", "died"
STATE_FOLDER = "state"  # in the server's folder: what the lake holds
REFUSAL = "refused.json"  # why the server would not read it


@dataclass(frozen=True)
class Endpoint:
    """A running local endpoint. ``state_dir`` is the server's own folder, ``started_at`` ISO 8601 in UTC."""

    url: str
    region: str
    account_id: str
    pid: int
    port: int
    access_key_id: str
    secret_access_key: str
    state_dir: Path
    started_at: str
    quarantined: int = 0  # rows of its state that it could not read at its start
    rolled_back: bool = False  # a power cut took the latest changes before its start
    version: str = ""  # of lakectl


@dataclass(frozen=True)
class LastStop:
    """How the server before this one ended. What it had acknowledged is on disk either way."""

    stopped_at: str  # ISO 8601 in UTC; for a death, when it was noticed
    reason: str  # STOPPED, DIED, or why it had to stop
    port: int  # where it listened: the next one tries to listen there again


apart: Path | None = None  # the folder of another server than the user's, for this process (`lakectl.local.apart`)


def server_dir() -> Path:
    return apart or state_dir() / "local"


def running() -> Endpoint | None:
    """The endpoint of a living server, or None. Never starts or writes anything."""
    record = _read_json(server_dir() / "endpoint.json")
    if record is None or not processes.alive(record["pid"]) or not _answers(record["port"], record["pid"]):
        return None
    return read_endpoint(server_dir())


def read_endpoint(folder: Path) -> Endpoint | None:
    """What the latest server of a folder has written about itself; it may be gone."""
    record = _read_json(folder / "endpoint.json")
    return Endpoint(**record | {"state_dir": Path(record["state_dir"])}) if record else None


def last_stop() -> LastStop | None:
    """How the latest server that is gone ended; None if there never was one."""
    folder = server_dir()
    endpoint = _read_json(folder / "endpoint.json")
    if endpoint is not None and running() is None:
        return LastStop(now(), DIED, endpoint["port"])
    record = _read_json(folder / "last_stop.json")
    if record is None or "port" not in record:
        return None
    return LastStop(record["stopped_at"], record["reason"], record["port"])


def silence(url: str, error: Exception) -> LakectlError:
    """Why the endpoint at ``url``, which ran before, gave no answer but ``error``, and what to type."""
    folder = server_dir()
    endpoint = running()
    if endpoint is not None and endpoint.url == url:
        return LakectlError(
            f"the local AWS at {url} did not answer: {error}",
            f"see {folder / 'server.log'}; lakectl local stop ends it",
        )
    last = last_stop()
    why = f": {last.reason}" if last is not None and last.reason not in (STOPPED, DIED) else ""
    if not why and _is_full(folder):  # then the server could not leave its reason
        why = f": {_no_space(folder).message}"
    return LakectlError(f"the local AWS at {url} is gone{why}", "lakectl local start, then the same command again")


def ensure_running(
    *,
    region: str = "eu-west-1",
    port: int | None = None,
    idle_minutes: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Endpoint:
    """The running endpoint, started first if need be. Two callers at once start one server.

    ``region`` is what clients without one of their own get; a server answers for every region. A server that is started
    here ends after ``idle_minutes`` without a request; None: never.
    Raises LakectlError: port taken, folder not writable, disk full, server died at its start.
    """
    endpoint = running()
    if endpoint is None:
        folder = server_dir()
        with starting(folder):
            endpoint = running() or _start(folder, region, port or 0, idle_minutes, progress or (lambda _: None))
    if port and endpoint.port != port:
        raise LakectlError(f"the local lake already runs on port {endpoint.port}, not {port}", "lakectl local stop")
    return endpoint


def stop() -> bool:
    """End the server and every process that it started. False if none was running."""
    folder = server_dir()
    endpoint = running()
    pid = endpoint.pid if endpoint is not None else _silent_server(folder)
    if pid is None:
        processes.end(processes.orphans(folder))
        return False
    below = processes.descendants(pid)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while processes.alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    left = {pid, *below, *processes.orphans(folder)}
    processes.end([pid for pid in left if processes.alive(pid)])
    return True


def _silent_server(folder: Path) -> int | None:
    """The pid of a server that lives and does not answer: it is stopping, or hangs."""
    record = _read_json(folder / "endpoint.json")
    if record is None or not processes.alive(record["pid"]) or not _is_held(folder):
        return None
    return int(record["pid"])


def reset() -> bool:
    """Delete what the local lake holds. Stops the server first. False if there was nothing.

    Raises LakectlError if the folder can't be emptied, or a server starts meanwhile.
    """
    import shutil

    folder = server_dir()
    if not folder.exists():
        return False
    with starting(folder):
        stop()
        swapped.settle(folder / STATE_FOLDER)
        found = (folder / STATE_FOLDER).exists()
        if found:
            # Renamed first: a folder half deleted must not look like a state.
            doomed = folder / f"{STATE_FOLDER}.{os.getpid()}"
            (folder / STATE_FOLDER).rename(doomed)
        for left in folder.glob(f"{STATE_FOLDER}.*"):
            shutil.rmtree(left)
        (folder / "last_stop.json").unlink(missing_ok=True)
        return found


def state_size() -> int:
    """Bytes on disk of what the local lake holds."""
    found = 0
    for folder, _, files in os.walk(server_dir() / STATE_FOLDER):
        for name in files:
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                found += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - ten thousand of them
    return found


def _start(
    folder: Path, region: str, port: int, idle_minutes: float | None, progress: Callable[[str], None]
) -> Endpoint:
    swapped.settle(folder / STATE_FOLDER)
    last = _bury(folder, progress)
    progress("starting the local AWS endpoint")
    # The former port, so that clients whose AWS_ENDPOINT_URL names it find the lake again; any other if it is taken.
    wanted = [port] if port else [last.port, 0] if last else [0]
    for number in wanted:
        options = ["--port", str(number), "--region", region]
        options += ["--idle-minutes", str(idle_minutes)] if idle_minutes else []
        endpoint = _start_on(folder, number, options, last_try=number == wanted[-1])
        if endpoint is not None:
            if endpoint.rolled_back:
                progress("a power cut took what was not on disk yet: the state is as it was when it was synced last")
            if endpoint.quarantined:
                rows = "1 row" if endpoint.quarantined == 1 else f"{endpoint.quarantined} rows"
                progress(f"{rows} of the state can't be read and are quarantined: see {folder / 'server.log'}")
            return endpoint
    raise AssertionError("the last try returns or raises")


def _start_on(folder: Path, port: int, options: list[str], *, last_try: bool) -> Endpoint | None:
    (folder / REFUSAL).unlink(missing_ok=True)
    process: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        endpoint = running()
        if endpoint is not None:
            return endpoint
        # Another server holds the lock: it is stopping, or an interrupted command started it and it is on its way.
        if process is None or process.poll() == ALREADY_RUNNING:
            process = None if _is_held(folder) else _spawn(folder, options)
        elif process.poll() is not None:
            if process.poll() == PORT_TAKEN and not last_try:
                return None
            raise _start_failure(folder, port, process.poll())
        time.sleep(0.02)
    if process is None:
        raise LakectlError(
            f"another local server in {folder} has neither answered nor ended within {START_SECONDS:.0f} s",
            "lakectl local stop",
        )
    raise LakectlError(
        f"the local endpoint did not answer within {START_SECONDS:.0f} s: {_last_log_line(folder)}",
        f"see {folder / 'server.log'}",
    )


def _is_held(folder: Path) -> bool:
    """Whether a server process lives that uses this folder, answering or not."""
    try:
        file = (folder / "server.lock").open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _spawn(folder: Path, options: list[str]) -> subprocess.Popen[bytes]:
    log = folder / "server.log"
    if log.exists():
        log.replace(folder / "server.log.1")
    command = [sys.executable, "-m", "lakectl.local.server", "--state-dir", str(folder), *options]
    with _open_private(log) as out:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=processes.server_environ(),
            start_new_session=True,
        )


def _bury(folder: Path, progress: Callable[[str], None]) -> LastStop | None:
    """Record the death of a server that could not do so itself, and end the children it left."""
    gone = last_stop()
    if gone is not None and gone.reason == DIED and (folder / "endpoint.json").exists():
        write_json(folder / "last_stop.json", asdict(gone))
        (folder / "endpoint.json").unlink()
        processes.end(processes.orphans(folder))
        progress("the local lake died; what it had acknowledged is kept")
    return gone


def _start_failure(folder: Path, port: int, status: int | None) -> LakectlError:
    if status == PORT_TAKEN:
        return LakectlError(
            f"port {port} is taken by another program", "choose another port, or leave it out for a free one"
        )
    if status == DISK_FULL:
        return _no_space(folder)
    refusal = _read_json(folder / REFUSAL)
    if status == STATE_REFUSED and refusal is not None:
        return LakectlError(refusal["message"], refusal["hint"])
    line = _last_log_line(folder)
    if line.startswith("ModuleNotFoundError"):
        return LakectlError(f"the local endpoint can't start: {line}", "pip install 'lakectl[local]'")
    return LakectlError(f"the local endpoint died at its start: {line}", f"see {folder / 'server.log'}")


def _last_log_line(folder: Path) -> str:
    try:
        lines = (folder / "server.log").read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it left no log"


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write atomically: a reader sees the old file or the new one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(record, default=str))
        draft.chmod(0o600)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return record


def _answers(port: int, pid: int) -> bool:
    """Whether the process ``pid`` serves ``port``. A server too busy to answer in time counts as serving."""
    try:
        with socket.create_connection(("127.0.0.1", port), HEALTH_SECONDS) as connection:
            connection.sendall(f"GET {HEALTH_PATH} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            answer = b""
            while data := connection.recv(4096):
                answer += data
    except TimeoutError:
        return True
    except OSError:
        return False
    try:
        return bool(json.loads(answer.partition(b"\r\n\r\n")[2])["pid"] == pid)
    except (ValueError, KeyError, TypeError):
        return False


def _open_private(path: Path) -> IO[bytes]:
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))


@contextlib.contextmanager
def starting(folder: Path) -> Iterator[None]:
    """While the block runs, no other process starts a server in ``folder``. OSErrors become LakectlErrors."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _open_private(folder / "start.lock") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _no_space(folder) from error
        raise LakectlError(
            f"can't write to {folder}: {error.strerror}", "set XDG_STATE_HOME to a folder of yours"
        ) from error


def _is_full(folder: Path) -> bool:
    import shutil

    return folder.exists() and shutil.disk_usage(folder).free < FULL_BYTES


def _no_space(folder: Path) -> LakectlError:
    return LakectlError(f"no space left on the disk of {folder}", "free some, or set XDG_STATE_HOME")


def now() -> str:
    """ISO 8601 in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
