"""Who signed a request, and whether the signature holds [IAM user guide, "AWS Signature Version 4 for API requests"].

Header, presigned URL, and Signature Version 2 for S3, which boto3 uses for presigned URLs unless told otherwise. The
signatures are computed by botocore's own signers; what is here takes them off a request and compares.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote

from botocore.auth import HmacV1Auth, S3SigV4Auth, SigV4Auth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY

from lakectl.local.iam import refusals, s3_address
from lakectl.local.iam.refusals import Refused

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING = ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
STREAMING_UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SKEW_SECONDS = 900
MAX_EXPIRES_SECONDS = 604_800
SCOPE = re.compile(r"([^/,\s]+)/(\d{8})/([^/,\s]*)/([^/,\s]+)/aws4_request")
# What authenticates a presigned URL and is no parameter of the operation.
QUERY_4 = {f"X-Amz-{name}" for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")}
QUERY_2 = {"AWSAccessKeyId", "Signature", "Expires"}
TOKEN = "X-Amz-Security-Token"  # noqa: S105 - the name of a parameter
AUTHENTICATION = QUERY_4 | QUERY_2 | {TOKEN, "x-amz-security-token"}


@dataclass(frozen=True)
class Signature:
    """``service`` is the signing name; ``moment`` is as the client wrote it; ``expires`` of a presigned URL in seconds
    (version 2: since the epoch), -1 for a header's.
    """

    access_key_id: str
    region: str = ""
    service: str = "s3"
    version: int = 4
    moment: str = ""
    signed_headers: tuple[str, ...] = ()
    value: str = field(default="", repr=False)
    expires: int = -1
    token: str = field(default="", repr=False)

    @property
    def scope(self) -> str:
        return f"{self.moment[:8]}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True)
class Seal:
    """What the signatures of an aws-chunked body's chunks begin with."""

    key: bytes = field(repr=False)
    moment: str
    scope: str
    signature: str


def read(environ: Mapping[str, Any]) -> Signature | None:
    """None for an anonymous request. Raises Refused for one that is signed twice, or in no way that AWS knows."""
    header = environ.get("HTTP_AUTHORIZATION", "")
    text = environ.get("QUERY_STRING", "")
    in_query = any(f"{name}=" in text for name in ("X-Amz-Algorithm", "X-Amz-Credential", "AWSAccessKeyId"))
    if header and in_query:
        raise Refused(refusals.TWO_MECHANISMS)
    if header.startswith("AWS "):
        key_id, _, value = header[4:].partition(":")
        moment = environ.get("HTTP_X_AMZ_DATE") or environ.get("HTTP_DATE", "")
        token = environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
        return Signature(key_id, version=2, moment=moment, value=value, token=token)
    if header:
        return _of_header(header, environ)
    return _of_query(text) if in_query else None


def _of_header(header: str, environ: Mapping[str, Any]) -> Signature:
    algorithm, _, rest = header.partition(" ")
    pairs = [part.strip().partition("=") for part in rest.split(",")]
    parts = {name: value for name, _, value in pairs}
    scope = SCOPE.fullmatch(parts.get("Credential", ""))
    complete = len(pairs) == 3 and parts.keys() == {"Credential", "SignedHeaders", "Signature"}
    if algorithm != ALGORITHM or not complete or scope is None:
        raise Refused(refusals.INCOMPLETE)
    moment = environ.get("HTTP_X_AMZ_DATE") or _basic_format(environ.get("HTTP_DATE", ""))
    return _checked(
        scope, moment, parts["SignedHeaders"], parts["Signature"], environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
    )


