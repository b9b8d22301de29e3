"""The local endpoint's process: ``python -m lakectl.local.server --state-dir D --port P --region R``.

moto is the control plane; the seams put real compute behind it. Bound to 127.0.0.1, never to another address.
"""

from __future__ import annotations

import argparse
import errno
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from filelock import FileLock, Timeout

from lakectl import __version__
from lakectl.local import control, idle, processes
from lakectl.local.iam import credentials

MANY_OBJECTS = "/_lakectl/objects"  # athena.many_objects.ADDRESS, without importing botocore
# What every lake uses, by moto's names: loaded while the caller still imports its own AWS client.
SERVICES = ("sts", "iam", "s3", "dynamodb", "logs", "events", "sqs", "glue")

ANSWER_SECONDS = 1.0  # for the answers on their way, when the server has to stop

log = logging.getLogger("lakectl.local")


def main(argv: list[str] | None = None) -> None:
    arguments = _arguments(argv)
    state_dir: Path = arguments.state_dir
    gc.disable()  # until all is loaded: next to nothing of it is ever garbage, and looking is a fifth of the start
    os.umask(0o077)  # what is in a lake is its owner's alone
    state_dir.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    lock = _lock(state_dir / "server.lock")
    (state_dir / "endpoint.json").unlink(missing_ok=True)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    try:
        server, context = _build(arguments)
        _serve(server, context, arguments, stopping)
    except Exception as error:
        _exit_if_full(error, state_dir)
        raise
    unused = idle.wait(stopping, server.app.use, context.working, arguments.idle_minutes)
    failure = context.database.failure
    if failure is not None:
        time.sleep(ANSWER_SECONDS)
    reason = idle.reason(arguments.idle_minutes) if unused else control.STOPPED
    _shut_down(server, context, state_dir, failure or reason)
    lock.release()
    os._exit(0 if failure is None else 1)  # threads that wait for a child that is gone must not keep the process


def _serve(server: Any, context: Any, arguments: argparse.Namespace, stopping: threading.Event) -> None:
    context.database.on_failure = stopping.set
    endpoint = control.Endpoint(
        url=context.endpoint_url,
        region=arguments.region,
        account_id=context.account_id,
        pid=os.getpid(),
        port=server.port,
        access_key_id=context.access_key_id,
        secret_access_key=context.secret_access_key,
        state_dir=arguments.state_dir,
        started_at=_now(),
        quarantined=context.database.quarantined,
        rolled_back=context.database.rolled_back,
        version=__version__,
    )
    context.syncer.start()
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    control.write_json(arguments.state_dir / "endpoint.json", vars(endpoint))
    log.info("listening on %s", endpoint.url)
    for callback in context.on_start:
        callback()
    resumed = context.outbox.resume()
    if resumed:
        log.info("%d deliveries of an earlier server go on", resumed)
    threading.Thread(target=server.app.warm, name="warm-up", daemon=True).start()


def _exit_if_full(error: Exception, state_dir: Path) -> None:
    from lakectl.local.durable.database import CommitFailed, is_full, no_space

    cause = error.__cause__ if isinstance(error, CommitFailed) and error.__cause__ else error
    if is_full(cause, state_dir):
        log.error("%s", no_space(state_dir))
        os._exit(control.DISK_FULL)  # the threads that already run must not keep the process


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lakectl.local.server")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--idle-minutes", type=float, help="end after so many minutes without a request")
    return parser.parse_args(argv)


def _lock(path: Path) -> FileLock:
    """Hold the server lock for as long as this process lives; the kernel frees it however we end."""
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.error("another local endpoint already runs in %s", path.parent)
        sys.exit(control.ALREADY_RUNNING)
    return lock


def _database(state_dir: Path) -> Any:
    from lakectl.local.durable.database import Database, StateRefused

    try:
        return Database(state_dir / control.STATE_FOLDER)
    except StateRefused as error:
        log.error("%s", error.message)
        control.write_json(state_dir / control.REFUSAL, {"message": error.message, "hint": error.hint})
        sys.exit(control.STATE_REFUSED)


