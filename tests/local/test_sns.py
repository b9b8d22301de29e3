"""A topic's messages reach functions and queues, as far as their policies let them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local_helpers import ACCOUNT, Queue, queue_arn


@pytest.fixture
def topic(client: Any, unique: str) -> str:
    return str(client("sns").create_topic(Name=f"topic-{unique}")["TopicArn"])


def test_a_function_gets_what_its_policy_lets_a_topic_send(
    client: Any, recorder: str, queue: Queue, topic: str
) -> None:
    """[Lambda developer guide, "Invoking Lambda functions with Amazon SNS notifications"]"""
    sns = client("sns")
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=recorder, ReturnSubscriptionArn=True)
    sns.publish(TopicArn=topic, Message="refused")
    assert queue.messages(1, seconds=1) == []
    client("lambda").add_permission(
        FunctionName=recorder,
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    attribute = {"a": {"DataType": "String", "StringValue": "1"}}
    made = sns.publish(TopicArn=topic, Message="m", Subject="s", MessageAttributes=attribute)
    ((event,),) = [body["Records"] for body in queue.messages(1)]
    assert (event["EventSource"], event["EventSubscriptionArn"]) == ("aws:sns", subscription["SubscriptionArn"])
    said = {name: event["Sns"][name] for name in ("Message", "Subject", "MessageId", "TopicArn", "MessageAttributes")}
    assert said == {
        "Message": "m",
        "Subject": "s",
        "MessageId": made["MessageId"],
        "TopicArn": topic,
        "MessageAttributes": {"a": {"Type": "String", "Value": "1"}},
    }


def test_a_queue_gets_what_its_policy_lets_a_topic_send(client: Any, unique: str, topic: str) -> None:
    """[SNS developer guide, "Subscribing an Amazon SQS queue to an Amazon SNS topic"]"""
    sns, sqs, name = client("sns"), client("sqs"), f"of-topic-{unique}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn(name))
    sns.publish(TopicArn=topic, Message="refused")
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn(name),
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}, "StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.publish(TopicArn=topic, Message="m")
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    body = json.loads(message["Body"])
    assert (body["Message"], body["TopicArn"], body["Type"]) == ("m", topic, "Notification")
