"""ListBuckets, page by page [S3 API reference, ListBuckets].

Replaced: ``S3Response.all_buckets``: moto gives the first page only, and buckets in the order in which they were made.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from moto.core.responses import ActionResult
from moto.s3.responses import S3Response

from lakectl.local.s3.errors import S3Error
from lakectl.local.s3.list_objects import OWNER

MOST = 10_000


def install() -> None:
    S3Response.all_buckets = _all_buckets


def _all_buckets(self: S3Response) -> Any:
    prefix, region = self._get_param("prefix") or "", self._get_param("bucket-region")
    text, token = self._get_param("max-buckets"), self._get_param("continuation-token")
    if text is not None and not (text.isdecimal() and 1 <= int(text) <= MOST):
        told = f"Argument max-buckets must be an integer between 1 and {MOST}"
        raise S3Error("InvalidArgument", told, ArgumentName="max-buckets", ArgumentValue=text)
    most = int(text) if text is not None else MOST
    after = _place(token)
    found = sorted(
        (each for each in self.backend.buckets.values() if each.name.startswith(prefix) and each.name > after),
        key=lambda each: each.name,
    )
    found = [each for each in found if region in (None, each.region_name)]
    page = [
        {
            "Name": each.name,
            "CreationDate": each.creation_date_ISO8601,
            "BucketRegion": each.region_name,
            "BucketArn": each.arn,
        }
        for each in found[:most]
    ]
    result: dict[str, Any] = {"Owner": OWNER, "Buckets": page, "Prefix": prefix or None}
    if len(found) > most:
        result["ContinuationToken"] = base64.urlsafe_b64encode(page[-1]["Name"].encode()).decode()
    self.data["Action"] = "ListBuckets"
    return self.serialized(ActionResult(result))


def _place(token: str | None) -> str:
    try:
        return base64.urlsafe_b64decode(token or "").decode()
    except (binascii.Error, ValueError):
        told = "The continuation token provided is incorrect"
        raise S3Error("InvalidArgument", told, ArgumentName="continuation-token") from None