def load() -> None:
    """Import what a server needs, and read the services' models. Starts no thread."""
    import importlib
    import pkgutil

    for name in (
        "seams",
        "validation",
        "durable",
        "iam",
        "http_server",
        "many_objects",
        "s3.intake",
        "functions.api",
        "gate.step",
        "athena.service",
    ):
        module = importlib.import_module(f"lakectl.local.{name}")
        for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
            importlib.import_module(f"lakectl.local.{name}.{found.name}")
    from lakectl.local.seams import core

    core.remember()
    for service in (*SERVICES, "athena"):
        core.warm(service)


def _build(arguments: argparse.Namespace) -> tuple[Any, Any]:
    keys = credentials.load_or_make(arguments.state_dir)
    os.environ.update(
        MOTO_IAM_LOAD_MANAGED_POLICIES="true",
        MOTO_DISABLE_GLOBAL_CORS="true",
        AWS_ACCESS_KEY_ID=keys.access_key_id,
        AWS_SECRET_ACCESS_KEY=keys.secret_access_key,
        AWS_DEFAULT_REGION=arguments.region,
        AWS_EC2_METADATA_DISABLED="true",
    )
    database = _database(arguments.state_dir)
    from lakectl.local.athena.service import AthenaService
    from lakectl.local.context import LocalContext
    from lakectl.local.durable.snapshots import Snapshots
    from lakectl.local.durable.syncer import Syncer
    from lakectl.local.functions.api import LambdaApi
    from lakectl.local.gate import failures
    from lakectl.local.gate.step import Gate
    from lakectl.local.http_server import Dispatcher, KeepAliveHandler, LocalServer
    from lakectl.local.iam.guard import Guard
    from lakectl.local.many_objects import ManyObjects
    from lakectl.local.own_services import OwnServices
    from lakectl.local.s3.intake import Intake
    from lakectl.local.seams import install_all

    moto = Dispatcher(failures.raising)
    intake = Intake(moto)
    own = OwnServices(intake)
    guard = Guard(Gate(own), keys, control.ACCOUNT_ID)
    many_objects = ManyObjects(guard)
    gateway = _Gateway(moto, guard, many_objects, database, arguments.region)
    try:
        server = LocalServer("127.0.0.1", arguments.port, gateway, KeepAliveHandler)
    except (SystemExit, OSError) as error:
        _exit_for(error, arguments.port)
    os.environ["MOTO_PORT"] = str(server.port)
    context = LocalContext(
        endpoint_url=f"http://127.0.0.1:{server.port}",
        region=arguments.region,
        account_id=control.ACCOUNT_ID,
        state_dir=arguments.state_dir,
        access_key_id=keys.access_key_id,
        secret_access_key=keys.secret_access_key,
        database=database,
    )
    context.snapshots = Snapshots(database)
    install_all(context)
    own.by_name["athena"] = AthenaService(context)
    own.by_name["lambda"] = LambdaApi(context)
    context.syncer = Syncer(database, context.objects.bodies)
    intake.bodies = many_objects.bodies = guard.posts.bodies = context.objects.bodies
    _load(context)
    return server, context


def _load(context: Any) -> None:
    """Put what an earlier server kept into moto."""
    from lakectl.local.durable import messages
    from lakectl.local.durable.database import FORMAT
    from lakectl.local.durable.parts import PARTS

    messages.install()
    started = time.monotonic()
    if context.objects.recover():
        log.error("a power cut took bytes that were not on disk yet: the state is as it was when it was synced last")
    context.syncer.sync()  # before the load deletes files
    context.snapshots.keep(PARTS)
    context.snapshots.leave_out("iam", "aws_managed_policies", "managed_policies", "account_summary")
    context.snapshots.load()
    context.objects.load()
    context.tables.load()
    context.outbox.load()
    for callback in context.on_load:
        callback()
    if context.database.older:
        with context.database.transaction():
            context.objects.rewrite()
            context.tables.rewrite()
        log.info("the state was written by an earlier version, and is rewritten in format %s", FORMAT)
    context.database.sign()
    log.info("state read in %.0f ms", (time.monotonic() - started) * 1000)


