"""What S3 tells functions and EventBridge about objects, byte by byte as AWS does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from local_helpers import ACCOUNT, REGION, Queue

from lakectl.local.s3.events import ObjectEvent, Rule, any_overlap, eventbridge_detail, notification

ODD_KEYS = {
    "retail/orders/ingest_date=2025-09-15/orders.csv": "retail/orders/ingest_date%3D2025-09-15/orders.csv",
    "retail/a b/o.csv": "retail/a+b/o.csv",
    "retail/a+b.csv": "retail/a%2Bb.csv",
    "retail/100%.csv": "retail/100%25.csv",
    "retail/a%20b.csv": "retail/a%2520b.csv",
    "retail/März/ß.csv": "retail/M%C3%A4rz/%C3%9F.csv",
    "retail/(x)&y;z?.csv": "retail/%28x%29%26y%3Bz%3F.csv",
}


def function_rule(arn: str, prefix: str = "", suffix: str = "", name: str = "rule") -> dict[str, Any]:
    filters = [{"Name": "prefix", "Value": prefix}] if prefix else []
    filters += [{"Name": "Suffix", "Value": suffix}] if suffix else []
    rule: dict[str, Any] = {"Id": name, "LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
    return rule | ({"Filter": {"Key": {"FilterRules": filters}}} if filters else {})


def notify(client: Any, bucket: str, **configuration: Any) -> None:
    client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


def permit(client: Any, arn: str, bucket: str) -> None:
    client("lambda").add_permission(
        FunctionName=arn,
        StatementId=f"s3-{bucket}",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}",
        SourceAccount=ACCOUNT,
    )


@pytest.fixture
def bucket(client: Callable[..., Any], unique: str) -> str:
    name = f"events-{unique}"
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def watched(client: Callable[..., Any], bucket: str, recorder: str) -> Iterator[str]:
    """A bucket whose objects below retail/ are told to ``recorder``."""
    permit(client, recorder, bucket)
    notify(client, bucket, LambdaFunctionConfigurations=[function_rule(recorder, "retail/")])
    return bucket


def test_a_put_is_told_in_awss_shape(client: Any, watched: str, queue: Queue) -> None:
    put = client("s3").put_object(Bucket=watched, Key="retail/a.csv", Body=b"hello")
    ((record,),) = [message["Records"] for message in queue.messages(1)]
    assert {name: record[name] for name in ("eventVersion", "eventSource", "awsRegion", "eventName")} == {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventName": "ObjectCreated:Put",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["eventTime"])
    assert record["s3"]["configurationId"] == "rule"
    assert record["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{watched}"
    described = record["s3"]["object"]
    assert re.fullmatch(r"[0-9A-F]{18}", described.pop("sequencer"))
    assert described == {
        "key": "retail/a.csv",
        "size": 5,
        "eTag": put["ETag"].strip('"'),
        "versionId": put["VersionId"],
    }


def test_keys_are_encoded_for_functions_and_only_for_them(
    client: Any, watched: str, recorder: str, queue: Queue, make_queue: Callable[[str], Queue]
) -> None:
    bus_queue = make_queue("bus")
    rule = f"rule-{watched}"
    notify(
        client,
        watched,
        LambdaFunctionConfigurations=[function_rule(recorder, "retail/")],
        EventBridgeConfiguration={},
    )
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [watched]}}}
    client("events").put_rule(Name=rule, EventPattern=json.dumps(pattern))
    client("events").put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": bus_queue.arn}])
    for key in ODD_KEYS:
        client("s3").put_object(Bucket=watched, Key=key, Body=b"x")
    told = [message["Records"][0]["s3"]["object"]["key"] for message in queue.messages(len(ODD_KEYS))]
    assert sorted(told) == sorted(ODD_KEYS.values())
    assert sorted(map(unquote_plus, told)) == sorted(ODD_KEYS)
    on_bus = [message["detail"]["object"]["key"] for message in bus_queue.messages(len(ODD_KEYS))]
    assert sorted(on_bus) == sorted(ODD_KEYS)


def test_filters_are_compared_with_the_decoded_key(client: Any, bucket: str, recorder: str, queue: Queue) -> None:
    permit(client, recorder, bucket)
    rule = function_rule(recorder, "in/d=1/", " +.csv")
    notify(client, bucket, LambdaFunctionConfigurations=[rule])
    for key in ("in/d=1/a +.csv", "in/d=1/a.csv", "in/d%3D1/a +.csv", "out/a +.csv"):
        client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    told = [message["Records"][0]["s3"]["object"]["key"] for message in queue.messages(2, seconds=1.5)]
    assert told == ["in/d%3D1/a+%2B.csv"]


def test_an_unversioned_bucket_tells_no_version(client: Any, recorder: str, queue: Queue, unique: str) -> None:
    name = f"plain-{unique}"
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    permit(client, recorder, name)
    notify(client, name, LambdaFunctionConfigurations=[function_rule(recorder)])
    client("s3").put_object(Bucket=name, Key="k", Body=b"")
    (message,) = queue.messages(1)
    assert "versionId" not in message["Records"][0]["s3"]["object"]


def test_copy_and_multipart_each_fire_once(client: Any, watched: str, queue: Queue) -> None:
    s3 = client("s3")
    s3.put_object(Bucket=watched, Key="elsewhere", Body=b"x", Tagging="a=b")
    s3.copy_object(Bucket=watched, Key="retail/copy", CopySource={"Bucket": watched, "Key": "elsewhere"})
    upload = s3.create_multipart_upload(Bucket=watched, Key="retail/parts")["UploadId"]
    part = s3.upload_part(Bucket=watched, Key="retail/parts", UploadId=upload, PartNumber=1, Body=b"x")
    s3.complete_multipart_upload(
        Bucket=watched,
        Key="retail/parts",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    seen = queue.messages(2) + queue.messages(1, seconds=0.5)
    names = [message["Records"][0]["eventName"] for message in seen]
    assert sorted(names) == ["ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Copy"]


def test_eventbridge_gets_awss_shape(client: Any, bucket: str, queue: Queue) -> None:
    notify(client, bucket, EventBridgeConfiguration={})
    rule = f"rule-{bucket}"
    client("events").put_rule(Name=rule, EventPattern=json.dumps({"resources": [f"arn:aws:s3:::{bucket}"]}))
    client("events").put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": queue.arn}])
    put = client("s3").put_object(Bucket=bucket, Key="a b.csv", Body=b"hello", Tagging="a=b")
    (event,) = queue.messages(2, seconds=1.5)
    assert (event["source"], event["detail-type"], event["account"]) == ("aws.s3", "Object Created", ACCOUNT)
    assert event["resources"] == [f"arn:aws:s3:::{bucket}"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])
    detail = event["detail"]
    assert re.fullmatch(r"[0-9A-F]{18}", detail["object"].pop("sequencer"))
    assert detail["object"] == {
        "key": "a b.csv",
        "size": 5,
        "etag": put["ETag"].strip('"'),
        "version-id": put["VersionId"],
    }
    assert (detail["reason"], detail["requester"], detail["version"]) == ("PutObject", ACCOUNT, "0")
    client("s3").delete_object(Bucket=bucket, Key="a b.csv")
    client("s3").delete_object(Bucket=bucket, Key="a b.csv", VersionId=put["VersionId"])
    deletions = {message["detail"]["deletion-type"] for message in queue.messages(2)}
    assert deletions == {"Delete Marker Created", "Permanently Deleted"}


def test_a_function_without_permission_is_refused(client: Any, bucket: str, recorder: str) -> None:
    permit(client, recorder, "another-bucket")
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations") as caught:
        notify(client, bucket, LambdaFunctionConfigurations=[function_rule(recorder)])
    assert caught.value.response["Error"]["Code"] == "InvalidArgument"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_overlapping_rules_are_refused(client: Any, bucket: str, recorder: str) -> None:
    permit(client, recorder, bucket)
    one = function_rule(recorder, "retail/", name="one")
    two = function_rule(recorder, "retail/orders/", ".csv", name="two")
    with pytest.raises(
        ClientError,
        match=r"Configurations overlap\. Configurations on the same bucket cannot share a common event type",
    ):
        notify(client, bucket, LambdaFunctionConfigurations=[one, two])
    assert "LambdaFunctionConfigurations" not in client("s3").get_bucket_notification_configuration(Bucket=bucket)


@given(key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_key_is_recovered_by_decoding_once(key: str) -> None:
    event = ObjectEvent(
        name="s3:ObjectCreated:Put",
        bucket="b",
        region=REGION,
        account_id=ACCOUNT,
        key=key,
        size=1,
        etag="e",
        version_id=None,
        time=datetime.now(UTC),
        sequencer="0",
        request_id="r",
    )
    assert unquote_plus(notification(event, "rule")["Records"][0]["s3"]["object"]["key"]) == key
    assert eventbridge_detail(event)["object"]["key"] == key


@pytest.mark.parametrize(
    ("one", "two", "overlap"),
    [
        (Rule(("s3:ObjectCreated:*",), "a/"), Rule(("s3:ObjectCreated:Put",), "a/b/"), True),
        (Rule(("s3:ObjectCreated:*",), "a/"), Rule(("s3:ObjectRemoved:*",), "a/"), False),
        (Rule(("s3:ObjectCreated:Put",)), Rule(("s3:ObjectCreated:Copy",)), False),
        (Rule(("s3:ObjectCreated:*",), "a/"), Rule(("s3:ObjectCreated:*",), "b/"), False),
        (Rule(("s3:ObjectCreated:*",), "", ".csv"), Rule(("s3:ObjectCreated:*",), "", ".json"), False),
        (Rule(("s3:ObjectCreated:*",), "a/", ".csv"), Rule(("s3:ObjectCreated:*",), "", "orders.csv"), True),
    ],
)
def test_which_rules_overlap(one: Rule, two: Rule, overlap: bool) -> None:
    assert any_overlap([one, two]) is overlap
    assert any_overlap([two, one]) is overlap
