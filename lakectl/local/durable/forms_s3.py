"""The forms of S3's rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from moto.s3.models import (
    CorsRule,
    FakeAcl,
    FakeBucket,
    FakeBucketInventoryConfiguration,
    FakeDeleteMarker,
    FakeGrant,
    FakeGrantee,
    FakeKey,
    FakeMultipart,
    FakeTableStorageBucket,
    LifecycleAndFilter,
    LifecycleFilter,
    LifeCycleNoncurrentVersionTransition,
    LifecycleRule,
    LifecycleTransition,
    MultipartDict,
    Notification,
    NotificationConfiguration,
    PublicAccessBlock,
)
from moto.s3.utils import _VersionedKeyStore
from moto.utilities.utils import LowercaseDict
from requests.structures import CaseInsensitiveDict

from lakectl.local.durable.bodies import Body
from lakectl.local.durable.forms import Codec, Form
from lakectl.local.s3 import lifecycle_rules


@dataclass
class BucketRow:
    """A bucket without its keys and uploads."""

    bucket: Any
    tags: list[dict[str, str]]


@dataclass
class VersionRow:
    """A version of an object, as attributes without those that every key has; or a delete marker."""

    key: dict[str, Any] | None
    marker: Any
    tags: list[dict[str, str]] = field(default_factory=list)


@dataclass
class UploadRow:
    upload: Any


@dataclass
class PartRow:
    """Attributes of a key."""

    part: dict[str, Any]


class BodyForm(Form):
    """A body names its files: ``[[file, offset, length], …]``."""

    def attributes(self, value: Any) -> dict[str, Any]:
        return {"segments": [list(each) for each in value.segments], "md5": value.md5}

    def make(self, attributes: Any) -> Body:
        return Body(tuple((name, offset, length) for name, offset, length in attributes["segments"]), attributes["md5"])


_BUCKET = (
    "name account_id region_name bucket_namespace partition versioning_status rules policy website_configuration acl "
    "cors logging notification_configuration accelerate_configuration payer creation_date public_access_block "
    "encryption object_lock_enabled default_lock_mode default_lock_days default_lock_years ownership_rule "
    "inventory_configs"
)


def _no_keys() -> dict[str, Any]:
    return {"keys": _VersionedKeyStore(), "multiparts": MultipartDict()}


# What is kept of a key; ``durable.objects`` leaves out what every key has.
KEY = Form(
    "s3-key",
    FakeKey,
    "_status _tick model_name name account_id region_name partition last_modified acl "
    "website_redirect_location checksum_algorithm _storage_class _metadata _expiry _etag _version_id _is_versioned "
    "multipart bucket_name _max_buffer_size disposed encryption kms_key_id bucket_key_enabled lock_mode "
    "lock_legal_status lock_until checksum_value checksum_type checksum_parts contentsize body is_latest sums",
    without="lock _value_buffer _transitions _time_progressed",
)
CODEC = Codec(
    (
        Form("s3-bucket-row", BucketRow, "bucket tags"),
        Form("s3-version-row", VersionRow, "key marker tags"),
        Form("s3-upload-row", UploadRow, "upload"),
        Form("s3-part-row", PartRow, "part"),
        Form("s3-bucket", FakeBucket, _BUCKET, without="keys multiparts", anew=_no_keys),
        Form("s3-table-bucket", FakeTableStorageBucket, _BUCKET, without="keys multiparts", anew=_no_keys),
        Form("s3-delete-marker", FakeDeleteMarker, "name last_modified _version_id is_latest", without="key"),
        BodyForm("s3-body", Body, ""),
        Form(
            "s3-upload",
            FakeMultipart,
            "key_name metadata account_id region_name storage tags acl id sse_encryption kms_key_id lakectl_begun "
            "lakectl_deleted_meanwhile lakectl_lock",
            without="parts partlist",
            anew=lambda: {"parts": {}, "partlist": []},
        ),
        Form("s3-grantee", FakeGrantee, "id uri display_name"),
        Form("s3-grant", FakeGrant, "grantees permissions"),
        Form("s3-acl", FakeAcl, "grants"),
        Form("s3-rule-filter", lifecycle_rules.Filter, "prefix tags larger smaller combined"),
        Form(
            "s3-rule",
            lifecycle_rules.Rule,
            "id enabled filter prefix days date expired_marker noncurrent_days newer_noncurrent abort_days said",
        ),
        Form("s3-lifecycle-filter", LifecycleFilter, "prefix tag_key tag_value and_filter"),
        Form("s3-lifecycle-and", LifecycleAndFilter, "prefix tags"),
        Form("s3-lifecycle-transition", LifecycleTransition, "date days storage_class"),
        Form("s3-lifecycle-noncurrent", LifeCycleNoncurrentVersionTransition, "newer_versions days storage_class"),
        Form(
            "s3-lifecycle-rule",
            LifecycleRule,
            "id prefix filter status expiration_days expiration_date transitions expired_object_delete_marker "
            "nve_noncurrent_days noncurrent_version_transitions aimu_days",
        ),
        Form(
            "s3-cors-rule",
            CorsRule,
            "allowed_methods allowed_origins allowed_headers exposed_headers max_age_seconds id_",
        ),
        Form("s3-notification", Notification, "id arn events filters"),
        Form("s3-notifications", NotificationConfiguration, "topic queue cloud_function event_bridge"),
        Form(
            "s3-public-access-block",
            PublicAccessBlock,
            "block_public_acls ignore_public_acls block_public_policy restrict_public_buckets",
        ),
        Form(
            "s3-inventory",
            FakeBucketInventoryConfiguration,
            "id destination is_enabled schedule filters optional_fields",
        ),
        Form("lowercase-dict", LowercaseDict, "store"),
        Form("case-insensitive-dict", CaseInsensitiveDict, "_store"),
    )
)
