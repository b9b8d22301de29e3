"""One thing that was accepted does not keep the endpoint from answering everything after it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from local_helpers import ACCOUNT, REGION, Queue, kill, new_bucket, until

from lakectl.local import event_bus
from lakectl.local.control import Endpoint

MALFORMED = [
    [{"wildcard": 123}],
    [{"wildcard": "a**b"}],
    [{"wildcard": "a\\b"}],
    [{"prefix": 1}],
    [{"prefix": {"suffix": "x"}}],
    [{"suffix": None}],
    [{"equals-ignore-case": ["a"]}],
    [{"exists": "yes"}],
    [{"cidr": "10.0.0.0/33"}],
    [{"cidr": 10}],
    [{"numeric": ["<"]}],
    [{"numeric": ["<", "1"]}],
    [{"numeric": ["<", 1, ">", 2]}],
    [{"numeric": [">", 2, "<", 1]}],
    [{"numeric": {"<": 1}}],
    [{"anything-but": []}],
    [{"anything-but": ["a", 1]}],
    [{"anything-but": {"numeric": ["<", 1]}}],
    [{"anything-but": True}],
    [{"prefix": "a", "suffix": "b"}],
    [{}],
    [["nested"]],
    [],
    {},
    "text",
]
SOUND = [
    [{"wildcard": "a*b\\*"}],
    [{"prefix": "my"}],
    [{"suffix": {"equals-ignore-case": "APP"}}],
    [{"anything-but": ["x", "y"]}],
    [{"anything-but": {"prefix": "x"}}],
    [{"anything-but": {"wildcard": "x*"}}],
    [{"exists": True}, "my.app"],
    [{"numeric": [">", 0, "<=", 5]}, {"numeric": ["=", 1]}, None, True, 1],
    [{"cidr": "10.0.0.0/24"}],
]


FIELDS = ("id", "account", "source", "time", "region", "detail-type")
EVENT = dict.fromkeys(FIELDS, "x")


@pytest.fixture
def rule(client: Any, unique: str) -> Any:
    name = f"poison-{unique}"
    yield name
    try:
        client("events").delete_rule(Name=name)
    except client("events").exceptions.ResourceNotFoundException:
        pass


@pytest.mark.parametrize("source", MALFORMED, ids=json.dumps)
def test_a_pattern_that_no_event_can_be_held_against_is_refused(client: Any, rule: str, source: Any) -> None:
    """Item 16: PutEvents was 500 from the first such rule on."""
    events = client("events")
    with pytest.raises(ClientError, match="Event pattern is not valid") as caught:
        events.put_rule(Name=rule, EventPattern=json.dumps({"source": source}))
    assert caught.value.response["Error"]["Code"] == "InvalidEventPatternException"
    with pytest.raises(ClientError, match="InvalidEventPatternException"):
        events.test_event_pattern(EventPattern=json.dumps({"source": source}), Event=json.dumps(EVENT))


@pytest.mark.parametrize("source", SOUND, ids=json.dumps)
def test_a_sound_pattern_is_taken(client: Any, rule: str, source: Any) -> None:
    client("events").put_rule(Name=rule, EventPattern=json.dumps({"source": source, "$or": [{"a": [1]}, {"b": [2]}]}))


def test_a_rule_that_can_not_be_evaluated_keeps_events_from_nobody_else(client: Any, queue: Queue, rule: str) -> None:
    """Item 16: a rule from before patterns were checked matches nothing, and the next one gets the event."""

    def fails(_: Any) -> bool:
        raise TypeError("expected string, got int")

    pattern = SimpleNamespace(get_pattern=lambda: {"source": [{"wildcard": 123}]}, matches_event=fails)
    assert event_bus.matches(SimpleNamespace(state="ENABLED", name="old", event_pattern=pattern), {}) is False
    events = client("events")
    events.put_rule(Name=rule, EventPattern='{"source": [{"wildcard": "my.*"}]}')
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": queue.arn}])
    events.put_events(Entries=[{"Source": "my.app", "DetailType": "x", "Detail": "{}"}])
    assert [each["source"] for each in queue.messages(1)] == ["my.app"]
    events.remove_targets(Rule=rule, Ids=["q"])


def new_table(dynamodb: Any, name: str) -> None:
    dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)


KEYS: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}


def test_tables_can_be_made_after_an_export_and_an_import(aws: Any) -> None:
    """Item 16: both were kept as threads, which can't be written down: every later CreateTable was 500."""
    dynamodb, s3 = aws("dynamodb"), new_bucket(aws, "transfers")
    new_table(dynamodb, "source")
    dynamodb.put_item(TableName="source", Item={"id": {"S": "a"}, "n": {"N": "1"}})
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/source"
    recovery = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName="source", PointInTimeRecoverySpecification=recovery)
    export = dynamodb.export_table_to_point_in_time(TableArn=arn, S3Bucket="transfers")["ExportDescription"][
        "ExportArn"
    ]
    new_table(dynamodb, "meanwhile")

    def exported() -> bool:
        description = aws("dynamodb").describe_export(ExportArn=export)["ExportDescription"]
        return bool(description["ExportStatus"] == "COMPLETED")

    until(exported)
    (key,) = [each["Key"] for each in s3.list_objects_v2(Bucket="transfers")["Contents"]]
    dynamodb.import_table(
        S3BucketSource={"S3Bucket": "transfers", "S3KeyPrefix": key},
        InputFormat="DYNAMODB_JSON",
        InputCompressionType="GZIP",
        TableCreationParameters={"TableName": "copy", "BillingMode": "PAY_PER_REQUEST", **KEYS},
    )

    def imported() -> bool:
        return bool("copy" in dynamodb.list_tables()["TableNames"] and dynamodb.scan(TableName="copy")["Count"])

    until(imported)
    new_table(dynamodb, "after")
    kill()
    dynamodb = aws("dynamodb")
    assert dynamodb.get_item(TableName="copy", Key={"id": {"S": "a"}})["Item"]["n"] == {"N": "1"}
    assert exported()
    assert [each["ExportArn"] for each in dynamodb.list_exports()["ExportSummaries"]] == [export]
    assert aws("s3").get_object(Bucket="transfers", Key=key)["Body"].read()
    new_table(dynamodb, "later")


def test_a_role_of_cloudformation_is_judged(client: Any, endpoint: Endpoint, unique: str) -> None:
    """Item 16: with an inline policy from a template each call of the role was 500."""
    allow = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    properties = {
        "RoleName": f"stack-{unique}",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow]}}],
    }
    template = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}
    client("cloudformation").create_stack(
        StackName=f"stack-{unique}", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    role = f"arn:aws:iam::{ACCOUNT}:role/stack-{unique}"
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert "Buckets" in s3.list_buckets()
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.create_bucket(Bucket=f"stack-{unique}", CreateBucketConfiguration={"LocationConstraint": REGION})
    document = client("iam").get_role_policy(RoleName=f"stack-{unique}", PolicyName="p")["PolicyDocument"]
    assert document["Statement"] == [allow]
    client("cloudformation").delete_stack(StackName=f"stack-{unique}")
