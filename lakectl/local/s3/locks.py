"""S3 Object Lock: retention, legal holds, and the bucket's default.

[S3 user guide, "Locking objects with Object Lock"; S3 API reference, PutObjectRetention, PutObjectLegalHold,
PutObjectLockConfiguration; errors as recorded from AWS by LocalStack, ``test_s3.snapshot.json``, "object_lock" and
"object_retention"]. moto lets a retention be shortened and taken away, loses the lock of an upload in parts, and has no
GetObjectRetention. Replaced: ``S3Response._get_lock_details``, ``put_object_retention``, ``put_object_legal_hold``,
``get_object_legal_hold``, ``get_object_lock_configuration``, the part of ``_bucket_response_put`` that sets it.
Wrapped: ``S3Response._key_response_get``, ``S3Backend.put_bucket_versioning``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from moto.core.responses import ActionResult
from moto.s3.exceptions import MissingKey, MissingVersion, ObjectLockConfigurationNotFoundError
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend
from moto.s3.responses import S3Response

from lakectl.local.s3 import xml
from lakectl.local.s3.deletion import LOCKED, bypasses
from lakectl.local.s3.errors import S3Error, invalid_request, malformed_xml

MODES = ("GOVERNANCE", "COMPLIANCE")
NO_LOCKS = "Bucket is missing Object Lock Configuration"
BOTH = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
MAX_DAYS, MAX_YEARS = 36_500, 100
Lock = tuple[str | None, str | None, str | None]  # legal hold, mode, until


def install() -> None:
    S3Response._get_lock_details = _get_lock_details
    S3Response.put_object_retention = _put_retention
    S3Response.put_object_legal_hold = _put_legal_hold
    S3Response.get_object_legal_hold = _get_legal_hold
    S3Response.get_object_lock_configuration = _get_configuration
    S3Response._key_response_get = _with_retention(S3Response._key_response_get)
    S3Response._bucket_response_put = _with_configuration(S3Response._bucket_response_put)
    S3Backend.put_bucket_versioning = _not_suspended(S3Backend.put_bucket_versioning)


def _get_lock_details(self: S3Response, bucket: FakeBucket, lock_enabled: bool) -> Lock:
    return of_request(self.headers, bucket, lock_enabled)


def of_request(headers: Mapping[str, str], bucket: FakeBucket, lock_enabled: bool) -> Lock:
    """The lock of a new object. Raises S3Error."""
    mode = headers.get("x-amz-object-lock-mode")
    until = headers.get("x-amz-object-lock-retain-until-date")
    hold = headers.get("x-amz-object-lock-legal-hold")
    if (mode or until or hold) and not lock_enabled:
        raise invalid_request(NO_LOCKS)
    if bool(mode) != bool(until):
        raise S3Error("InvalidArgument", BOTH)
    if mode and mode not in MODES:
        raise S3Error("InvalidArgument", "Unknown wormMode directive.", ArgumentName="x-amz-object-lock-mode")
    if hold not in (None, "ON", "OFF"):
        raise S3Error("InvalidArgument", "Legal Hold must be either of 'ON' or 'OFF'")
    if until:
        until = _told(_future(until))
    elif lock_enabled and bucket.default_lock_mode:
        mode = bucket.default_lock_mode
        years, days = bucket.default_lock_years or 0, bucket.default_lock_days or 0
        until = _told(datetime.now(UTC) + timedelta(days=days + 365 * years))
    return hold, mode, until


def _future(text: str) -> datetime:
    moment = _moment(text)
    if moment is None:
        raise S3Error("InvalidArgument", "The retain until date must be provided in ISO 8601 format")
    if moment <= datetime.now(UTC):
        pacific = moment.astimezone(ZoneInfo("America/Los_Angeles"))
        raise S3Error(
            "InvalidArgument",
            "The retain until date must be in the future!",
            ArgumentName="RetainUntilDate",
            ArgumentValue=f"{pacific:%a %b %d %H:%M:%S %Z %Y}",
        )
    return moment


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _told(moment: datetime) -> str:
    """As S3 shows it, and as moto compares it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _key(response: S3Response) -> FakeKey:
    """The object version that a request about its lock names. Raises an error of S3's."""
    bucket = response.backend.get_bucket(response.bucket_name)
    key_name, version_id = response.parse_key_name(), response._get_param("versionId")
    found = response.backend.get_object(
        response.bucket_name, key_name, version_id=version_id, return_delete_marker=True
    )
    if isinstance(found, FakeDeleteMarker):
        raise S3Error("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
    if found is None:
        raise MissingVersion(key=key_name, version_id=version_id) if version_id else MissingKey(key=key_name)
    if not bucket.object_lock_enabled:
        raise invalid_request(NO_LOCKS)
    return found


def _no_lock() -> S3Error:
    told = "The specified object does not have a ObjectLock configuration"
    return S3Error("NoSuchObjectLockConfiguration", told, 404)


def _put_retention(self: S3Response) -> Any:
    key = _key(self)
    document = xml.parse(self.body, "Retention")
    mode, until = xml.text(document, "Mode"), xml.text(document, "RetainUntilDate")
    if len(document) and (mode not in MODES or not until or _moment(until) is None):
        raise malformed_xml()
    moment = _future(until) if until else None
    before = _moment(key.lock_until) if key.lock_until else None
    weaker = moment is None or (before is not None and before > moment)
    weaker = weaker or (mode == "GOVERNANCE" and key.lock_mode == "COMPLIANCE")
    holds = before is not None and before > datetime.now(UTC)
    if holds and weaker and (key.lock_mode == "COMPLIANCE" or not bypasses(self)):
        raise S3Error("AccessDenied", LOCKED, 403)
    key.lock_mode, key.lock_until = (mode, _told(moment)) if moment else (None, None)
    return 200, {}, ""


def _put_legal_hold(self: S3Response) -> Any:
    key = _key(self)
    status = xml.text(xml.parse(self.body, "LegalHold"), "Status")
    if status not in ("ON", "OFF"):
        raise malformed_xml()
    key.lock_legal_status = status
    return 200, {}, ""


def _get_legal_hold(self: S3Response) -> Any:
    key = _key(self)
    if not key.lock_legal_status:
        raise _no_lock()
    self.data["Action"] = "GetObjectLegalHold"
    return self.serialized(ActionResult({"LegalHold": {"Status": key.lock_legal_status}}))


def _with_retention(original: Callable[..., Any]) -> Callable[..., Any]:
    def key_response_get(self: S3Response, query: dict[str, Any], key_name: str) -> Any:
        if "retention" not in query:
            return original(self, query, key_name)
        key = _key(self)
        if not key.lock_mode:
            raise _no_lock()
        self.data["Action"] = "GetObjectRetention"
        retention = {"Mode": key.lock_mode, "RetainUntilDate": _moment(key.lock_until)}
        return self.serialized(ActionResult({"Retention": retention}))

    return key_response_get


def _with_configuration(original: Callable[..., Any]) -> Callable[..., Any]:
    def bucket_response_put(self: S3Response, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        if "object-lock" not in querystring:
            return original(self, request, bucket_name, querystring)
        _set_default(self.backend.get_bucket(bucket_name), self.body)
        return 200, {}, ""

    return bucket_response_put


def _set_default(bucket: FakeBucket, body: bytes) -> None:
    if not body:
        raise S3Error("MissingRequestBodyError", "Request Body is empty")
    document = xml.parse(body, "ObjectLockConfiguration")
    if xml.text(document, "ObjectLockEnabled") != "Enabled":
        raise malformed_xml()
    rule = document.find("Rule")
    mode, days, years = None, None, None
    if rule is not None:
        default = rule.find("DefaultRetention")
        if default is None:
            raise malformed_xml()
        mode = xml.text(default, "Mode")
        days, years = _period(default, "Days"), _period(default, "Years")
        if mode not in MODES or (days is None) == (years is None):
            raise malformed_xml()
        if (days or 0) > MAX_DAYS or (years or 0) > MAX_YEARS:
            raise S3Error("InvalidArgument", "Default retention period too large.")
        if (days or years or 0) <= 0:
            raise S3Error("InvalidArgument", "Default retention period must be a positive integer value.")
    if bucket.versioning_status != "Enabled":
        told = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        raise S3Error("InvalidBucketState", told, 409)
    bucket.object_lock_enabled = True
    bucket.default_lock_mode, bucket.default_lock_days, bucket.default_lock_years = mode, days, years


def _period(default: Any, name: str) -> int | None:
    text = xml.text(default, name)
    try:
        return None if text is None else int(text)
    except ValueError:
        raise malformed_xml() from None


def _get_configuration(self: S3Response) -> Any:
    bucket = self.backend.get_bucket(self.bucket_name)
    if not bucket.object_lock_enabled:
        raise ObjectLockConfigurationNotFoundError
    found: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    if bucket.default_lock_mode:
        period = (
            {"Days": bucket.default_lock_days} if bucket.default_lock_days else {"Years": bucket.default_lock_years}
        )
        found["Rule"] = {"DefaultRetention": {"Mode": bucket.default_lock_mode, **period}}
    self.data["Action"] = "GetObjectLockConfiguration"
    return self.serialized(ActionResult({"ObjectLockConfiguration": found}))


def _not_suspended(original: Callable[..., None]) -> Callable[..., None]:
    def put_bucket_versioning(self: S3Backend, bucket_name: str, status: str) -> None:
        if self.get_bucket(bucket_name).object_lock_enabled and status != "Enabled":
            told = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            raise S3Error("InvalidBucketState", told, 409)
        original(self, bucket_name, status)

    return put_bucket_versioning
