"""Which bucket and key a request to S3 names, and what it asks [S3 user guide, "Virtual hosting of buckets"]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from lakectl.local.iam.refusals import Refused, bad_request, malformed

HOST = re.compile(r"(?:(?P<bucket>[a-z0-9][a-z0-9.-]*?)\.)??(?:s3(?:[.-][a-z]{2}(?:-[a-z]+)+-\d)?\.)?localhost")
# One of them at most says what is asked for.
SUBRESOURCES = frozenset(
    ("accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory")
    + ("legal-hold", "lifecycle", "list-type", "location", "logging", "metrics", "notification", "object-lock")
    + ("ownershipControls", "policy", "policyStatus", "publicAccessBlock", "replication", "requestPayment", "restore")
    + (
        "retention",
        "select",
        "session",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versioning",
        "versions",
        "website",
    )
)
CONFIGURING = SUBRESOURCES - {"uploadId"}
NO_URI = bad_request("Couldn't parse the specified URI.", "InvalidURI", "", "")


@dataclass(frozen=True)
class Address:
    """``bucket`` and ``key`` may be empty; ``query`` holds the parameters without those of a presigned URL."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]

    @property
    def path(self) -> str:
        """Path style, percent-encoded."""
        return f"/{quote(self.bucket)}" + (f"/{quote(self.key, safe='/~')}" if self.key else "") if self.bucket else "/"

    def is_upload(self, headers: Mapping[str, Any]) -> bool:
        """Whether the body is an object's or a part's. ``headers`` is the WSGI environ."""
        plain = self.method == "PUT" and self.key and not self.query.keys() & CONFIGURING
        return bool(plain) and "HTTP_X_AMZ_COPY_SOURCE" not in headers


def read(environ: Mapping[str, Any], query: Mapping[str, str]) -> Address:
    """Raises Refused for a path that is no UTF-8, and for two subresources."""
    conflicting = sorted(query.keys() & SUBRESOURCES)
    if len(conflicting) > 1:
        raise Refused(malformed(f"Conflicting query string parameters: {', '.join(conflicting)}"))
    try:
        path = unquote_to_bytes(str(environ["RAW_URI"]).partition("?")[0]).decode()
    except UnicodeDecodeError:
        raise Refused(NO_URI) from None
    if "\0" in path:  # what ends a key in the state folder
        raise Refused(NO_URI)
    bucket, key = bucket_of_host(environ.get("HTTP_HOST", "")), path.removeprefix("/")
    if not bucket:
        bucket, _, key = key.partition("/")
        if not bucket and key:
            raise Refused(NO_URI)
    return Address(environ["REQUEST_METHOD"], bucket, key, query)


def bucket_of_host(host: str) -> str:
    """``mine`` of ``mine.localhost:1234`` and of ``mine.s3.eu-west-1.localhost``; empty for the endpoint itself."""
    found = HOST.fullmatch(host.rpartition(":")[0] or host)
    return (found["bucket"] or "") if found else ""
