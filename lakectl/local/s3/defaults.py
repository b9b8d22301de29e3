"""What S3 sets for new buckets and objects by itself, and what follows from it.

- January 2023: every object is encrypted, with AES256 where nothing else is asked for [S3 user guide, "Amazon S3 now
  automatically encrypts all new objects"]. Bytes on this machine's disk are not.
- April 2023: a new bucket blocks public access and has no ACLs (BucketOwnerEnforced) [S3 user guide, "Default settings
  for new S3 buckets FAQ"].

Wrapped: ``FakeBucket.__init__``, ``S3Backend.get_bucket_encryption``, ``put_bucket_policy``, ``S3Response``'s
``_acl_from_headers`` and ``_acl_from_body``, ``_bucket_response_put``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.s3.models import FakeAcl, FakeBucket, PublicAccessBlock, S3Backend
from moto.s3.responses import S3Response
from moto.s3.utils import bucket_policy_is_public

from lakectl.local.s3.errors import S3Error

ENFORCED = "BucketOwnerEnforced"
OWNERSHIPS = (ENFORCED, "BucketOwnerPreferred", "ObjectWriter")
ENCRYPTION = {
    "Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"},
}
CREATING = "lakectl_creating"  # an attribute of ours on a response
PUBLIC_CANNED = ("public-read", "public-read-write", "authenticated-read")
OWNERS_CANNED = "bucket-owner-full-control"
# Canned ACLs [S3 user guide, "Access control list (ACL) overview"]
CANNED = ("private", *PUBLIC_CANNED, "aws-exec-read", "bucket-owner-read", OWNERS_CANNED, "log-delivery-write")


def install() -> None:
    FakeBucket.__init__ = _new_bucket(FakeBucket.__init__)
    S3Backend.get_bucket_encryption = _encrypted(S3Backend.get_bucket_encryption)
    S3Backend.put_bucket_policy = _unless_public(S3Backend.put_bucket_policy)
    S3Response._acl_from_headers = _acl_from_headers(S3Response._acl_from_headers)
    S3Response._acl_from_body = _acl_from_body(S3Response._acl_from_body)
    S3Response._bucket_response_put = _bucket_put(S3Response._bucket_response_put)
    S3Response._acl_to_dict = staticmethod(_with_empty(S3Response._acl_to_dict))


def _new_bucket(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: FakeBucket, *args: Any, **named: Any) -> None:
        original(self, *args, **named)
        self.public_access_block = PublicAccessBlock("true", "true", "true", "true")
        self.ownership_rule = ENFORCED

    return init


def _encrypted(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_bucket_encryption(self: S3Backend, bucket_name: str) -> Any:
        return original(self, bucket_name) or ENCRYPTION

    return get_bucket_encryption


def _blocks(bucket: FakeBucket, setting: str) -> bool:
    block = bucket.public_access_block
    return block is not None and str(getattr(block, setting)).lower() == "true"


def _unless_public(original: Callable[..., None]) -> Callable[..., None]:
    def put_bucket_policy(self: S3Backend, bucket_name: str, policy: bytes) -> None:
        if _blocks(self.get_bucket(bucket_name), "block_public_policy") and bucket_policy_is_public(policy):
            told = (
                f'User is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::{bucket_name}" '
                "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
            )
            raise S3Error("AccessDenied", told, 403)
        original(self, bucket_name, policy)

    return put_bucket_policy


def _acl_from_headers(original: Callable[..., Any]) -> Callable[..., Any]:
    def acl_from_headers(self: S3Response, headers: Mapping[str, str]) -> FakeAcl | None:
        canned = headers.get("x-amz-acl") or ""
        if canned and canned not in CANNED:
            raise S3Error("InvalidArgument", "", ArgumentName="x-amz-acl", ArgumentValue=canned)
        granted = _grants(headers)
        bucket = self.backend.buckets.get(self.bucket_name)
        if bucket is not None and (canned or granted) and not getattr(self, CREATING, False):
            _check_acl(bucket, canned, granted)
        found: FakeAcl | None = original(self, headers)
        return found

    return acl_from_headers


def _grants(headers: Mapping[str, str]) -> bool:
    return any(name.lower().startswith("x-amz-grant-") for name, _ in headers.items())


def _acl_from_body(original: Callable[..., Any]) -> Callable[..., Any]:
    def acl_from_body(self: S3Response) -> FakeAcl | None:
        bucket = self.backend.buckets.get(self.bucket_name)
        if bucket is not None:
            _check_acl(bucket, "", granted=True)
        found: FakeAcl | None = original(self)
        return found

    return acl_from_body


def _with_empty(original: Callable[..., Any]) -> Callable[..., Any]:
    """Of an ACL without grants moto keeps nothing."""

    def acl_to_dict(acl: FakeAcl | None) -> Any:
        return original(acl if acl is not None else FakeAcl([]))

    return acl_to_dict


def _check_acl(bucket: FakeBucket, canned: str, granted: bool) -> None:
    if bucket.ownership_rule == ENFORCED and (granted or canned != OWNERS_CANNED):
        raise S3Error("AccessControlListNotSupported", "The bucket does not allow ACLs")
    if canned in PUBLIC_CANNED and _blocks(bucket, "block_public_acls"):
        raise S3Error("AccessDenied", "Access Denied", 403)


def _bucket_put(original: Callable[..., Any]) -> Callable[..., Any]:
    def bucket_response_put(self: S3Response, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        ownership = request.headers.get("x-amz-object-ownership")
        if querystring or bucket_name in self.backend.buckets:
            return original(self, request, bucket_name, querystring)
        if ownership and ownership not in OWNERSHIPS:
            raise S3Error(
                "InvalidArgument",
                "Invalid x-amz-object-ownership header: " + ownership,
                ArgumentName="x-amz-object-ownership",
            )
        canned = request.headers.get("x-amz-acl") or ""
        granted = _grants(request.headers)
        if (ownership or ENFORCED) == ENFORCED and (granted or canned not in ("", "private", OWNERS_CANNED)):
            told = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
            raise S3Error("InvalidBucketAclWithObjectOwnership", told)
        if canned in PUBLIC_CANNED:
            # A new bucket blocks public ACLs until PutPublicAccessBlock or DeletePublicAccessBlock.
            told = "Bucket cannot have public ACLs set with BlockPublicAccess enabled"
            raise S3Error("InvalidBucketAclWithBlockPublicAccessError", told)
        setattr(self, CREATING, True)  # what its ACL may be is checked above
        return original(self, request, bucket_name, querystring)

    return bucket_response_put
