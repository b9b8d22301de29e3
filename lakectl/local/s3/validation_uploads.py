"""S3: an upload completed under a condition, and what happened to its key since it began.

Wrapped: ``S3Backend.create_multipart_upload`` and ``delete_object``, to remember with the upload when it began and
whether its key was deleted meanwhile. A restart of the server keeps the first of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow
from moto.s3.exceptions import MissingKey, PreconditionFailed
from moto.s3.models import S3Backend

BEGUN = "lakectl_begun"
DELETED = "lakectl_deleted_meanwhile"
CONFLICT = (
    "<Error><Code>ConditionalRequestConflict</Code><Message>The conditional request cannot succeed due to a "
    "conflicting operation against this resource.</Message></Error>"
)


class ConditionalRequestConflict(Exception):
    """Something was written or deleted under the key while it was uploaded. Answered with 409 and :data:`CONFLICT`."""


def install() -> None:
    S3Backend.create_multipart_upload = _beginning(S3Backend.create_multipart_upload)
    S3Backend.delete_object = _deleting(S3Backend.delete_object)


def _beginning(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_multipart_upload(self: S3Backend, *args: Any, **named: Any) -> Any:
        upload = original(self, *args, **named)
        setattr(upload, BEGUN, utcnow())
        return upload

    return create_multipart_upload


def _deleting(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete_object(self: S3Backend, bucket_name: str, key_name: str, *args: Any, **named: Any) -> Any:
        bucket = self.buckets.get(bucket_name)
        for upload in list(bucket.multiparts.values()) if bucket is not None else ():
            if upload.key_name == key_name:
                setattr(upload, DELETED, True)
        return original(self, bucket_name, key_name, *args, **named)

    return delete_object


def check(backend: S3Backend, bucket: str, key_name: str, upload_id: str, headers: Mapping[str, str]) -> None:
    """Refuse to complete an upload whose condition does not hold. An unknown upload is left to the request itself.

    Raises MissingKey, PreconditionFailed or :class:`ConditionalRequestConflict`, as AWS was recorded to answer.
    """
    upload = backend.get_bucket(bucket).multiparts.get(upload_id)
    if upload is None:
        return
    key = backend.get_object(bucket, key_name)
    if headers.get("If-None-Match"):
        if key is None and getattr(upload, DELETED, False):
            raise ConditionalRequestConflict
        return  # the put itself is refused when the key is there
    wanted = headers.get("If-Match")
    if wanted is None:
        return
    if key is None:
        raise MissingKey(key=key_name)
    if key.etag.strip('"') != wanted.strip('"'):
        raise PreconditionFailed("If-Match")
    begun: datetime | None = getattr(upload, BEGUN, None)
    if begun is not None and key.last_modified > begun:
        raise ConditionalRequestConflict
