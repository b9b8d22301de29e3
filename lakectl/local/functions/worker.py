"""One warm Lambda execution environment, run as a script: ``python worker.py``.

It reads JSON lines from stdin: first ``{"answers", "confinement", "storage_bytes", "environment", "layers"}``, then an
invocation in each, ``{"id", "payload", "deadline_ms", "arn", "trace_id", "client_context"}``. It writes JSON lines to
the file descriptor ``answers``: first ``{"ready": true}`` after the function's module is imported, then an answer for
each invocation: ``{"result"}`` (the JSON text) or ``{"error"}``, and ``peak_memory_kb``. ``environment`` is the
function's own: it is set when the process is confined already, so that nothing in it can prevent that.
What the function prints goes to stdout. Imports little, so that a cold start stays short; the handler's module is
run by the interpreter at hand, whatever Runtime the function names.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import resource
import sys
import threading
import time
import traceback
import types
from decimal import Decimal
from typing import Any

# Below, and by their own names: this script is run without the package, whose import would cost a cold start 50 ms.
sys.path[0] = os.path.dirname(sys.path[0])  # noqa: PTH120 - pathlib costs 5 ms at import
from confined import confine  # type: ignore[import-not-found]  # noqa: E402

PARENT_CHECK_SECONDS = 1.0


class Context:
    """The second argument of a handler, with the attributes and methods that AWS documents."""

    def __init__(self, invocation: dict[str, Any]) -> None:
        self.aws_request_id: str = invocation["id"]
        self.invoked_function_arn: str = invocation["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = client_context(invocation["client_context"])
        self._deadline_ms: int = invocation["deadline_ms"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message: object) -> None:
        print(message)


def client_context(text: str) -> Any:
    """What a caller gave as ``ClientContext``, with the attributes that AWS documents; None when nothing."""
    if not text:
        return None
    given = json.loads(text)
    client = types.SimpleNamespace(**given.get("client") or {})
    return types.SimpleNamespace(client=client, custom=given.get("custom"), env=given.get("env"))


class RequestIdFilter(logging.Filter):
    request_id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        return True


def failure(error_type: str, message: str, error: BaseException) -> dict[str, Any]:
    hidden = (__file__, importlib.__file__, "<frozen importlib")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(hidden)]
    return {"errorMessage": message, "errorType": error_type, "stackTrace": traceback.format_list(frames)}


def peak_memory_kb() -> int:
    """The peak of this process. ru_maxrss would be the server's: it outlives exec, so it comes second."""
    try:
        with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib costs 5 ms at import
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)


def load_handler(name: str) -> tuple[Any, dict[str, Any] | None]:
    """The handler function, or the error that AWS reports when it can't be loaded."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        return None, failure("Runtime.MalformedHandlerName", f"Bad handler '{name}': {error}", error)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        text = f"Unable to import module '{module_name}': {error}"
        return None, failure("Runtime.ImportModuleError", text, error)
    except SyntaxError as error:
        text = f"Syntax error in module '{module_name}': {error}"
        return None, failure("Runtime.UserCodeSyntaxError", text, error)
    except Exception as error:  # noqa: BLE001 - whatever the module raises is the function's init error
        return None, failure(type(error).__name__, str(error), error)
    try:
        return getattr(module, function_name), None
    except AttributeError as error:
        text = f"Handler '{function_name}' missing on module '{module_name}'"
        return None, failure("Runtime.HandlerNotFound", text, error)


def call(handler: Any, invocation: dict[str, Any]) -> dict[str, Any]:
    try:
        result = handler(json.loads(invocation["payload"]), Context(invocation))
    except Exception as error:  # noqa: BLE001 - whatever the handler raises is the invocation's error
        return {"error": failure(type(error).__name__, str(error), error)}
    try:
        return {"result": json.dumps(result, default=encode_decimal)}
    except (TypeError, ValueError) as error:
        return {"error": failure("Runtime.MarshalError", f"Unable to marshal response: {error}", error)}


def encode_decimal(value: Any) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def set_up_logging() -> RequestIdFilter:
    """The root logger writes as Lambda's does: level, time, request id, message, separated by tabs."""
    log_format = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(log_format, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    request_filter = RequestIdFilter()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    handler.addFilter(request_filter)
    logging.getLogger().addHandler(handler)
    return request_filter


def set_environment(variables: dict[str, str]) -> None:
    """The function's own variables. What Python reads at its start only is for child processes, but PYTHONPATH."""
    os.environ.update(variables)
    if "TZ" in variables:
        time.tzset()
    sys.path[1:1] = [each for each in variables.get("PYTHONPATH", "").split(os.pathsep) if each]


def add_layers(folder: str) -> None:
    """What AWS has at /opt: its packages come after the function's own and before the runtime's."""
    if folder:
        site = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        sys.path[1:1] = [f"{folder}/python/{site}", f"{folder}/python"]
        os.environ["PATH"] = f"{folder}/bin{os.pathsep}{os.environ.get('PATH', '')}"


def end_with_parent() -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)


def main() -> None:
    setup = json.loads(sys.stdin.readline())
    with os.fdopen(setup["answers"], "w", buffering=1) as answers:
        confine(setup["confinement"])  # before the first thread: it holds for those that are started after it
        # No file may be larger than the function's /tmp: a function in a loop must not fill this machine's disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (setup["storage_bytes"],) * 2)
        threading.Thread(target=end_with_parent, daemon=True).start()
        # This file's own folder must not shadow the function's modules.
        sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
        add_layers(setup["layers"])
        set_environment(setup["environment"])
        request_filter = set_up_logging()
        handler, init_error = load_handler(os.environ["_HANDLER"])
        answers.write('{"ready": true}\n')
        for line in sys.stdin:
            invocation = json.loads(line)
            request_filter.request_id = invocation["id"]
            os.environ["_X_AMZN_TRACE_ID"] = invocation["trace_id"]
            answer: dict[str, Any] = {"error": init_error} if init_error else call(handler, invocation)
            answer["peak_memory_kb"] = peak_memory_kb()
            sys.stdout.flush()
            sys.stderr.flush()
            answers.write(json.dumps(answer) + "\n")
            if init_error:
                return


if __name__ == "__main__":
    main()
