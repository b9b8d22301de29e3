"""How PyIceberg reads and writes files: in S3 on the endpoint, with the caller's keys, and nowhere else.

A table's metadata is written by whoever may write to its bucket. PyIceberg would take an endpoint, keys and even the
name of a Python class from the properties in it, and open any local path that it names.
"""

from __future__ import annotations

from typing import Any

from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import PyArrowFileIO

from lakectl.local.athena.errors import QueryError

_PROVIDER = "write.py-location-provider.impl"


class S3Files(PyArrowFileIO):
    """Refuses every location outside S3 with a QueryError."""

    def _initialize_fs(self, scheme: str, netloc: str | None = None) -> Any:
        if scheme not in ("s3", "s3a", "s3n"):
            raise QueryError("NOT_SUPPORTED", f"Athena reads and writes S3 only, and not {scheme}://{netloc or ''}")
        return super()._initialize_fs(scheme, netloc)


class Tables(GlueCatalog):
    """The Glue catalog, whose tables all use the catalog's own ``S3Files``."""

    def _load_file_io(self, properties: Any = None, location: str | None = None) -> FileIO:  # noqa: ARG002
        if properties and properties.get(_PROVIDER):
            raise QueryError("NOT_SUPPORTED", f"table property {_PROVIDER} is not supported by the local Athena")
        return S3Files(self.properties)
