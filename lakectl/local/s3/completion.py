"""CompleteMultipartUpload and CreateMultipartUpload: parts, their checksums, and the whole object's.

As S3 was recorded to answer (LocalStack, ``tests/aws/services/s3/test_s3.snapshot.json``, "multipart_checksum"), and in
the S3 user guide, "Checking object integrity". moto compares neither checksums nor sizes.
Replaced: the part of ``S3Response._key_response_post`` that completes. Wrapped: what of it begins an upload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from moto.core.responses import ActionResult
from moto.s3.exceptions import NoSuchUpload, PreconditionFailed
from moto.s3.models import FakeKey, FakeMultipart
from moto.s3.responses import S3Response

from lakectl.local.s3 import checksums, xml
from lakectl.local.s3.checksums import ALGORITHMS, COMPOSITE, FULL_OBJECT
from lakectl.local.s3.errors import S3Error, invalid_request, malformed_xml

LOCK = "lakectl_lock"  # an attribute of ours on an upload: what the object's lock will be
MIN_PART_BYTES = 5 * 2**20
NO_PART = (
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
    "entity tag may not match the part's entity tag."
)
UNSUPPORTED = (
    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
    "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
)


@dataclass(frozen=True)
class Listed:
    """A part as CompleteMultipartUpload lists it. ``sums``: algorithm → base64."""

    number: int
    etag: str
    sums: Mapping[str, str]


def install() -> None:
    S3Response._key_response_post = _posting(S3Response._key_response_post)


def _posting(original: Callable[..., Any]) -> Callable[..., Any]:
    def post(
        self: S3Response, request: Any, body: bytes, bucket_name: str, query: dict[str, Any], key_name: str
    ) -> Any:
        if "uploads" in query:
            return _begin(self, lambda: original(self, request, body, bucket_name, query, key_name), bucket_name)
        if "uploadId" in query:
            return _complete(self, body, bucket_name, query["uploadId"][0], key_name)
        return original(self, request, body, bucket_name, query, key_name)

    return post


def algorithm_of(upload: FakeMultipart) -> str:
    """What the upload was begun with; "" for none: S3 adds CRC64NVME of the full object then."""
    return str(upload.metadata.get("x-amz-checksum-algorithm") or "").upper()


def type_of(upload: FakeMultipart) -> str:
    kind = str(upload.metadata.get("x-amz-checksum-type") or "").upper()
    return kind or (FULL_OBJECT if algorithm_of(upload) in ("", "CRC64NVME") else COMPOSITE)


def _begin(response: S3Response, original: Callable[[], Any], bucket_name: str) -> Any:
    algorithm = (response.headers.get("x-amz-checksum-algorithm") or "").upper()
    kind = (response.headers.get("x-amz-checksum-type") or "").upper()
    if algorithm and algorithm not in ALGORITHMS:
        raise invalid_request(UNSUPPORTED)
    if kind and not algorithm:
        raise invalid_request(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        )
    if kind not in ("", FULL_OBJECT, COMPOSITE):
        raise invalid_request("Value for x-amz-checksum-type header is invalid.")
    if (kind == COMPOSITE and algorithm == "CRC64NVME") or (kind == FULL_OBJECT and algorithm.startswith("SHA")):
        raise invalid_request(
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    bucket = response.backend.get_bucket(bucket_name)
    lock = response._get_lock_details(bucket, bucket.object_lock_enabled)
    before = set(bucket.multiparts)
    status, headers, body = original()
    headers.setdefault("x-amz-server-side-encryption", "AES256")
    for upload_id in bucket.multiparts.keys() - before:
        setattr(bucket.multiparts[upload_id], LOCK, lock)
        if algorithm:
            headers["x-amz-checksum-algorithm"] = algorithm
            headers["x-amz-checksum-type"] = type_of(bucket.multiparts[upload_id])
    return status, headers, body


def _complete(response: S3Response, body: bytes, bucket_name: str, upload_id: str, key_name: str) -> Any:
    backend = response.backend
    existing = backend.get_object(bucket_name, key_name)
    if existing is not None and existing.multipart and existing.multipart.id == upload_id:
        return _answer(response, existing, bucket_name)  # the same request again
    if response.headers.get("If-None-Match") == "*" and existing is not None:
        raise PreconditionFailed("If-None-Match")
    upload = backend.get_bucket(bucket_name).multiparts.get(upload_id)
    if upload is None or upload.key_name != key_name:
        raise NoSuchUpload(upload_id=upload_id)
    listed = _listed(body)
    parts = [_checked(upload, each, upload_id) for each in listed]
    for part, each in zip(parts[:-1], listed[:-1], strict=True):
        if part.size < MIN_PART_BYTES:
            raise S3Error(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ETag=each.etag,
                PartNumber=each.number,
                MinSizeAllowed=MIN_PART_BYTES,
                ProposedSize=part.size,
            )
    algorithm, kind, value = _whole(response, upload, parts)
    key = backend.complete_multipart_upload(bucket_name, upload_id, [(each.number, each.etag) for each in listed])
    key.checksum_algorithm, key.checksum_type, key.checksum_value = algorithm, kind, value
    key.checksum_parts = len(parts)
    key.lock_legal_status, key.lock_mode, key.lock_until = getattr(upload, LOCK, (None, None, None))
    return _answer(response, key, bucket_name)


def _listed(body: bytes) -> list[Listed]:
    if not body:
        raise invalid_request("You must specify at least one part")
    found = []
    for part in xml.parse(body).findall("Part"):
        number, etag = xml.number(part, "PartNumber"), xml.text(part, "ETag")
        if number is None or etag is None:
            raise malformed_xml()
        sums = {name: xml.text(part, f"Checksum{name}") for name in ALGORITHMS}
        found.append(Listed(number, etag.strip('"'), {name: value for name, value in sums.items() if value}))
    if not found:
        raise malformed_xml()
    if any(one.number >= two.number for one, two in pairwise(found)):
        raise S3Error(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        )
    return found


def _checked(upload: FakeMultipart, listed: Listed, upload_id: str) -> FakeKey:
    part = upload.parts.get(listed.number)
    missing = S3Error("InvalidPart", NO_PART, UploadId=upload_id, PartNumber=listed.number, ETag=listed.etag)
    if part is None or part.etag.strip('"') != listed.etag:
        raise missing
    algorithm = algorithm_of(upload)
    if not algorithm:
        if listed.sums:
            raise missing
        return part
    given = listed.sums.get(algorithm)
    if given is not None:
        if given != sums_of(part).get(algorithm):
            raise missing
    elif type_of(upload) == COMPOSITE:
        for other in listed.sums:
            told = f"The {other.lower()} you specified for part {listed.number} did not match what we received."
            raise S3Error("BadDigest", told)
        raise invalid_request(
            f"The upload was created using a {algorithm.lower()} checksum. The complete request must include the "
            f"checksum for each part. It was missing for part {listed.number} in the request."
        )
    return part


def sums_of(part: FakeKey) -> Mapping[str, str]:
    """All checksums of a part that are known (algorithm → base64)."""
    found: Mapping[str, str] = getattr(part, "sums", {})
    return found


def _whole(response: S3Response, upload: FakeMultipart, parts: list[FakeKey]) -> tuple[str, str, str]:
    """Algorithm, type and value of the object's checksum. Raises S3Error when the request says another."""
    asked, kind = algorithm_of(upload), type_of(upload)
    headers = response.headers
    wanted = (headers.get("x-amz-checksum-type") or "").upper()
    if wanted and wanted != (kind if asked else ""):
        raise invalid_request(
            f"The upload was created using the {kind if asked else 'null'} checksum mode. The complete request must "
            "use the same checksum mode."
        )
    size = headers.get("x-amz-mp-object-size")
    total = sum(part.size for part in parts)
    if size is not None and size != str(total):
        raise invalid_request(
            f"The provided 'x-amz-mp-object-size' header value {size} does not match what was computed: {total}"
        )
    algorithm = asked or checksums.DEFAULT
    pairs = ((sums_of(part)[algorithm], part.size) for part in parts)
    compute = checksums.composite if kind == COMPOSITE else checksums.full_object
    value = compute(algorithm, pairs)
    given = {name: headers.get(f"x-amz-checksum-{name.lower()}") for name in ALGORITHMS}
    shown = f"{value}-{len(parts)}" if kind == COMPOSITE else value
    for name, each in given.items():
        if each and asked and (name != algorithm or each not in (value, shown)):
            raise S3Error("BadDigest", f"The {asked.lower()} you specified did not match the calculated checksum.")
    return algorithm, kind, value


def shown(key: FakeKey) -> str:
    """The value of an object's checksum as S3 shows it."""
    value = str(key.checksum_value)
    return f"{value}-{key.checksum_parts}" if key.checksum_type == COMPOSITE and "-" not in value else value


def _answer(response: S3Response, key: FakeKey, bucket_name: str) -> Any:
    response.data["Action"] = "CompleteMultipartUpload"
    result: dict[str, Any] = {
        "Location": f"http://{bucket_name}.s3.amazonaws.com/{key.name}",
        "Bucket": bucket_name,
        "Key": key.name,
        "ETag": key.etag,
    }
    if key.checksum_value and not key.kms_key_id:
        result |= {f"Checksum{key.checksum_algorithm}": shown(key), "ChecksumType": key.checksum_type}
    status, headers, body = response.serialized(ActionResult(result))
    if response.backend.get_bucket(bucket_name).versioning_status == "Enabled":
        headers["x-amz-version-id"] = key.version_id
    described = key.response_dict
    headers |= {name: value for name, value in described.items() if name.startswith("x-amz-server-side-encryption")}
    return status, headers, body
