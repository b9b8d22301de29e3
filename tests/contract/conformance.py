"""The table of behaviours against this endpoint and against ministack: ``python conformance.py ENVIRONMENT``.

Prints each row where one of the two does not answer as AWS does: AWS's answer, what each of them answered, and where
AWS's answer was read. Only rows with a source are asked. Exits 1 if our own endpoint differs in a row that does not
say why it has to.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accounts import clients_at

from lakectl.contract.asking import Clients, Outcome, ask
from lakectl.contract.rows import ROWS
from lakectl.contract.table import Row
from lakectl.local import control

START_SECONDS = 60.0


@contextmanager
def our_endpoint(home: Path) -> Iterator[Clients]:
    """A local endpoint with a state of its own, stopped at the end."""
    os.environ["XDG_STATE_HOME"] = str(home)
    endpoint = control.ensure_running()
    try:
        yield clients_at(endpoint.url, endpoint.access_key_id, endpoint.secret_access_key)
    finally:
        control.stop()


@contextmanager
def ministack(environment: Path, home: Path) -> Iterator[str]:
    """The URL of ministack's server on loopback, without docker and without this machine's AWS settings."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "DOCKER_HOST": f"unix://{home}/no-docker.sock",
    }
    with (home / "ministack.log").open("wb") as log:
        server = subprocess.Popen(
            [environment.resolve() / "bin/ministack"], env=settings, cwd=home, stdout=log, stderr=log
        )
        try:
            _await(port, server, home / "ministack.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _await(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"ministack did not start:\n{log.read_text()[-2000:]}")


def report(rows: list[tuple[Row, Outcome, Outcome]]) -> int:
    """Print the rows that differ; the number of rows in which we are wrong and do not say why."""
    ours = theirs = unexplained = 0
    for row, here, there in rows:
        ours += here.agrees
        theirs += there.agrees
        unexplained += not here.agrees and not row.differs
        if here.agrees and there.agrees:
            continue
        who = {(True, False): "ministack differs", (False, True): "lakectl differs"}
        print(f"\n{row.id}: {who.get((here.agrees, there.agrees), 'both differ')}")
        print(f"  AWS        {row.answer}")
        print(f"  lakectl    {here.got}" + (f"   (known: {row.differs})" if row.differs else ""))
        print(f"  ministack  {there.got}")
        print(f"  source     {row.source}")
    total = len(rows)
    print(f"\nAs AWS answers: lakectl {ours} of {total}, ministack {theirs} of {total}.")
    if unexplained:
        print(f"{unexplained} rows where lakectl differs without a reason given.")
    return unexplained


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "ministack").mkdir()
        with our_endpoint(home) as ours, ministack(Path(sys.argv[1]), home / "ministack") as url:
            theirs = clients_at(url, "test", "test")
            rows = [(row, ask(row, ours), ask(row, theirs)) for row in ROWS]
    sys.exit(1 if report(rows) else 0)


if __name__ == "__main__":
    main()
