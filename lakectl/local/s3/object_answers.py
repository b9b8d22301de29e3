"""What GetObject, HeadObject, PutObject and UploadPart say of an object in their headers.

Checksums [S3 API reference, GetObject, "x-amz-checksum-mode"]; encryption with AES256 where nothing else was asked for
[S3 user guide, "Amazon S3 now automatically encrypts all new objects", January 2023]. Replaced:
``S3Response._get_checksum``. Wrapped: ``S3Response.get_object`` and ``head_object``, ``FakeKey.response_dict``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.s3.models import FakeKey, s3_backends
from moto.s3.responses import S3Response

from lakectl.local.s3.checksums import COMPOSITE, FULL_OBJECT
from lakectl.local.s3.completion import shown
from lakectl.local.s3.errors import S3Error, invalid_request
from lakectl.local.s3.intake import UPLOAD, Upload
from lakectl.local.s3.lifecycle import expiration_header
from lakectl.local.s3.part_listing import part_checksum, span

CHECKSUM = "x-amz-checksum-"


def install() -> None:
    S3Response._get_checksum = _get_checksum
    S3Response.get_object = _get_object(S3Response.get_object)
    S3Response.head_object = _head_object(S3Response.head_object)
    FakeKey.response_dict = property(_described(FakeKey.response_dict.fget))


def _get_checksum(self: S3Response, response_headers: dict[str, Any]) -> tuple[str, str | None]:
    """The checksum of what the request has brought: it is compared, or computed, while the bytes arrive."""
    upload: Upload | None = self.request.environ.get(UPLOAD)
    if upload is None:
        return "", None
    algorithm, value = upload.checksum
    if "uploadId" not in self.querystring:
        response_headers[f"{CHECKSUM}type"] = FULL_OBJECT
    elif not upload.agreed:
        return algorithm, value  # of a part S3 tells what the client gave
    response_headers[f"{CHECKSUM}{algorithm.lower()}"] = value
    return algorithm, value


def _described(original: Callable[[FakeKey], dict[str, Any]]) -> Callable[[FakeKey], dict[str, Any]]:
    def response_dict(self: FakeKey) -> dict[str, Any]:
        found = original(self)
        found.pop("x-amz-sdk-checksum-algorithm", None)
        found.setdefault("x-amz-server-side-encryption", "AES256")
        bucket = s3_backends[self.account_id][self.partition].buckets.get(self.bucket_name)
        if bucket is not None and bucket.rules and bucket.keys.get(self.name) is self:
            expires = expiration_header(bucket, self)
            if expires is not None:
                found["x-amz-expiration"] = expires
        return found

    return response_dict


def _get_object(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_object(self: S3Response) -> Any:
        version, number = self.querystring.get("versionId", [None])[0], self.querystring.pop("partNumber", [None])[0]
        status, headers, body = original(self)
        key = _tell_more(self, headers, version, status)
        if key is not None and number is not None and status == 200:
            begin, end = _one_part(self, key, headers, number)
            return 206, headers, body[begin:end]
        return status, headers, body

    return get_object


def _head_object(original: Callable[..., Any]) -> Callable[..., Any]:
    def head_object(
        self: S3Response, bucket_name: str, query: dict[str, Any], key_name: str, headers: dict[str, Any]
    ) -> Any:
        number = query.pop("partNumber", [None])[0]
        status, told, body = original(self, bucket_name, query, key_name, headers)
        key = _tell_more(self, told, query.get("versionId", [None])[0], status)
        if key is not None and number is not None and status == 200:
            begin, end = _one_part(self, key, told, number)
            told["content-length"] = str(end - begin)
            return 206, told, body
        return status, told, body

    return head_object


def _tell_more(response: S3Response, headers: dict[str, Any], version: str | None, status: int) -> FakeKey | None:
    """The checksum, if it is asked for, and the version, also the null version of a bucket with versioning."""
    for name in [name for name in headers if name.lower().startswith(CHECKSUM)]:
        del headers[name]
    if status not in (200, 206, 304):
        return None
    key: FakeKey | None = response.backend.get_object(
        response.bucket_name, response.parse_key_name(), version_id=version
    )
    if key is None:
        return None
    if response.backend.get_bucket(response.bucket_name).is_versioned:
        headers["x-amz-version-id"] = key.version_id
    if status != 304 and _wants_checksum(response) and key.checksum_value and key.checksum_algorithm:
        headers[f"{CHECKSUM}{key.checksum_algorithm.lower()}"] = shown(key)
        headers[f"{CHECKSUM}type"] = key.checksum_type or FULL_OBJECT
    return key


def _wants_checksum(response: S3Response) -> bool:
    return (response.headers.get("x-amz-checksum-mode") or "").upper() == "ENABLED"


def _one_part(response: S3Response, key: FakeKey, headers: dict[str, Any], number: str) -> tuple[int, int]:
    """Where the part is in the object. Raises S3Error."""
    if not number.isdecimal() or not 1 <= int(number) <= 10_000:
        told = "Part number must be an integer between 1 and 10000, inclusive"
        raise S3Error("InvalidArgument", told, ArgumentName="partNumber", ArgumentValue=number)
    if "range" in response.headers:
        raise invalid_request("Cannot specify both Range header and partNumber query parameter")
    begin, end, count = span(key, int(number))
    headers["content-range"] = f"bytes {begin}-{max(end - 1, 0)}/{key.size}"
    headers["content-length"] = str(end - begin)
    if count is not None:
        headers["x-amz-mp-parts-count"] = str(count)
        for name in [name for name in headers if name.startswith(CHECKSUM)]:
            del headers[name]
        checksum = part_checksum(key, int(number))
        if _wants_checksum(response) and checksum is not None:
            headers[f"{CHECKSUM}{str(key.checksum_algorithm).lower()}"] = checksum
            headers[f"{CHECKSUM}type"] = COMPOSITE
    return begin, end
