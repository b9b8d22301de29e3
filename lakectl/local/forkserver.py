"""Starts local endpoints quickly: a process that has loaded all that one needs, and forks for each.

``python -m lakectl.local.forkserver``: each line of standard input is a JSON object with ``arguments`` of
:mod:`lakectl.local.server` and its ``environ``; the answer is a line with the process's id. When standard input ends,
so do the servers.

Loading is nearly all that a start takes; a fork has it done. There is no thread here before a fork.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from pathlib import Path


def main() -> None:
    os.environ |= {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_DISABLE_GLOBAL_CORS": "true"}
    from lakectl.local import processes, server

    gc.disable()
    server.load()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started it: standard input ends then
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    started: list[int] = []
    sys.stdout.write("\n")  # ready
    sys.stdout.flush()
    for line in sys.stdin:
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.environ.clear()
            os.environ.update(wanted["environ"])
            _serve(wanted["arguments"])
        started.append(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    below = [each for pid in started if processes.alive(pid) for each in (pid, *processes.descendants(pid))]
    processes.end(below)


def _serve(arguments: list[str]) -> None:
    """Become a server, as if started with these arguments."""
    from lakectl.local import server

    os.setsid()
    log = os.open(Path(arguments[1]) / "server.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, number in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, number)
    os.close(nothing)
    os.close(log)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    from moto.moto_api._internal import mock_random

    mock_random.seed()  # else all forks would make the same ids
    code = 1
    try:
        server.main(arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - as Python itself does at the end
        import traceback

        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
