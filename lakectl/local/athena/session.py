"""DuckDB, with the extensions of its own version and the local S3: one instance in each query worker.

An instance is never shared by two queries at once: its S3 secret is the caller's, and its HTTP log, from which the
scanned bytes are counted, is the query's. It is reused, since loading the extensions takes 0.2 s.
"""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import duckdb
import pyarrow as pa

from lakectl.local.athena import functions
from lakectl.local.athena.access import Access
from lakectl.local.athena.functions import python
from lakectl.local.athena.macros import MACROS
from lakectl.local.iam.credentials import Keys

EXTENSIONS = ("httpfs", "avro", "iceberg")  # iceberg needs avro, so the order counts
MEMORY_LIMIT = "256MB"  # beyond it, DuckDB spills to its folder
SPILL_LIMIT = "4GB"
MOST_THREADS = 4
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
    """One sealed DuckDB instance: it reaches S3 on the endpoint and its own spill ``folder``, nothing else."""

    def __init__(self, endpoint_url: str, folder: Path) -> None:
        self._instance = duckdb.connect(
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        )
        for name in EXTENSIONS:
            file = resources.files(f"duckdb_extension_{name}") / "extensions" / f"v{duckdb.__version__}"
            self._instance.execute(f"LOAD '{file / f'{name}.duckdb_extension'}'")
        self._set(
            TimeZone="'UTC'",
            http_retries="2",
            preserve_insertion_order="true",
            enable_external_file_cache="false",  # it would hide reads that Athena bills
        )
        functions.load()
        python.register(self._instance)
        for macro in MACROS:
            self._instance.execute(macro)
        self._instance.execute("CALL enable_logging('HTTP')")
        self._seal(endpoint_url, folder)
        self.connection = self._instance.cursor()
        self._scanned_beside = 0

    def _seal(self, endpoint_url: str, folder: Path) -> None:
        """No settings can be changed afterwards.

        https://duckdb.org/docs/stable/operations_manual/securing_duckdb
        """
        self._set(
            memory_limit=f"'{MEMORY_LIMIT}'",
            threads=str(min(MOST_THREADS, os.cpu_count() or 1)),
            temp_directory=_text(str(folder)),
            max_temp_directory_size=f"'{SPILL_LIMIT}'",
            python_enable_replacements="false",
            allow_community_extensions="false",
            allow_persistent_secrets="false",
            # Without it, s3://bucket/key?s3_endpoint=HOST would be asked for from HOST.
            s3_url_compatibility_mode="true",
        )
        # The first secret sets up the store of secrets, which a sealed instance can't.
        self.use(Access(endpoint_url, "us-east-1", Keys("", "")))
        self._set(allowed_directories="['s3://']", enable_external_access="false", lock_configuration="true")

    def _set(self, **settings: str) -> None:
        """In this order, for all connections of the instance."""
        self._instance.execute("; ".join(f"SET GLOBAL {name} = {value}" for name, value in settings.items()))

    def use(self, access: Access) -> None:
        """Sign all requests to S3 with the keys of ``access``."""
        endpoint, keys = urlparse(access.endpoint_url), access.keys
        self._instance.execute(
            f"CREATE OR REPLACE SECRET athena (TYPE s3, KEY_ID {_text(keys.access_key_id)}, "
            f"SECRET {_text(keys.secret_access_key)}, SESSION_TOKEN {_text(keys.session_token)}, "
            f"REGION {_text(access.region)}, ENDPOINT {_text(endpoint.netloc)}, URL_STYLE 'path', "
            f"USE_SSL {endpoint.scheme == 'https'}, URL_COMPATIBILITY_MODE true)"
        )

    def reset(self) -> None:
        """Forget the previous query: its registered tables and its HTTP log."""
        self.connection.close()
        self.connection = self._instance.cursor()
        self._instance.execute("CALL truncate_duckdb_logs()")
        self._scanned_beside = 0

    def register(self, name: str, table: Any) -> None:
        """An Arrow table under a name.

        Its instants are handed over as local times in UTC, since DuckDB needs a module of Python (pytz) to push what a
        join looks for into a scan of Arrow's timestamps with a zone.
        """
        zoned = [each.name for each in table.schema if pa.types.is_timestamp(each.type) and each.type.tz]
        if not zoned:
            self.connection.register(name, table)
            return
        for column in zoned:
            at = table.schema.get_field_index(column)
            table = table.set_column(at, column, table.column(at).cast(pa.timestamp("us")))
        own = f"{name} without zones"
        self.connection.register(own, table)
        instants = ", ".join(f"timezone('UTC', {_name(column)}) AS {_name(column)}" for column in zoned)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {_name(name)} AS SELECT * REPLACE ({instants}) FROM {_name(own)}"  # noqa: S608
        )

    def interrupt(self) -> None:
        self.connection.interrupt()

    def count_scanned(self, size: int) -> None:
        """Bytes of a data file that was read for the query, and not by DuckDB."""
        self._scanned_beside += size

    def forget_scanned(self) -> None:
        """What was read to plan a query is not billed."""
        self._instance.execute("CALL truncate_duckdb_logs()")
        self._scanned_beside = 0

    def scanned_bytes(self) -> int:
        """Bytes of data files that the query has asked S3 for so far: DuckDB, from its log of its requests, and we."""
        cursor = self._instance.cursor()
        try:
            row = cursor.execute(_SCANNED).fetchone()
        finally:
            cursor.close()
        return self._scanned_beside + (int(row[0]) if row else 0)


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
