"""S3: the parts of uploads and of objects that came in parts: ListParts, ListMultipartUploads, GetObjectAttributes, and
one part of an object by its number [S3 API reference].

moto ignores markers, limits and checksums here. Replaced: ``S3Response.list_parts``, ``list_multipart_uploads`` and
``get_object_attributes``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.s3.exceptions import MissingKey, MissingVersion, NoSuchUpload
from moto.s3.models import FakeDeleteMarker, FakeKey, FakeMultipart
from moto.s3.responses import S3Response

from lakectl.local.s3.checksums import COMPOSITE, FULL_OBJECT
from lakectl.local.s3.completion import algorithm_of, sums_of, type_of
from lakectl.local.s3.errors import S3Error
from lakectl.local.s3.list_objects import MOST, OWNER

ATTRIBUTES = {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}
BEGUN = "lakectl_begun"  # of an upload, as ``validation_uploads`` notes it


def install() -> None:
    S3Response.list_parts = _list_parts
    S3Response.list_multipart_uploads = _list_uploads
    S3Response.get_object_attributes = _attributes


def _number(response: S3Response, name: str, default: int) -> int:
    text = response.querystring.get(name, [""])[0]
    return int(text) if text else default


def _list_parts(self: S3Response) -> Any:
    upload_id, key_name = self.querystring["uploadId"][0], self.parse_key_name()
    upload = self.backend.get_bucket(self.bucket_name).multiparts.get(upload_id)
    if upload is None or upload.key_name != key_name:
        raise NoSuchUpload(upload_id=upload_id)
    marker, most = _number(self, "part-number-marker", 0), min(_number(self, "max-parts", MOST), MOST)
    after = [number for number in upload.partlist if number > marker]
    algorithm = algorithm_of(upload)
    found: dict[str, Any] = {
        "Bucket": self.bucket_name,
        "Key": key_name,
        "UploadId": upload_id,
        "StorageClass": upload.storage or "STANDARD",
        "Initiator": OWNER,
        "Owner": OWNER,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": after[:most][-1] if after[:most] else 0,
        "MaxParts": most,
        "IsTruncated": len(after) > most,
        "Parts": [_part(upload.parts[number], algorithm, number) for number in after[:most]],
    }
    if algorithm:
        found |= {"ChecksumAlgorithm": algorithm, "ChecksumType": type_of(upload)}
    self.data["Action"] = "ListParts"
    return self.serialized(ActionResult(found))


def _part(part: FakeKey, algorithm: str, number: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "PartNumber": number,
        "LastModified": part.last_modified_ISO8601,
        "ETag": part.etag,
        "Size": part.size,
    }
    if algorithm in sums_of(part):
        found[f"Checksum{algorithm}"] = sums_of(part)[algorithm]
    return found


def _list_uploads(self: S3Response) -> Any:
    bucket = self.backend.get_bucket(self.bucket_name)
    prefix, delimiter, key_marker, id_marker = (
        str(self.querystring.get(name, [""])[0] or "")
        for name in ("prefix", "delimiter", "key-marker", "upload-id-marker")
    )
    most = min(_number(self, "max-uploads", MOST), MOST)
    uploads: list[dict[str, Any]] = []
    prefixes: list[str] = []
    last: tuple[str, str] = ("", "")
    truncated = False
    for name, upload in _uploads(list(bucket.multiparts.values()), prefix, delimiter, key_marker, id_marker):
        if len(uploads) + len(prefixes) == most:
            truncated = most > 0
            break
        last = (name, upload.id if upload is not None else "")
        if upload is None:
            prefixes.append(name)
        else:
            uploads.append(_upload(upload))
    found = {
        "Bucket": self.bucket_name,
        "KeyMarker": key_marker,
        "UploadIdMarker": id_marker if key_marker else "",
        "NextKeyMarker": last[0] if truncated else "",
        "NextUploadIdMarker": last[1] if truncated else "",
        "MaxUploads": most,
        "IsTruncated": truncated,
        "Prefix": prefix,
        "Delimiter": delimiter or None,
        "Uploads": uploads,
        "CommonPrefixes": [{"Prefix": each} for each in prefixes],
    }
    self.data["Action"] = "ListMultipartUploads"
    return self.serialized(ActionResult(found))


def _uploads(
    all_of_them: list[FakeMultipart], prefix: str, delimiter: str, key_marker: str, id_marker: str
) -> Iterator[tuple[str, FakeMultipart | None]]:
    """What comes after the markers, by key and by the time of the upload: (key, upload) or (common prefix, None)."""
    ordered = sorted(all_of_them, key=lambda each: (each.key_name, getattr(each, BEGUN, datetime.min), each.id))
    ids = [each.id for each in ordered if each.key_name == key_marker]
    rolled = ""
    for upload in ordered:
        name = upload.key_name
        if not name.startswith(prefix) or name < key_marker:
            continue
        if name == key_marker and (id_marker not in ids or ids.index(upload.id) <= ids.index(id_marker)):
            continue
        head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if not found:
            yield name, upload
            continue
        common = prefix + head + found
        if common not in (rolled, key_marker):
            yield common, None
        rolled = common


def _upload(upload: FakeMultipart) -> dict[str, Any]:
    begun: datetime | None = getattr(upload, BEGUN, None)
    found: dict[str, Any] = {
        "Key": upload.key_name,
        "UploadId": upload.id,
        "Initiator": OWNER,
        "Owner": OWNER,
        "StorageClass": upload.storage or "STANDARD",
        "Initiated": begun,
    }
    algorithm = algorithm_of(upload)
    if algorithm:
        found |= {"ChecksumAlgorithm": algorithm, "ChecksumType": type_of(upload)}
    return found


def span(key: FakeKey, number: int) -> tuple[int, int, int | None]:
    """Begin and end (behind the last byte) of a part, and how many parts there are; None: it is one piece."""
    parts = key.multipart.parts if key.multipart else None
    count = len(parts) if parts else 1
    if not 1 <= number <= count:
        raise S3Error(
            "InvalidPartNumber",
            "The requested partnumber is not satisfiable",
            416,
            PartNumberRequested=number,
            ActualPartCount=count,
        )
    if not parts:
        return 0, key.size, None
    sizes = [parts[each].size for each in sorted(parts)]
    begin = sum(sizes[: number - 1])
    return begin, begin + sizes[number - 1], count


def part_checksum(key: FakeKey, number: int) -> str | None:
    """The checksum of a part, for an object whose own is one of its parts' checksums."""
    if not key.multipart or key.checksum_type != COMPOSITE:
        return None
    parts = key.multipart.parts
    return sums_of(parts[sorted(parts)[number - 1]]).get(str(key.checksum_algorithm))


