"""What the tests of the local endpoint share besides fixtures."""

from __future__ import annotations

import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Callable
from typing import Any

from roles import TRUST, new_role, put_policy

from lakectl.local import control, processes

__all__ = ["TRUST", "new_role", "put_policy"]

ACCOUNT = "123456789012"
REGION = "eu-west-1"
DEADLINE_SECONDS = 20.0
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
        self.arn = queue_arn(name)
        self.url = sqs.create_queue(QueueName=name, Attributes={"Policy": rules_may_send(self.arn)})["QueueUrl"]

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


def rules_may_send(queue: str) -> str:
    """The policy of a queue that any rule of this account may send to."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


OWN_LOGS = tuple(
    (f"logs:{action}", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/*")
    for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")
)


def zipped(code: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", code)
    return buffer.getvalue()


def kill() -> None:
    """``kill -9`` the endpoint of this state folder."""
    endpoint = control.running()
    assert endpoint is not None
    os.kill(endpoint.pid, signal.SIGKILL)
    while processes.alive(endpoint.pid):
        time.sleep(0.01)


def new_bucket(aws: Callable[[str], Any], name: str, *, versioned: bool = False) -> Any:
    s3 = aws("s3")
    s3.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1", "Tags": [{"Key": "owner", "Value": "me"}]},
    )
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return s3


def settled(functions: Any, name: str) -> None:
    """Wait until Lambda has carried out the last call."""
    for waiter in ("function_active_v2", "function_updated_v2"):
        functions.get_waiter(waiter).wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
