"""S3 uploads: an object's bytes come as the file that they were written to; parts are listed page by page.

Wrapped: ``S3Response._key_response``. Replaced: ``FakeMultipart.list_parts`` (takes the marker for an index) and
``S3Backend.is_truncated`` (takes it for a count).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from moto.s3.models import FakeKey, FakeMultipart, S3Backend
from moto.s3.responses import S3Response

from lakectl.local.context import LocalContext
from lakectl.local.s3.intake import UPLOAD, Upload
from lakectl.local.s3.storage import vouched


def install(context: LocalContext) -> None:  # noqa: ARG001 - each seam has the same signature
    S3Response._key_response = _taking(S3Response._key_response)
    FakeMultipart.list_parts = _list_parts
    S3Backend.is_truncated = _is_truncated


def _taking(original: Callable[..., Any]) -> Callable[..., Any]:
    def key_response(self: S3Response, request: Any, full_url: str) -> Any:
        upload: Upload | None = request.environ.get(UPLOAD)
        if upload is None:
            return original(self, request, full_url)
        self.body = upload.body
        with vouched(upload.agreed, upload.computed):
            return original(self, request, full_url)

    return key_response


def _list_parts(self: FakeMultipart, part_number_marker: int, max_parts: int) -> Iterator[FakeKey]:
    after = [number for number in self.partlist if number > part_number_marker]
    return (self.parts[number] for number in after[:max_parts])


def _is_truncated(self: S3Backend, bucket_name: str, multipart_id: str, next_part_number_marker: int) -> bool:
    numbers = self.get_bucket(bucket_name).multiparts[multipart_id].partlist
    return bool(numbers and numbers[-1] > next_part_number_marker)
