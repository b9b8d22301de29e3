"""S3: ListObjects and ListObjectsV2, page by page [S3 API reference].

moto puts a page's keys before its common prefixes, takes an unknown marker for the beginning, and remembers a token of
each page that it gives. Here keys and common prefixes are in one order, and a token says where the next page begins.
Replaced: ``S3Response.list_objects`` and ``list_objects_v2``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.s3.exceptions import InvalidContinuationToken, MethodNotAllowed
from moto.s3.models import FakeKey, FakeTableStorageBucket
from moto.s3.responses import S3Response

from lakectl.local.s3.errors import S3Error

MOST = 1000
OWNER = {"DisplayName": "webfile", "ID": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"}
TOKEN_VERSION = b"1:"


@dataclass(frozen=True)
class Page:
    keys: list[FakeKey]
    prefixes: list[str]
    last: str  # the name of the last entry; "" when nothing comes after it


def install() -> None:
    S3Response.list_objects = _list_objects
    S3Response.list_objects_v2 = _list_objects_v2


def _list_objects(self: S3Response) -> Any:
    marker = _asked(self, "marker")
    page = _page(self, marker)
    found = {"Marker": marker, **_told(self, page, with_owner=True)}
    if page.last and _asked(self, "delimiter"):
        found["NextMarker"] = page.last
    self.data["Action"] = "ListObjects"
    return self.serialized(ActionResult(found))


def _list_objects_v2(self: S3Response) -> Any:
    token = self.querystring.get("continuation-token", [None])[0]
    after = _asked(self, "start-after")
    page = _page(self, after if token is None else _place(token))
    found = _told(self, page, with_owner=_asked(self, "fetch-owner").lower() == "true")
    found["KeyCount"] = len(page.keys) + len(page.prefixes)
    if page.last:
        found["NextContinuationToken"] = base64.urlsafe_b64encode(TOKEN_VERSION + page.last.encode()).decode()
    if token is not None:
        found["ContinuationToken"] = token
    if after:
        found["StartAfter"] = after
    self.data["Action"] = "ListObjectsV2"
    return self.serialized(ActionResult(found))


def _asked(response: S3Response, name: str) -> str:
    return str(response.querystring.get(name, [""])[0] or "")


def _most(response: S3Response) -> int:
    text = _asked(response, "max-keys")
    return min(int(text), MOST) if text else MOST


def _place(token: str) -> str:
    try:
        place = base64.urlsafe_b64decode(token)
        if place.startswith(TOKEN_VERSION):
            return place.removeprefix(TOKEN_VERSION).decode()
    except (binascii.Error, ValueError):
        pass
    if not token:
        raise InvalidContinuationToken
    raise S3Error("InvalidArgument", "The continuation token provided is incorrect", ArgumentName="continuation-token")


def _page(response: S3Response, marker: str) -> Page:
    bucket = response.backend.get_bucket(response.bucket_name)
    if isinstance(bucket, FakeTableStorageBucket):
        raise MethodNotAllowed
    most = _most(response)
    keys: list[FakeKey] = []
    prefixes: list[str] = []
    last = ""
    for name, key in _entries(bucket.keys, _asked(response, "prefix"), _asked(response, "delimiter"), marker):
        if len(keys) + len(prefixes) == most:
            return Page(keys, prefixes, last)
        last = name
        if key is None:
            prefixes.append(name)
        else:
            keys.append(key)
    return Page(keys, prefixes, "")


def _entries(keys: Any, prefix: str, delimiter: str, marker: str) -> Iterator[tuple[str, FakeKey | None]]:
    """What comes after the marker: (key, object), or (common prefix, None)."""
    rolled = ""
    for name in sorted(name for name in list(keys) if name > marker and name.startswith(prefix)):
        current = keys.get(name)
        if not isinstance(current, FakeKey):
            continue
        head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if not found:
            yield name, current
            continue
        common = prefix + head + found
        if common not in (rolled, marker):
            yield common, None
        rolled = common


def _told(response: S3Response, page: Page, *, with_owner: bool) -> dict[str, Any]:
    return {
        "Name": response.bucket_name,
        "Prefix": _asked(response, "prefix"),
        "Delimiter": _asked(response, "delimiter") or None,
        "MaxKeys": _most(response),
        "IsTruncated": bool(page.last),
        "Contents": [_entry(key, with_owner=with_owner) for key in page.keys],
        "CommonPrefixes": [{"Prefix": prefix} for prefix in page.prefixes],
    }


def _entry(key: FakeKey, *, with_owner: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Key": key.name,
        "LastModified": key.last_modified_ISO8601,
        "ETag": key.etag,
        "Size": key.size,
        "StorageClass": key.storage_class,
    }
    if key.checksum_algorithm:
        found |= {"ChecksumAlgorithm": [key.checksum_algorithm], "ChecksumType": key.checksum_type or "FULL_OBJECT"}
    if with_owner:
        found["Owner"] = OWNER
    return found
