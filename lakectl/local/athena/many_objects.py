"""Many objects in one request to the endpoint: a whole listing, the bytes of small ones, or where those bytes are.

A request for each object costs 3 ms, and a page of 1,000 entries 300 ms, most of it XML: a table over 10,000 files took
half a minute. AWS has no such requests, so nothing outside the local endpoint makes them. The endpoint judges them as
the ListObjectsV2 and GetObject that they stand for.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lakectl.local.athena.access import Access

ADDRESS = "/_lakectl/objects"
MOST_KEYS = 500  # in one request
LENGTH_BYTES = 8  # before each object's bytes
TIMEOUT_S = 60
_TRIES = 2


def listing(access: Access, bucket: str, prefix: str) -> Iterator[tuple[str, str, int]]:
    """Key, ETag and size of every object below ``prefix``, in order.

    Raises ClientError, as ListObjectsV2 does, where the bucket is not there or may not be listed.
    """
    found = _ask(access, {"listing": [bucket, prefix]})
    if found is not None:
        yield from ((key, etag, size) for key, etag, size in json.loads(found))
        return
    for page in access.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from ((each["Key"], each["ETag"], each["Size"]) for each in page.get("Contents", []))


def fetch(access: Access, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    """Each ``s3://bucket/key`` and its bytes, in order, with the permissions of ``access``.

    Raises ClientError, as GetObject does, for an object that is not there or may not be read.
    """
    for start in range(0, len(paths), MOST_KEYS):
        some = paths[start : start + MOST_KEYS]
        found = _ask(access, {"objects": [path.removeprefix("s3://").split("/", 1) for path in some]})
        yield from zip(some, (_each(access, some) if found is None else _parts(found)), strict=True)


@dataclass(frozen=True)
class Place:
    """Where an object's bytes are on the endpoint's disk. ``segments``: (file, offset, length), in order."""

    segments: tuple[tuple[str, int, int], ...]

    @property
    def size(self) -> int:
        return sum(length for _, _, length in self.segments)


def place(access: Access, path: str) -> Place:
    """Of one ``s3://bucket/key``. Raises ClientError, as HeadObject does, if it is not there or may not be read, and
    FileNotFoundError if it is not there for long."""
    for _ in range(_TRIES):
        found = _places(access, [path])
        if found is not None:
            return found[path]
        bucket, _, key = path.removeprefix("s3://").partition("/")
        access.client("s3").head_object(Bucket=bucket, Key=key)  # says why
    raise FileNotFoundError(path)


def places(access: Access, paths: list[str]) -> dict[str, Place]:
    """Of all objects that are there and may be read; if one can't, of none of its neighbours in the same request."""
    found: dict[str, Place] = {}
    for start in range(0, len(paths), MOST_KEYS):
        found |= _places(access, paths[start : start + MOST_KEYS]) or {}
    return found


def _places(access: Access, paths: list[str]) -> dict[str, Place] | None:
    found = _ask(access, {"places": [path.removeprefix("s3://").split("/", 1) for path in paths]})
    if found is None:
        return None
    each = [Place(tuple((name, offset, length) for name, offset, length in segments)) for segments in json.loads(found)]
    return dict(zip(paths, each, strict=True))


def _ask(access: Access, wanted: dict[str, Any]) -> bytes | None:
    """None for what is refused: S3 itself is then asked, and says why."""
    body = json.dumps(wanted).encode()
    request = AWSRequest("POST", access.endpoint_url + ADDRESS, data=body, headers={"Content-Type": "application/json"})
    keys = access.keys
    S3SigV4Auth(
        Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token or None), "s3", access.region
    ).add_auth(request)
    headers = dict(request.prepare().headers.items())
    status, found = _post(urlsplit(access.endpoint_url).netloc, body, headers)
    return found if status == http.HTTPStatus.OK else None


_OPEN = threading.local()  # one connection for each thread: opening one costs as much as a small request


def _post(netloc: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """A connection that has ended since the last request is opened again."""
    for attempt in range(_TRIES):
        kept = getattr(_OPEN, "connection", None)
        if kept is None or f"{kept.host}:{kept.port}" != netloc:
            kept = _OPEN.connection = http.client.HTTPConnection(netloc, timeout=TIMEOUT_S)
        try:
            kept.request("POST", ADDRESS, body, headers)
            answer = kept.getresponse()
            return answer.status, answer.read()
        except (http.client.HTTPException, ConnectionError):
            kept.close()
            _OPEN.connection = None
            if attempt == _TRIES - 1:
                raise
        except BaseException:
            kept.close()  # what comes next on it would be the answer to this request
            _OPEN.connection = None
            raise
    raise AssertionError  # the last attempt returns or raises


def _parts(answer: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(answer):
        begin = place + LENGTH_BYTES
        place = begin + int.from_bytes(answer[place:begin], "big")
        yield answer[begin:place]


def _each(access: Access, paths: list[str]) -> Iterator[bytes]:
    s3 = access.client("s3")
    for path in paths:
        bucket, _, key = path.removeprefix("s3://").partition("/")
        yield s3.get_object(Bucket=bucket, Key=key)["Body"].read()