def _attributes(self: S3Response) -> Any:
    key_name, version_id = self.parse_key_name(), self._get_param("versionId")
    key = self.backend.get_object(self.bucket_name, key_name, version_id=version_id, return_delete_marker=True)
    if isinstance(key, FakeDeleteMarker) and version_id:
        raise S3Error("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
    if not isinstance(key, FakeKey):
        raise MissingVersion() if version_id else MissingKey(key=key_name)
    asked = {each.strip() for each in (self.headers.get("x-amz-object-attributes") or "").split(",")}
    if not asked <= ATTRIBUTES or not asked - {""}:
        raise S3Error("InvalidArgument", "Invalid attribute name specified.", ArgumentName="x-amz-object-attributes")
    found: dict[str, Any] = {"LastModified": key.last_modified}
    if "ETag" in asked:
        found["ETag"] = key.etag.strip('"')
    if "ObjectSize" in asked:
        found["ObjectSize"] = key.size
    if "StorageClass" in asked:
        found["StorageClass"] = key.storage_class
    if "Checksum" in asked and key.checksum_value:
        kind = key.checksum_type or FULL_OBJECT
        found["Checksum"] = {f"Checksum{key.checksum_algorithm}": key.checksum_value, "ChecksumType": kind}
    if "ObjectParts" in asked and key.multipart:
        found["ObjectParts"] = _object_parts(self, key)
    bucket = self.backend.get_bucket(self.bucket_name)
    if bucket.is_versioned:
        found["VersionId"] = key.version_id
    self.data["Action"] = "GetObjectAttributes"
    return self.serialized(ActionResult(found))


def _object_parts(response: S3Response, key: FakeKey) -> dict[str, Any]:
    """The list is there for composite checksums only, as S3 was recorded to answer."""
    parts = key.multipart.parts
    found: dict[str, Any] = {"TotalPartsCount": len(parts)}
    if key.checksum_type != COMPOSITE:
        return found
    marker = int(response.headers.get("x-amz-part-number-marker") or 0)
    most = min(int(response.headers.get("x-amz-max-parts") or MOST), MOST)
    after = [number for number in sorted(parts) if number > marker]
    algorithm = str(key.checksum_algorithm)
    listed = [
        {
            "PartNumber": number,
            "Size": parts[number].size,
            f"Checksum{algorithm}": sums_of(parts[number]).get(algorithm),
        }
        for number in after[:most]
    ]
    return found | {
        "IsTruncated": len(after) > most,
        "MaxParts": most,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": after[:most][-1] if after[:most] else 0,
        "Parts": listed,
    }
