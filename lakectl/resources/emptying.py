"""Deleting all that a bucket holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.errors import LakectlError

# Characters that DeleteObjects, which is XML, has no place for; DeleteObject takes them.
NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
DELETE_BATCH = 1000  # DeleteObjects takes at most 1,000 keys (API reference)
DELETERS = 8
# DeleteObjects answers 200 and names these beside single keys, so boto3 does not try again (API reference).
KEYS_FAILED = ("InternalError", "SlowDown", "ServiceUnavailable", "OperationAborted")


def empty(aws: Aws, bucket: str, prefix: str = "") -> int:
    """Delete every version, delete marker and unfinished upload under ``prefix``; how many there were."""
    s3 = aws.client("s3")

    def delete(batch: list[dict[str, str]]) -> int:
        for item in batch:
            if NO_XML.search(item["Key"]):
                s3.delete_object(Bucket=bucket, **item)
        objects = [item for item in batch if not NO_XML.search(item["Key"])]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True}) if objects else {}
        for failure in answer.get("Errors", []):
            if failure["Code"] in KEYS_FAILED:
                raise ClientError({"Error": failure}, "DeleteObjects")
            if failure["Code"] not in ("NoSuchKey", "NoSuchVersion"):
                raise LakectlError(f"can't delete s3://{bucket}/{failure['Key']}: {failure['Code']}")
        return len(batch)

    def batches() -> Iterator[list[dict[str, str]]]:
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": DELETE_BATCH}
        )
        for page in pages:
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if found:
                yield [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]

    with ThreadPoolExecutor(DELETERS, thread_name_prefix="empty") as pool:
        deleted = sum(pool.map(delete, batches()))
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix, EncodingType="url")
    for page in pages:
        for upload in page.get("Uploads", []):
            key = unquote_plus(upload["Key"]) if page.get("EncodingType") == "url" else upload["Key"]
            try:
                s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload["UploadId"])
            except ClientError as error:
                if code_of(error) != "NoSuchUpload":
                    raise
    return deleted
