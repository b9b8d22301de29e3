"""A request to one service that changes another: both are on disk before the answer goes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from local_helpers import TRUST, kill

Client = Callable[[str], Any]


def test_what_sns_sends_to_a_queue_survives_a_kill(aws: Client) -> None:
    """Item 13: published and acknowledged, so it comes into the queue."""
    queue = aws("sqs").create_queue(QueueName="subscribed")["QueueUrl"]
    topic = aws("sns").create_topic(Name="news")["TopicArn"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    aws("sns").publish(TopicArn=topic, Message="read me")

    kill()

    found = aws("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    assert [each["Body"] for each in found] == ["read me"]


def template(*names: str) -> str:
    key = {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    key["AttributeDefinitions"] = [{"AttributeName": "pk", "AttributeType": "S"}]
    resources: dict[str, Any] = {
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": "stacked", "Tags": [{"Key": "owner", "Value": "me"}]},
        },
        "Other": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "stacked-too"}},
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "stacked", **key}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "stacked"}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": "stacked", "AssumeRolePolicyDocument": json.loads(TRUST)},
        },
    }
    return json.dumps({"Resources": {name: resources[name] for name in names}})


@pytest.mark.long
def test_what_cloudformation_makes_survives_a_kill(aws: Client) -> None:
    """Item 12 and item 13: a stack's bucket is known to the disk, and so are its table, queue and role."""
    stacks = aws("cloudformation")
    stacks.create_stack(StackName="s", TemplateBody=template("Bucket", "Other", "Table", "Queue", "Role"))
    aws("s3").put_object(Bucket="stacked", Key="k", Body=b"text")
    aws("dynamodb").put_item(TableName="stacked", Item={"pk": {"S": "1"}})

    kill()

    s3 = aws("s3")
    assert s3.get_object(Bucket="stacked", Key="k")["Body"].read() == b"text"
    assert s3.get_bucket_tagging(Bucket="stacked")["TagSet"][0] == {"Key": "owner", "Value": "me"}
    assert aws("dynamodb").get_item(TableName="stacked", Key={"pk": {"S": "1"}})["Item"] == {"pk": {"S": "1"}}
    assert aws("sqs").get_queue_url(QueueName="stacked")
    assert aws("iam").get_role(RoleName="stacked")

    s3.delete_object(Bucket="stacked", Key="k")
    aws("cloudformation").update_stack(StackName="s", TemplateBody=template("Other", "Role"))

    kill()

    assert [each["Name"] for each in aws("s3").list_buckets()["Buckets"]] == ["stacked-too"]
    assert aws("dynamodb").list_tables()["TableNames"] == []
    assert "QueueUrls" not in aws("sqs").list_queues(QueueNamePrefix="stacked")
