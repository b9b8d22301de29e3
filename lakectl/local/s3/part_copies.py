"""UploadPartCopy: a range of another object as a part, with its checksum [S3 API reference, UploadPartCopy].

Replaced: ``S3Response.upload_part_copy``: moto looks at no condition and at no range, and tells no checksum.
"""

from __future__ import annotations

import re
from typing import Any

from moto.core.responses import ActionResult
from moto.s3.exceptions import MissingKey, MissingVersion
from moto.s3.models import FakeKey
from moto.s3.responses import S3Response

from lakectl.local.s3.completion import algorithm_of, sums_of
from lakectl.local.s3.copies import check_conditions, source_address, source_of
from lakectl.local.s3.errors import S3Error

RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})")
RANGE_FORM = (
    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based "
    "offsets of the first and last bytes to copy"
)
MAX_PART = 10_000


def install() -> None:
    S3Response.upload_part_copy = _upload_part_copy


def _upload_part_copy(self: S3Response) -> Any:
    bucket, name, version = source_address(self.headers["x-amz-copy-source"])
    source = source_of(self)
    if not isinstance(source, FakeKey):
        raise MissingVersion() if version else MissingKey(key=name)
    check_conditions(self.headers, source)
    text = str(self._get_param("partNumber"))
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PART:
        told = "Part number must be an integer between 1 and 10000, inclusive"
        raise S3Error("InvalidArgument", told, ArgumentName="partNumber", ArgumentValue=text)
    begin, end = _range(self.headers.get("x-amz-copy-source-range"), source.size)
    upload_id = self._get_param("uploadId")
    part = self.backend.upload_part_copy(
        self.bucket_name,
        upload_id,
        int(text),
        src_bucket_name=bucket,
        src_key_name=name,
        src_version_id=version,
        start_byte=begin,
        end_byte=end,
    )
    result = {"LastModified": part.last_modified_ISO8601, "ETag": part.etag}
    algorithm = algorithm_of(self.backend.get_bucket(self.bucket_name).multiparts[upload_id])
    if algorithm:
        result[f"Checksum{algorithm}"] = sums_of(part)[algorithm]
    self.data["Action"] = "UploadPartCopy"
    status, headers, body = self.serialized(ActionResult({"CopyPartResult": result}))
    headers |= {
        name: value for name, value in part.response_dict.items() if name.startswith("x-amz-server-side-encryption")
    }
    if source.version_id != "null":
        headers["x-amz-copy-source-version-id"] = source.version_id
    return status, headers, body


def _range(text: str | None, size: int) -> tuple[int | None, int | None]:
    """First and last byte; None for all. Raises S3Error."""
    if text is None:
        return None, None
    found = RANGE.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise S3Error("InvalidArgument", RANGE_FORM, ArgumentName="x-amz-copy-source-range", ArgumentValue=text)
    if int(found[2]) >= size:
        told = f"Range specified is not valid for source object of size: {size}"
        raise S3Error("InvalidArgument", told, ArgumentName="x-amz-copy-source-range", ArgumentValue=text)
    return int(found[1]), int(found[2])