def _of_query(text: str) -> Signature:
    pairs = parse_qsl(text, keep_blank_values=True)
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Refused(refusals.INCOMPLETE_QUERY)
    token = values.get(TOKEN) or values.get(TOKEN.lower(), "")
    if "AWSAccessKeyId" in values:
        expires = values.get("Expires", "")
        if not values.keys() >= QUERY_2 or not expires.isdecimal():
            raise Refused(refusals.INCOMPLETE_QUERY)
        key_id = values["AWSAccessKeyId"]
        return Signature(key_id, version=2, value=values["Signature"], expires=int(expires), token=token)
    scope = SCOPE.fullmatch(values.get("X-Amz-Credential", ""))
    expires = values.get("X-Amz-Expires", "")
    known = values.keys() >= QUERY_4 and values["X-Amz-Algorithm"] == ALGORITHM
    if scope is None or not known or not expires.isdecimal() or not 0 < int(expires) <= MAX_EXPIRES_SECONDS:
        raise Refused(refusals.INCOMPLETE_QUERY)
    headers, value = values["X-Amz-SignedHeaders"], values["X-Amz-Signature"]
    return _checked(scope, values["X-Amz-Date"], headers, value, token, int(expires))


def _checked(scope: re.Match[str], moment: str, headers: str, value: str, token: str, expires: int = -1) -> Signature:
    names = tuple(headers.split(";"))
    if not re.fullmatch(r"\d{8}T\d{6}Z", moment) or moment[:8] != scope[2] or "host" not in names:
        raise Refused(refusals.INCOMPLETE)
    return Signature(scope[1], scope[3], scope[4], 4, moment, names, value, expires, token)


def _basic_format(date: str) -> str:
    try:
        return f"{parsedate_to_datetime(date).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    except (TypeError, ValueError):
        return ""


def verify(environ: Mapping[str, Any], signed: Signature, secret: str, payload: str) -> Seal | None:
    """Compare the signature. ``payload`` is the SHA-256 of the body in hexadecimal, or what stands for it.

    Raises Refused: the signature is another one, too old, or does not cover an ``x-amz-`` header. Returns what the
    chunks of the body are signed with, for version 4.
    """
    _check_time(signed)
    if signed.version == 2:
        found = _version_2(environ, signed, secret) if signed.service == "s3" else []
        if not any(hmac.compare_digest(each.encode(), signed.value.encode()) for each in found):
            raise Refused(refusals.MISMATCH)
        return None
    headers = _headers(environ)
    if any(name.startswith("x-amz-") for name in headers.keys() - set(signed.signed_headers)):
        raise Refused(refusals.NOT_SIGNED)
    found = _version_4(environ, signed, secret, payload, headers)
    if not any(hmac.compare_digest(each.encode(), signed.value.encode()) for each in found):
        raise Refused(refusals.MISMATCH)
    return Seal(
        signing_key(secret, signed.moment[:8], signed.region, signed.service), signed.moment, signed.scope, signed.value
    )


def _check_time(signed: Signature) -> None:
    now = time.time()
    if signed.version == 2:
        if 0 <= signed.expires < now:
            raise Refused(refusals.REQUEST_EXPIRED)
        if signed.expires < 0 and abs(_moment(signed.moment) - now) > SKEW_SECONDS:
            raise Refused(refusals.skewed(signed.moment, now))
        return
    made = _moment(signed.moment)
    if signed.expires < 0:
        if abs(made - now) > SKEW_SECONDS:
            raise Refused(refusals.skewed(signed.moment, now))
    elif made + signed.expires < now:
        raise Refused(refusals.REQUEST_EXPIRED)
    elif made > now + SKEW_SECONDS:
        raise Refused(refusals.NOT_YET_VALID)


@lru_cache(maxsize=1024)
def _moment(text: str) -> float:
    """Seconds since the epoch; AWS takes ISO 8601's basic format and HTTP's."""
    try:
        if re.fullmatch(r"\d{8}T\d{6}Z", text):
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        raise Refused(refusals.INCOMPLETE) from None


