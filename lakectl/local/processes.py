"""Finding and ending the processes that a local server started, also after the server itself was killed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path

# Marks every child process of one server, so that children that outlive a `kill -9` can still be found.
STATE_DIR_VARIABLE = "LAKECTL_LOCAL_SERVER"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def mark(state_dir: Path) -> str:
    """What the variable holds: it tells the servers' children apart, and says nobody where the state is."""
    return hashlib.sha256(str(state_dir).encode()).hexdigest()[:32]


def _parents() -> dict[int, int]:
    """pid -> parent pid of all processes."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    return {int(pid): int(parent) for pid, parent in (line.split() for line in listing.stdout.splitlines())}


def _parents_from_proc() -> dict[int, int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # The command name may hold spaces and brackets: the fields begin after the last bracket.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
            except (OSError, IndexError):
                continue  # it ended while we looked
    return parents


def descendants(pid: int) -> list[int]:
    """All living descendants of ``pid``, without ``pid`` itself."""
    parents = _parents_from_proc() if Path("/proc/self/stat").exists() else _parents()
    children: dict[int, list[int]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    todo = [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def orphans(state_dir: Path) -> list[int]:
    """Processes that a server of ``state_dir`` started (Linux only: elsewhere they can't be told apart)."""
    marker = f"{STATE_DIR_VARIABLE}={mark(state_dir)}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if marker in (entry / "environ").read_bytes().split(b"\0") and int(entry.name) != os.getpid():
                found.append(int(entry.name))
        except OSError:
            continue  # not ours, or gone
    return found


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


def end(pids: list[int], grace_seconds: float = 1.0) -> None:
    """SIGTERM, then SIGKILL for what is left after ``grace_seconds``."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            try:
                os.kill(pid, signal_number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + grace_seconds
        while pids and time.monotonic() < deadline:
            pids = [pid for pid in pids if alive(pid)]
            time.sleep(0.01)


def server_environ() -> dict[str, str]:
    """The environment of a server process."""
    # The user's AWS settings (a profile, keys, an endpoint) have no say in the sandbox.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # Nor has a proxy: what it asks for on this machine does not pass through one.
    unproxied = ",".join(
        filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1,localhost"))
    )
    environ |= {"NO_PROXY": unproxied, "no_proxy": unproxied}
    # Bodies of some megabytes pass through many threads. glibc would keep them all in heaps of each thread; so they
    # go back to the system: 5 GB landed leave 0.6 GB otherwise. Other C libraries don't know these names.
    return {"MALLOC_MMAP_THRESHOLD_": str(1 << 18), "MALLOC_ARENA_MAX": "2"} | environ


def ask_to_end(pid: int) -> None:
    """SIGTERM, without waiting."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def memory_bytes(pid: int) -> int:
    """What a process has for itself now, without the files that it maps; 0 where /proc does not tell (macOS)."""
    try:
        with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123 - twenty times a second
            _, resident, shared, *_ = file.read().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * PAGE_BYTES
