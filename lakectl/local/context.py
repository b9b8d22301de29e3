"""What the parts of the local endpoint share: where it listens, where it keeps files, and its worker pool."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakectl.local.confinement import python_environ
from lakectl.local.durable.database import Database
from lakectl.local.durable.outbox import Outbox
from lakectl.local.processes import STATE_DIR_VARIABLE, mark

if TYPE_CHECKING:
    from lakectl.local.durable.snapshots import Snapshots

# Not HOME and TMPDIR: each process has a folder of its own for them.
INHERITED_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "JAVA_HOME", "SSL_CERT_FILE")

log = logging.getLogger(__name__)


class LoggingExecutor(ThreadPoolExecutor):
    """A thread pool whose tasks never fail in silence: what nobody awaits is written to the log."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        def run() -> Any:
            try:
                return fn(*args, **kwargs)
            except Exception:
                log.exception("background task %s failed", getattr(fn, "__qualname__", fn))
                raise

        return super().submit(run)


def background_pool(workers: int = 16) -> LoggingExecutor:
    return LoggingExecutor(max_workers=workers, thread_name_prefix="background")


@dataclass
class LocalContext:
    """One local server's surroundings. ``state_dir`` is this server's own folder (caches, logs, work files)."""

    endpoint_url: str
    region: str
    account_id: str
    state_dir: Path
    access_key_id: str
    secret_access_key: str
    background: Executor = field(default_factory=background_pool)
    on_stop: list[Callable[[], None]] = field(default_factory=list)  # called once, when the server stops
    working: list[Callable[[], bool]] = field(default_factory=list)  # whether a part works, with no request to answer
    on_start: list[Callable[[], None]] = field(default_factory=list)  # called once, when the endpoint answers
    on_load: list[Callable[[], None]] = field(default_factory=list)  # called once, before the first request
    database: Database = field(default_factory=Database)  # in memory, unless the server gives another
    outbox: Outbox = field(init=False)
    snapshots: Snapshots | None = None  # of moto's backends
    objects: Any = None  # durable.objects.Objects, once the seam of S3 is installed
    tables: Any = None  # durable.tables.Tables, once that of DynamoDB is
    syncer: Any = None  # durable.syncer.Syncer, once the server has made it
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.database, self.background)

    def save(self, service: str, region: str, account: str | None = None) -> None:
        """Write moto's backend of ``service`` (moto's name) to disk: it was changed."""
        if self.snapshots is not None:
            self.snapshots.save_for(service, account or self.account_id, region)

    def client(self, service: str, region: str | None = None) -> Any:
        """A cached boto3 client on this endpoint. Thread-safe."""
        key = (service, region or self.region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._new_client(*key)
            return self._clients[key]

    def _new_client(self, service: str, region: str) -> Any:
        import boto3
        from botocore.config import Config

        session = boto3.session.Session(
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name=region,
        )
        config = Config(max_pool_connections=32, s3={"addressing_style": "path"})
        return session.client(service, endpoint_url=self.endpoint_url, config=config)

    def worker_environ(self, region: str) -> dict[str, str]:
        """The base environment of a child process: this endpoint and its credentials, never the user's own."""
        environ = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ} | python_environ()
        environ |= {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            STATE_DIR_VARIABLE: mark(self.state_dir),
        }
        return environ

    def emit_event(
        self, source: str, detail_type: str, detail: dict[str, Any], resources: list[str], region: str
    ) -> None:
        """Put an event of an AWS service on the default EventBridge bus of ``region``.

        In-process on purpose: PutEvents refuses sources that begin with ``aws.``.
        """
        import lakectl.local.event_bus as event_bus

        event = event_bus.new_event(self, source, detail_type, detail, resources, region)
        self.outbox.post(event_bus.EVENT, event=event, bus="default")