def _exit_for(error: BaseException, port: int) -> None:
    # werkzeug turns any failure to bind into SystemExit and keeps the OSError as its context.
    cause = error if isinstance(error, OSError) else error.__context__
    log.error("can't listen on port %s: %s", port, cause)
    taken = isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE
    sys.exit(control.PORT_TAKEN if taken else 1)


class _Gateway:
    """Our own routes, and the door in front of moto.

    Once a commit has failed, memory holds what the disk does not: no answer that was made from it leaves.
    """

    def __init__(self, moto: Any, guard: Any, many_objects: Any, database: Any, region: str) -> None:
        from lakectl import __version__

        self.moto = moto
        self.guard = guard
        self.many_objects = many_objects
        self.database = database
        self.use = idle.Use()
        health = {"pid": os.getpid(), "version": __version__, "region": region, "account_id": control.ACCOUNT_ID}
        self.health = json.dumps(health).encode()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self.use.request():
            return self._routed(environ, start_response)

    def _routed(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self.database.failure is not None:
            return self._unavailable(environ, start_response)
        if environ["PATH_INFO"] == MANY_OBJECTS:
            return self.many_objects(environ, start_response)
        if environ["PATH_INFO"] != control.HEALTH_PATH:
            return self._answer(environ, start_response)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(self.health)))]
        start_response("200 OK", headers)
        return [self.health]

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        started: list[Any] = []

        def start(*arguments: Any) -> Callable[[bytes], None]:
            started[:] = arguments
            return lambda _: None  # moto's answers come as what the call returns

        try:
            answer: Iterable[bytes] = self.guard(environ, start)
        except Exception:
            if self.database.failure is None:
                raise
            log.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if self.database.failure is not None:
            return self._unavailable(environ, start_response)
        start_response(*started)
        return answer

    def _unavailable(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """503, which AWS clients try again."""
        message = f"the local AWS stops: {self.database.failure}"
        if "json" in environ.get("CONTENT_TYPE", ""):
            kind, body = "application/json", json.dumps({"__type": "ServiceUnavailable", "message": message})
        else:
            error = f"<Error><Code>ServiceUnavailable</Code><Message>{escape(message)}</Message></Error>"
            form = "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", "")
            kind, body = "application/xml", f"<ErrorResponse>{error}</ErrorResponse>" if form else error
        data = b"" if environ["REQUEST_METHOD"] == "HEAD" else body.encode()
        start_response(
            "503 Service Unavailable",
            [("Content-Type", kind), ("Content-Length", str(len(data))), ("Connection", "close")],
        )
        return [data]

    def warm(self) -> None:
        from lakectl.local.seams import core

        try:
            for service in (*SERVICES, "athena", "lambda"):
                core.warm(service)
            self.moto.warm(SERVICES)
        finally:
            gc.freeze()  # no collection looks at the services' models again
            gc.enable()


def _shut_down(server: Any, context: Any, state_dir: Path, reason: str) -> None:
    server.server_close()
    context.outbox.stop()
    for callback in context.on_stop:
        try:
            callback()
        except Exception:
            log.exception("stopping %s failed", callback)
    processes.end(processes.descendants(os.getpid()))
    context.syncer.stop()
    context.database.close()
    record = {"stopped_at": _now(), "reason": reason, "port": server.port}
    try:
        control.write_json(state_dir / "last_stop.json", record)
    except OSError as error:  # a full disk: endpoint.json stays, and the next start takes this for a death
        log.error("how it stopped is not noted: %s", error)
    else:
        (state_dir / "endpoint.json").unlink(missing_ok=True)
    log.info("stopped: %s", record["reason"])


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


if __name__ == "__main__":
    main()
