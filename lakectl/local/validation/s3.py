"""S3: bucket names, keys, owners, conditions, tags, destinations.

Wrapped: ``S3Response._bucket_response`` and ``_key_response``, ``S3Backend.put_bucket_tagging``, ``put_bucket_policy``
and ``put_bucket_notification_configuration``.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from moto.s3.exceptions import (
    InvalidBucketName,
    InvalidTagError,
    MissingBucket,
    MissingKey,
    PreconditionFailed,
    S3ClientError,
)
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response

UNREACHABLE = "Unable to validate the following destination configurations"
# "General purpose bucket naming rules" of the user guide
BUCKET_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
MAX_KEY_BYTES = 1024
MAX_LISTED = 1000
MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE = 50, 128, 256
ACCOUNT = re.compile(r"\d{12}")
NOT_IMPLEMENTED = (
    "<Error><Code>NotImplemented</Code>"
    "<Message>A header you provided implies functionality that is not implemented</Message></Error>"
)


class Refused(S3ClientError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def install() -> None:
    S3Response._bucket_response = _bucket_request(S3Response._bucket_response)
    S3Response._key_response = _key_request(S3Response._key_response)
    S3Backend.put_bucket_tagging = _tagging(S3Backend.put_bucket_tagging)
    S3Backend.put_bucket_policy = _policy(S3Backend.put_bucket_policy)
    S3Backend.put_bucket_notification_configuration = _notification(S3Backend.put_bucket_notification_configuration)


def _bucket_request(original: Callable[..., Any]) -> Callable[..., Any]:
    def bucket_response(self: S3Response, request: Any, full_url: str) -> Any:
        name = self.parse_bucket_name_from_url(request, full_url)
        if name:
            creates = request.method == "PUT" and not request.args
            if creates and not is_bucket_name(name) and name not in self.backend.buckets:
                raise InvalidBucketName
            _check_owner(self.backend, name, request.headers.get("x-amz-expected-bucket-owner"))
            listed = self.querystring.get("max-keys", ["0"])[0]
            if listed.isdigit() and int(listed) > MAX_LISTED:
                self.querystring["max-keys"] = [str(MAX_LISTED)]
        return original(self, request, full_url)

    return bucket_response


def is_bucket_name(name: str) -> bool:
    if not BUCKET_NAME.fullmatch(name) or name.startswith(PREFIXES) or name.endswith(SUFFIXES):
        return False
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return True
    return False


def _key_request(original: Callable[..., Any]) -> Callable[..., Any]:
    def key_response(self: S3Response, request: Any, full_url: str) -> Any:
        headers = request.headers
        bucket = self.parse_bucket_name_from_url(request, full_url)
        if len(self.parse_key_name().encode()) > MAX_KEY_BYTES:
            raise Refused("KeyTooLongError", "Your key is too long")
        _check_owner(self.backend, bucket, headers.get("x-amz-expected-bucket-owner"))
        source = headers.get("x-amz-copy-source")
        if source:
            _check_source(self.backend, source, headers)
        if request.method in ("PUT", "POST") and headers.get("If-None-Match", "*") != "*":
            return 501, {"Content-Type": "application/xml"}, NOT_IMPLEMENTED
        completes = request.method == "POST" and "uploadId" in request.args
        if completes and headers.get("If-Match"):
            key = self.backend.get_object(bucket, self.parse_key_name())
            if key is None:
                raise MissingKey(key=self.parse_key_name())
            if key.etag.strip('"') != headers["If-Match"].strip('"'):
                raise PreconditionFailed("If-Match")
        return original(self, request, full_url)

    return key_response


def _check_owner(backend: S3Backend, bucket: str, expected: str | None) -> None:
    if expected is None:
        return
    if not ACCOUNT.fullmatch(expected):
        message = "The value of the expected bucket owner parameter must be an AWS account ID"
        raise Refused("InvalidBucketOwnerAWSAccountID", message)
    try:
        owner = backend.get_bucket(bucket).account_id
    except MissingBucket:
        return  # the request itself is answered with NoSuchBucket
    if owner != expected:
        raise Refused("AccessDenied", "Access Denied")


def _check_source(backend: S3Backend, source: str, headers: Mapping[str, str]) -> None:
    bucket, _, rest = unquote(source).lstrip("/").partition("/")
    _check_owner(backend, bucket, headers.get("x-amz-source-expected-bucket-owner"))
    wanted = headers.get("x-amz-copy-source-if-match")
    if wanted is None:
        return
    name, _, version = rest.partition("?versionId=")
    key = backend.get_object(bucket, name, version_id=version or None)
    if key is not None and wanted.strip('"') not in ("*", key.etag.strip('"')):
        raise PreconditionFailed("x-amz-copy-source-If-Match")


def _tagging(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_bucket_tagging(self: S3Backend, bucket_name: str, tags: dict[str, str]) -> Any:
        if len(tags) > MAX_TAGS:
            raise Refused("BadRequest", f"Bucket tag count cannot be greater than {MAX_TAGS}")
        for key, value in tags.items():
            if not 1 <= len(key) <= MAX_TAG_KEY:
                raise InvalidTagError("The TagKey you have provided is invalid")
            if len(value) > MAX_TAG_VALUE:
                raise InvalidTagError("The TagValue you have provided is invalid")
        return original(self, bucket_name, tags)

    return put_bucket_tagging


def _policy(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_bucket_policy(self: S3Backend, bucket_name: str, policy: bytes) -> Any:
        try:
            document = json.loads(policy)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise Refused("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
        return original(self, bucket_name, policy)

    return put_bucket_policy


def _notification(original: Callable[..., Any]) -> Callable[..., Any]:
    def put(self: S3Backend, bucket_name: str, notification_config: dict[str, Any]) -> Any:
        for kind in ("Queue", "Topic"):
            for entry in notification_config.get(f"{kind}Configuration") or []:
                if not _exists(kind, entry[kind]):
                    raise Refused("InvalidArgument", UNREACHABLE)
        return original(self, bucket_name, notification_config)

    return put


def _exists(kind: str, arn: str) -> bool:
    _, _, _, region, account, name = (arn.split(":") + [""] * 6)[:6]
    if kind == "Queue":
        from moto.sqs.models import sqs_backends

        return bool(region) and name in sqs_backends[account][region].queues
    from moto.sns.models import sns_backends

    return bool(region) and arn in sns_backends[account][region].topics
