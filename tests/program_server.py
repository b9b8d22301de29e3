"""Forks a process that has lakectl's libraries loaded for each command line that it is sent: ``program_process``.

A request comes through the Unix socket on the descriptor that is named: its length in eight bytes, with four
descriptors, then a JSON object with arguments, folder and environment. Three of the descriptors are the program's own.
The fourth takes the answer: two lines, the process's id and its exit code.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

SERVICES = ("athena", "cloudwatch", "dynamodb", "events", "glue", "iam", "lambda", "logs", "s3", "sqs", "sts")
PRELOADED = ("lakectl.cli", "lakectl.ops", "lakectl.engine", "lakectl.resources")
HEADER_BYTES = 8
INTERNAL_ERROR = 120


def main() -> None:
    import lakectl.__main__
    from lakectl import aws_session

    for name in PRELOADED:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
    for name in ("boto3", "botocore.signers", "rich.live", "rich.table", "sqlglot"):
        importlib.import_module(name)
    loader = aws_session.new_session().get_component("data_loader")
    for service in SERVICES:
        for model in ("service-2", "endpoint-rule-set-1"):
            loader.load_service_model(service, model)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait
    requests = socket.socket(fileno=int(sys.argv[1]))
    while True:
        header, descriptors, _, _ = socket.recv_fds(requests, HEADER_BYTES, 4)
        if not header:  # the test run has ended
            return
        message = requests.recv(int.from_bytes(header, "big"), socket.MSG_WAITALL)
        if os.fork() == 0:
            requests.close()
            _wait_for_program(json.loads(message), descriptors, lakectl.__main__.main)
        for descriptor in descriptors:
            os.close(descriptor)


def _wait_for_program(request: dict[str, Any], descriptors: list[int], program: Callable[[], None]) -> None:
    *files, answer = descriptors
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(answer)
        os._exit(_run(request, files, program))
    for descriptor in files:
        os.close(descriptor)
    os.write(answer, f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(answer, f"{code}\n".encode())
    os._exit(0)


def _run(request: dict[str, Any], descriptors: list[int], program: Callable[[], None]) -> int:
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [str(sys.modules["lakectl.__main__"].__file__), *request["arguments"]]
    code: Any = 0
    try:
        program()
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - as Python itself does at the end
        traceback.print_exc()
        code = INTERNAL_ERROR
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or INTERNAL_ERROR
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    main()
