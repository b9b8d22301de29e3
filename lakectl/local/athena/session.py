"""DuckDB, with the extensions of its own version and the local S3: one instance in each query worker.

An instance is never shared by two queries at once: it reads files with the caller's permissions. It is reused, since
loading the extensions takes 0.2 s.
"""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from lakectl.local.athena import functions
from lakectl.local.athena.access import Access
from lakectl.local.athena.functions import python
from lakectl.local.athena.macros import MACROS
from lakectl.local.athena.object_files import ObjectFiles

EXTENSIONS = ("avro", "iceberg")  # iceberg needs avro, so the order counts
MEMORY_LIMIT = "256MB"  # beyond it, DuckDB spills to its folder
SPILL_LIMIT = "4GB"
MOST_THREADS = 4


class Session:
    """One sealed DuckDB instance: it reaches S3 on the endpoint and its own spill ``folder``, nothing else."""

    def __init__(self, folder: Path) -> None:
        self._instance = duckdb.connect(
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        )
        for name in EXTENSIONS:
            file = resources.files(f"duckdb_extension_{name}") / "extensions" / f"v{duckdb.__version__}"
            self._instance.execute(f"LOAD '{file / f'{name}.duckdb_extension'}'")
        self._set(
            TimeZone="'UTC'",
            preserve_insertion_order="true",
            enable_external_file_cache="false",  # it would hide reads that Athena bills
            # What stands twice in a statement it would compute once, outside of the TRY around it.
            disabled_optimizers="'common_subexpressions'",
        )
        functions.load()
        python.register(self._instance)
        for macro in MACROS:
            self._instance.execute(macro)
        self.files = ObjectFiles()
        self._instance.register_filesystem(self.files)
        self._seal(folder)
        self.connection = self._instance.cursor()
        self._scanned_beside = 0

    def _seal(self, folder: Path) -> None:
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
        )
        self._set(allowed_directories="['s3://']", enable_external_access="false", lock_configuration="true")

    def _set(self, **settings: str) -> None:
        """In this order, for all connections of the instance."""
        self._instance.execute("; ".join(f"SET GLOBAL {name} = {value}" for name, value in settings.items()))

    def begin(self, access: Access) -> None:
        """Forget the query before: its registered tables, and what it might read and has read."""
        self.connection.close()
        self.connection = self._instance.cursor()
        self.files.use(access)
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
        self.files.scanned_bytes = 0
        self._scanned_beside = 0

    def scanned_bytes(self) -> int:
        """Bytes of data files that the query has read so far, through DuckDB and beside it."""
        return self._scanned_beside + self.files.scanned_bytes


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
