"""S3: DeleteObject and DeleteObjects, and what they tell.

[S3 user guide, "Deleting object versions", "Object Lock"; events as recorded from AWS by LocalStack,
``test_s3_notifications_sqs.snapshot.json``: deleting a key that is not there is told, too]. moto makes no delete marker
for an absent key, leaves the version out of an error, and reports a deletion only when the last version goes.
Replaced: ``S3Backend.delete_object`` and ``_set_delete_marker``, ``S3Response._bucket_response_delete_keys`` and
``delete_object``.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionResult
from moto.s3.exceptions import AccessDeniedByLock, MethodNotAllowed, MissingKey, PreconditionFailed, S3ClientError
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, FakeTableStorageBucket, S3Backend
from moto.s3.responses import S3Response

from lakectl.local.s3 import collected, xml
from lakectl.local.s3.errors import S3Error, malformed_xml

MAX_KEYS = 1000
LOCKED = "Access Denied because object protected by object lock."
BYPASS = "x-amz-bypass-governance-retention"
Meta = dict[str, str]


def install() -> None:
    S3Backend._set_delete_marker = _set_delete_marker
    S3Backend.delete_object = _delete
    S3Response.delete_object = _delete_object
    S3Response._bucket_response_delete_keys = _delete_objects


def _set_delete_marker(self: S3Backend, bucket_name: str, key_name: str) -> FakeDeleteMarker:
    bucket = self.get_bucket(bucket_name)
    marker = FakeDeleteMarker(key=SimpleNamespace(name=key_name))
    marker.key = bucket.keys.get(key_name)
    bucket.keys[key_name] = marker
    return marker


def _delete(
    self: S3Backend, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
) -> tuple[bool, Meta]:
    bucket = self.get_bucket(bucket_name)
    if isinstance(bucket, FakeTableStorageBucket):
        raise MethodNotAllowed
    if version_id is None and bucket.is_versioned:
        marker = self._set_delete_marker(bucket_name, key_name)
        _tell(self, bucket, marker, "DeleteMarkerCreated")
        return True, {"version-id": str(marker.version_id), "delete-marker": "true"}
    if not bucket.is_versioned:
        if version_id not in (None, "null"):
            raise S3Error("InvalidArgument", "Invalid version id specified", ArgumentName="versionId")
        if key_name in bucket.keys:
            bucket.keys.pop(key_name)
        _tell(self, bucket, SimpleNamespace(name=key_name, version_id=None), "Delete")
        return True, {}
    return _delete_version(self, bucket, key_name, str(version_id), bypass)


def _delete_version(
    backend: S3Backend, bucket: FakeBucket, key_name: str, version_id: str, bypass: bool
) -> tuple[bool, Meta]:
    meta = {"version-id": version_id}
    versions = bucket.keys.getlist(key_name, [])
    gone = next((each for each in versions if str(each.version_id) == version_id), None)
    if gone is None:
        return False, meta
    if isinstance(gone, FakeKey) and gone.is_locked(governance_bypass=bypass):
        raise AccessDeniedByLock
    if isinstance(gone, FakeDeleteMarker):
        meta["delete-marker"] = "true"
    left = [each for each in versions if each is not gone]
    bucket.keys.setlist(key_name, left)
    if not left:
        bucket.keys.pop(key_name)
    _tell(backend, bucket, gone, "Delete")
    return True, meta


def _tell(backend: S3Backend, bucket: FakeBucket, key: Any, what: str) -> None:
    collected.add(backend.account_id, f"s3:{collected.cause()}:{what}", bucket, key)


def bypasses(response: S3Response) -> bool:
    return (response.headers.get(BYPASS) or "").lower() == "true"


def _delete_object(self: S3Response) -> Any:
    key_name, version_id = self.parse_key_name(), self._get_param("versionId")
    bucket = self.backend.get_bucket(self.bucket_name)
    if self.headers.get(BYPASS) is not None and not bucket.object_lock_enabled:
        raise S3Error(
            "InvalidArgument",
            f"{BYPASS} is only applicable to Object Lock enabled buckets.",
            ArgumentName=BYPASS,
        )
    _check_match(self, key_name, version_id, self.headers.get("If-Match"))
    _, meta = self.backend.delete_object(self.bucket_name, key_name, version_id=version_id, bypass=bypasses(self))
    return 204, {f"x-amz-{name}": value for name, value in meta.items()}, ""


def _check_match(response: S3Response, key_name: str, version_id: str | None, wanted: str | None) -> None:
    """A condition on the entity tag, or ``*`` [S3 user guide, "Conditional deletes"]."""
    if not wanted:
        return
    found = response.backend.get_object(response.bucket_name, key_name, version_id=version_id)
    if found is None:
        raise MissingKey(key=key_name)
    if wanted != "*" and wanted.strip('"') != found.etag.strip('"'):
        raise PreconditionFailed("If-Match")


def _delete_objects(self: S3Response, bucket_name: str, authenticated: bool = True) -> Any:
    document = xml.parse(self.body, "Delete")
    objects = document.findall("Object")
    if not 1 <= len(objects) <= MAX_KEYS:
        raise malformed_xml()
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for each in objects:
        key_name, version_id = each.findtext("Key") or "", xml.text(each, "VersionId") or None
        named = {"Key": key_name, "VersionId": version_id}
        try:
            if not authenticated or _denied(self, bucket_name, key_name):
                raise S3Error("AccessDenied", "Access Denied", 403)
            _check_match(self, key_name, version_id, xml.text(each, "ETag"))
            _, meta = self.backend.delete_object(bucket_name, key_name, version_id=version_id, bypass=bypasses(self))
        except AccessDeniedByLock:
            errors.append({**named, "Code": "AccessDenied", "Message": LOCKED})
        except S3Error as error:
            errors.append({**named, "Code": error.code, "Message": error.args[0]})
        except S3ClientError as error:
            errors.append({**named, "Code": error.code, "Message": error.message})
        else:
            marked = "delete-marker" in meta
            found = {"DeleteMarker": True, "DeleteMarkerVersionId": meta["version-id"]} if marked else {}
            deleted.append({**named, **found})
    self.data["Action"] = "DeleteObjects"
    quiet = (xml.text(document, "Quiet") or "").lower() == "true"
    return self.serialized(ActionResult({"Deleted": [] if quiet else deleted, "Errors": errors}))


def _denied(response: S3Response, bucket_name: str, key_name: str) -> bool:
    from moto.iam.access_control import PermissionResult

    bucket = response.backend.get_bucket(bucket_name)
    found = bucket.get_permission("s3:DeleteObject", f"arn:aws:s3:::{bucket_name}/{key_name}")
    return bool(found == PermissionResult.DENIED)
