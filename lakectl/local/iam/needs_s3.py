"""What a request to S3 needs (Service Authorization Reference, "Amazon S3"; S3 user guide, "Required permissions")."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from lakectl.local.iam.evaluator import Check

Context = dict[str, tuple[str, ...]]

# subresource → (read, write, delete) actions of a bucket
BUCKET = {
    "accelerate": ("GetAccelerateConfiguration", "PutAccelerateConfiguration", ""),
    "acl": ("GetBucketAcl", "PutBucketAcl", ""),
    "cors": ("GetBucketCORS", "PutBucketCORS", "PutBucketCORS"),
    "encryption": ("GetEncryptionConfiguration", "PutEncryptionConfiguration", "PutEncryptionConfiguration"),
    "lifecycle": ("GetLifecycleConfiguration", "PutLifecycleConfiguration", "PutLifecycleConfiguration"),
    "location": ("GetBucketLocation", "", ""),
    "logging": ("GetBucketLogging", "PutBucketLogging", ""),
    "notification": ("GetBucketNotification", "PutBucketNotification", ""),
    "object-lock": ("GetBucketObjectLockConfiguration", "PutBucketObjectLockConfiguration", ""),
    "ownershipControls": ("GetBucketOwnershipControls", "PutBucketOwnershipControls", "PutBucketOwnershipControls"),
    "policy": ("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
    "policyStatus": ("GetBucketPolicyStatus", "", ""),
    "publicAccessBlock": (
        "GetBucketPublicAccessBlock",
        "PutBucketPublicAccessBlock",
        "PutBucketPublicAccessBlock",
    ),
    "replication": ("GetReplicationConfiguration", "PutReplicationConfiguration", "PutReplicationConfiguration"),
    "tagging": ("GetBucketTagging", "PutBucketTagging", "PutBucketTagging"),
    "uploads": ("ListBucketMultipartUploads", "", ""),
    "versioning": ("GetBucketVersioning", "PutBucketVersioning", ""),
    "versions": ("ListBucketVersions", "", ""),
    "website": ("GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"),
}
# subresource → (read, write, delete) actions of an object
OBJECT = {
    "acl": ("GetObjectAcl", "PutObjectAcl", ""),
    "legal-hold": ("GetObjectLegalHold", "PutObjectLegalHold", ""),
    "retention": ("GetObjectRetention", "PutObjectRetention", ""),
    "tagging": ("GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"),
    "attributes": ("GetObjectAttributes", "", ""),
}
VERB = {"GET": 0, "HEAD": 0, "PUT": 1, "POST": 1, "DELETE": 2}
VERSIONED = {"GetObject", "DeleteObject", *(each for row in OBJECT.values() for each in row if each)}


# What a request may say besides its subresource (Amazon S3 API, ListObjectsV2, GetObject, UploadPart and their like).
OPTIONS = {
    *("prefix", "delimiter", "marker", "max-keys", "list-type", "continuation-token", "start-after", "fetch-owner"),
    *("encoding-type", "key-marker", "version-id-marker", "upload-id-marker", "max-uploads", "max-parts"),
    *("part-number-marker", "partNumber", "uploadId", "uploads", "versionId", "delete", "x-id"),
    *("AWSAccessKeyId", "Signature", "Expires"),
}
OPTION_PREFIXES = ("response-", "X-Amz-", "x-amz-")


def checks(parameters: dict[str, Any]) -> list[Check] | None:
    """The checks, all of which must pass; None for a request that this table does not know."""
    bucket, key, method = parameters["bucket"], parameters["key"], parameters["method"]
    if not bucket:
        return [Check("s3:ListAllMyBuckets", "*")] if method == "GET" else None
    others = [name for name in parameters["query"] if name not in OPTIONS and not name.startswith(OPTION_PREFIXES)]
    if method not in VERB or not set(others) <= (OBJECT if key else BUCKET).keys():
        return None  # "?inventory" with PUT is no CreateBucket
    arn = f"arn:aws:s3:::{bucket}"
    return _object(parameters, f"{arn}/{key}") if key else _bucket(parameters, arn)


def context(parameters: dict[str, Any]) -> Context:
    """The condition keys of S3 that the request bears."""
    query, headers = parameters["query"], parameters["headers"]
    found: Context = {}
    named = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys", "versionId": "s3:versionid"}
    found |= {key: (query[name],) for name, key in named.items() if name in query}
    named = {
        "if-none-match": "s3:if-none-match",
        "if-match": "s3:if-match",
        "x-amz-acl": "s3:x-amz-acl",
        "x-amz-server-side-encryption": "s3:x-amz-server-side-encryption",
        "x-amz-storage-class": "s3:x-amz-storage-class",
        "x-amz-copy-source": "s3:x-amz-copy-source",
    }
    found |= {key: (headers[name],) for name, key in named.items() if name in headers}
    method = parameters["method"]
    creates = (method == "PUT" and not query.keys() & {*OBJECT, "partNumber"}) or (
        method == "POST" and "uploadId" in query
    )
    return found | {"s3:objectcreationoperation": (str(creates).lower(),)}


def _bucket(parameters: dict[str, Any], arn: str) -> list[Check] | None:
    method, query = parameters["method"], parameters["query"]
    if method == "POST" and "delete" in query:
        found = _deletions(parameters["body"], arn)
        return found and [*found, *_bypass(parameters["headers"], f"{arn}/*")]
    for name, actions in BUCKET.items():
        if name in query:
            action = actions[VERB[method]]
            return [Check(f"s3:{action}", arn)] if action else None
    if method == "PUT":
        return [Check("s3:CreateBucket", arn)]
    if method == "DELETE":
        return [Check("s3:DeleteBucket", arn)]
    return [Check("s3:ListBucket", arn)] if method in ("GET", "HEAD") else None


def _object(parameters: dict[str, Any], arn: str) -> list[Check] | None:
    method, query, headers = parameters["method"], parameters["query"], parameters["headers"]
    if method == "POST" and not query.keys() & {"uploads", "uploadId"}:
        return None
    action = "GetObject"
    for name, actions in OBJECT.items():
        if name in query:
            action = actions[VERB[method]]
            break
    else:
        if "uploadId" in query and method != "PUT":
            action = {"GET": "ListMultipartUploadParts", "DELETE": "AbortMultipartUpload", "POST": "PutObject"}[method]
        elif method in ("PUT", "POST"):
            action = "PutObject"
        elif method == "DELETE":
            action = "DeleteObject"
    if not action:
        return None
    if "versionId" in query and action in VERSIONED:
        action = action.replace("Object", "ObjectVersion", 1)
    found = [Check(f"s3:{action}", arn), *_bypass(headers, arn)]
    if action == "PutObject":
        found += _copy_source(headers) + _put_headers(headers, arn)
    return found


def _bypass(headers: dict[str, str], arn: str) -> list[Check]:
    asked = headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
    return [Check("s3:BypassGovernanceRetention", arn)] if asked else []


def _copy_source(headers: dict[str, str]) -> list[Check]:
    source = headers.get("x-amz-copy-source")
    if not source:
        return []
    name, _, version = source.lstrip("/").partition("?versionId=")
    return [Check("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{unquote(name)}")]


def _put_headers(headers: dict[str, str], arn: str) -> list[Check]:
    found = []
    if "x-amz-tagging" in headers:
        found.append(Check("s3:PutObjectTagging", arn))
    if "x-amz-acl" in headers or any(name.startswith("x-amz-grant-") for name in headers):
        found.append(Check("s3:PutObjectAcl", arn))
    if "x-amz-object-lock-mode" in headers:
        found.append(Check("s3:PutObjectRetention", arn))
    return found


def _deletions(body: bytes, arn: str) -> list[Check] | None:
    """DeleteObjects answers for each key on AWS; here one key that may not go refuses the request."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - from a client of this machine; expat has its own limits
    except ElementTree.ParseError:
        return None
    found = []
    for each in root.iter():
        if each.tag.rpartition("}")[2] == "Object":
            fields = {child.tag.rpartition("}")[2]: child.text or "" for child in each}
            action = "s3:DeleteObjectVersion" if fields.get("VersionId") else "s3:DeleteObject"
            found.append(Check(action, f"{arn}/{fields.get('Key', '')}"))
    return found or None
