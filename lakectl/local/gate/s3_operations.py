"""AWS's name of the operation that a request to S3 asks for (Amazon S3 API reference; botocore's model).

S3's requests have no operation in them: it follows from the method, from whether bucket and key are named, from the
subresource in the query string, and from two headers.
"""

from __future__ import annotations

from lakectl.local.iam.calls import Call

_CONFIGURATIONS = {
    "abac": "BucketAbac",
    "accelerate": "BucketAccelerateConfiguration",
    "acl": "BucketAcl",
    "analytics": "BucketAnalyticsConfiguration",
    "cors": "BucketCors",
    "encryption": "BucketEncryption",
    "intelligent-tiering": "BucketIntelligentTieringConfiguration",
    "inventory": "BucketInventoryConfiguration",
    "lifecycle": "BucketLifecycleConfiguration",
    "logging": "BucketLogging",
    "metadataConfiguration": "BucketMetadataConfiguration",
    "metadataTable": "BucketMetadataTableConfiguration",
    "metrics": "BucketMetricsConfiguration",
    "notification": "BucketNotificationConfiguration",
    "object-lock": "ObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "publicAccessBlock": "PublicAccessBlock",
    "replication": "BucketReplication",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
_VERBS = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}
_LISTED = ("analytics", "intelligent-tiering", "inventory", "metrics")  # without an id, GET lists them all
_BUCKET = {
    (method, name): f"{verb}{noun}" for name, noun in _CONFIGURATIONS.items() for method, verb in _VERBS.items()
} | {
    ("DELETE", "lifecycle"): "DeleteBucketLifecycle",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "policyStatus"): "GetBucketPolicyStatus",
    ("GET", "session"): "CreateSession",
    ("GET", "uploads"): "ListMultipartUploads",
    ("GET", "versions"): "ListObjectVersions",
    ("POST", "delete"): "DeleteObjects",
    ("POST", "metadataConfiguration"): "CreateBucketMetadataConfiguration",
    ("POST", "metadataTable"): "CreateBucketMetadataTableConfiguration",
    ("PUT", "metadataAnnotationTable"): "UpdateBucketMetadataAnnotationTableConfiguration",
    ("PUT", "metadataInventoryTable"): "UpdateBucketMetadataInventoryTableConfiguration",
    ("PUT", "metadataJournalTable"): "UpdateBucketMetadataJournalTableConfiguration",
}
_OBJECT = {
    ("DELETE", "annotation"): "DeleteObjectAnnotation",
    ("DELETE", "tagging"): "DeleteObjectTagging",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("GET", "acl"): "GetObjectAcl",
    ("GET", "annotation"): "GetObjectAnnotation",
    ("GET", "attributes"): "GetObjectAttributes",
    ("GET", "legal-hold"): "GetObjectLegalHold",
    ("GET", "retention"): "GetObjectRetention",
    ("GET", "tagging"): "GetObjectTagging",
    ("GET", "torrent"): "GetObjectTorrent",
    ("GET", "uploadId"): "ListParts",
    ("POST", "restore"): "RestoreObject",
    ("POST", "select"): "SelectObjectContent",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("PUT", "acl"): "PutObjectAcl",
    ("PUT", "annotation"): "PutObjectAnnotation",
    ("PUT", "encryption"): "UpdateObjectEncryption",
    ("PUT", "legal-hold"): "PutObjectLegalHold",
    ("PUT", "renameObject"): "RenameObject",
    ("PUT", "retention"): "PutObjectRetention",
    ("PUT", "tagging"): "PutObjectTagging",
    ("PUT", "uploadId"): "UploadPart",
}
_PLAIN_BUCKET = {
    "DELETE": "DeleteBucket",
    "GET": "ListObjects",
    "HEAD": "HeadBucket",
    "POST": "PostObject",  # of a browser's form, with a policy in it: botocore has no such operation
    "PUT": "CreateBucket",
}
_PLAIN_OBJECT = {"DELETE": "DeleteObject", "GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject"}


def name_of(call: Call) -> str:
    """The operation's name; "" for a request that is none."""
    address = call.address
    if address is None:
        return ""
    method, query = address.method, address.query
    if not address.bucket:
        if method != "GET":
            return ""
        return "ListDirectoryBuckets" if query.get("x-id") == "ListDirectoryBuckets" else "ListBuckets"
    if address.bucket == "WriteGetObjectResponse" and method == "POST":
        return "WriteGetObjectResponse"
    if not query:
        found = (_PLAIN_OBJECT if address.key else _PLAIN_BUCKET).get(method, "")
        return "CopyObject" if found == "PutObject" and _copies(call) else found
    return _object(call, method) if address.key else _bucket(call, method)


def _copies(call: Call) -> bool:
    return "x-amz-copy-source" in call.parameters["headers"]


def _bucket(call: Call, method: str) -> str:
    query = call.parameters["query"]
    for each in query:
        found = _BUCKET.get((method, each))
        if found:
            return _listing(each) if method == "GET" and each in _LISTED and "id" not in query else found
    if method == "GET" and query.get("list-type") == "2":
        return "ListObjectsV2"
    return _PLAIN_BUCKET.get(method, "")


def _listing(subresource: str) -> str:
    return f"List{_CONFIGURATIONS[subresource]}s"


def _object(call: Call, method: str) -> str:
    query = call.parameters["query"]
    for each in query:
        found = _OBJECT.get((method, each))
        if found == "UploadPart" and _copies(call):
            return "UploadPartCopy"
        if found == "GetObjectAnnotation" and "annotationName" not in query:
            return "ListObjectAnnotations"
        if found:
            return found
    found = _PLAIN_OBJECT.get(method, "")
    return "CopyObject" if found == "PutObject" and _copies(call) else found
