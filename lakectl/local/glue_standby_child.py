"""The program of a standby: Python and a JVM that are warm before a run is there, then the run itself.

It is started as a file, so that nothing of it needs to be on the path. It writes READY to stdout when it is warm,
reads one line of JSON from stdin (``script``, ``arguments``, ``environ``) and becomes ``python script arguments``
in that environment. The end of stdin without that line ends it.
"""

from __future__ import annotations

import importlib.machinery
import json
import os
import signal
import sys
import time
import traceback
import types
from pathlib import Path
from typing import Any

READY = "standby is ready"
# What spark-submit needs before the JVM starts: a script that sets one of these in its builder gets a new JVM.
AT_LAUNCH = ("spark.driver.", "spark.jars", "spark.files", "spark.archives", "spark.submit.", "spark.plugins")


def main() -> None:
    del sys.path[0]  # our own folder, which no script may see
    gateway = warm_up()
    print(READY, flush=True)
    line = sys.stdin.buffer.readline()
    if not line:
        os._exit(0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    become(gateway, **json.loads(line))


def warm_up() -> Any:
    """Import what Spark scripts import, start the JVM and rehearse in it; returns the py4j gateway."""
    sys.path.insert(0, str(Path(__file__).parent))
    import glue_rehearsal  # type: ignore[import-not-found]

    del sys.path[0], sys.modules["glue_rehearsal"]
    cores = one_core()
    gateway = glue_rehearsal.rehearse()
    if cores:
        for pid in (os.getpid(), gateway.proc.pid):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                use_cores(int(thread.name), cores)
    return gateway


def one_core() -> set[int]:
    """Stay on one core, for nobody waits for us; returns the cores we had (empty: the system can't say)."""
    # Not nice(): only root may take that back, and then the run would stay slow.
    if not hasattr(os, "sched_setaffinity"):
        return set()
    cores: set[int] = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    return cores


def use_cores(thread: int, cores: set[int]) -> None:
    try:
        os.sched_setaffinity(thread, cores)
    except ProcessLookupError:
        return  # it ended while we looked


def become(gateway: Any, script: str, arguments: list[str], environ: dict[str, str]) -> None:
    """Be ``python script arguments`` from here on."""
    path = [str(Path(script).parent), *environ.get("PYTHONPATH", "").split(os.pathsep)]
    path = [entry for entry in path if entry]
    if shadowed(path):
        # Start again without us. The JVM ends, for the pipe to it closes.
        os.execve(sys.executable, [sys.executable, script, *arguments], environ)  # noqa: S606
    if "LC_CTYPE" in os.environ:  # Python sets it itself in a C locale
        environ = {"LC_CTYPE": os.environ["LC_CTYPE"], **environ}
    set_java_environment(gateway.jvm, environ)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    hand_over_gateway(gateway)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a SparkContext has set its own
    sys.path[:0] = path
    sys.argv = [script, *arguments]
    sys.orig_argv = [sys.executable, *sys.argv]
    run(script)


def shadowed(path: list[str]) -> bool:
    """Whether the run brings a module of its own by a name that is imported here already."""
    names = {name.partition(".")[0] for name in sys.modules} - {"__main__"}
    return any(importlib.machinery.PathFinder.find_spec(name, path) for name in names)


def set_java_environment(jvm: Any, environ: dict[str, str]) -> None:
    """Make System.getenv answer ``environ``. Spark opens java.lang for reflection on every JVM it starts."""
    variables = jvm.java.lang.Class.forName("java.lang.ProcessEnvironment")
    field = variables.getDeclaredField("theUnmodifiableEnvironment")
    field.setAccessible(True)
    unmodifiable = field.get(None)
    field = jvm.java.lang.Class.forName("java.util.Collections$UnmodifiableMap").getDeclaredField("m")
    field.setAccessible(True)
    variables = field.get(unmodifiable)
    have = dict(variables)
    for name in have.keys() - environ.keys():
        variables.remove(name)
    for name, value in environ.items():
        if have.get(name) != value:
            variables.put(name, value)


def hand_over_gateway(gateway: Any) -> None:
    """The script's first SparkContext gets our JVM, unless it asks for what only a new one can do."""
    import pyspark.context

    launch = pyspark.context.launch_gateway

    def launch_gateway(conf: Any = None, popen_kwargs: Any = None) -> Any:
        pyspark.context.launch_gateway = launch
        settings = dict(conf.getAll()) if conf else {}
        if popen_kwargs or any(name.startswith(AT_LAUNCH) for name in settings):
            gateway.shutdown()
            gateway.proc.stdin.close()
            return launch(conf, popen_kwargs)
        for name, value in settings.items():  # as spark-submit does with the conf it is given
            gateway.jvm.java.lang.System.setProperty(name, value)
        return gateway

    pyspark.context.launch_gateway = launch_gateway
    pyspark.context.SparkContext._gateway = pyspark.context.SparkContext._jvm = None


def run(script: str) -> None:
    """The script as ``__main__``. An exception leaves what the interpreter would leave: no frame of ours."""
    module = types.ModuleType("__main__")
    loader = importlib.machinery.SourceFileLoader("__main__", script)
    module.__dict__.update(__file__=script, __loader__=loader, __cached__=None, __annotations__={})
    sys.modules["__main__"] = module
    try:
        code = compile(Path(script).read_bytes(), script, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        traceback.print_exception(type(error), error, None)
        sys.exit(1)
    failed = False
    try:
        exec(code, module.__dict__)  # noqa: S102 - running it is what we are for
    except Exception as error:  # noqa: BLE001 - what a script raises is told as the interpreter tells it
        failed = True
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        sys.excepthook(type(error), error, error.__traceback__)
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
