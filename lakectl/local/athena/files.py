"""How PyIceberg reads and writes files: in S3 on the endpoint, with the caller's keys, and nowhere else.

It reads metadata only, each file whole: one request to the endpoint, where Arrow's S3 client makes three.

A table's metadata is written by whoever may write to its bucket. PyIceberg would take an endpoint, keys and even the
name of a Python class from the properties in it, and open any local path that it names.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.io import FileIO, InputFile, OutputFile
from pyiceberg.io.pyarrow import PyArrowFileIO

from lakectl.local.athena import many_objects
from lakectl.local.athena.access import Access
from lakectl.local.athena.errors import QueryError, path_denied
from lakectl.local.iam.credentials import Keys

_PROVIDER = "write.py-location-provider.impl"


class S3Files(PyArrowFileIO):
    """Refuses every location outside S3 with a QueryError."""

    def new_input(self, location: str) -> Any:
        if not location.startswith("s3://"):
            return super().new_input(location)
        return _Whole(location, _access(self.properties))

    def new_output(self, location: str) -> Any:
        return _Put(location, _access(self.properties)) if _has_empty_folder(location) else super().new_output(location)

    def delete(self, location: Any) -> None:
        path = location if isinstance(location, str) else location.location
        if not _has_empty_folder(path):
            return super().delete(location)
        bucket, _, key = path.removeprefix("s3://").partition("/")
        _access(self.properties).client("s3").delete_object(Bucket=bucket, Key=key)
        return None

    def _initialize_fs(self, scheme: str, netloc: str | None = None) -> Any:
        if scheme not in ("s3", "s3a", "s3n"):
            raise QueryError("NOT_SUPPORTED", f"Athena reads and writes S3 only, and not {scheme}://{netloc or ''}")
        return super()._initialize_fs(scheme, netloc)


class _Whole(InputFile):
    """An object that is read at once, with the caller's permissions.

    Raises QueryError where it may not be read, and ClientError as GetObject does.
    """

    def __init__(self, location: str, access: Access) -> None:
        super().__init__(location)
        self._access = access
        self._bytes: bytes | None = None

    def _read(self) -> bytes:
        if self._bytes is None:
            try:
                [(_, self._bytes)] = many_objects.fetch(self._access, [self.location])
            except ClientError as error:
                if error.response["Error"]["Code"] in ("AccessDenied", "403"):
                    raise path_denied(self.location) from None
                raise
        return self._bytes

    def __len__(self) -> int:
        return len(self._read())

    def exists(self) -> bool:
        try:
            self._read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                raise
            return False
        return True

    def open(self, seekable: bool = True) -> Any:  # noqa: ARG002
        return io.BytesIO(self._read())


class _Put(OutputFile):
    """An object whose key has an empty folder, as ``a//b`` has: S3 allows it, and Arrow's S3 client does not.

    It is kept in memory until it is closed.
    """

    def __init__(self, location: str, access: Access) -> None:
        super().__init__(location)
        self._access = access

    def __len__(self) -> int:
        return len(self.to_input_file())

    def exists(self) -> bool:
        return self.to_input_file().exists()

    def to_input_file(self) -> _Whole:
        return _Whole(self.location, self._access)

    def create(self, overwrite: bool = False) -> Any:
        if not overwrite and self.exists():
            raise FileExistsError(f"Cannot create file, already exists: {self.location}")
        return _Buffer(self.location, self._access)


class _Buffer(io.BytesIO):
    def __init__(self, location: str, access: Access) -> None:
        super().__init__()
        self._location, self._access = location, access

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if kind is None:
            self.close()
        else:
            super().close()  # what failed leaves no object

    def close(self) -> None:
        if not self.closed:
            bucket, _, key = self._location.removeprefix("s3://").partition("/")
            self._access.client("s3").put_object(Bucket=bucket, Key=key, Body=self.getvalue())
        super().close()


def _has_empty_folder(location: str) -> bool:
    return location.startswith("s3://") and "//" in location.removeprefix("s3://")


def _access(properties: Mapping[str, str]) -> Access:
    keys = Keys(
        properties["s3.access-key-id"], properties["s3.secret-access-key"], properties.get("s3.session-token", "")
    )
    return Access(properties["s3.endpoint"], properties["s3.region"], keys)


class Tables(GlueCatalog):
    """The Glue catalog, whose tables all use the catalog's own ``S3Files``."""

    def _load_file_io(self, properties: Any = None, location: str | None = None) -> FileIO:  # noqa: ARG002
        if properties and properties.get(_PROVIDER):
            raise QueryError("NOT_SUPPORTED", f"table property {_PROVIDER} is not supported by the local Athena")
        return S3Files(self.properties)
