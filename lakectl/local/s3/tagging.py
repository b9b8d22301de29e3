"""S3: the tags of an object that is not there can't be deleted.

Wrapped: ``S3Backend.delete_object_tagging``, on which moto fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.s3.exceptions import MissingKey
from moto.s3.models import S3Backend

from lakectl.local.context import LocalContext


def install(context: LocalContext) -> None:  # noqa: ARG001 - all seams are installed alike
    S3Backend.delete_object_tagging = _of_what_is(S3Backend.delete_object_tagging)


def _of_what_is(original: Callable[..., None]) -> Callable[..., None]:
    def delete_object_tagging(self: S3Backend, bucket_name: str, key_name: str, version_id: Any = None) -> None:
        if self.get_object(bucket_name, key_name, version_id=version_id) is None:
            raise MissingKey(key=key_name)
        original(self, bucket_name, key_name, version_id=version_id)

    return delete_object_tagging
