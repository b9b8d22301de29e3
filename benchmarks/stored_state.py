"""What a write costs when little is stored, and when ten times as much is: the server's processor time of one request.

A request should cost what it changes. Processor time, because it is the same on a machine that has other work. Linux
only: `/proc` tells it.
"""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.sandbox import Figure, Settings, fresh_endpoint

SMALL = int(os.environ.get("LAKECTL_BENCH_STORED", "100"))  # of each kind
TIMES, REQUESTS, ROUNDS = 10, 20, 3
RATIO = 1.2
CODE_BYTES = 2_000_000  # of the function whose tags change, for each of SMALL / 100
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["lambda.amazonaws.com", "glue.amazonaws.com"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def measure(_settings: Settings) -> Iterator[Figure]:
    """A request with the larger state, as a ratio to that with the smaller one."""
    found: dict[str, dict[int, float]] = {}
    for count in (SMALL, SMALL * TIMES):
        with fresh_endpoint() as endpoint:
            target = _Stored(endpoint, count)
            for name, call in target.requests().items():
                found.setdefault(name, {})[count] = min(_seconds(endpoint.pid, call) for _ in range(ROUNDS))
    for name, by_count in found.items():
        few, many = by_count[SMALL], by_count[SMALL * TIMES]
        told = f"{many / few:.2f}x ({few * 1000:.1f} ms, {many * 1000:.1f} ms)"
        what = f"{name} with {SMALL * TIMES:,} of each kind stored instead of {SMALL:,}"
        yield Figure(what, told, f"<= {RATIO}x", many / few <= RATIO)


def _seconds(pid: int, call: Callable[[], Any]) -> float:
    """Processor time of the process ``pid`` for one call, on average."""
    call()
    before = _used(pid)
    for _ in range(REQUESTS):
        call()
    return (_used(pid) - before) / REQUESTS


def _used(pid: int) -> float:
    found = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # it has ended meanwhile
            found += int((thread / "schedstat").read_text().split()[0])
    return found / 1e9


class _Stored:
    """An endpoint that holds ``count`` queue messages, rules, tables, runs' worth of streams, roles, items, objects."""

    def __init__(self, endpoint: Any, count: int) -> None:
        self.endpoint, self.number = endpoint, 0
        names = ("sqs", "events", "lambda", "iam", "logs", "glue", "dynamodb", "s3")
        self.sqs, self.events, self.functions, self.iam, self.logs, self.glue, self.dynamodb, self.s3 = map(
            self._client, names
        )
        self.role = self.iam.create_role(RoleName="bench", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        self.queue = self.sqs.create_queue(QueueName="bench")["QueueUrl"]
        self.s3.create_bucket(Bucket="bench", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.dynamodb.create_table(
            TableName="bench",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.glue.create_database(DatabaseInput={"Name": "bench"})
        self.logs.create_log_group(logGroupName="bench")
        self.function(os.urandom(CODE_BYTES * count // 100))
        for _ in range(count):
            self.put_object()
            self.put_item()
            self.send_message()
            self.put_log_events(f"s{self._next()}")
        for _ in range(count // 5):
            self.put_rule()
            self.create_table()
            self.create_role()
        self.glue.create_table(DatabaseName="bench", TableInput={"Name": "updated"})

    def requests(self) -> dict[str, Callable[[], Any]]:
        arn = self.functions.get_function(FunctionName="large")["Configuration"]["FunctionArn"]
        self.logs.create_log_stream(logGroupName="bench", logStreamName="one")
        return {
            "SendMessage": self.send_message,
            "ReceiveMessage and DeleteMessage": self.receive_and_delete,
            "TagResource of Lambda": lambda: self.functions.tag_resource(Resource=arn, Tags={"n": str(self._next())}),
            "UpdateFunctionConfiguration": lambda: self.functions.update_function_configuration(
                FunctionName="large", Description=str(self._next())
            ),
            "PutRule": self.put_rule,
            "PutLogEvents": lambda: self.put_log_events("one"),
            "CreateTable of Glue": self.create_table,
            "UpdateTable of Glue": lambda: self.glue.update_table(
                DatabaseName="bench", TableInput={"Name": "updated", "Parameters": {"n": str(self._next())}}
            ),
            "CreateRole and AttachRolePolicy": self.create_role,
            "PutItem": self.put_item,
            "PutObject": self.put_object,
        }

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint.url,
            region_name="eu-west-1",
            aws_access_key_id=self.endpoint.access_key_id,
            aws_secret_access_key=self.endpoint.secret_access_key,
            config=Config(s3={"addressing_style": "path"}),
        )

    def _next(self) -> int:
        self.number += 1
        return self.number

    def function(self, code: bytes) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("handler.py", "def handler(event, context): ...")
            archive.writestr("data", code)
        self.functions.create_function(
            FunctionName="large",
            Runtime="python3.12",
            Role=self.role,
            Handler="handler.handler",
            Code={"ZipFile": buffer.getvalue()},
        )

    def send_message(self) -> None:
        self.sqs.send_message(QueueUrl=self.queue, MessageBody="x" * 100)

    def receive_and_delete(self) -> None:
        message = self.sqs.receive_message(QueueUrl=self.queue)["Messages"][0]
        self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])

    def put_log_events(self, stream: str) -> None:
        if stream != "one":
            self.logs.create_log_stream(logGroupName="bench", logStreamName=stream)
        events = [{"timestamp": int(time.time() * 1000), "message": "x"}]
        self.logs.put_log_events(logGroupName="bench", logStreamName=stream, logEvents=events)

    def put_rule(self) -> None:
        self.events.put_rule(Name=f"r{self._next()}", ScheduleExpression="rate(1 day)", State="DISABLED")

    def create_table(self) -> None:
        columns = [{"Name": f"c{n}", "Type": "int"} for n in range(20)]
        table = {"Name": f"t{self._next()}", "StorageDescriptor": {"Columns": columns}}
        self.glue.create_table(DatabaseName="bench", TableInput=table)

    def create_role(self) -> None:
        name = f"r{self._next()}"
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        self.iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")

    def put_item(self) -> None:
        self.dynamodb.put_item(TableName="bench", Item={"pk": {"S": str(self._next())}, "v": {"S": "x" * 100}})

    def put_object(self) -> None:
        self.s3.put_object(Bucket="bench", Key=str(self._next()), Body=b"x")
