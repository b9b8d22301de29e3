"""CopyObject: the copy is one piece, with an entity tag and a checksum of all its bytes, in however many parts the
source came [S3 API reference, CopyObject; S3 user guide, "Checking object integrity"].

moto gives the copy the source's checksum of parts, and forgets that it is one. Replaced: ``S3Response.copy_object``.
Wrapped: ``S3Response._key_response``: what has to be computed of the source's bytes is computed before the request is
alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from moto.core.responses import ActionResult
from moto.core.utils import str_to_rfc_1123_datetime
from moto.s3.exceptions import (
    CopyObjectMustChangeSomething,
    MissingKey,
    MissingVersion,
    ObjectNotInActiveTierError,
    PreconditionFailed,
    S3ClientError,
)
from moto.s3.models import FakeDeleteMarker, FakeKey
from moto.s3.responses import S3Response
from moto.s3.utils import ARCHIVE_STORAGE_CLASSES, metadata_from_headers

from lakectl.local.durable.bodies import Bodies, Body, BodyGone
from lakectl.local.s3 import checksums
from lakectl.local.s3.completion import UNSUPPORTED
from lakectl.local.s3.errors import S3Error, invalid_request

DIRECTIVES = ("COPY", "REPLACE")
MAX_COPY_BYTES = 5 * 2**30
_prepared = threading.local()  # .sums: (source's body, algorithm) → checksum


def install(bodies: Bodies) -> None:
    S3Response.copy_object = _copy_object(bodies)
    S3Response._key_response = _preparing(S3Response._key_response, bodies)


def _preparing(original: Callable[..., Any], bodies: Bodies) -> Callable[..., Any]:
    def key_response(self: S3Response, request: Any, full_url: str) -> Any:
        if request.method == "PUT" and "x-amz-copy-source" in request.headers and "uploadId" not in request.args:
            try:
                source = source_of(self)
                if isinstance(source, FakeKey) and source.size <= MAX_COPY_BYTES:
                    bodies.md5(source.body)
                    _checksum(source, _algorithm(self, source), bodies)
            except (S3ClientError, S3Error, BodyGone, OSError):
                pass  # the request itself is answered with what is wrong
        try:
            return original(self, request, full_url)
        finally:
            _prepared.sums = {}

    return key_response


def source_of(response: S3Response) -> FakeKey | FakeDeleteMarker | None:
    bucket, name, version = source_address(response.headers["x-amz-copy-source"])
    found: FakeKey | FakeDeleteMarker | None = response.backend.get_object(
        bucket, name, version_id=version, return_delete_marker=True
    )
    return found


def source_address(header: str) -> tuple[str, str, str | None]:
    """Bucket, key and version id of the header, whose form was looked at when the request was read."""
    path, _, version = header.partition("?versionId=")
    bucket, _, name = unquote(path).lstrip("/").partition("/")
    return bucket, name, unquote(version) or None


def _algorithm(response: S3Response, source: FakeKey) -> str:
    asked = (response.headers.get("x-amz-checksum-algorithm") or "").upper()
    if asked and asked not in checksums.ALGORITHMS:
        raise invalid_request(UNSUPPORTED)
    kept = source.checksum_algorithm if source.checksum_algorithm in checksums.ALGORITHMS else checksums.DEFAULT
    return asked or str(kept)


def _checksum(source: FakeKey, algorithm: str, bodies: Bodies) -> str:
    """Of all bytes of the source: its own, if it is that, else computed, once for each request."""
    if source.checksum_algorithm == algorithm and source.checksum_value and source.multipart is None:
        return str(source.checksum_value)
    sums: dict[tuple[Body, str], str] = _prepared.__dict__.setdefault("sums", {})
    where = (source.body, algorithm)
    if where not in sums:
        sums[where] = checksums.of(algorithm, bodies.chunks(source.body))
    return sums[where]


def _copy_object(bodies: Bodies) -> Callable[..., Any]:
    def copy_object(self: S3Response) -> Any:
        source = _source(self)
        headers, backend = self.headers, self.backend
        bucket = backend.get_bucket(self.bucket_name)
        key_name = self.parse_key_name()
        replaces = _directive(headers, "x-amz-metadata-directive") == "REPLACE"
        replaces_tags = _directive(headers, "x-amz-tagging-directive") == "REPLACE"
        tags = self._tagging_from_headers(headers) if replaces_tags else None
        algorithm = _algorithm(self, source)
        value = _checksum(source, algorithm, bodies)
        encryption = headers.get("x-amz-server-side-encryption")
        bucket_key = headers.get("x-amz-server-side-encryption-bucket-key-enabled")
        onto_itself = (source.bucket_name, source.name) == (self.bucket_name, key_name)
        versioned = "?versionId=" in headers["x-amz-copy-source"] and bucket.is_versioned
        changes = (replaces, encryption, headers.get("x-amz-storage-class"), versioned)
        if onto_itself and not any((*changes, headers.get("x-amz-website-redirect-location"))):
            raise CopyObjectMustChangeSomething
        legal_hold, mode, until = self._get_lock_details(bucket, bucket.object_lock_enabled)
        backend.copy_object(
            source,
            self.bucket_name,
            key_name,
            storage=headers.get("x-amz-storage-class"),
            encryption=encryption,
            kms_key_id=headers.get("x-amz-server-side-encryption-aws-kms-key-id"),
            bucket_key_enabled=None if bucket_key is None else str(bucket_key).lower(),
            mdirective="REPLACE" if replaces else "COPY",
            metadata=metadata_from_headers(headers),
            website_redirect_location=headers.get("x-amz-website-redirect-location"),
            lock_mode=mode,
            lock_legal_status=legal_hold,
            lock_until=until,
            provided_version_id=source.version_id,
        )
        made: FakeKey = backend.get_object(self.bucket_name, key_name)
        made.checksum_algorithm, made.checksum_value = algorithm, value
        made.checksum_type, made.checksum_parts = checksums.FULL_OBJECT, None
        made.set_acl(self._acl_from_headers(headers) or bucket.acl)
        if tags is not None:
            backend.put_object_tagging(made, tags)
        return _answer(self, made, source)

    return copy_object


def _source(response: S3Response) -> FakeKey:
    source = source_of(response)
    _, name, version = source_address(response.headers["x-amz-copy-source"])
    if isinstance(source, FakeDeleteMarker) and version:
        raise invalid_request(
            "The source of a copy request may not specifically refer to a delete marker by version id."
        )
    if not isinstance(source, FakeKey):
        raise MissingVersion() if version else MissingKey(key=name)
    check_conditions(response.headers, source)
    if source.size > MAX_COPY_BYTES:
        raise invalid_request(
            f"The specified copy source is larger than the maximum allowable size for a copy source: {MAX_COPY_BYTES}"
        )
    if source.storage_class in ARCHIVE_STORAGE_CLASSES:
        restored = source.response_dict.get("x-amz-restore")
        if restored is None or 'ongoing-request="true"' in restored:
            raise ObjectNotInActiveTierError(source)
    return source


def check_conditions(headers: Any, source: FakeKey) -> None:
    """``x-amz-copy-source-if-…``, of which one that holds goes before the dates [S3 API reference, CopyObject]."""
    prefix = "x-amz-copy-source-if-"
    tag = source.etag.strip('"')
    match, none_match = headers.get(f"{prefix}match"), headers.get(f"{prefix}none-match")
    since, unmodified = headers.get(f"{prefix}modified-since"), headers.get(f"{prefix}unmodified-since")
    changed = source.last_modified.replace(microsecond=0)
    if match is not None and match.strip('"') not in ("*", tag):
        raise PreconditionFailed(f"{prefix.replace('if-', 'If-')}Match")
    if none_match is not None and none_match.strip('"') in ("*", tag):
        raise PreconditionFailed(f"{prefix.replace('if-', 'If-')}None-Match")
    if unmodified and match is None and changed > str_to_rfc_1123_datetime(unmodified):
        raise PreconditionFailed(f"{prefix.replace('if-', 'If-')}Unmodified-Since")
    if since and none_match is None and changed <= str_to_rfc_1123_datetime(since):
        raise PreconditionFailed(f"{prefix.replace('if-', 'If-')}Modified-Since")


def _directive(headers: Any, name: str) -> str:
    value = headers.get(name) or "COPY"
    if value not in DIRECTIVES:
        raise S3Error("InvalidArgument", f"Unknown {name.removeprefix('x-amz-').replace('-', ' ')}.")
    return str(value)


def _answer(response: S3Response, made: FakeKey, source: FakeKey) -> Any:
    response.data["Action"] = "CopyObject"
    result = {
        "ETag": made.etag,
        "LastModified": made.last_modified_ISO8601,
        f"Checksum{made.checksum_algorithm}": made.checksum_value,
        "ChecksumType": made.checksum_type,
    }
    status, headers, body = response.serialized(ActionResult({"CopyObjectResult": result}))
    headers.update(response._get_cors_headers_other())
    described = made.response_dict
    kept = ("x-amz-server-side-encryption", "x-amz-version-id", "x-amz-expiration")
    headers |= {name: value for name, value in described.items() if name.startswith(kept)}
    if source.version_id != "null":
        headers["x-amz-copy-source-version-id"] = source.version_id
    headers["content-length"] = str(len(body.encode() if isinstance(body, str) else body))
    return status, headers, body
