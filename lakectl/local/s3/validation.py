"""S3: bucket names, keys, owners, conditions, tags.

Wrapped: ``S3Response._bucket_response`` and ``_key_response``, ``S3Backend.put_bucket_tagging`` and
``put_bucket_policy``. Uploads and notifications have modules of their own.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from moto.s3.exceptions import (
    BucketNotEmpty,
    InvalidBucketName,
    InvalidTagError,
    MissingBucket,
    PreconditionFailed,
    S3ClientError,
)
from moto.s3.models import FakeDeleteMarker, S3Backend
from moto.s3.responses import S3Response

from lakectl.local.s3 import configurations, errors, validation_notifications, validation_uploads

# "General purpose bucket naming rules" of the user guide
BUCKET_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
MAX_KEY_BYTES = 1024
MAX_LISTED = 1000
MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE = 50, 128, 256
ACCOUNT = re.compile(r"\d{12}")
NO_POLICY = "Policies must be valid JSON and the first byte must be '{'"
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
    validation_uploads.install()
    validation_notifications.install()
    configurations.install()
    errors.install()


def _bucket_request(original: Callable[..., Any]) -> Callable[..., Any]:
    def bucket_response(self: S3Response, request: Any, full_url: str) -> Any:
        name = self.parse_bucket_name_from_url(request, full_url)
        if name:
            creates = request.method == "PUT" and not request.args
            if creates and name not in self.backend.buckets:
                _check_new_name(self, name, request.headers.get("x-amz-bucket-namespace", "global"))
            _check_owner(self.backend, name, request.headers.get("x-amz-expected-bucket-owner"))
            if request.method == "DELETE" and not request.args:
                _check_empty(self.backend, name)
            listed = self.querystring.get("max-keys", ["0"])[0]
            if listed.isdigit() and int(listed) > MAX_LISTED:
                self.querystring["max-keys"] = [str(MAX_LISTED)]
        return original(self, request, full_url)

    return bucket_response


def _check_new_name(response: S3Response, name: str, namespace: str) -> None:
    """ "Account regional namespace naming rules": such names end with account, region and "-an", and no others do.

    The code of the answer is not documented; it is the one for every other bad name.
    """
    suffix = f"-{response.current_account}-{response.region}-an"
    if not is_bucket_name(name) or name.endswith("-an") != (namespace == "account-regional"):
        raise InvalidBucketName
    if namespace == "account-regional" and not (name.endswith(suffix) and len(name) > len(suffix)):
        raise InvalidBucketName


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
        if request.method in ("PUT", "POST") and not _is_condition(headers):
            return 501, {"Content-Type": "application/xml"}, NOT_IMPLEMENTED
        if request.method == "GET" and not request.args.keys() - {"versionId", "partNumber", "x-id"}:
            _check_no_marker(self.backend, bucket, self.parse_key_name(), request.args.get("versionId"))
        elif request.method in ("GET", "HEAD") and "versionId" in request.args:
            _check_no_marker(self.backend, bucket, self.parse_key_name(), request.args["versionId"])
        if request.method == "POST" and "uploadId" in request.args:
            try:
                validation_uploads.check(self.backend, bucket, self.parse_key_name(), request.args["uploadId"], headers)
            except validation_uploads.ConditionalRequestConflict:
                # moto has statuses for the errors of its API model only, and this is none of them
                return 409, {"Content-Type": "application/xml"}, validation_uploads.CONFLICT
        return original(self, request, full_url)

    return key_response


def _is_condition(headers: Mapping[str, str]) -> bool:
    """Whether S3 takes the conditions of a write: one at most, an entity tag or the ``*`` of If-None-Match."""
    if "If-Match" in headers and ("If-None-Match" in headers or headers["If-Match"] == "*"):
        return False
    return headers.get("If-None-Match", "*") == "*"


def _check_empty(backend: S3Backend, name: str) -> None:
    bucket = backend.buckets.get(name)
    if bucket is not None and bucket.keys and bucket.is_versioned:
        refusal = BucketNotEmpty(bucket_name=name)
        refusal.message += ". You must delete all versions in the bucket."
        raise refusal


def _check_no_marker(backend: S3Backend, bucket: str, key: str, version: str | None) -> None:
    """A delete marker can't be read [S3 user guide, "Working with delete markers"]."""
    versions = backend.buckets[bucket].keys.getlist(key, default=[]) if bucket in backend.buckets else []
    found = next((each for each in reversed(versions) if version in (None, str(each.version_id))), None)
    if not isinstance(found, FakeDeleteMarker):
        return
    if version is None:
        error = errors.S3Error("NoSuchKey", "The specified key does not exist.", 404, Key=key)
    else:
        told = "The specified method is not allowed against this resource."
        error = errors.S3Error("MethodNotAllowed", told, 405, Method="GET", ResourceType="DeleteMarker")
        error.headers["allow"] = "DELETE"
    error.headers |= {"x-amz-delete-marker": "true", "x-amz-version-id": str(found.version_id)}
    raise error


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
    path, _, version = source.lstrip("/").partition("?versionId=")
    bucket, _, name = unquote(path).partition("/")
    _check_owner(backend, bucket, headers.get("x-amz-source-expected-bucket-owner"))
    wanted = headers.get("x-amz-copy-source-if-match")
    if wanted is None:
        return
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
            begun = bytes(policy).lstrip().startswith(b"{")
            told = "This policy contains invalid Json" if begun else NO_POLICY
            raise Refused("MalformedPolicy", told)
        return original(self, bucket_name, policy)

    return put_bucket_policy
