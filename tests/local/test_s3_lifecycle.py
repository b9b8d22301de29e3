"""S3 Lifecycle: what is due goes, what is not stays, and what can't be done is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_helpers import REGION, Queue, until
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey

from lakectl.local.s3 import lifecycle, lifecycle_rules

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
PAST = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module")
def s3(client: Callable[..., Any]) -> Any:
    return client("s3")


@pytest.fixture
def bucket(s3: Any, unique: str) -> str:
    name = f"lifecycle-{unique}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def put(s3: Any, bucket: str, *rules: dict[str, Any]) -> None:
    enabled = [{"Status": "Enabled", "Filter": {}, **rule} for rule in rules]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": enabled})


def keys(s3: Any, bucket: str) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_objects_whose_date_has_come_are_deleted_and_told(s3: Any, bucket: str, queue: Queue) -> None:
    events = ["s3:LifecycleExpiration:*", "s3:ObjectRemoved:*"]
    configuration = {"QueueConfigurations": [{"QueueArn": queue.arn, "Events": events}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    s3.put_object(Bucket=bucket, Key="old/small", Body=b"x")
    s3.put_object(Bucket=bucket, Key="old/large", Body=b"x" * 200)
    s3.put_object(Bucket=bucket, Key="tagged", Body=b"x", Tagging="keep=no")
    s3.put_object(Bucket=bucket, Key="other", Body=b"x", Tagging="keep=yes")
    put(
        s3,
        bucket,
        {
            "ID": "sizes",
            "Filter": {"And": {"Prefix": "old/", "ObjectSizeGreaterThan": 100}},
            "Expiration": {"Date": PAST},
        },
        {"ID": "tags", "Filter": {"Tag": {"Key": "keep", "Value": "no"}}, "Expiration": {"Date": PAST}},
        {"ID": "off", "Status": "Disabled", "Expiration": {"Date": PAST}},
    )
    until(lambda: keys(s3, bucket) == ["old/small", "other"])
    messages = [message for message in queue.messages(3) if "Records" in message]
    told = [message["Records"][0] for message in messages]
    assert {(each["eventName"], each["userIdentity"]["principalId"]) for each in told} == {
        ("LifecycleExpiration:Delete", "s3.amazonaws.com")
    }


def test_a_versioned_object_gets_a_marker_and_a_lone_marker_goes(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    put(s3, bucket, {"ID": "date", "Expiration": {"Date": PAST}})
    until(lambda: "DeleteMarkers" in s3.list_object_versions(Bucket=bucket))
    assert [each["VersionId"] for each in s3.list_object_versions(Bucket=bucket)["Versions"]] == [version]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    put(s3, bucket, {"ID": "markers", "Expiration": {"ExpiredObjectDeleteMarker": True}})
    until(lambda: "DeleteMarkers" not in s3.list_object_versions(Bucket=bucket))


def test_rules_come_back_as_they_went_and_the_object_tells_when_it_expires(s3: Any, bucket: str) -> None:
    rules = [
        {
            "ID": "all of it",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "t", "Value": ""}], "ObjectSizeLessThan": 9}},
            "Expiration": {"Days": 3},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 2, "NewerNoncurrentVersions": 1},
        },
        {
            "ID": "old form",
            "Status": "Disabled",
            "Prefix": "b/",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules
    s3.put_object(Bucket=bucket, Key="a/k", Body=b"x", Tagging="t=")
    expires = (PAST + timedelta(days=4)).strftime("%a, %d %b %Y 00:00:00 GMT")
    told = s3.head_object(Bucket=bucket, Key="a/k")["Expiration"]
    assert told == f'expiry-date="{expires}", rule-id="all%20of%20it"'
    s3.delete_bucket_lifecycle(Bucket=bucket)
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}, "NotImplemented"),
        ({"Expiration": {"Days": 0}}, "InvalidArgument"),
        ({"Expiration": {"Date": PAST + timedelta(hours=1)}}, "InvalidArgument"),
        ({"Expiration": {"Days": 1, "Date": PAST}}, "MalformedXML"),
        ({"Status": "On", "Expiration": {"Days": 1}}, "MalformedXML"),
        ({"ID": "i" * 256, "Expiration": {"Days": 1}}, "InvalidArgument"),
        ({}, "InvalidRequest"),
    ],
)
def test_a_rule_that_s3_does_not_take_is_refused(s3: Any, bucket: str, rule: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        put(s3, bucket, rule)


def rule(**said: Any) -> lifecycle_rules.Rule:
    return lifecycle_rules.Rule(id="r", enabled=True, filter=lifecycle_rules.Filter(), **said)


def bucket_of(rules: list[lifecycle_rules.Rule], *versions: tuple[str, int]) -> Any:
    """A bucket with one key: (id, days before NOW) each; an id that begins with "m" is a delete marker's."""
    made = []
    for name, days in versions:
        version = object.__new__(FakeDeleteMarker if name.startswith("m") else FakeKey)
        moment = (NOW - timedelta(days=days)).replace(tzinfo=None)
        vars(version).update(name="k", _version_id=name, last_modified=moment, contentsize=1, bucket_name="b")
        vars(version).update(partition="aws", account_id="123456789012")
        made.append(version)
    found = object.__new__(FakeBucket)
    vars(found).update(rules=rules, account_id="123456789012", partition="aws")
    found.keys = SimpleNamespace(getlist=lambda *_: made)
    return found


@pytest.mark.parametrize(
    ("rules", "versions", "gone"),
    [
        ([rule(days=3)], [("1", 3)], []),  # made at noon: midnight after three days is tonight
        ([rule(days=3)], [("1", 4)], [None]),
        ([rule(days=3)], [("1", 9), ("m2", 9)], []),
        ([rule(days=3)], [("m1", 9)], ["m1"]),
        ([rule(expired_marker=True)], [("m1", 0)], ["m1"]),
        ([rule(expired_marker=True)], [("1", 1), ("m2", 0)], []),
        ([rule(noncurrent_days=3)], [("1", 90), ("2", 4)], ["1"]),
        ([rule(noncurrent_days=3)], [("1", 90), ("2", 3)], []),
        ([rule(noncurrent_days=3, newer_noncurrent=1)], [("1", 90), ("2", 80), ("3", 70)], ["1"]),
        ([rule(noncurrent_days=3)], [("1", 90), ("m2", 80), ("3", 70)], ["1", "m2"]),
    ],
)
def test_days_are_counted_to_the_midnight_after(rules: Any, versions: Any, gone: list[str | None]) -> None:
    found = lifecycle.actions(bucket_of(rules, *versions), "k", NOW)
    assert [each.version_id for each in found] == gone
