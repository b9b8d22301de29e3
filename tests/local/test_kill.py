"""kill -9 at random moments under load: what was acknowledged is there, and the next server starts."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lakectl.local import control, processes

WRITERS = 4


class Load:
    """Threads that write until the endpoint is gone, and what each was told is written."""

    def __init__(self, endpoint: control.Endpoint, turn: int) -> None:
        self.endpoint = endpoint
        self.turn = turn
        self.objects: set[str] = set()
        self.deleted: set[str] = set()
        self.items: set[str] = set()
        self.messages: set[str] = set()
        self.tables: set[str] = set()
        self.threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def _write(self, writer: int) -> None:
        s3, dynamodb, sqs, glue = (client(self.endpoint, name) for name in ("s3", "dynamodb", "sqs", "glue"))
        url = f"{self.endpoint.url}/{self.endpoint.account_id}/load"
        for number in range(100_000):
            name = f"{self.turn}-{writer}-{number}"
            try:
                s3.put_object(Bucket="load", Key=name, Body=name.encode() * 100)
                self.objects.add(name)
                dynamodb.put_item(TableName="load", Item={"pk": {"S": name}})
                self.items.add(name)
                if number % 5 == 0:
                    sqs.send_message(QueueUrl=url, MessageBody=name)
                    self.messages.add(name)
                    glue.create_table(DatabaseName="load", TableInput={"Name": f"t{name}"})
                    self.tables.add(f"t{name}")
                if number % 3 == 0:
                    self.objects.discard(name)  # until it is acknowledged, it may be there or not
                    s3.delete_object(Bucket="load", Key=name)
                    self.deleted.add(name)
            except (BotoCoreError, ClientError):
                return


def client(endpoint: control.Endpoint, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint.url,
        region_name="eu-west-1",
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
    )


def killed_under_load(moments: int) -> None:
    endpoint = control.ensure_running()
    s3, dynamodb, sqs, glue = (client(endpoint, name) for name in ("s3", "dynamodb", "sqs", "glue"))
    s3.create_bucket(Bucket="load", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    dynamodb.create_table(
        TableName="load",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    sqs.create_queue(QueueName="load")
    glue.create_database(DatabaseInput={"Name": "load"})
    for turn in range(moments):
        load = Load(endpoint, turn)
        time.sleep(random.uniform(0.05, 1.0))
        os.kill(endpoint.pid, signal.SIGKILL)
        for thread in load.threads:
            thread.join()
        while processes.alive(endpoint.pid):
            time.sleep(0.01)
        endpoint = control.ensure_running()
        check(endpoint, load)


def check(endpoint: control.Endpoint, load: Load) -> None:
    s3, dynamodb, sqs, glue = (client(endpoint, name) for name in ("s3", "dynamodb", "sqs", "glue"))
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="load")
    keys = {each["Key"] for page in pages for each in page.get("Contents", [])}
    assert load.objects <= keys
    assert not load.deleted & keys
    for name in random.sample(sorted(load.objects), min(20, len(load.objects))):
        assert s3.get_object(Bucket="load", Key=name)["Body"].read() == name.encode() * 100
    pages = dynamodb.get_paginator("scan").paginate(TableName="load")
    assert load.items <= {item["pk"]["S"] for page in pages for item in page["Items"]}
    pages = glue.get_paginator("get_tables").paginate(DatabaseName="load")
    assert load.tables <= {table["Name"] for page in pages for table in page["TableList"]}
    url, seen = sqs.get_queue_url(QueueName="load")["QueueUrl"], set()
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            seen.add(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert load.messages <= seen


@pytest.mark.parametrize("moments", [2, pytest.param(100, marks=pytest.mark.long)])
def test_nothing_acknowledged_is_lost_by_a_kill(moments: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    try:
        killed_under_load(moments)
    finally:
        control.stop()
