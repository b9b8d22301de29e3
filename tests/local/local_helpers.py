"""What the tests of the local endpoint share besides fixtures."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-west-1"
DEADLINE_SECONDS = 20.0
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)

# Sends every event it gets to a queue, so that a test sees exactly what a function saw.
RECORDER = """
import boto3, json, os
sqs = boto3.client("sqs")

def handler(event, context):
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event))
    if isinstance(event, dict) and event.get("fail"):
        raise ValueError(event["fail"])
"""


class Queue:
    def __init__(self, sqs: Any, name: str) -> None:
        self.sqs = sqs
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        self.url = sqs.create_queue(QueueName=name)["QueueUrl"]

    def messages(self, count: int, seconds: float = DEADLINE_SECONDS) -> list[Any]:
        """The JSON bodies of the next messages: ``count`` of them, or what came within ``seconds``."""
        return [body for body, _ in self.full_messages(count, seconds)]

    def full_messages(self, count: int, seconds: float = DEADLINE_SECONDS) -> list[tuple[Any, dict[str, str]]]:
        found: list[tuple[Any, dict[str, str]]] = []
        deadline = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < deadline:
            answer = self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=0, MessageAttributeNames=["All"]
            )
            for message in answer.get("Messages", []):
                attributes = message.get("MessageAttributes", {})
                values = {name: value["StringValue"] for name, value in attributes.items()}
                found.append((json.loads(message["Body"]), values))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            time.sleep(0.02)
        return found


def new_role(iam: Any, name: str) -> str:
    """A role for functions that may do all. Returns its ARN."""
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document)
    return str(role)


def zipped(code: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", code)
    return buffer.getvalue()
