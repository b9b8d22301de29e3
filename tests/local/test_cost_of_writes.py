"""What grows has rows of its own: a request writes what it changes, and a kill loses nothing of it."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_helpers import kill, new_role, zipped

from lakectl.local import control
from lakectl.local.durable.database import FILE_NAME

Client = Callable[[str], Any]


def state(own_state: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(own_state / "state" / FILE_NAME)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_sent_received_deleted_and_moved_messages_survive_a_kill(aws: Client, own_state: Path) -> None:
    sqs = aws("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    queue = sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "0"})["QueueUrl"]
    gone = sqs.create_queue(QueueName="gone")["QueueUrl"]
    fifo = sqs.create_queue(QueueName="f.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for number in range(4):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
        group = {"MessageGroupId": "g", "MessageDeduplicationId": str(number)}
        sqs.send_message(QueueUrl=fifo, MessageBody=str(number), **group)
    sqs.send_message(QueueUrl=gone, MessageBody="gone")
    sqs.delete_queue(QueueUrl=gone)
    first = sqs.receive_message(QueueUrl=queue)["Messages"][0]  # 0 is moved to the dead letters by the next call
    sqs.delete_message(
        QueueUrl=queue, ReceiptHandle=sqs.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"]
    )
    held = sqs.receive_message(QueueUrl=fifo, VisibilityTimeout=600)["Messages"][0]

    kill()
    sqs = aws("sqs")

    left = [each["Body"] for each in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]]
    assert left == ["2", "3"]
    assert [each["Body"] for each in sqs.receive_message(QueueUrl=dead)["Messages"]] == [first["Body"]]
    assert "Messages" not in sqs.receive_message(QueueUrl=fifo)  # its group waits for the one that is held
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=held["ReceiptHandle"])
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=held["ReceiptHandle"])
    assert sqs.receive_message(QueueUrl=fifo)["Messages"][0]["Body"] == "1"
    sqs.create_queue(QueueName="gone")
    assert "Messages" not in sqs.receive_message(QueueUrl=gone)
    sqs.purge_queue(QueueUrl=dead)

    kill()
    sqs = aws("sqs")

    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=held["ReceiptHandle"])  # twice is as good as once
    assert "Messages" not in sqs.receive_message(QueueUrl=dead)
    counts = state(own_state, "SELECT scope, count(*) FROM state WHERE kind = 'sqs-message' GROUP BY scope")
    assert {scope.rpartition("/")[2]: count for scope, count in counts} == {"q": 2, "f.fifo": 3}


def test_a_message_costs_its_own_row(aws: Client, own_state: Path) -> None:
    """Item 7: what else the queue holds is not written again."""
    sqs = aws("sqs")
    queue = sqs.create_queue(QueueName="many")["QueueUrl"]
    for begin in range(0, 100, 10):
        entries = [{"Id": str(n), "MessageBody": str(begin + n)} for n in range(10)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    message = sqs.receive_message(QueueUrl=queue)["Messages"][0]
    before = written(own_state)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=7)
    sqs.send_message(QueueUrl=queue, MessageBody="one more")
    changed = {key for key, value in written(own_state).items() if before.get(key) != value}
    assert len(changed) == 2


def written(own_state: Path) -> dict[str, bytes]:
    rows = state(own_state, "SELECT kind, id, value FROM state WHERE kind IN ('sqs-message', 'backend', 'part')")
    return {f"{kind} {identity}": value for kind, identity, value in rows}


def test_code_has_a_row_that_a_tag_does_not_write_again(aws: Client, own_state: Path) -> None:
    role = new_role(aws("iam"), "large")
    functions = aws("lambda")
    buffer = io.BytesIO(zipped("def handler(event, context):\n    return event"))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("data", os.urandom(300_000))
    settings = {"Runtime": "python3.12", "Role": role, "Handler": "handler.handler"}
    made = functions.create_function(FunctionName="f", Code={"ZipFile": buffer.getvalue()}, **settings)
    functions.tag_resource(Resource=made["FunctionArn"], Tags={"a": "b"})
    rows = state(own_state, "SELECT length(value) FROM state WHERE kind = 'lambda'")
    assert rows
    assert sum(size for (size,) in rows) < 20_000  # the code is a file

    kill()
    functions = aws("lambda")

    assert functions.list_tags(Resource=made["FunctionArn"])["Tags"] == {"a": "b"}
    assert functions.get_function(FunctionName="f")["Configuration"]["CodeSha256"] == made["CodeSha256"]
    assert functions.invoke(FunctionName="f", Payload=b"1")["Payload"].read() == b"1"
    functions.delete_function(FunctionName="f")
    assert state(own_state, "SELECT count(*) FROM state WHERE kind = 'large-value'") == [(0,)]
    control.stop()
