"""A queue's policy outlives a change of something else (SetQueueAttributes, API reference)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def test_setting_another_attribute_keeps_the_policy(client: Callable[..., Any], unique: str) -> None:
    statement = {"Sid": "a", "Effect": "Deny", "Principal": "*", "Action": "sqs:*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    url = client("sqs").create_queue(QueueName=f"p-{unique}", Attributes={"Policy": json.dumps(policy)})["QueueUrl"]
    client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    kept = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (json.loads(kept["Policy"]), kept["MessageRetentionPeriod"]) == (policy, "60")
    client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
