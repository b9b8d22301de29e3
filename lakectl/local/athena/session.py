"""DuckDB, with the extensions of its own version and the local S3: one instance for each running query.

An instance is never shared by two queries: DuckDB's HTTP log, from which the scanned bytes are counted, is
kept for the instance. Instances are reused, since loading the extensions takes 0.2 s.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any
from urllib.parse import urlparse

import duckdb

from lakectl.local.athena.macros import MACROS
from lakectl.local.context import LocalContext

EXTENSIONS = ("httpfs", "avro", "iceberg")  # iceberg needs avro, so the order counts
_SCANNED = r"""
    SELECT coalesce(sum(CASE WHEN span.first != '' THEN span.last::BIGINT - span.first::BIGINT + 1
                             ELSE try_cast(size AS BIGINT) END), 0)
    FROM (SELECT regexp_extract(coalesce(request.headers['Range'], ''), 'bytes=(\d+)-(\d+)', ['first', 'last']) AS span,
                 response.headers['Content-Length'] AS size
          FROM duckdb_logs_parsed('HTTP')
          WHERE request.type = 'GET' AND regexp_matches(request.url, '/[^/]+\.(parquet|csv|csv\.gz|orc|avro)(\?|$)')
                AND NOT regexp_matches(request.url, '/metadata/[^/]+\.avro'))
"""


class Session:
    """One DuckDB instance, used by one query at a time."""

    def __init__(self, context: LocalContext) -> None:
        self._instance = duckdb.connect(
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        )
        for name in EXTENSIONS:
            file = resources.files(f"duckdb_extension_{name}") / "extensions" / f"v{duckdb.__version__}"
            self._instance.execute(f"LOAD '{file / f'{name}.duckdb_extension'}'")
        endpoint = urlparse(context.endpoint_url)
        self._instance.execute(
            f"CREATE SECRET (TYPE s3, KEY_ID '{context.access_key_id}', SECRET '{context.secret_access_key}', "
            f"REGION '{context.region}', ENDPOINT '{endpoint.netloc}', URL_STYLE 'path', "
            f"USE_SSL {endpoint.scheme == 'https'})"
        )
        # The file cache would hide reads that Athena bills; a local disk is nothing that Athena could read.
        self._instance.execute(
            "SET TimeZone = 'UTC'; SET integer_division = true; SET enable_external_file_cache = false; "
            "SET http_retries = 2; SET preserve_insertion_order = true; SET enable_progress_bar = false"
        )
        for macro in MACROS:
            self._instance.execute(macro)
        self._instance.execute("CALL enable_logging('HTTP')")
        self.connection = self._instance.cursor()

    def reset(self) -> None:
        """Forget the previous query: its registered tables and its HTTP log."""
        self.connection.close()
        self.connection = self._instance.cursor()
        self._instance.execute("CALL truncate_duckdb_logs()")

    def register(self, name: str, table: Any) -> None:
        self.connection.register(name, table)

    def interrupt(self) -> None:
        self.connection.interrupt()

    def scanned_bytes(self) -> int:
        """Bytes of data files that the query has asked S3 for so far, from DuckDB's log of its requests."""
        cursor = self._instance.cursor()
        try:
            row = cursor.execute(_SCANNED).fetchone()
        finally:
            cursor.close()
        return int(row[0]) if row else 0


class SessionPool:
    """At most ``size`` instances; a query waits for a free one."""

    def __init__(self, context: LocalContext, size: int) -> None:
        self._context = context
        self._free: list[Session] = []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(size)

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self._slots:
            with self._lock:
                session = self._free.pop() if self._free else None
            session = session or Session(self._context)
            session.reset()
            try:
                yield session
            except duckdb.FatalException:
                raise  # this instance is broken for good: it is not given back
            except BaseException:
                self._give_back(session)
                raise
            self._give_back(session)

    def _give_back(self, session: Session) -> None:
        with self._lock:
            self._free.append(session)
