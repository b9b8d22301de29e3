"""The names of databases, tables and columns that are completed, each asked for once and only when it is needed."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from lakectl.errors import LakectlError
from lakectl.ops.console import catalog
from lakectl.ops.console.catalog import Table
from lakectl.ops.lake import Lake


class Catalog:
    """For any thread. What can't be read, for want of a permission, has no names."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._lock = threading.Lock()
        self._databases: list[str] | None = None
        self._tables: dict[str, Sequence[Table]] = {}

    def forget(self) -> None:
        """Ask again: a statement has changed the catalog."""
        with self._lock:
            self._databases, self._tables = None, {}

    def databases(self) -> list[str]:
        """The names of all databases."""
        with self._lock:
            if self._databases is None:
                try:
                    self._databases = catalog.databases(self._lake)
                except LakectlError:
                    self._databases = []
            return self._databases

    def tables(self, database: str) -> Sequence[Table]:
        """The tables of a database, by name."""
        with self._lock:
            if database not in self._tables:
                try:
                    self._tables[database] = catalog.of_database(self._lake, database) or ()
                except LakectlError:
                    self._tables[database] = ()
            return self._tables[database]
