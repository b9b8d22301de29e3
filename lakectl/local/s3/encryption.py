"""Server-side encryption with keys that customers give, and what the headers of encryption may say together.

[S3 user guide, "Using server-side encryption with customer-provided keys (SSE-C)"; errors as recorded from AWS by
LocalStack, ``test_s3.snapshot.json``, "sse_c"]. Who has not the key is not given the object. The bytes on this disk
are not encrypted. Wrapped: ``S3Response.put_object``, ``get_object``, ``head_object``, ``get_object_attributes``,
``copy_object``, ``upload_part``, ``upload_part_copy``, ``_key_response_post``, and ``FakeKey.response_dict``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from moto.s3.models import FakeKey
from moto.s3.responses import S3Response

from lakectl.local.s3.copies import source_of
from lakectl.local.s3.errors import S3Error, invalid_request

PREFIX = "x-amz-server-side-encryption"
OF_CUSTOMER = f"{PREFIX}-customer-"
OF_SOURCE = "x-amz-copy-source-server-side-encryption-customer-"
KEY_MD5 = "lakectl_customer_key_md5"  # an attribute of ours on an object and on an upload
ALGORITHMS = ("AES256", "aws:kms", "aws:kms:dsse")
STORED_SO = (
    "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve "
    "the object."
)
OTHER_KEY = (
    "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key."
)
NOT_SO = "The encryption parameters are not applicable to this object."
PART_WITHOUT = (
    "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate "
    "encryption parameters."
)
PART_OTHER = "The provided encryption parameters did not match the ones used originally."


def install() -> None:
    for name in ("put_object", "copy_object"):
        setattr(S3Response, name, _writing(getattr(S3Response, name), copies=name == "copy_object"))
    for name in ("get_object", "get_object_attributes", "head_object"):
        setattr(S3Response, name, _reading(getattr(S3Response, name)))
    for name in ("upload_part", "upload_part_copy"):
        setattr(S3Response, name, _of_upload(getattr(S3Response, name), copies=name == "upload_part_copy"))
    S3Response._key_response_post = _posting(S3Response._key_response_post)
    FakeKey.response_dict = property(_described(FakeKey.response_dict.fget))


def _invalid(message: str) -> S3Error:
    return S3Error("InvalidArgument", message, ArgumentName=PREFIX)


def check(headers: Mapping[str, str]) -> None:
    """The headers of a write, among themselves. Raises S3Error."""
    asked, key_id = headers.get(PREFIX), headers.get(f"{PREFIX}-aws-kms-key-id")
    if asked is not None and asked not in ALGORITHMS:
        raise _invalid("The encryption method specified is not supported")
    if key_id is not None and asked not in ALGORITHMS[1:]:
        needed = "requires HTTP header x-amz-server-side-encryption : aws:kms"
        raise _invalid(f"Server Side Encryption with AWS KMS managed key {needed}")


def customer_key(headers: Mapping[str, str], prefix: str = OF_CUSTOMER, asked: str | None = None) -> str | None:
    """The MD5 of the customer's key in base64; None if the request gives no key. Raises S3Error."""
    algorithm, key, md5 = (headers.get(f"{prefix}{name}") for name in ("algorithm", "key", "key-MD5"))
    if key is None and algorithm is None and md5 is None:
        return None
    if asked:
        raise _invalid(
            "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        )
    who = "Requests specifying Server Side Encryption with Customer provided keys must provide"
    if not algorithm:
        raise _invalid(f"{who} a valid encryption algorithm.")
    if not key:
        raise _invalid(f"{who} an appropriate secret key.")
    if not md5:
        raise _invalid(f"{who} the client calculated MD5 of the secret key.")
    if algorithm != "AES256":
        told = "The Encryption request you specified is not valid. Supported value: AES256."
        raise S3Error("InvalidEncryptionAlgorithmError", told, ArgumentName=PREFIX, ArgumentValue=algorithm)
    try:
        secret = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != 32:
        raise _invalid("The secret key was invalid for the specified algorithm.")
    if base64.b64encode(hashlib.md5(secret, usedforsecurity=False).digest()).decode() != md5:
        raise _invalid("The calculated MD5 hash of the key did not match the hash that was provided.")
    return md5


def _told(md5: str) -> dict[str, str]:
    return {f"{OF_CUSTOMER}algorithm": "AES256", f"{OF_CUSTOMER}key-MD5": md5}


def _hold(key: FakeKey, given: str | None) -> None:
    """Whether who asks has the key of the object. Raises S3Error."""
    kept: str | None = getattr(key, KEY_MD5, None)
    if kept is None and given is not None:
        raise invalid_request(NOT_SO)
    if kept is not None and given is None:
        raise invalid_request(STORED_SO)
    if kept != given:
        raise S3Error("AccessDenied", OTHER_KEY, 403)


def _described(original: Callable[[FakeKey], dict[str, Any]]) -> Callable[[FakeKey], dict[str, Any]]:
    def response_dict(self: FakeKey) -> dict[str, Any]:
        found = original(self)
        md5 = getattr(self, KEY_MD5, None)
        if md5 is not None:
            found.pop(PREFIX, None)
            found |= _told(md5)
        return found

    return response_dict


def _writing(original: Callable[..., Any], *, copies: bool) -> Callable[..., Any]:
    def write(self: S3Response) -> Any:
        check(self.headers)
        md5 = customer_key(self.headers, asked=self.headers.get(PREFIX))
        if copies:
            source = source_of(self)
            if isinstance(source, FakeKey):
                _hold(source, customer_key(self.headers, OF_SOURCE))
        status, headers, body = original(self)
        if self.backend.get_bucket(self.bucket_name).versioning_status == "Suspended":
            headers.pop("x-amz-version-id", None)  # of a null version S3 tells nothing here
        if md5 is not None:
            made = self.backend.get_object(self.bucket_name, self.parse_key_name())
            setattr(made, KEY_MD5, md5)
            headers.pop(PREFIX, None)
            headers |= _told(md5)
        return status, headers, body

    return write


def _reading(original: Callable[..., Any]) -> Callable[..., Any]:
    def read(self: S3Response, *arguments: Any, **named: Any) -> Any:
        version = self.querystring.get("versionId", [None])[0]
        if self.headers.get(PREFIX) is not None:
            raise _invalid(f"{PREFIX} header is not supported for this operation.")
        given = customer_key(self.headers)
        key = self.backend.get_object(self.bucket_name, self.parse_key_name(), version_id=version)
        if key is not None:
            _hold(key, given)
        return original(self, *arguments, **named)

    return read


def _of_upload(original: Callable[..., Any], *, copies: bool) -> Callable[..., Any]:
    def upload(self: S3Response) -> Any:
        given = customer_key(self.headers)
        bucket = self.backend.get_bucket(self.bucket_name)
        begun = bucket.multiparts.get(self._get_param("uploadId"))
        kept = getattr(begun, KEY_MD5, None)
        if begun is not None and (kept is None) != (given is None):
            raise invalid_request(PART_WITHOUT)
        if begun is not None and kept != given:
            raise invalid_request(PART_OTHER)
        if copies:
            source = source_of(self)
            if isinstance(source, FakeKey):
                _hold(source, customer_key(self.headers, OF_SOURCE))
        status, headers, body = original(self)
        if kept is not None:
            headers.pop(PREFIX, None)
            headers |= _told(kept)
        return status, headers, body

    return upload


def _posting(original: Callable[..., Any]) -> Callable[..., Any]:
    """An upload is begun with a key; the object that is made of it has that key."""

    def post(
        self: S3Response, request: Any, body: bytes, bucket_name: str, query: dict[str, Any], key_name: str
    ) -> Any:
        multiparts = self.backend.get_bucket(bucket_name).multiparts
        if "uploads" in query:
            check(self.headers)
            md5, before = customer_key(self.headers, asked=self.headers.get(PREFIX)), set(multiparts)
            status, headers, document = original(self, request, body, bucket_name, query, key_name)
            if md5 is not None:
                headers.pop(PREFIX, None)
                headers |= _told(md5)
                for upload_id in multiparts.keys() - before:
                    setattr(multiparts[upload_id], KEY_MD5, md5)
            return status, headers, document
        kept = getattr(multiparts.get(query.get("uploadId", [""])[0]), KEY_MD5, None)
        status, headers, document = original(self, request, body, bucket_name, query, key_name)
        if kept is not None and status == 200:
            setattr(self.backend.get_object(bucket_name, key_name), KEY_MD5, kept)
            headers.pop(PREFIX, None)
            headers |= _told(kept)
        return status, headers, document

    return post
