"""Local servers: the one of this state folder, its port, and those that others left behind."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lakectl import __version__
from lakectl.findings import Finding, ok, problem, unchecked, warning
from lakectl.local import control, processes

MODULE = "lakectl.local.server"
STOP = "lakectl local stop"


@dataclass(frozen=True)
class Server:
    """A process that serves a state folder."""

    pid: int
    folder: Path


def findings(port: int | None) -> Iterator[Finding]:
    """``port``: the one that the configuration asks for."""
    folder, endpoint = control.server_dir(), control.running()
    yield this_one(folder, endpoint, control.last_stop(), [] if endpoint else processes.orphans(folder))
    if port is not None:
        yield wanted_port(port, endpoint.port if endpoint else None)
    listing = subprocess.run(
        ["ps", "-u", str(os.geteuid()), "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=False
    )
    if listing.returncode != 0:
        yield unchecked("local servers", f"`ps` failed: {listing.stderr.strip()}")
    else:
        yield from others([server for server in parse(listing.stdout) if server.folder != folder])


def this_one(
    folder: Path, endpoint: control.Endpoint | None, last: control.LastStop | None, orphans: list[int]
) -> Finding:
    """``last``: how the latest server that is gone ended; ``orphans``: processes that outlived it."""
    if endpoint is not None:
        if endpoint.version != __version__:
            other = f"lakectl {endpoint.version}" if endpoint.version else "an older lakectl"
            return warning("local server", f"{endpoint.url} is served by {other}, and this is {__version__}", STOP)
        return ok("local server", f"{endpoint.url} (pid {endpoint.pid}), state in {folder}")
    if orphans:
        pids = ", ".join(map(str, orphans))
        return warning("local server", f"it is gone and left the processes {pids} behind", STOP)
    if last is not None and not last.reason.startswith((control.STOPPED, control.DIED)):
        return warning("local server", f"it had to stop: {last.reason}", "lakectl local start")
    if last is not None and last.reason == control.DIED and (folder / "endpoint.json").exists():
        return warning("local server", f"it died; {folder / 'endpoint.json'} is left of it", "lakectl local start")
    return ok("local server", f"none runs; it starts when a command needs it, with the state in {folder}")


def wanted_port(port: int, running_on: int | None) -> Finding:
    """``running_on``: the port of this state folder's server, if it runs."""
    if running_on == port:
        return ok("port", f"{port}, as the configuration asks for")
    if running_on is not None:
        return problem("port", f"the local server runs on {running_on}, and local.port is {port}", STOP)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server: a closed connection holds no port
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return problem("port", f"local.port {port} can't be used: {error.strerror}", f"lsof -i :{port}")
    return ok("port", f"{port} is free")


def parse(listing: str) -> list[Server]:
    """The local servers in an output of ``ps -o pid=,args=``."""
    found = []
    for line in listing.splitlines():
        pid, _, command = line.strip().partition(" ")
        words = command.split(" ")
        if MODULE in words[:8] and "--state-dir" in words and words[words.index(MODULE) - 1] == "-m":
            # A folder's name may hold spaces; the option after it ends it.
            folder = command.partition(" --state-dir ")[2].partition(" --port ")[0]
            found.append(Server(int(pid), Path(folder)))
    return found


def others(servers: list[Server]) -> Iterator[Finding]:
    """``servers``: those of other state folders."""
    if not servers:
        yield ok("local servers", "no other state folder has a running one")
    for server in servers:
        if server.folder.exists():
            home = shlex.quote(str(server.folder.parent.parent))
            command = f"XDG_STATE_HOME={home} {STOP}"
            yield warning(
                "local servers", f"another runs (pid {server.pid}), with the state in {server.folder}", command
            )
        else:
            text = f"one runs (pid {server.pid}) whose state folder is gone: {server.folder}"
            yield warning("local servers", text, f"kill {server.pid}")