@lru_cache(maxsize=256)
def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class _Recomputed(SigV4Auth):
    """botocore's signer, for the headers that the client chose, with a key that is derived once a day."""

    names: tuple[str, ...]
    body_sum: str

    def headers_to_sign(self, request: Any) -> dict[str, str]:
        given = request.context["headers"]
        return {name: self._header_value(given.get(name, "")) for name in self.names}

    def canonical_headers(self, headers_to_sign: dict[str, str]) -> str:
        return "\n".join(f"{name}:{headers_to_sign[name]}" for name in sorted(headers_to_sign))

    def payload(self, request: Any) -> str:  # noqa: ARG002 - botocore's signature
        return self.body_sum

    def canonical_query_string(self, request: Any) -> str:
        """As AWS does it: decoded and encoded again, so that it does not matter how the client encoded."""
        if not request.context["query"]:
            return ""
        pairs = (pair.partition("=") for pair in request.context["query"].split("&") if pair)
        decoded = ((unquote(name), unquote(value)) for name, _, value in pairs)
        return self._canonical_query_string_params([each for each in decoded if each[0] != "X-Amz-Signature"])

    def signature(self, string_to_sign: str, request: Any) -> str:
        key = signing_key(
            self.credentials.secret_key, request.context["timestamp"][:8], self._region_name, self._service_name
        )
        return str(self._sign(key, string_to_sign, hex=True))


class _RecomputedS3(_Recomputed):
    _normalize_url_path = S3SigV4Auth._normalize_url_path


def _version_4(
    environ: Mapping[str, Any], signed: Signature, secret: str, payload: str, headers: Mapping[str, str]
) -> list[str]:
    """The signatures that hold: S3's clients sign the path as they send it or as AWS encodes it."""
    kind = _RecomputedS3 if signed.service == "s3" else _Recomputed
    signer = kind(Credentials(signed.access_key_id, secret), signed.service, signed.region)
    signer.names, signer.body_sum = signed.signed_headers, payload
    path, _, query = _target(environ).partition("?")
    found = []
    for each in {path: None, quote(unquote(path), safe="/-_.~"): None} if signed.service == "s3" else {path: None}:
        context = {"timestamp": signed.moment, "headers": headers, "query": query}
        request = SimpleNamespace(
            method=environ["REQUEST_METHOD"], url=f"http://host{each}", headers={}, context=context
        )
        found.append(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))
        if found[-1] == signed.value:
            break
    return found


def _version_2(environ: Mapping[str, Any], signed: Signature, secret: str) -> list[str]:
    """The signatures that hold: botocore signs a bucket's path with a slash at its end, other clients as it is."""
    path, _, text = _target(environ).partition("?")
    query = dict(parse_qsl(text, keep_blank_values=True))
    # A presigned URL holds in its query what a header would else say.
    given = {**_headers(environ), **{name.lower(): value for name, value in query.items()}}
    headers = HTTPHeaders()
    for name, value in given.items():
        if name.startswith("x-amz-") or name in ("content-md5", "content-type"):
            headers[name] = value
    signer = HmacV1Auth(Credentials(signed.access_key_id, secret))
    date = "" if "x-amz-date" in given else _headers(environ).get("date", "")
    signer._get_date = lambda: str(signed.expires) if signed.expires >= 0 else date
    bucket = s3_address.bucket_of_host(environ.get("HTTP_HOST", ""))
    rest = "&".join(pair for pair in text.split("&") if pair.partition("=")[0] not in AUTHENTICATION)
    split = SplitResult("http", "", path, rest, "")
    whole = f"/{bucket}{path}" if bucket else path
    paths = [whole] if whole.count("/") > 1 else [whole, f"{whole}/"]
    return [str(signer.get_signature(environ["REQUEST_METHOD"], split, headers, auth_path=each)) for each in paths]


def _target(environ: Mapping[str, Any]) -> str:
    """The request's target as it came."""
    return str(environ["RAW_URI"])


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Lower-case name → value. A name that holds ``_`` is kept in the environ beside the header (moto's request)."""
    spelled = environ.get(PRESERVED_HEADER_NAMES_ENVIRON_KEY) or {}
    found = {}
    for name, value in environ.items():
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            plain = spelled.get(name) or name.removeprefix("HTTP_").replace("_", "-")
            found[plain.lower()] = _as_utf8(value)
    return found


def _as_utf8(value: str) -> str:
    try:
        return value if value.isascii() else value.encode("latin-1").decode()
    except UnicodeError:
        return value
